//! PAYLOAD: each provider gets the body that the client sent.
//!
//! | code | where |
//! |---|---|
//! | `FP-PAYLOAD-01`, `02`, `03`, `07` | [`changes`], compared with the client's request |
//! | `FP-PAYLOAD-05` | [`changes`], compared with the first attempt |
//! | `FP-PAYLOAD-04` | [`model`] |
//! | `FP-PAYLOAD-06` | [`acceptable`] |
//! | `FP-PAYLOAD-08`, `09` | [`spelling`] |

mod acceptable;
mod body;
mod changes;
mod conversation;
mod defaults;
mod model;
mod spelling;
#[cfg(test)]
mod tests;

use fallproof_suite::requirement::Code;

pub(super) use self::changes::ignored;
use super::collector::Collector;
use super::excuse::Excuse;
use crate::observe::{Attempt, View};
use crate::violation::PayloadViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(sent) = body::read(&body::sent_type(view), &view.observed.exchange.sent) else {
        // Only JSON and forms can be compared.
        return;
    };
    let mut first = None;
    for attempt in view.attempts() {
        acceptable::check(found, &attempt);
        // A body that the request log truncated cannot be compared. The mock refuses it anyway.
        if attempt.recorded.body_cut.is_some() {
            continue;
        }
        let Some(received) = body::received(view, &attempt, &sent) else {
            let reason = body::unreadable(&attempt.recorded.body, sent.is_form);
            found.breach(Code::Payload03, PayloadViolation::Unreadable { reason }).at(&attempt);
            continue;
        };
        if let Some(excuse) = translated(view, &attempt) {
            let violation = found.breach(Code::Payload03, PayloadViolation::OtherEndpoint);
            violation.at(&attempt).excused(Some(excuse));
            continue;
        }
        changes::since_the_client(found, &attempt, &sent.tree, &received);
        spelling::check(found, &attempt, &sent.tree, &received);
        model::check(found, &attempt, &received);
        match &first {
            None => first = Some((attempt.number, received)),
            Some((number, first)) => {
                changes::since_the_first(found, &attempt, (*number, first), &received);
            }
        }
    }
}

/// The declared reason why this attempt goes to a different endpoint than the call, if there is
/// one.
fn translated(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let (surface, endpoint) = attempt.recorded.route?;
    let reason = view.capabilities.translates(view.planned.send.endpoint, endpoint, surface)?;
    Some(Excuse::Translates(reason.to_owned()))
}

/// A value, truncated to fit on one line.
fn brief(value: &str) -> String {
    const MAX_CHARS: usize = 80;
    if value.chars().count() <= MAX_CHARS {
        return value.to_owned();
    }
    let start: String = value.chars().take(MAX_CHARS).collect();
    format!("{start}… ({} bytes)", value.len())
}
