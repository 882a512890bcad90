//! `FP-CLIENT-15`: a response is HTTP, says in one way where it ends, and ends there.

use fallproof_protocol::http1::{CHUNKED, after_response, transfer_codings, values};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::violation::ClientViolation::{
    BytesAfterEnd, LengthAndCoding, NotHttp, UnknownTransferCoding,
};

/// Most characters of what follows a response that a violation quotes.
const QUOTED: usize = 40;

pub(super) fn check(found: &mut Collector<'_>) {
    let exchange = found.view.observed.raw_exchange();
    if let Ending::NotHttp(error) = &exchange.ending {
        found.breach(Code::Client15, NotHttp { error: error.clone() });
        return;
    }
    let codings = transfer_codings(&exchange.headers);
    if !codings.is_empty() && values(&exchange.headers, "content-length").next().is_some() {
        found.breach(Code::Client15, LengthAndCoding);
    }
    if !codings.is_empty() && codings != [CHUNKED] {
        found.breach(Code::Client15, UnknownTransferCoding { coding: codings.join(", ") });
    }
    let received = &exchange.received;
    // Not if the response was too long to be recorded as a whole.
    let is_whole = received.bytes.len() == received.length();
    let rest = after_response(&received.bytes).filter(|rest| is_whole && !rest.is_empty());
    if let Some(rest) = rest {
        let start = String::from_utf8_lossy(rest).chars().take(QUOTED).collect();
        found.breach(Code::Client15, BytesAfterEnd { bytes: rest.len(), start });
    }
}
