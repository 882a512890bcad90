//! What one scenario says must happen, beyond the requirements that hold always.

use super::{Finding, Findings, Verdict};
use serde_json::Value;

use crate::client::Ending;
use crate::observe::View;
use crate::scenario::ExpectedError;

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let mut missed = |message: String| findings.add(None, None, None, message, Verdict::Fail);
    let exchange = &view.step.exchange;

    if exchange.ending != Ending::Complete && !view.is_broken_off() {
        missed(format!("the target {}", exchange.ending.in_words()));
        return findings.found;
    }
    if let Some(expected) = &view.expect.attempts {
        let seen: Vec<_> = view.attempts().map(|attempt| attempt.hop.upstream.clone()).collect();
        if *expected != seen {
            missed(format!("expected attempts at {}, saw {}", list(expected), list(&seen)));
        }
    }
    if let (Some(expected), Some(status)) = (view.expect.status, exchange.status)
        && expected != status
    {
        missed(format!("expected status {expected} for the client, got {status}"));
    }
    if let Some(expected) = &view.expect.answered_by {
        let answering = view
            .group
            .chain
            .iter()
            .find(|hop| hop.marker().found_in(&exchange.body))
            .map(|hop| hop.upstream.as_str());
        if answering != Some(expected) {
            let answering = answering.unwrap_or("no upstream");
            missed(format!("expected the answer of {expected}, got that of {answering}"));
        }
    }
    if let Some(expected) = &view.expect.error {
        complain_of_error(expected, &exchange.body, missed);
    }
    findings.found
}

fn complain_of_error(expected: &ExpectedError, body: &[u8], mut missed: impl FnMut(String)) {
    let error = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|mut body| body.get_mut("error").map(Value::take))
        .filter(Value::is_object);
    let Some(error) = error else {
        missed("expected an error in OpenAI's shape, got something else".into());
        return;
    };
    let members = [("type", &expected.kind), ("code", &expected.code), ("param", &expected.param)];
    for (member, wanted) in members {
        if let Some(wanted) = wanted
            && error[member].as_str() != Some(wanted)
        {
            missed(format!("expected error.{member} \"{wanted}\", got {}", error[member]));
        }
    }
    if let Some(words) = &expected.message_contains
        && !error["message"].as_str().is_some_and(|message| message.contains(words.as_str()))
    {
        missed(format!("expected \"{words}\" in error.message, got {}", error["message"]));
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
