//! LEAK: internal addresses and names do not leave the gateway. Credentials are covered by AUTH.
//!
//! [`address_shown`] checks `FP-LEAK-01` and `04`; [`address_sent`] checks `02`; [`group_sent`]
//! checks `03`; [`name_sent`] checks `05`; [`internals`] checks `06`; [`other_groups`] checks `07`.

mod internals;
mod other_groups;
#[cfg(test)]
mod tests;

use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::plan::Deployment;
use fallproof_suite::requirement::Code;

use super::collector::Collector;
use super::contains;
use crate::observe::View;
use crate::violation::LeakViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    address_shown(found);
    address_sent(found);
    group_sent(found);
    name_sent(found);
    internals::check(found);
    other_groups::check(found);
}

/// All that the client sent, and all that providers replied to this call and to earlier ones. What a
/// response repeats of it is no leak. `None` if a reply was recorded only in part.
fn written(view: View<'_>) -> Option<Vec<&[u8]>> {
    let exchange = &view.observed.exchange;
    let mut written = vec![&*exchange.sent, &*exchange.sent_head];
    let calls = view.earlier.iter().chain([view.observed]);
    for reply in calls.flat_map(|call| &call.requests).map(|it| &**it) {
        if reply.reply_cut.is_some() {
            return None;
        }
        written.extend([&*reply.reply, &*reply.reply_head]);
    }
    Some(written)
}

fn address_shown(found: &mut Collector<'_>) {
    let view = found.view;
    let exchange = &view.observed.exchange;
    let shown_in = |text: &[u8]| {
        // An address that the client itself sent is not a leak.
        let is_known =
            |deployment: &Deployment| contains(&exchange.sent_head, authority(deployment));
        let unknown = || view.all_deployments().filter(|deployment| !is_known(deployment));
        // All deployments may share one host and port; only the prefix tells them apart.
        let by_prefix = unknown().find(|deployment| contains(text, &deployment.prefix));
        let by_authority = || unknown().find(|deployment| contains(text, authority(deployment)));
        by_prefix.or_else(by_authority).map(|deployment| deployment.name.clone())
    };
    for (header, value) in &exchange.headers {
        if let Some(of) = shown_in(value) {
            let kind = LeakViolation::AddressInHeader { header: header.clone(), of };
            found.breach(Code::Leak04, kind);
        }
    }
    if let Some(of) = shown_in(&exchange.body) {
        found.breach(Code::Leak01, LeakViolation::AddressInAnswer { of });
    }
}

/// Compares the path prefixes, because all deployments may share one host and port.
fn address_sent(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts() {
        for other in view.all_deployments() {
            if other.prefix != attempt.deployment.prefix && carries(attempt.recorded, &other.prefix)
            {
                let kind = LeakViolation::AddressSent { of: other.name.clone() };
                found.breach(Code::Leak02, kind).at(&attempt);
            }
        }
    }
}

/// Checks that attempts do not carry the group's name, which the client sends in `model`. Skips the
/// check if the client's request contains the name more than once, because the client's own text
/// may then contain the name.
fn group_sent(found: &mut Collector<'_>) {
    let view = found.view;
    let name = &view.group.model;
    let sent = String::from_utf8_lossy(&view.observed.exchange.sent);
    // If a scenario is not in a folder, the name of its group is a single word, which may occur by
    // coincidence.
    if sent.matches(name.as_str()).count() > 1 || !name.contains('.') {
        return;
    }
    for attempt in view.attempts() {
        // If the attempt's deployment has the same name, the name is not a secret.
        let is_its_name =
            [&attempt.deployment.deployment_name, &attempt.deployment.model].contains(&name);
        if !is_its_name && carries_beside_addresses(view, attempt.recorded, name) {
            let kind = LeakViolation::GroupSent { group: name.clone() };
            found.breach(Code::Leak03, kind).at(&attempt);
        }
    }
}

/// Only names that the operator has chosen are secret; the providers' model names are public.
fn name_sent(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts() {
        let own = [&attempt.deployment.deployment_name, &attempt.deployment.model];
        let is_sent = |other: &&Deployment| {
            let name = &other.deployment_name;
            *name != other.model
                && !own.iter().any(|own| own.contains(name))
                && !contains(&view.observed.exchange.sent, name)
                && (carries(attempt.recorded, name) || attempt.recorded.target.contains(name))
        };
        if let Some(other) = view.all_deployments().find(is_sent) {
            let (name, of) = (other.deployment_name.clone(), other.name.clone());
            found.breach(Code::Leak05, LeakViolation::NameSent { name, of }).at(&attempt);
        }
    }
}

fn carries(recorded: &RecordedRequest, text: &str) -> bool {
    recorded.headers.iter().any(|(_, value)| contains(value, text))
        || contains(&recorded.body, text)
}

/// Whether the request contains the string outside the deployments' addresses, which contain the
/// scenario's name.
fn carries_beside_addresses(view: View<'_>, recorded: &RecordedRequest, text: &str) -> bool {
    let without_addresses = |bytes: &[u8]| {
        let mut rest = String::from_utf8_lossy(bytes).into_owned();
        for deployment in view.all_deployments() {
            rest = rest.replace(&deployment.prefix, "");
        }
        contains(rest.as_bytes(), text)
    };
    let values = recorded.headers.iter().map(|(_, value)| value);
    values.chain([&recorded.body]).any(|bytes| contains(bytes, text) && without_addresses(bytes))
}

/// `host:port` of a deployment's address.
fn authority(deployment: &Deployment) -> &str {
    let host = deployment.host.strip_prefix("http://").unwrap_or(&deployment.host);
    host.strip_suffix(&deployment.prefix).unwrap_or(host)
}
