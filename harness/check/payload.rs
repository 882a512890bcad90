//! PAYLOAD: what the client sent is what each provider gets.

use fallproof_mocks::brain;
use fallproof_mocks::provider::Surface;
use fallproof_mocks::strict::{self, Strength, Violation};
use serde::de::IgnoredAny;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Finding, Findings, Verdict, control};
use crate::json::{Difference, DifferenceKind, Tree, differences};
use crate::observe::{Attempt, View};
use crate::requirement::Code;

/// Where a request names the response that it goes on from.
const RESPONSE: &str = "/previous_response_id";

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let Some(sent) = carried(&sent_type(view), &view.step.exchange.sent) else {
        // A client that sends neither JSON nor a form has nothing that could be lost.
        return findings.found;
    };
    let mut first = None;
    for attempt in view.attempts() {
        acceptable(&mut findings, &attempt);
        // Of what is longer than the journal keeps nobody can say what was lost. A mock refuses it.
        if attempt.hit.body_cut.is_some() {
            continue;
        }
        let kind = attempt.hit.header("content-type").next().unwrap_or_default();
        let kind =
            if sent.is_form { String::from_utf8_lossy(kind).into_owned() } else { JSON.into() };
        // Under another name its values are still the client's; the name is for the provider to refuse.
        let body = &attempt.hit.body;
        let Some(received) = carried(&kind, body).or_else(|| carried(&sent_type(view), body))
        else {
            let what = unreadable(body, sent.is_form);
            let message = format!("attempt {} carries a body that is {what}", attempt.number);
            findings.breach(Code::Payload03, Some(attempt.number), None, message);
            continue;
        };
        if let Some(because) = translated(view, &attempt) {
            let message = format!("attempt {} was sent to another endpoint", attempt.number);
            findings.declared_breach(
                Code::Payload03,
                Some(attempt.number),
                None,
                message,
                Some(because.to_owned()),
            );
            continue;
        }
        same_as_sent(&mut findings, &attempt, &sent.tree, &received.tree);
        observed(&mut findings, &attempt, &sent.tree, &received.tree);
        model(&mut findings, &attempt, &received.tree);
        match &first {
            None => first = Some(received.tree),
            Some(first) => parity(&mut findings, &attempt, first, &received.tree),
        }
    }
    findings.found
}

const JSON: &str = "application/json";

/// The members of a body, whether it is JSON or a form.
struct Carried {
    tree: Tree,
    is_form: bool,
}

fn carried(content_type: &str, body: &[u8]) -> Option<Carried> {
    if !content_type.to_ascii_lowercase().starts_with("multipart/") {
        return Tree::parse(body).ok().map(|tree| Carried { tree, is_form: false });
    }
    let parts = brain::read_form(content_type, body)?;
    let content = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => Tree::string(text),
        Err(_) => Tree::string(&format!("{} bytes, {:x?}", bytes.len(), Sha256::digest(bytes))),
    };
    let members = parts.iter().flat_map(|part| {
        let filename =
            part.filename.map(|it| (format!("{}.filename", part.name), Tree::string(it)));
        [(part.name.to_owned(), content(part.value))].into_iter().chain(filename)
    });
    Some(Carried { tree: Tree::Object(members.collect()), is_form: true })
}

/// What a body is that could not be compared.
fn unreadable(body: &[u8], is_form: bool) -> &'static str {
    match serde_json::from_slice::<IgnoredAny>(body) {
        _ if is_form => "not a form",
        Ok(_) => "nested too deeply to be compared",
        Err(_) => "not JSON",
    }
}

fn sent_type(view: View<'_>) -> String {
    view.planned.send.body.rendered("", "").content_type
}

/// Why this attempt asks for another endpoint, where the target declares that it does so.
fn translated<'a>(view: View<'a>, attempt: &Attempt<'_>) -> Option<&'a str> {
    let (surface, endpoint) = attempt.hit.place?;
    view.declaration.translates(view.planned.send.endpoint, endpoint, surface)
}

/// Why a difference is meant, where the target declares that it is.
fn adapted(findings: &Findings<'_>, attempt: &Attempt<'_>, pointer: &str) -> Option<String> {
    let view = findings.view;
    let endpoint = view.planned.send.endpoint;
    view.declaration.adapts(pointer, endpoint, attempt.hop.surface()).map(str::to_owned)
}

/// Differences but for `model`, which each hop has its own of, and for defaults written out, which
/// mean what their absence means: an observation, not a finding.
fn compared(sent: &Tree, received: &Tree) -> impl Iterator<Item = Difference> {
    differences(sent, received)
        .into_iter()
        .filter(|difference| difference.pointer != "/model" && !is_default(difference))
}

/// Whether this adds or leaves out the value that the providers' APIs give a parameter by
/// themselves. A null that is left out is one, too; one that is added may be refused.
fn is_default(difference: &Difference) -> bool {
    let Difference { pointer, kind } = difference;
    let is_top = pointer.matches('/').count() == 1;
    match kind {
        DifferenceKind::Removed(value) if value == "null" => is_top,
        DifferenceKind::Added(value) | DifferenceKind::Removed(value) => {
            DEFAULTS.contains(&(pointer.as_str(), value.as_str()))
        }
        _ => false,
    }
}

/// What `OpenAI`'s reference gives as the default of a parameter, on whichever endpoint has it:
/// <https://platform.openai.com/docs/api-reference>.
const DEFAULTS: [(&str, &str); 13] = [
    ("/encoding_format", "\"float\""),
    ("/frequency_penalty", "0"),
    ("/logprobs", "false"),
    ("/n", "1"),
    ("/parallel_tool_calls", "true"),
    ("/presence_penalty", "0"),
    ("/response_format", "\"mp3\""),
    ("/stream", "false"),
    ("/style", "\"vivid\""),
    ("/temperature", "1"),
    ("/tool_choice", "\"auto\""),
    ("/top_p", "1"),
    ("/truncation", "\"disabled\""),
];

fn same_as_sent(findings: &mut Findings<'_>, attempt: &Attempt<'_>, sent: &Tree, received: &Tree) {
    let number = attempt.number;
    for Difference { pointer, kind } in compared(sent, received) {
        let (requirement, message) = match kind {
            DifferenceKind::Added(value) => {
                (Code::Payload01, format!("attempt {number} added {pointer}: {}", brief(&value)))
            }
            // What is for gateways and for no provider may end there.
            DifferenceKind::Removed(_) if control::is_for_gateways(&pointer) => continue,
            // Who gives answers names of its own must know them again.
            DifferenceKind::Changed(..)
                if pointer == RESPONSE && is_translated(findings.view, received) =>
            {
                continue;
            }
            DifferenceKind::Removed(value) => {
                (Code::Payload02, format!("attempt {number} lost {pointer}: {}", brief(&value)))
            }
            DifferenceKind::Changed(from, to) => (
                Code::Payload03,
                format!(
                    "attempt {number} changed {pointer}: {} became {}",
                    brief(&from),
                    brief(&to)
                ),
            ),
            DifferenceKind::Respelled(from, to) => (
                Code::Payload07,
                format!(
                    "attempt {number} respelled {pointer}: {} became {}",
                    brief(&from),
                    brief(&to)
                ),
            ),
        };
        let declared = adapted(findings, attempt, &pointer);
        findings.declared_breach(requirement, Some(number), Some(&pointer), message, declared);
    }
}

/// What is another spelling of the same request, and worth knowing.
fn observed(findings: &mut Findings<'_>, attempt: &Attempt<'_>, sent: &Tree, received: &Tree) {
    let number = attempt.number;
    let names = |tree: &Tree, other: &Tree| match tree {
        Tree::Object(members) => {
            let names = members.iter().map(|(name, _)| name.clone());
            names.filter(|name| other.member(name).is_some()).collect()
        }
        _ => Vec::new(),
    };
    if names(sent, received) != names(received, sent) {
        let message = format!("attempt {number} has its members in another order");
        findings.breach(Code::Payload08, Some(number), None, message);
    }
    let told = differences(sent, received);
    for told in told.iter().filter(|difference| is_default(difference)) {
        let message = format!("attempt {number} spells out the default of {}", told.pointer);
        findings.breach(Code::Payload09, Some(number), Some(&told.pointer), message);
    }
}

fn model(findings: &mut Findings<'_>, attempt: &Attempt<'_>, received: &Tree) {
    let named = received.member("model").and_then(Tree::as_str);
    // On Azure's older paths the name stands there, and live requests do without `model`. Each Azure
    // host has them, whichever surface was configured.
    let in_path = attempt.hit.target.contains("/openai/deployments/");
    let is_azure = attempt.hop.surface() != Surface::OpenAi;
    if named.is_none() && is_azure && (in_path || attempt.hop.surface() == Surface::AzureLegacy) {
        return;
    }
    // Where the path names the deployment, the body may have the model behind it.
    let own_path = format!("/openai/deployments/{}/", attempt.hop.deployment);
    if is_azure
        && attempt.hit.target.contains(&own_path)
        && named.as_deref() == Some(attempt.hop.model.as_str())
    {
        return;
    }
    if named.as_deref() != Some(attempt.hop.deployment.as_str()) {
        let named = received.member("model").map_or_else(|| "nothing".to_owned(), Tree::compact);
        findings.breach(
            Code::Payload04,
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
        let declared = adapted(findings, attempt, &pointer);
        let message = format!("attempt {number} {what}: {pointer}");
        findings.declared_breach(Code::Payload05, Some(number), Some(&pointer), message, declared);
    }
}

/// The provider's complaint counts only where the client's own body does not earn it.
fn acceptable(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    let (Some(violation), Some((surface, endpoint))) = (&attempt.hit.violation, attempt.hit.place)
    else {
        return;
    };
    let (view, model) = (findings.view, &attempt.hop.model);
    let sent = &view.step.exchange.sent;
    let clients_own = if endpoint.is_multipart() {
        let fields = brain::read_form(&sent_type(view), sent);
        fields.and_then(|fields| strict::check_form(surface, endpoint, model, &fields))
    } else {
        strict::check(surface, endpoint, model, sent)
    };
    // Which of several mistakes is told depends on the order of the members.
    let is_sent = || {
        let sent: Result<Value, _> = serde_json::from_slice(sent);
        sent.is_ok_and(|sent| sent.pointer(&violation.pointer).is_some())
    };
    let earned = |own: Violation| {
        own.strength == Strength::Observed
            || own.code == violation.code && (own.pointer == violation.pointer || is_sent())
    };
    if clients_own.is_some_and(earned) || is_of_a_conversation(view, attempt, violation) {
        return;
    }
    let verdict = match violation.strength {
        Strength::Observed => Verdict::Fail,
        Strength::Documented => Verdict::Warn,
    };
    findings.add(
        Some(Code::Payload06),
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

/// Whether it is about a response that another deployment gave, which is ROUTE's, or that the client
/// made up. What is left is a name of the gateway's own that it did not translate.
fn is_of_a_conversation(view: View<'_>, attempt: &Attempt<'_>, violation: &Violation) -> bool {
    let received = || Tree::parse(&attempt.hit.body);
    violation.code.as_deref() == Some("previous_response_not_found")
        && (view.conversation().is_none() || received().is_ok_and(|it| is_translated(view, &it)))
}

/// Whether the response that the request goes on from has the name that its provider gave it.
fn is_translated(view: View<'_>, received: &Tree) -> bool {
    let named = received.member(&RESPONSE[1..]).and_then(Tree::as_str);
    view.conversation().is_some_and(|conversation| named.as_deref() == Some(&*conversation.id))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_too_deep_to_be_compared_is_not_called_something_else_than_json() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(carried(JSON, deep.as_bytes()).is_none());
        assert_eq!(unreadable(deep.as_bytes(), false), "nested too deeply to be compared");
        assert_eq!(unreadable(b"{", false), "not JSON");
        assert_eq!(unreadable(b"{}", true), "not a form");
    }
}
