//! HEADER: which headers reach a provider.

use super::names::{self, is_one_of};
use super::{Finding, Findings};
use crate::observe::{Attempt, View};
use crate::requirement::Code;

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    for attempt in view.attempts() {
        passed_on(&mut findings, &attempt);
        internal(&mut findings, &attempt);
        content_type(&mut findings, &attempt);
        of_the_api(&mut findings, &attempt);
    }
    findings.found
}

/// `OpenAI-Beta` switches on what the request then uses.
fn of_the_api(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let view = findings.view;
    let sent = view.client_headers();
    for (name, value) in sent.filter(|(name, _)| name.eq_ignore_ascii_case("openai-beta")) {
        if !attempt.hit.header(name).any(|arrived| arrived == value.as_bytes()) {
            let message = format!(
                "attempt {} at {} lacks the client's `{name}`",
                attempt.number, attempt.hop.upstream
            );
            findings.breach(Code::Header05, Some(attempt.number), None, message);
        }
    }
}

/// The same names may belong to the gateway's own connection, so only the client's value counts.
fn passed_on(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let sent = || findings.view.client_headers();
    let named: Vec<String> = sent()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let known = names::headers();
    let mut found = Vec::new();
    for (name, value) in sent() {
        let lower = name.to_ascii_lowercase();
        let requirement = if named.contains(&lower) || is_one_of(&lower, &known.connection) {
            Code::Header01
        } else if is_one_of(&lower, &known.client) {
            Code::Header02
        } else {
            continue;
        };
        if attempt.hit.header(name).any(|arrived| contains(arrived, value)) {
            found.push((requirement, lower));
        }
    }
    for (requirement, name) in found {
        findings.breach(
            requirement,
            Some(attempt.number),
            None,
            format!(
                "attempt {} at {} carries the client's `{name}`",
                attempt.number, attempt.hop.upstream
            ),
        );
    }
}

fn internal(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    for (name, _) in &attempt.hit.headers {
        let lower = name.to_ascii_lowercase();
        if names::of_gateways().has_header(&lower) {
            findings.breach(
                Code::Header03,
                Some(attempt.number),
                None,
                format!(
                    "attempt {} at {} carries `{lower}`, which is for gateways",
                    attempt.number, attempt.hop.upstream
                ),
            );
        }
    }
}

fn content_type(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let body = serde_json::from_slice::<serde::de::IgnoredAny>(&findings.view.step.exchange.sent);
    let arrived: Vec<_> = attempt.hit.header("content-type").map(media_type).collect();
    if body.is_err() || arrived == ["application/json"] {
        return;
    }
    let arrived = if arrived.is_empty() { "none".to_owned() } else { arrived.join(", ") };
    findings.breach(
        Code::Header04,
        Some(attempt.number),
        None,
        format!(
            "attempt {} at {} has the content type {arrived}, and the client sent JSON",
            attempt.number, attempt.hop.upstream
        ),
    );
}

/// The type without its parameters, in lower case.
fn media_type(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A list that a proxy added to still holds the client's value.
fn contains(arrived: &[u8], value: &str) -> bool {
    !value.is_empty() && String::from_utf8_lossy(arrived).contains(value)
}
