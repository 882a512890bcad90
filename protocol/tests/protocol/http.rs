//! HTTP/1 heads and bodies.

use fallproof_protocol::http1::{
    BodyError, BodyReader, Framing, Headers, Progress, RequestHead, request_head,
};
use proptest::prelude::*;

use crate::checks::http::{check, pieces_make_no_difference, written};
use crate::mutation::{each, inputs};

const PIECES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "HTTP/1.0 099 x\r\n",
    "POST /v1/x?y HTTP/1.1\r\n",
    "transfer-encoding: chunked\r\n",
    "Transfer-Encoding: gzip,\tchunked\r\n",
    "content-length: 3\r\n",
    "content-length: 3, 4\r\n",
    "x: y \r\n",
    " folded\r\n",
    "\r\n",
    "\r",
    "\n",
    "0\r\n",
    "3\r\nabc\r\n",
    "3;a=\"b\"\r\nab",
    "ffffffffffffffff\r\n",
    "10000000000000000\r\n",
];

fn responses() -> impl Strategy<Value = Vec<u8>> {
    let valid: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx: \xff\r\n\r\n\
          3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nsum: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 x\r\ncontent-length: 5\r\n\r\nabcdefg",
        b"HTTP/1.0 200 OK\r\nset-cookie: a\r\nset-cookie: b\r\n\r\nuntil the end",
        b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}",
    ];
    inputs(valid.map(<[u8]>::to_vec).to_vec(), PIECES)
}

#[test]
fn what_holds_for_responses_holds_for_any_bytes() {
    each(400, &responses(), |bytes| check(&bytes));
}

#[test]
fn a_response_is_the_same_wherever_it_is_split() {
    let ends = prop::collection::btree_set(0..300_usize, 0..8);
    each(400, &(responses(), ends, 0..40_usize), |(bytes, ends, most)| {
        let ends: Vec<_> = ends.into_iter().collect();
        pieces_make_no_difference(&bytes, &ends, most);
    });
}

#[test]
fn a_request_head_that_was_written_is_read_back() {
    let value = "[!-~\u{80}-\u{ff}]([ -~\t\u{80}-\u{ff}]{0,20}[!-~])?";
    let header = ("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", prop_oneof![value, Just(String::new())]);
    let head = ("[A-Z]{1,7}", "/[!-~]{0,20}", prop::collection::vec(header, 0..6), any::<bool>());
    each(250, &head, |(method, target, headers, is_1_1)| {
        let headers: Headers =
            headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let version = if is_1_1 { "1.1" } else { "1.0" };
        let bytes = written(&format!("{method} {target} HTTP/{version}"), &headers);
        let head = RequestHead { length: bytes.len(), method, target, is_1_1, headers };
        assert_eq!(request_head(&[&bytes[..], b"body"].concat()), Ok(Some(head)));
        let cut = bytes.len() - 1;
        assert_eq!(request_head(&bytes[..cut]), Ok(None), "without its last byte");
    });
}

#[test]
fn chunks_that_were_written_are_read_back() {
    let chunk = (prop::collection::vec(any::<u8>(), 1..40), "(;[a-z]{1,5}(=[a-z0-9]{1,5})?)?");
    let chunks = prop::collection::vec(chunk, 0..6);
    let trailers = prop::collection::vec("[a-z]{1,8}: [!-~]{0,8}", 0..4);
    each(250, &(chunks, trailers, any::<bool>()), |(chunks, trailers, is_upper)| {
        let mut bytes = Vec::new();
        for (chunk, extension) in &chunks {
            let (lower, upper) = (format!("{:x}", chunk.len()), format!("{:X}", chunk.len()));
            let size = if is_upper { upper } else { lower };
            bytes.extend([size.as_bytes(), extension.as_bytes(), b"\r\n", chunk, b"\r\n"].concat());
        }
        bytes.extend(b"0\r\n");
        for line in trailers {
            bytes.extend(format!("{line}\r\n").as_bytes());
        }
        bytes.extend(b"\r\n");
        let body: Vec<_> = chunks.into_iter().flat_map(|(chunk, _)| chunk).collect();
        for piece in [1, 5, bytes.len()] {
            let read = chunked(&bytes, piece);
            assert_eq!(read, Ok((body.clone(), bytes.len())), "{}", bytes.escape_ascii());
        }
    });
}

/// Reads a chunked body in pieces of this length. Returns the body and the number of bytes used.
fn chunked(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, usize), BodyError> {
    let (mut reader, mut body) = (BodyReader::new(Framing::Chunked, usize::MAX), Vec::new());
    let (mut used, mut end) = (0, 0);
    loop {
        let step = reader.advance(&bytes[used..end], &mut body)?;
        used += step.used;
        match step.progress {
            Progress::More => {
                assert!(end < bytes.len(), "the body does not end");
                end = bytes.len().min(end + piece);
            }
            Progress::Chunk => {}
            Progress::Done | Progress::TooLong => return Ok((body, used)),
        }
    }
}

#[test]
fn a_line_of_a_chunked_body_has_the_same_limits_however_it_arrives() {
    const LONG: usize = 64 * 1024;
    let trailer = |length| [b"0\r\n".as_slice(), &vec![b'x'; length - 2], b"\r\n\r\n"].concat();
    let size = |length| [b"1;".as_slice(), &vec![b'x'; length - 4], b"\r\na\r\n0\r\n\r\n"].concat();
    let lines = |count| [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(count), b"\r\n"].concat();
    for (bytes, wanted) in [
        (trailer(LONG), None),
        (trailer(LONG + 1), Some(BodyError::EndlessLine)),
        (size(LONG), None),
        (size(LONG + 1), Some(BodyError::EndlessChunkSize)),
        (lines(256), None),
        (lines(257), Some(BodyError::EndlessTrailers)),
    ] {
        for piece in [bytes.len(), 4093] {
            assert_eq!(chunked(&bytes, piece).err(), wanted, "in pieces of {piece}");
        }
    }
}
