//! A hit as JSON, for people and tests that read the journal from outside.

use fallproof_protocol::journal::{Hit, HitKind};
use serde_json::{Value, json};

/// The hit with everything that was kept of it; credentials are those of the mocks, and no secret.
/// Bytes that are no UTF-8 show as U+FFFD. What was longer than the journal keeps has its whole
/// length beside it.
pub(super) fn of(hit: &Hit, upstream: &str) -> Value {
    let kind = match hit.kind {
        HitKind::Matched => "matched",
        HitKind::Probe => "probe",
        HitKind::Stray => "stray",
    };
    let headers: Vec<_> = hit
        .headers
        .iter()
        .map(|(name, value)| json!([name, String::from_utf8_lossy(value)]))
        .collect();
    let violation = hit.violation.as_ref().map(|violation| {
        json!({
            "message": violation.message,
            "param": violation.param,
            "code": violation.code,
            "strength": violation.strength,
        })
    });
    let millis = |time: std::time::Duration| json!(time.as_secs_f64() * 1000.0);
    json!({
        "seq": hit.seq,
        "upstream": upstream,
        "kind": kind,
        "attempt": hit.attempt,
        "method": hit.method,
        "target": hit.target,
        "head": String::from_utf8_lossy(&hit.head),
        "headers": headers,
        "body": String::from_utf8_lossy(&hit.body),
        "body_length_if_cut": hit.body_cut,
        "behaviour": hit.behaviour,
        "wire": hit.wire,
        "refused": hit.refused,
        "violation": violation,
        "status": hit.status,
        "reply": String::from_utf8_lossy(&hit.reply),
        "reply_length_if_cut": hit.reply_cut,
        "reply_bytes_sent": hit.sent,
        "client_gone": hit.client_gone,
        "times": {
            "accepted": millis(hit.times.accepted),
            "head": millis(hit.times.head),
            "body": millis(hit.times.body),
            "first_byte": hit.times.first_byte.map(millis),
            "end": hit.times.end.map(millis),
        },
    })
}
