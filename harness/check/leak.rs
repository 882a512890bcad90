//! LEAK: what only the operator knows stays with the gateway.
//!
//! Credentials are AUTH's; here it is addresses and names.

use fallproof_mocks::journal::Hit;

use super::{Finding, Findings, contains};
use crate::observe::View;
use crate::plan::Hop;
use crate::requirement::Code;

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    address_shown(&mut findings);
    address_sent(&mut findings);
    group_sent(&mut findings);
    name_sent(&mut findings);
    findings.found
}

fn address_shown(findings: &mut Findings<'_>) {
    let exchange = &findings.view.step.exchange;
    let headers = exchange.headers.iter().map(|(name, value)| {
        (Code::Leak04, format!("the header `{name}` of the answer"), value.as_slice())
    });
    let body = (Code::Leak01, "the answer".to_owned(), exchange.body.as_slice());
    for (requirement, part, text) in headers.chain([body]) {
        // A client that brings the addresses along learns nothing from them.
        let is_known = |hop: &Hop| contains(&exchange.sent_head, authority(hop));
        let holds = |hop: &Hop| contains(text, authority(hop)) || contains(text, &hop.prefix);
        let shows = |hop: &&Hop| holds(hop) && !is_known(hop);
        let view = findings.view;
        if let Some(hop) = view.all_hops().find(shows) {
            let message = format!("{part} shows the client the address of {}", hop.upstream);
            findings.breach(requirement, None, None, message);
        }
    }
}

/// All upstreams may share host and port, which each must be told; the prefixes differ.
fn address_sent(findings: &mut Findings<'_>) {
    let view = findings.view;
    for attempt in view.attempts() {
        for other in view.all_hops() {
            let theirs = other.prefix != attempt.hop.prefix && carries(attempt.hit, &other.prefix);
            if theirs {
                findings.breach(
                    Code::Leak02,
                    Some(attempt.number),
                    None,
                    format!(
                        "attempt {} at {} carries the address of {}",
                        attempt.number, attempt.hop.upstream, other.upstream
                    ),
                );
            }
        }
    }
}

/// The group's name is what the client put into `model`; anywhere else it may be its own word.
fn group_sent(findings: &mut Findings<'_>) {
    let view = findings.view;
    let name = &view.group.group;
    let sent = String::from_utf8_lossy(&view.step.exchange.sent);
    // A file in no folder gives a name of one word, which may be anybody's.
    if sent.matches(name.as_str()).count() > 1 || !name.contains('.') {
        return;
    }
    for attempt in view.attempts() {
        // A deployment may go by the same name; then it is no secret.
        let named_so = [&attempt.hop.deployment, &attempt.hop.model].contains(&name);
        let shows = |text: &[u8]| contains(text, name);
        let headers = attempt.hit.headers.iter().map(|(_, value)| value.as_slice());
        if !named_so && headers.chain([attempt.hit.body.as_slice()]).any(shows) {
            findings.breach(
                Code::Leak03,
                Some(attempt.number),
                None,
                format!(
                    "attempt {} at {} carries `{name}`, the gateway's own name for the group",
                    attempt.number, attempt.hop.upstream
                ),
            );
        }
    }
}

/// Only names that an operator has chosen tell of anything; models are named alike everywhere.
fn name_sent(findings: &mut Findings<'_>) {
    let view = findings.view;
    for attempt in view.attempts() {
        let own = [&attempt.hop.deployment, &attempt.hop.model];
        let is_told = |other: &&Hop| {
            let name = &other.deployment;
            *name != other.model
                && !own.iter().any(|own| own.contains(name))
                && !contains(&view.step.exchange.sent, name)
                && (carries(attempt.hit, name) || attempt.hit.target.contains(name))
        };
        if let Some(other) = view.all_hops().find(is_told) {
            let message = format!(
                "attempt {} at {} carries `{}`, the name of {}",
                attempt.number, attempt.hop.upstream, other.deployment, other.upstream
            );
            findings.breach(Code::Leak05, Some(attempt.number), None, message);
        }
    }
}

fn carries(hit: &Hit, text: &str) -> bool {
    hit.headers.iter().any(|(_, value)| contains(value, text)) || contains(&hit.body, text)
}

/// `host:port` of a deployment's address.
fn authority(hop: &Hop) -> &str {
    let host = hop.host.strip_prefix("http://").unwrap_or(&hop.host);
    host.strip_suffix(&hop.prefix).unwrap_or(host)
}
