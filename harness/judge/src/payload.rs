//! PAYLOAD: what the client sent is what each provider gets.
//!
//! | code | where |
//! |---|---|
//! | `FP-PAYLOAD-01`, `02`, `03`, `07` | [`changes`] against what the client sent |
//! | `FP-PAYLOAD-05` | [`changes`] against what the first attempt carried |
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

use super::collector::Collector;
use super::excuse::Excuse;
use crate::observe::{Attempt, View};
use crate::violation::PayloadViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(sent) = body::read(&body::sent_type(view), &view.step.exchange.sent) else {
        // A client that sends neither JSON nor a form has nothing that could be lost.
        return;
    };
    let mut first = None;
    for attempt in view.attempts() {
        acceptable::check(found, &attempt);
        // Of what is longer than the request log keeps nobody can say what was lost. A mock refuses it.
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
            None => first = Some(received),
            Some(first) => changes::since_the_first(found, &attempt, first, &received),
        }
    }
}

/// Why this attempt asks for another endpoint, where the target declares that it does so.
fn translated(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let (surface, endpoint) = attempt.recorded.route?;
    let reason = view.capabilities.translates(view.planned.send.endpoint, endpoint, surface)?;
    Some(Excuse::Translates(reason.to_owned()))
}

/// A value short enough for one line.
fn brief(value: &str) -> String {
    const MOST: usize = 80;
    if value.chars().count() <= MOST {
        return value.to_owned();
    }
    let start: String = value.chars().take(MOST).collect();
    format!("{start}… ({} bytes)", value.len())
}
