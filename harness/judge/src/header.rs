//! HEADER: the headers of an attempt.
//!
//! [`forwarded`] checks `FP-HEADER-01` and `02`; [`internal`] checks `03`; [`content_type`] checks
//! `04`; [`of_the_api`] checks `05`; [`settings`] checks `06`.

mod settings;
#[cfg(test)]
mod tests;

use fallproof_suite::requirement::Code;

use super::collector::Collector;
use super::excuse::Excuse;
use super::names::{self, is_one_of};
use crate::observe::Attempt;
use crate::violation::HeaderViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts() {
        forwarded(found, &attempt);
        internal(found, &attempt);
        content_type(found, &attempt);
        of_the_api(found, &attempt);
        settings::check(found, &attempt);
    }
}

/// Checks that `OpenAI-Beta` is forwarded, because it enables features that the request uses.
fn of_the_api(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let view = found.view;
    let sent = view.client_headers();
    for (name, value) in sent.filter(|(name, _)| name.eq_ignore_ascii_case("openai-beta")) {
        if !attempt.recorded.header(name).any(|arrived| arrived == value.as_bytes()) {
            let kind = HeaderViolation::Missing { header: name.to_owned() };
            found.breach(Code::Header05, kind).at(attempt);
        }
    }
}

/// Checks that headers about the client or its connection are not forwarded. Compares their values,
/// because the gateway's own connection may have headers with the same names.
fn forwarded(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let view = found.view;
    let named: Vec<String> = view
        .client_headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let known = names::headers();
    for (name, value) in view.client_headers() {
        let header = name.to_ascii_lowercase();
        let requirement = if named.contains(&header) || is_one_of(&header, &known.connection) {
            Code::Header01
        } else if is_one_of(&header, &known.client) {
            Code::Header02
        } else {
            continue;
        };
        if attempt.recorded.header(name).any(|arrived| contains(arrived, value)) {
            // A hop-by-hop header must not be forwarded, even if the target declares that it
            // forwards it.
            let excuse =
                (requirement == Code::Header02).then(|| declared(found, &header)).flatten();
            let kind = HeaderViolation::Forwarded { header };
            found.breach(requirement, kind).at(attempt).excused(excuse);
        }
    }
}

fn internal(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    for (name, _) in &attempt.recorded.headers {
        let header = name.to_ascii_lowercase();
        if names::of_gateways().has_header(&header) {
            let excuse = declared(found, &header);
            let kind = HeaderViolation::Internal { header };
            found.breach(Code::Header03, kind).at(attempt).excused(excuse);
        }
    }
}

/// The declared reason for forwarding this header, if the client sent it.
fn declared(found: &Collector<'_>, header: &str) -> Option<Excuse> {
    let view = found.view;
    let is_clients = view.client_headers().any(|(name, _)| name.eq_ignore_ascii_case(header));
    let reason = view.capabilities.forwards(header).filter(|_| is_clients)?;
    Some(Excuse::Forwards(reason.to_owned()))
}

fn content_type(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let body = serde_json::from_slice::<serde::de::IgnoredAny>(&found.view.observed.exchange.sent);
    let got: Vec<_> = attempt.recorded.header("content-type").map(media_type).collect();
    if body.is_ok() && got != ["application/json"] {
        found.breach(Code::Header04, HeaderViolation::WrongContentType { got }).at(attempt);
    }
}

/// The media type without parameters, in lower case.
fn media_type(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether the header contains the client's value, possibly in a list that the gateway extended.
fn contains(arrived: &[u8], value: &str) -> bool {
    !value.is_empty() && String::from_utf8_lossy(arrived).contains(value)
}
