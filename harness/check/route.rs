//! ROUTE: which deployments are asked, in what order, how often, and when it ends.

use super::{Finding, Findings};
use crate::observe::{Attempt, Ended, View};

const ORDER: &str = "FP-ROUTE-01";
const STOP: &str = "FP-ROUTE-02";
const HAND_OVER: &str = "FP-ROUTE-03";
const REFUSED: &str = "FP-ROUTE-04";
const RETRIES: &str = "FP-ROUTE-05";

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let attempts: Vec<_> = view.attempts().collect();
    order(&mut findings, &attempts);
    stop(&mut findings, &attempts);
    hand_over(&mut findings, &attempts);
    refused(&mut findings, &attempts);
    retries(&mut findings, &attempts);
    findings.found
}

fn order(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let mut next = 0;
    for attempt in attempts {
        let view = findings.view;
        let skipped = (next..attempt.place).find(|&place| view.visible(place));
        let message = if attempt.place + 1 < next {
            Some(format!(
                "attempt {} went back to {}, after {} was asked",
                attempt.number,
                attempt.hop.upstream,
                view.group.chain[next - 1].upstream
            ))
        } else {
            skipped.map(|place| {
                format!(
                    "attempt {} went to {} before {} was asked",
                    attempt.number, attempt.hop.upstream, view.group.chain[place].upstream
                )
            })
        };
        if let Some(message) = message {
            findings.breach(ORDER, Some(attempt.number), None, message);
        }
        next = next.max(attempt.place + 1);
    }
}

fn stop(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let Some(success) = attempts.iter().position(|attempt| attempt.ended() == Ended::Success)
    else {
        return;
    };
    for late in &attempts[success + 1..] {
        findings.breach(
            STOP,
            Some(late.number),
            None,
            format!(
                "attempt {} went to {} although attempt {} had succeeded",
                late.number, late.hop.upstream, attempts[success].number
            ),
        );
    }
}

fn hand_over(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let Some(last) = attempts.last() else { return };
    let failure = match last.ended() {
        Ended::Broken => "without a complete answer".to_owned(),
        Ended::Error(status @ (408 | 429 | 500..=599)) => format!("with {status}"),
        Ended::Success | Ended::Error(_) | Ended::ErrorInStream | Ended::Interrupted => return,
    };
    let view = findings.view;
    let next = (last.place + 1..view.group.chain.len()).find(|&place| view.visible(place));
    if let Some(next) = next {
        findings.breach(
            HAND_OVER,
            Some(last.number),
            None,
            format!(
                "attempt {} failed {failure} and {} was never asked",
                last.number, view.group.chain[next].upstream
            ),
        );
    }
}

fn refused(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let clients_mistake = |attempt: &&Attempt<'_>| {
        matches!(attempt.ended(), Ended::Error(400 | 413 | 422))
            // These two may have chains of their own.
            && !matches!(
                attempt.error_code().as_deref(),
                Some("context_length_exceeded" | "content_filter")
            )
    };
    let Some(refused) = attempts.iter().find(clients_mistake) else { return };
    for again in attempts.iter().filter(|attempt| attempt.number > refused.number) {
        findings.breach(
            REFUSED,
            Some(again.number),
            None,
            format!(
                "attempt {} sent again what {} had refused as the client's mistake",
                again.number, refused.hop.upstream
            ),
        );
    }
}

fn retries(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    for (place, hop) in view.group.chain.iter().enumerate() {
        let count = attempts.iter().filter(|attempt| attempt.place == place).count();
        let allowed = view.group.policy.retries as usize + 1;
        if count > allowed {
            findings.breach(
                RETRIES,
                None,
                None,
                format!(
                    "{} was asked {count} times; with retries {} it is to be asked at most {allowed} times",
                    hop.upstream, view.group.policy.retries
                ),
            );
        }
    }
}
