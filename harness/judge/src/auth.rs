//! AUTH: each provider gets its own credential and no other credential.
//!
//! [`own`] checks `FP-AUTH-01`; [`foreign`] checks `02` and `03`; [`answer`] checks `04`;
//! [`admitted`] checks `05`.

#[cfg(test)]
mod tests;

use fallproof_protocol::provider::Surface;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::ClientKey;

use super::collector::Collector;
use super::contains;
use crate::observe::Attempt;
use crate::violation::{AuthViolation, UnauthorizedClient};

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts() {
        own(found, &attempt);
        foreign(found, &attempt);
    }
    answer(found);
    admitted(found);
}

fn own(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let surface =
        attempt.recorded.route.map_or(attempt.deployment.surface(), |(surface, _)| surface);
    let bearer = ("authorization", format!("Bearer {}", attempt.deployment.key));
    let api_key = ("api-key", attempt.deployment.key.clone());
    let (header, value) = match surface {
        Surface::OpenAi => bearer,
        // Azure's v1 surface accepts its API key in either header.
        Surface::AzureV1 if attempt.recorded.header("api-key").next().is_none() => bearer,
        Surface::AzureV1 | Surface::AzureLegacy => api_key,
    };
    let sent: Vec<_> = attempt.recorded.header(header).collect();
    let header = header.to_owned();
    let kind = match sent.as_slice() {
        [one] if *one == value.as_bytes() => return,
        [] => AuthViolation::Missing { header },
        [_] => AuthViolation::Other { header },
        many => AuthViolation::Several { header, times: many.len() },
    };
    found.breach(Code::Auth01, kind).at(attempt);
}

fn foreign(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let view = found.view;
    let carried = |secret: &str| {
        contains(&attempt.recorded.head, secret) || contains(&attempt.recorded.body, secret)
    };
    for other in view.all_deployments() {
        if other.key != attempt.deployment.key && carried(&other.key) {
            let kind = AuthViolation::CarriesAnother { of: other.name.clone() };
            found.breach(Code::Auth02, kind).at(attempt);
        }
    }
    if carried(view.gateway_key) {
        found.breach(Code::Auth03, AuthViolation::CarriesGatewayKey).at(attempt);
    }
}

fn answer(found: &mut Collector<'_>) {
    let view = found.view;
    let exchange = &view.observed.exchange;
    let shown = |secret: &str| {
        contains(&exchange.body, secret)
            || exchange.headers.iter().any(|(_, value)| contains(value, secret))
    };
    // An API key that the client itself sent is not a leak.
    let is_known = |secret: &str| contains(&exchange.sent_head, secret);
    for deployment in view
        .all_deployments()
        .filter(|deployment| shown(&deployment.key) && !is_known(&deployment.key))
    {
        found.breach(Code::Auth04, AuthViolation::ResponseLeaks { of: deployment.name.clone() });
    }
    if shown(view.gateway_key) {
        found.breach(Code::Auth04, AuthViolation::ResponseLeaksGatewayKey);
    }
}

fn admitted(found: &mut Collector<'_>) {
    let view = found.view;
    let client = match view.planned.send.key {
        ClientKey::Right => return,
        ClientKey::Wrong => UnauthorizedClient::WrongKey,
        ClientKey::None => UnauthorizedClient::NoKey,
    };
    if let Some(attempt) = view.attempts().next() {
        found.breach(Code::Auth05, AuthViolation::AttemptFor { client }).at(&attempt);
    }
    // The gateway may choose any error status.
    if let Some(status) = view.observed.exchange.status.filter(|status| *status < 400) {
        found.breach(Code::Auth05, AuthViolation::Answered { client, status });
    }
}
