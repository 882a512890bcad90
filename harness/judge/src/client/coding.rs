//! `FP-CLIENT-14`: a body has the content coding that its header names, and the receiver accepts
//! that coding.

use fallproof_protocol::coding::{accepts, codings, is_gzip, is_packed, unpacked};
use fallproof_protocol::http1::{Headers, request_head};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::violation::ClientViolation::{
    AttemptMiscoded, Miscoded, PackedCallFailed, UnacceptableCoding,
};
use crate::violation::CodingMisfit;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts() {
        let request = attempt.recorded.raw();
        if let Some(how) = misfit(&request.headers, &request.body) {
            found.breach(Code::Client14, AttemptMiscoded { how }).at(&attempt);
        }
    }
    let exchange = view.observed.raw_exchange();
    if let Some(how) = misfit(&exchange.headers, &exchange.body) {
        found.breach(Code::Client14, Miscoded { how });
    }
    let sent = request_head(&exchange.sent_head).ok().flatten().unwrap_or_default();
    let coding = codings(&exchange.headers).into_iter().next();
    if let Some(coding) = coding.filter(|it| accepts(&sent.headers, it) == Some(false)) {
        found.breach(Code::Client14, UnacceptableCoding { coding });
    }
    // 501 says honestly that the gateway does not support the coding.
    if let (Some(_), Some(status @ (500 | 502..)), Ending::Complete, None) =
        (view.planned.send.encoding, exchange.status, &exchange.ending, view.attempts().next())
    {
        found.breach(Code::Client14, PackedCallFailed { status });
    }
}

/// Returns how the body contradicts its `content-encoding` header. Only gzip is checked.
fn misfit(headers: &Headers, body: &[u8]) -> Option<CodingMisfit> {
    // Unpacking this many bytes shows whether the body is gzip.
    const START: usize = 1024;
    if codings(headers).is_empty() {
        return is_packed(body).then_some(CodingMisfit::Unlabeled);
    }
    let is_plain = is_gzip(headers) && !body.is_empty() && unpacked(body, START).is_none();
    is_plain.then_some(CodingMisfit::NotPacked)
}
