//! A reply that is ready to be sent: the head and the chunks up to the cut.

use std::iter;
use std::num::NonZeroUsize;

use fallproof_protocol::coding::Coding;
use fallproof_protocol::sse::{event_length, events_length};

use super::prepared_reply::PreparedReply;
use crate::behavior::{Chunking, CutPoint, GARBAGE, HeadFault};

/// How to frame a reply for its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplyFraming {
    pub(super) with_body: bool,
    pub(super) takes_chunks: bool,
    pub(super) keeps_alive: bool,
}

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// The head including the empty line, or the garbage that is sent instead of a head.
    pub(super) head: Vec<u8>,
    /// The status in the head; `None` for garbage.
    pub(super) status: Option<u16>,
    pub(super) is_chunked: bool,
    body: Vec<u8>,
    /// Number of body bytes to send.
    until: usize,
    /// Bytes per chunk; `None` for one event per chunk.
    chunk_bytes: Option<NonZeroUsize>,
    /// If the body is compressed, the compressed and the uncompressed length of each piece.
    packed: Option<Vec<[usize; 2]>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    /// The bytes to send; a cut may leave only a part of the chunk.
    pub(super) bytes: &'a [u8],
    /// Length of the complete chunk, without the cut.
    pub(super) length: usize,
    /// Number of additional uncompressed bytes that the client can decode once it has the whole
    /// chunk. `None` if the body is not compressed: then each byte counts when it is sent.
    pub(super) plain: Option<usize>,
}

impl Outgoing {
    pub(super) fn new(prepared: PreparedReply, framing: ReplyFraming) -> Self {
        let PreparedReply { plan, status, mut head, has_body, is_event_stream, coding, mut body } =
            prepared;
        if plan.wire.head == Some(HeadFault::Garbage) {
            return Self { head: GARBAGE.to_vec(), ..Self::default() };
        }
        let is_event_stream = is_event_stream && has_body;
        let packed = coding.map(|coding| pack(coding, &mut body, is_event_stream));
        let mut is_chunked = false;
        if let Some(HeadFault::ContentLengthOffBy(bytes)) = plan.wire.head {
            let bytes = isize::try_from(bytes.get()).unwrap_or(isize::MAX);
            push_length(&mut head, body.len().saturating_add_signed(bytes));
        } else if !is_event_stream && has_body {
            push_length(&mut head, body.len());
        } else if is_event_stream && framing.takes_chunks {
            is_chunked = framing.with_body;
            head.extend(b"transfer-encoding: chunked\r\n");
        } // In all other cases, there is no body, or the end of the connection ends it (HTTP/1.0).
        if !framing.keeps_alive {
            head.extend(b"connection: close\r\n");
        }
        head.extend(b"\r\n");
        if !framing.with_body {
            body.clear();
        }
        let until = match plan.wire.cut.map(|cut| cut.at) {
            Some(CutPoint::BeforeHead | CutPoint::AfterHead | CutPoint::Events(0)) => 0,
            Some(CutPoint::BodyBytes(bytes)) => bytes.min(body.len()),
            Some(CutPoint::Events(count)) if is_event_stream => match &packed {
                Some(chunks) => chunks.iter().take(count).map(|[length, _]| length).sum(),
                None => events_length(&body, count),
            },
            Some(CutPoint::Events(_)) | None => body.len(),
        };
        let chunk_bytes = match plan.wire.write.unwrap_or_default() {
            Chunking::Bytes(bytes) => Some(bytes),
            Chunking::Events => (!is_event_stream).then_some(NonZeroUsize::MAX),
        };
        Self { head, status: Some(status), is_chunked, body, until, chunk_bytes, packed }
    }

    /// The chunks of the body, up to the cut.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        let mut rest = self.body.as_slice();
        let mut left = self.until;
        let mut packed = self.packed.as_deref().map(<[_]>::iter);
        iter::from_fn(move || {
            let (length, plain) = match (self.chunk_bytes, &mut packed) {
                (None, Some(packed)) => {
                    packed.next().map_or((0, None), |[length, plain]| (*length, Some(*plain)))
                }
                (None, None) => (event_length(rest), None),
                (Some(bytes), None) => (bytes.get().min(rest.len()), None),
                // Chunks split the compressed pieces, so the uncompressed length counts at the end.
                (Some(bytes), Some(packed)) => {
                    let is_last = bytes.get() >= rest.len();
                    let plain = packed.as_slice().iter().map(|[_, plain]| plain).sum();
                    (bytes.get().min(rest.len()), Some(if is_last { plain } else { 0 }))
                }
            };
            let (chunk, others) = rest.split_at(length);
            rest = others;
            let bytes = &chunk[..length.min(left)];
            left -= bytes.len();
            (!bytes.is_empty()).then_some(Chunk { bytes, length, plain })
        })
    }
}

/// Compresses a body, event by event if it is a stream. Returns the compressed and the uncompressed
/// length of each piece.
fn pack(coding: Coding, body: &mut Vec<u8>, is_event_stream: bool) -> Vec<[usize; 2]> {
    let mut rest = body.as_slice();
    let pieces: Vec<_> = iter::from_fn(|| {
        let length = if is_event_stream { event_length(rest) } else { rest.len() };
        let (piece, others) = rest.split_at(length);
        rest = others;
        (!piece.is_empty()).then_some(piece)
    })
    .collect();
    let packed = coding.packed(pieces.iter().copied());
    let plain = pieces.iter().map(|piece| piece.len()).chain(iter::once(0));
    let lengths = packed.iter().zip(plain).map(|(packed, plain)| [packed.len(), plain]).collect();
    *body = packed.concat();
    lengths
}

fn push_length(head: &mut Vec<u8>, length: usize) {
    head.extend(format!("content-length: {length}\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use fallproof_protocol::coding;

    use super::*;
    use crate::behavior::{Cut, CutEnd, WireFault};
    use crate::provider_set::ReplyPlan;
    use crate::request_log::RequestKind;

    const FRAMING: ReplyFraming =
        ReplyFraming { with_body: true, takes_chunks: true, keeps_alive: true };

    fn outgoing(body: &[u8], is_event_stream: bool, wire: WireFault) -> Outgoing {
        let coding = wire.encoding;
        let plan = ReplyPlan {
            kind: RequestKind::Attempt,
            attempt: 1,
            route: None,
            behavior: "ok".to_owned(),
            refused: false,
            violation: None,
            wire,
        };
        let prepared = PreparedReply {
            plan,
            status: 200,
            head: Vec::new(),
            has_body: true,
            is_event_stream,
            coding,
            body: body.to_vec(),
        };
        Outgoing::new(prepared, FRAMING)
    }

    #[rstest]
    #[case::line_feeds("data: 1\n\nx: 2\ndata: 3\n\n", &["data: 1\n\n", "x: 2\ndata: 3\n\n"])]
    #[case::both("data: 1\r\n\r\ndata: 2\r\n\r\n", &["data: 1\r\n\r\n", "data: 2\r\n\r\n"])]
    #[case::returns("data: 1\r\rdata: 2\r\r", &["data: 1\r\r", "data: 2\r\r"])]
    #[case::many_empty_lines("data: 1\n\n\n\ndata: 2\n\n", &["data: 1\n\n\n\n", "data: 2\n\n"])]
    #[case::no_last_empty_line("data: 1\n\ndata: 2\n", &["data: 1\n\n", "data: 2\n"])]
    #[case::nothing("", &[])]
    fn a_stream_has_a_chunk_for_each_event(#[case] body: &str, #[case] events: &[&str]) {
        let outgoing = outgoing(body.as_bytes(), true, WireFault::default());
        let chunks: Vec<_> = outgoing.chunks().map(|chunk| chunk.bytes).collect();
        assert_eq!(chunks, events.iter().map(|event| event.as_bytes()).collect::<Vec<_>>());
    }

    #[test]
    fn any_other_body_is_one_chunk_and_one_event() {
        let whole = [Chunk { bytes: b"{\n\n}\n\n", length: 6, plain: None }];
        let cut =
            |at| WireFault { cut: Some(Cut { at, end: CutEnd::Close }), ..WireFault::default() };
        let sent = |wire| outgoing(b"{\n\n}\n\n", false, wire);
        assert!(sent(WireFault::default()).chunks().eq(whole));
        let whole = [Chunk { bytes: b"{\n\n}\n\n", length: 6, plain: None }];
        assert!(sent(cut(CutPoint::Events(1))).chunks().eq(whole));
        assert_eq!(sent(cut(CutPoint::Events(0))).chunks().next(), None);
    }

    fn chunking() -> impl Strategy<Value = Chunking> {
        prop_oneof![
            Just(Chunking::Events),
            (1..9_usize).prop_filter_map("0", NonZeroUsize::new).prop_map(Chunking::Bytes),
        ]
    }

    fn cut_point() -> impl Strategy<Value = CutPoint> {
        prop_oneof![
            Just(CutPoint::BeforeHead),
            Just(CutPoint::AfterHead),
            (0..40_usize).prop_map(CutPoint::BodyBytes),
            (0..9_usize).prop_map(CutPoint::Events),
            Just(CutPoint::Events(usize::MAX)),
        ]
    }

    #[rstest]
    #[case::by_event(Chunking::Events, true, &[9, 11])]
    #[case::by_bytes(Chunking::Bytes(NonZeroUsize::MIN), true, &[20])]
    #[case::whole(Chunking::Events, false, &[20])]
    fn a_packed_body_is_counted_as_it_is_plain(
        #[case] write: Chunking,
        #[case] is_event_stream: bool,
        #[case] counted: &[usize],
    ) {
        let (write, encoding) = (Some(write), Some(Coding::Gzip));
        let wire = WireFault { write, encoding, ..WireFault::default() };
        let body = b"data: 1\n\ndata: two\n\n";
        let outgoing = outgoing(body, is_event_stream, wire);
        let plain: Vec<_> = outgoing.chunks().filter_map(|chunk| chunk.plain).collect();
        assert_eq!(plain.into_iter().filter(|it| *it > 0).collect::<Vec<_>>(), counted);
        let sent: Vec<u8> = outgoing.chunks().flat_map(|chunk| chunk.bytes).copied().collect();
        assert_eq!(coding::unpacked(&sent, 100).as_deref(), Some(&body[..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_chunks_make_up_the_body_up_to_the_cut(
            body in "[a\r\nü]{0,30}",
            is_event_stream: bool,
            write in chunking(),
            at in prop::option::of(cut_point()),
        ) {
            let cut = at.map(|at| Cut { at, end: CutEnd::Close });
            let wire = WireFault { write: Some(write), cut, ..WireFault::default() };
            let outgoing = outgoing(body.as_bytes(), is_event_stream, wire);
            let chunks: Vec<_> = outgoing.chunks().collect();
            let sent: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes).copied().collect();
            prop_assert!(body.as_bytes().starts_with(&sent));
            match at {
                None => prop_assert_eq!(sent.len(), body.len()),
                Some(CutPoint::BodyBytes(bytes)) => {
                    prop_assert_eq!(sent.len(), bytes.min(body.len()));
                }
                Some(CutPoint::BeforeHead | CutPoint::AfterHead) => prop_assert_eq!(sent, b""),
                Some(CutPoint::Events(_)) => {}
            }
            for (position, chunk) in chunks.iter().enumerate() {
                let is_last = position + 1 == chunks.len();
                prop_assert!(chunk.bytes.len() == chunk.length || (is_last && at.is_some()));
                prop_assert!(!chunk.bytes.is_empty());
            }
        }
    }
}
