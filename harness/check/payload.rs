//! PAYLOAD: what the client sent is what each provider gets.

use fallproof_mocks::provider::Surface;
use fallproof_mocks::strict::{self, Strength};

use super::{Finding, Findings, Verdict, control};
use crate::json::{Difference, DifferenceKind, Tree, differences};
use crate::observe::{Attempt, View};

const INVENTED: &str = "FP-PAYLOAD-01";
const LOST: &str = "FP-PAYLOAD-02";
const CHANGED: &str = "FP-PAYLOAD-03";
const MODEL: &str = "FP-PAYLOAD-04";
const PARITY: &str = "FP-PAYLOAD-05";
const ACCEPTABLE: &str = "FP-PAYLOAD-06";
const RESPELLED: &str = "FP-PAYLOAD-07";

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let Ok(sent) = Tree::parse(&view.step.exchange.sent) else {
        // A client that sends no JSON has nothing that could be lost; its refusal is expected.
        return findings.found;
    };
    let mut first = None;
    for attempt in view.attempts() {
        acceptable(&mut findings, &attempt);
        let Ok(received) = Tree::parse(&attempt.hit.body) else {
            findings.breach(
                CHANGED,
                Some(attempt.number),
                None,
                format!("attempt {} carries a body that is not JSON", attempt.number),
            );
            continue;
        };
        same_as_sent(&mut findings, &attempt, &sent, &received);
        model(&mut findings, &attempt, &received);
        match &first {
            None => first = Some(received),
            Some(first) => parity(&mut findings, &attempt, first, &received),
        }
    }
    findings.found
}

/// Differences but for `model`, which each hop has its own of, and for defaults written out, which
/// mean what their absence means: an observation, not a finding.
fn compared(sent: &Tree, received: &Tree) -> impl Iterator<Item = Difference> {
    differences(sent, received)
        .into_iter()
        .filter(|difference| difference.pointer != "/model" && !is_default(difference))
}

/// Whether this adds or leaves out the value that the providers' APIs give a parameter by
/// themselves.
fn is_default(difference: &Difference) -> bool {
    const DEFAULTS: [(&str, &str); 2] = [("/stream", "false"), ("/n", "1")];
    matches!(&difference.kind, DifferenceKind::Added(value) | DifferenceKind::Removed(value)
        if DEFAULTS.contains(&(difference.pointer.as_str(), value.as_str())))
}

fn same_as_sent(findings: &mut Findings<'_>, attempt: &Attempt<'_>, sent: &Tree, received: &Tree) {
    let number = attempt.number;
    for Difference { pointer, kind } in compared(sent, received) {
        let (requirement, message) = match kind {
            DifferenceKind::Added(value) => {
                (INVENTED, format!("attempt {number} added {pointer}: {}", brief(&value)))
            }
            // What is for gateways and for no provider may end there.
            DifferenceKind::Removed(_) if control::is_for_gateways(&pointer) => continue,
            DifferenceKind::Removed(value) => {
                (LOST, format!("attempt {number} lost {pointer}: {}", brief(&value)))
            }
            DifferenceKind::Changed(from, to) => (
                CHANGED,
                format!(
                    "attempt {number} changed {pointer}: {} became {}",
                    brief(&from),
                    brief(&to)
                ),
            ),
            DifferenceKind::Respelled(from, to) => (
                RESPELLED,
                format!(
                    "attempt {number} respelled {pointer}: {} became {}",
                    brief(&from),
                    brief(&to)
                ),
            ),
        };
        findings.breach(requirement, Some(number), Some(&pointer), message);
    }
}

fn model(findings: &mut Findings<'_>, attempt: &Attempt<'_>, received: &Tree) {
    let named = received.member("model").and_then(Tree::as_str);
    // On Azure's legacy surface the path can hold the name, and live requests do without `model`.
    if named.is_none() && attempt.hop.surface() == Surface::AzureLegacy {
        return;
    }
    if named.as_deref() != Some(attempt.hop.deployment.as_str()) {
        let named = received.member("model").map_or_else(|| "nothing".to_owned(), Tree::compact);
        findings.breach(
            MODEL,
            Some(attempt.number),
            Some("/model"),
            format!(
                "attempt {} names the model {}; its deployment goes by \"{}\"",
                attempt.number,
                brief(&named),
                attempt.hop.deployment
            ),
        );
    }
}

fn parity(findings: &mut Findings<'_>, attempt: &Attempt<'_>, first: &Tree, received: &Tree) {
    let number = attempt.number;
    for Difference { pointer, kind } in compared(first, received) {
        let what = match kind {
            DifferenceKind::Added(_) => "has what the first attempt had not",
            DifferenceKind::Removed(_) => "lacks what the first attempt had",
            DifferenceKind::Changed(..) => "has another value than the first attempt had",
            DifferenceKind::Respelled(..) => continue,
        };
        findings.breach(
            PARITY,
            Some(number),
            Some(&pointer),
            format!("attempt {number} {what}: {pointer}"),
        );
    }
}

/// The provider's complaint counts only where the client's own body does not earn it.
fn acceptable(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let (Some(violation), Some((surface, endpoint))) = (&attempt.hit.violation, attempt.hit.place)
    else {
        return;
    };
    let clients_own =
        strict::check(surface, endpoint, &attempt.hop.model, &findings.view.step.exchange.sent);
    if clients_own.is_some_and(|own| own.pointer == violation.pointer && own.code == violation.code)
    {
        return;
    }
    let verdict = match violation.strength {
        Strength::Observed => Verdict::Fail,
        Strength::Documented => Verdict::Warn,
    };
    findings.add(
        Some(ACCEPTABLE),
        Some(attempt.number),
        Some(&violation.pointer),
        format!(
            "attempt {} is not valid for {}: {}",
            attempt.number,
            attempt.hop.vendor(),
            violation.message
        ),
        verdict,
    );
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
