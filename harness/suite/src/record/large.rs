//! Byte fields that are too long for the record of a case. Their bytes are written to a blob. Bytes
//! that several fields contain are written only once.

use std::collections::HashMap;
use std::mem;

use fallproof_protocol::request_log::RecordedRequest;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::MOST_BYTES_OF_A_CASE;
use super::error::Inconsistency;
use crate::evidence::{CallEvidence, CaseResult, Evidence, Exchange};

/// Maximum length of a byte field in the record. The bytes of longer fields are written to a blob.
const LONGEST_INLINE: usize = 8 * 1024;

/// A byte field of a case whose bytes are in a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Large {
    place: Place,
    /// Index of the blob among those that precede the case, from 0.
    blob: usize,
    /// Start of the bytes in the blob.
    from: usize,
    /// End of the bytes in the blob.
    to: usize,
}

/// A byte field of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Index of the call, from 0.
    call: usize,
    side: Side,
    part: Part,
}

/// The side of a call that a field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    /// The client.
    Client,
    /// An attempt. Holds its index, from 0.
    RecordedRequest(usize),
    /// A misdirected request. Holds its index, from 0.
    Astray(usize),
}

/// What the field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// The raw bytes of the answer.
    Traffic,
    /// The head of the request.
    Head,
    /// The body of the request.
    Body,
    /// The body of the answer.
    Answer,
}

impl Large {
    /// Number of bytes.
    pub(super) fn length(&self) -> usize {
        self.to - self.from
    }
}

impl Place {
    /// What the field holds.
    pub(super) fn part(self) -> Part {
        self.part
    }
}

/// Visits all byte fields of a case except parsed headers. Visits traffic first, because it may
/// contain the other fields.
pub(super) fn each<'a>(evidence: &'a mut Evidence, mut show: impl FnMut(Place, &'a mut Vec<u8>)) {
    for (call, made) in calls(evidence).iter_mut().enumerate() {
        let CallEvidence { exchange, requests, misdirected, .. } = made;
        let mut side = |side, parts: [(Part, &'a mut Vec<u8>); 4]| {
            for (part, bytes) in parts {
                show(Place { call, side, part }, bytes);
            }
        };
        side(Side::Client, of_client(exchange));
        let requests = requests
            .iter_mut()
            .enumerate()
            .map(|(at, recorded)| (Side::RecordedRequest(at), recorded));
        let misdirected =
            misdirected.iter_mut().enumerate().map(|(at, recorded)| (Side::Astray(at), recorded));
        requests.chain(misdirected).for_each(|(whose, recorded)| side(whose, of_hit(recorded)));
    }
}

/// Moves the bytes of long fields into blobs. Returns the blobs, and the fields that refer to them.
pub(super) fn take(evidence: &mut Evidence) -> (Vec<Vec<u8>>, Vec<Large>) {
    let mut taken = Vec::new();
    each(evidence, |place, bytes| {
        if bytes.len() > LONGEST_INLINE {
            taken.push((place, mem::take(bytes)));
        }
    });
    let (mut large, mut blobs) = (Vec::<Large>::new(), Vec::new());
    let mut known = HashMap::<&[u8], (usize, usize)>::new();
    // The latest traffic, which may contain the next fields.
    let mut around: Option<(Large, &[u8])> = None;
    for (index, (place, bytes)) in taken.iter().enumerate() {
        let within = || {
            let is_near = |it: &Place| it.call == place.call && it.side == place.side;
            let (traffic, all) = around.filter(|(traffic, _)| is_near(&traffic.place))?;
            memmem::find(all, bytes).map(|from| (traffic.blob, traffic.from + from))
        };
        let found = known.get(bytes.as_slice()).copied().or_else(within);
        let (blob, from) = found.unwrap_or_else(|| {
            blobs.push(index);
            (blobs.len() - 1, 0)
        });
        known.insert(bytes, (blob, from));
        let it = Large { place: *place, blob, from, to: from + bytes.len() };
        if place.part == Part::Traffic {
            around = Some((it, bytes));
        }
        large.push(it);
    }
    let is_blob = |index: &usize| blobs.binary_search(index).is_ok();
    let blobs = (0..).zip(taken).filter(|(index, _)| is_blob(index));
    (blobs.map(|(_, (_, bytes))| bytes).collect(), large)
}

/// Restores the bytes from the blobs.
pub(super) fn put_back(
    evidence: &mut Evidence,
    blobs: &[Vec<u8>],
    large: &[Large],
) -> Result<(), Inconsistency> {
    let mut remaining = MOST_BYTES_OF_A_CASE;
    for Large { place, blob, from, to } in large {
        let there = place.of(evidence).filter(|bytes| bytes.is_empty());
        let bytes = blobs.get(*blob).and_then(|blob| blob.get(*from..*to));
        let (Some(there), Some(bytes)) = (there, bytes) else { return Err(Inconsistency::Large) };
        remaining = remaining.checked_sub(bytes.len()).ok_or(Inconsistency::TooMuch)?;
        *there = bytes.to_vec();
    }
    Ok(())
}

impl Place {
    /// The bytes of this field.
    fn of(self, evidence: &mut Evidence) -> Option<&mut Vec<u8>> {
        let call = calls(evidence).get_mut(self.call)?;
        let parts = match self.side {
            Side::Client => of_client(&mut call.exchange),
            Side::RecordedRequest(at) => of_hit(call.requests.get_mut(at)?),
            Side::Astray(at) => of_hit(call.misdirected.get_mut(at)?),
        };
        parts.into_iter().find(|(part, _)| *part == self.part).map(|(_, bytes)| bytes)
    }
}

fn calls(evidence: &mut Evidence) -> &mut [CallEvidence] {
    match &mut evidence.result {
        CaseResult::Played(calls) => calls,
        _ => &mut [],
    }
}

fn of_client(exchange: &mut Exchange) -> [(Part, &mut Vec<u8>); 4] {
    let Exchange { received, sent_head, sent, body, .. } = exchange;
    [
        (Part::Traffic, &mut received.bytes),
        (Part::Head, sent_head),
        (Part::Body, sent),
        (Part::Answer, body),
    ]
}

fn of_hit(recorded: &mut RecordedRequest) -> [(Part, &mut Vec<u8>); 4] {
    let RecordedRequest { out, head, body, reply, .. } = recorded;
    [(Part::Traffic, &mut out.bytes), (Part::Head, head), (Part::Body, body), (Part::Answer, reply)]
}
