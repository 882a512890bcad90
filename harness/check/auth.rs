//! AUTH: each provider gets its own credential, and nobody gets another's.

use fallproof_mocks::provider::Surface;

use super::{Finding, Findings, contains};
use crate::observe::{Attempt, View};
use crate::requirement::Code;
use crate::scenario::ClientKey;

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    for attempt in view.attempts() {
        own(&mut findings, &attempt);
        foreign(&mut findings, &attempt);
    }
    answer(&mut findings);
    admitted(&mut findings);
    findings.found
}

fn own(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let surface = attempt.hit.place.map_or(attempt.hop.surface(), |(surface, _)| surface);
    let bearer = ("authorization", format!("Bearer {}", attempt.hop.key));
    let api_key = ("api-key", attempt.hop.key.clone());
    let (header, value) = match surface {
        Surface::OpenAi => bearer,
        // Azure's newer surface takes its key in either form.
        Surface::AzureV1 if attempt.hit.header("api-key").next().is_none() => bearer,
        Surface::AzureV1 | Surface::AzureLegacy => api_key,
    };
    let sent: Vec<_> = attempt.hit.header(header).collect();
    let complaint = match sent.as_slice() {
        [one] if *one == value.as_bytes() => return,
        [] => format!("has no `{header}` header"),
        [_] => format!("has another `{header}` than its deployment's"),
        many => format!("has {} `{header}` headers", many.len()),
    };
    findings.breach(
        Code::Auth01,
        Some(attempt.number),
        None,
        format!("attempt {} at {} {complaint}", attempt.number, attempt.hop.upstream),
    );
}

fn foreign(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let view = findings.view;
    let carried =
        |secret: &str| contains(&attempt.hit.head, secret) || contains(&attempt.hit.body, secret);
    for other in view.all_hops() {
        if other.key != attempt.hop.key && carried(&other.key) {
            findings.breach(
                Code::Auth02,
                Some(attempt.number),
                None,
                format!(
                    "attempt {} at {} carries the credential of {}",
                    attempt.number, attempt.hop.upstream, other.upstream
                ),
            );
        }
    }
    if carried(view.gateway_key) {
        findings.breach(
            Code::Auth03,
            Some(attempt.number),
            None,
            format!(
                "attempt {} at {} carries the client's key for the gateway",
                attempt.number, attempt.hop.upstream
            ),
        );
    }
}

fn answer(findings: &mut Findings<'_>) {
    let view = findings.view;
    let exchange = &view.step.exchange;
    let shown = |secret: &str| {
        contains(&exchange.body, secret)
            || exchange.headers.iter().any(|(_, value)| contains(value, secret))
    };
    // A client that brings the providers' keys along learns nothing from them.
    let is_known = |secret: &str| contains(&exchange.sent_head, secret);
    for hop in view.all_hops().filter(|hop| shown(&hop.key) && !is_known(&hop.key)) {
        findings.breach(
            Code::Auth04,
            None,
            None,
            format!("the answer to the client shows the credential of {}", hop.upstream),
        );
    }
    if shown(view.gateway_key) {
        findings.breach(
            Code::Auth04,
            None,
            None,
            "the answer to the client shows its own key".into(),
        );
    }
}

fn admitted(findings: &mut Findings<'_>) {
    let view = findings.view;
    let client = match view.planned.send.key {
        ClientKey::Right => return,
        ClientKey::Wrong => "a client with a key that it never gave out",
        ClientKey::None => "a client without a key",
    };
    if let Some(attempt) = view.attempts().next() {
        let (number, upstream) = (attempt.number, &attempt.hop.upstream);
        let message = format!("attempt {number} at {upstream} was made for {client}");
        findings.breach(Code::Auth05, Some(number), None, message);
    }
    // Which words it is turned away with is for the gateway to say.
    if let Some(status) = view.step.exchange.status.filter(|status| *status < 400) {
        let message = format!("{client} was answered {status}, not 401");
        findings.breach(Code::Auth05, None, None, message);
    }
}
