//! `FP-CLIENT-14`: a body has the content coding that its header names, and the receiver accepts
//! that coding.

use fallproof_protocol::coding::{Coding, accepts, codings, unpacked};
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
    if let (Some(coding), Some(status @ (500 | 502..)), Ending::Complete, None) =
        (view.planned.send.encoding, exchange.status, &exchange.ending, view.attempts().next())
    {
        found.breach(Code::Client14, PackedCallFailed { coding: coding.name(), status });
    }
}

/// Returns how the body contradicts its `content-encoding` header. Only gzip and zstd are checked.
fn misfit(headers: &Headers, body: &[u8]) -> Option<CodingMisfit> {
    // Unpacking this many bytes shows whether the body is in its coding.
    const START: usize = 1024;
    if codings(headers).is_empty() {
        return Coding::of(body).map(|coding| CodingMisfit::Unlabeled { coding: coding.name() });
    }
    let coding = Coding::in_headers(headers)?;
    let is_packed = Coding::of(body) == Some(coding) && unpacked(body, START).is_some();
    let is_plain = !body.is_empty() && !is_packed;
    is_plain.then_some(CodingMisfit::NotPacked { coding: coding.name() })
}
