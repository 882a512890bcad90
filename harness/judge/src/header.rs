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
use crate::observe::{Attempt, View};
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
    for (name, value) in view.client_headers() {
        let header = name.to_ascii_lowercase();
        let requirement = if is_hop_by_hop(view, &header) {
            Code::Header01
        } else if is_one_of(&header, &names::headers().client) {
            Code::Header02
        } else {
            continue;
        };
        if attempt.recorded.header(name).any(|arrived| contains(arrived, value)) {
            let excuse = declared(view, &header);
            let kind = HeaderViolation::Forwarded { header };
            found.breach(requirement, kind).at(attempt).excused(excuse);
        }
    }
}

fn internal(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    for (name, _) in &attempt.recorded.headers {
        let header = name.to_ascii_lowercase();
        if names::of_gateways().has_header(&header) {
            let excuse = declared(found.view, &header);
            let kind = HeaderViolation::Internal { header };
            found.breach(Code::Header03, kind).at(attempt).excused(excuse);
        }
    }
}

/// The declared reason for forwarding this header, if the client sent it. No declaration covers
/// hop-by-hop headers and API keys.
pub(super) fn declared(view: View<'_>, header: &str) -> Option<Excuse> {
    let is_clients = view.client_headers().any(|(name, _)| name.eq_ignore_ascii_case(header));
    let is_key =
        header.eq_ignore_ascii_case("authorization") || is_one_of(header, &names::headers().keys);
    let may_be_declared = is_clients && !is_key && !is_hop_by_hop(view, header);
    let reason = view.capabilities.forwards(header).filter(|_| may_be_declared)?;
    Some(Excuse::Forwards(reason.to_owned()))
}

/// Whether this header of the client applies only to its connection.
fn is_hop_by_hop(view: View<'_>, header: &str) -> bool {
    let mut connection =
        view.client_headers().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let is_listed = |(_, value): (&str, &str)| {
        value.split(',').any(|name| name.trim().eq_ignore_ascii_case(header))
    };
    is_one_of(header, &names::headers().connection) || connection.any(is_listed)
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
