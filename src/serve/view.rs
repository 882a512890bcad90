//! Recorded requests as JSON, for the admin API.

use std::sync::LazyLock;

use fallproof_protocol::request_log::{RecordedRequest, RequestKind};
use fallproof_report::redact::Redactor;
use serde_json::{Value, json};

use super::{AZURE_KEY, OPENAI_KEY};

/// Redacts every key but those of the mocks: somebody may have sent a real one by mistake.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::except(&[OPENAI_KEY, AZURE_KEY]));

/// Converts a recorded request to JSON. The keys of the mocks are included: they are not secret.
/// Other keys are redacted. Invalid UTF-8 is replaced with U+FFFD. If a body was cut to the size limit
/// of the request log, its full length is included.
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
        .map(|(name, value)| json!([name, REDACTOR.header(name, value)]))
        .collect();
    let violation = recorded.violation.as_ref().map(|violation| {
        json!({
            "message": REDACTOR.text(&violation.message),
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
        "target": REDACTOR.text(&recorded.target),
        "head": text(&REDACTOR.head(&recorded.head)),
        "headers": headers,
        "body": text(&recorded.body),
        "body_length_if_cut": recorded.body_cut,
        "behavior": recorded.behavior,
        "wire": recorded.wire,
        "refused": recorded.refused,
        "violation": violation,
        "status": recorded.status,
        "reply": text(&recorded.reply),
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

fn text(bytes: &[u8]) -> String {
    REDACTOR.text(&String::from_utf8_lossy(bytes))
}
