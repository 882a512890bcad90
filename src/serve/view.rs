//! Recorded requests as JSON, for the admin API.

use fallproof_protocol::request_log::{RecordedRequest, RequestKind};
use serde_json::{Value, json};

/// Converts a recorded request to JSON. Credentials are included: they belong to the mocks and are
/// not secret. Invalid UTF-8 is replaced with U+FFFD. If a body was cut to the size limit of the
/// request log, its full length is included.
pub(super) fn of(recorded: &RecordedRequest, deployment: &str) -> Value {
    let kind = match recorded.kind {
        RequestKind::Attempt => "matched",
        RequestKind::Probe => "probe",
        RequestKind::Stale => "stale",
        RequestKind::Unmatched => "unmatched",
    };
    let headers: Vec<_> = recorded
        .headers
        .iter()
        .map(|(name, value)| json!([name, String::from_utf8_lossy(value)]))
        .collect();
    let violation = recorded.violation.as_ref().map(|violation| {
        json!({
            "message": violation.message,
            "param": violation.param,
            "code": violation.code,
            "strength": violation.strength,
        })
    });
    let millis = |time: std::time::Duration| json!(time.as_secs_f64() * 1000.0);
    json!({
        "seq": recorded.seq,
        "deployment": deployment,
        "kind": kind,
        "attempt": recorded.attempt,
        "method": recorded.method,
        "target": recorded.target,
        "head": String::from_utf8_lossy(&recorded.head),
        "headers": headers,
        "body": String::from_utf8_lossy(&recorded.body),
        "body_length_if_cut": recorded.body_cut,
        "behavior": recorded.behavior,
        "wire": recorded.wire,
        "refused": recorded.refused,
        "violation": violation,
        "status": recorded.status,
        "reply": String::from_utf8_lossy(&recorded.reply),
        "reply_length_if_cut": recorded.reply_cut,
        "reply_bytes_sent": recorded.sent,
        "client_gone": recorded.client_gone,
        "times": {
            "accepted": millis(recorded.times.accepted),
            "head": millis(recorded.times.head),
            "body": millis(recorded.times.body),
            "first_byte": recorded.times.first_byte.map(millis),
            "end": recorded.times.end.map(millis),
        },
    })
}
