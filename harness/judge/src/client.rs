//! CLIENT: what comes back is one provider's answer, or the truth about why there is none.
//!
//! Answers that are streamed are STREAM's.

use std::time::Duration;

use serde_json::Value;

use super::{Finding, Findings, contains, rest};
use crate::observe::{Attempt, Ended, View};
use fallproof_protocol::sse;
use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::{Group, Hop};

const CONTENT: &str = "FP-CLIENT-01";
const REST: &str = "FP-CLIENT-02";
const TWO_UPSTREAMS: &str = "FP-CLIENT-03";
const NO_SUCCESS: &str = "FP-CLIENT-04";
const SHAPE: &str = "FP-CLIENT-05";
const STATUS: &str = "FP-CLIENT-06";
const RETRY_AFTER: &str = "FP-CLIENT-07";
const WORDS: &str = "FP-CLIENT-08";
const MODEL: &str = "FP-CLIENT-09";
const RESTING: &str = "FP-CLIENT-10";
const UNANSWERED: &str = "FP-CLIENT-11";
const STALE_HEADERS: &str = "FP-CLIENT-12";
const OWN_GROUP: &str = "FP-CLIENT-13";

/// The members that hold what was asked for, on one endpoint or another.
const CONTENT_MEMBERS: [&str; 5] = ["choices", "data", "output", "results", "text"];

/// What a provider remarks on a piece of content, where it stands.
const REMARKS: [&str; 3] = ["/content_filter_results", "/prompt_filter_results", "/finish_reason"];

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let exchange = &view.step.exchange;
    unanswered(&mut findings);
    own_group(&mut findings);
    stale_headers(&mut findings);
    let (Some(status), true) = (exchange.status, exchange.ending == Ending::Complete) else {
        return findings.found;
    };
    let attempts: Vec<_> = view.attempts().collect();
    let is_success = (200..300).contains(&status);
    // Answers that are streamed are STREAM's, but for who is said to speak.
    if is_success && view.wants_stream() {
        streamed_model(&mut findings, &attempts);
        return findings.found;
    }
    if is_success {
        let successes = || attempts.iter().rev().filter(|it| it.ended() == Ended::Success);
        let speaking = successes().find(|it| it.hop.marker().found_in(&exchange.body));
        match speaking.or_else(|| successes().next()) {
            Some(answering) => success(&mut findings, answering),
            None => no_success(&mut findings, &attempts),
        }
        two_upstreams(&mut findings);
    } else {
        shape(&mut findings, status);
        resting(&mut findings, &attempts, status);
        if let Some(last) = attempts.last() {
            truthful_status(&mut findings, &attempts, status);
            retry_after(&mut findings, last, status);
            words(&mut findings, last);
        }
    }
    findings.found
}

fn success(findings: &mut Findings<'_>, answering: &Attempt<'_>) {
    let body = &findings.view.step.exchange.body;
    let Ok(Value::Object(given)) = serde_json::from_slice(&answering.hit.reply) else {
        return same_bytes(findings, answering);
    };
    let Ok(shown) = serde_json::from_slice::<Value>(body) else {
        let message = format!("{} answered JSON, the client got none", answering.hop.upstream);
        findings.breach(CONTENT, None, None, message);
        return;
    };
    // Where the gateway asked another endpoint the answer was translated, and has another shape.
    let asked = findings.view.planned.send.endpoint;
    let translated = answering.hit.place.is_none() || answering.is_translated(asked);
    for (name, given) in given.iter().filter(|_| !translated) {
        let requirement = match name.as_str() {
            "model" => continue,
            name if CONTENT_MEMBERS.contains(&name) => CONTENT,
            _ => REST,
        };
        if let Some(pointer) = missing(given, &shown[name.as_str()], &format!("/{name}")) {
            let beside = REMARKS.iter().any(|remark| pointer.contains(remark));
            let requirement = if beside { REST } else { requirement };
            let message = format!(
                "{pointer} of the answer is not what {} gave there",
                answering.hop.upstream
            );
            findings.breach(requirement, None, Some(&pointer), message);
        }
    }
    if let Some(said) = shown["model"].as_str() {
        truthful_model(findings, answering, said);
    }
}

/// Sound and text are what they are, byte for byte; but for the blanks around text.
fn same_bytes(findings: &mut Findings<'_>, answering: &Attempt<'_>) {
    let (given, got) = (&answering.hit.reply, &findings.view.step.exchange.body);
    let is_text = answering.hit.place.is_some_and(|(_, endpoint)| endpoint.is_multipart());
    if answering.hit.reply_cut.is_none()
        && given != got
        && !(is_text && given.trim_ascii() == got.trim_ascii())
    {
        let message = format!(
            "the answer is not what {} gave: {} bytes became {}",
            answering.hop.upstream,
            given.len(),
            got.len()
        );
        findings.breach(CONTENT, None, None, message);
    }
}

/// Where a value that was given is not shown, remarks last. More may be shown than was given; null
/// and empty mean what absence means, and a vector may be told in base64 or in numbers.
fn missing(given: &Value, shown: &Value, pointer: &str) -> Option<String> {
    let below = |part: &str| format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"));
    let same = match (given, shown) {
        (Value::Null, _) => true,
        (Value::Array(given), Value::Array(shown)) => {
            let pairs = given.iter().zip(shown).enumerate();
            let inner = |(at, (given, shown))| missing(given, shown, &below(&format!("{at}")));
            if let Some(found) = { pairs }.find_map(inner) {
                return Some(found);
            }
            given.len() == shown.len()
        }
        (Value::Object(given), shown) if shown.is_object() || given.is_empty() => {
            let remark = |name: &str| REMARKS.iter().any(|remark| remark[1..] == *name);
            let (remarks, content): (Vec<_>, Vec<_>) =
                given.iter().partition(|(name, _)| remark(name));
            let inner = |(name, given): (&String, _)| missing(given, &shown[name], &below(name));
            return content.into_iter().chain(remarks).find_map(inner);
        }
        (Value::Array(given), Value::Null) => given.is_empty(),
        (Value::Array(_), Value::String(_)) | (Value::String(_), Value::Array(_)) => {
            pointer.ends_with("/embedding")
        }
        (Value::Number(given), Value::Number(shown)) => given.as_f64() == shown.as_f64(),
        (given, shown) => given == shown,
    };
    (!same).then(|| pointer.to_owned())
}

/// What clients ask a model's name for is to know who spoke.
fn truthful_model(findings: &mut Findings<'_>, answering: &Attempt<'_>, said: &str) {
    let goes_by = |names: [&String; 2]| names.into_iter().any(|name| name == said);
    let hop = answering.hop;
    if goes_by([&hop.model, &hop.deployment]) || said == findings.view.group.group {
        return;
    }
    let mut others = findings.view.group.hops();
    if let Some(other) = others.find(|hop| goes_by([&hop.model, &hop.deployment])) {
        let message = format!(
            "the answer names the model {said}, which is that of {}; {} answered",
            other.upstream, hop.upstream
        );
        findings.breach(MODEL, None, Some("/model"), message);
    }
}

fn streamed_model(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let speaks = |it: &&Attempt<'_>| matches!(it.ended(), Ended::Success | Ended::Interrupted);
    let Some(answering) = attempts.iter().rfind(speaks) else { return };
    let events = sse::events(&findings.view.step.exchange.body);
    let named = events.iter().find_map(|event| event.model());
    if let Some(said) = named {
        truthful_model(findings, answering, said);
    }
}

fn two_upstreams(findings: &mut Findings<'_>) {
    let view = findings.view;
    let found = |hop: &&Hop| hop.marker().found_in(&view.step.exchange.body);
    let speaking: Vec<_> =
        view.group.hops().filter(found).map(|hop| hop.upstream.as_str()).collect();
    if speaking.len() > 1 {
        let message = format!("one answer holds the words of {}", speaking.join(" and "));
        findings.breach(TWO_UPSTREAMS, None, None, message);
    }
}

fn no_success(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    if !attempts.is_empty() && attempts.iter().all(|attempt| attempt.ended() != Ended::Success) {
        let message = "every attempt failed, and the client was told of a success".into();
        findings.breach(NO_SUCCESS, None, None, message);
    }
}

fn error_of(body: &[u8]) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error").filter(|error| error.is_object()).cloned()
}

fn shape(findings: &mut Findings<'_>, status: u16) {
    let exchange = &findings.view.step.exchange;
    let error = error_of(&exchange.body);
    if !error.is_some_and(|error| error["message"].is_string()) {
        let message = format!("the {status} has no `error` object with a `message`");
        findings.breach(SHAPE, None, None, message);
    }
}

/// A gateway may choose which of several failures it tells of, but must not make one up.
fn truthful_status(findings: &mut Findings<'_>, attempts: &[Attempt<'_>], status: u16) {
    let fits = |attempt: &Attempt<'_>| match attempt.ended() {
        Ended::Error(400 | 413 | 422) => (400..500).contains(&status),
        Ended::Error(429) => matches!(status, 429 | 503),
        Ended::Broken if attempt.is_broken_refusal() => true,
        // Some tell of a provider's silence as of the client's, with 408.
        Ended::Error(408 | 500..=599) | Ended::Broken => matches!(status, 408 | 429 | 500..=599),
        // What the operator's own mistakes look like to clients is for the operator to say.
        Ended::Success | Ended::Error(_) | Ended::ErrorInSuccess | Ended::Interrupted => true,
    };
    // What became of an attempt that cannot be seen is known: there was no connection.
    let unseen = (0..findings.view.group.chain.len()).any(|place| !findings.view.visible(place));
    let by_unseen = unseen && matches!(status, 408 | 429 | 500..=599);
    if !by_unseen && !attempts.iter().any(fits) {
        let ended = |attempt: &Attempt<'_>| match attempt.ended() {
            Ended::Error(status) => status.to_string(),
            _ => "a broken answer".to_owned(),
        };
        let ended: Vec<_> = attempts.iter().map(ended).collect();
        let message =
            format!("the providers' failures were {}; the client got {status}", ended.join(", "));
        findings.breach(STATUS, None, None, message);
    }
}

fn retry_after(findings: &mut Findings<'_>, last: &Attempt<'_>, status: u16) {
    let Some(wanted) = rest::asked_wait(findings.view, last) else { return };
    let told = told_wait(findings.view);
    if matches!(status, 429 | 503) && told.is_none_or(|told| told < wanted) {
        let message = format!(
            "{} asked to be left alone for {}; the {status} tells the client {}",
            last.hop.upstream,
            in_words(Some(wanted)),
            in_words(told)
        );
        findings.breach(RETRY_AFTER, None, None, message);
    }
}

/// When the client is told to come back; a date counts from now.
fn told_wait(view: View<'_>) -> Option<Duration> {
    let header = |name: &str| {
        let mut headers = view.step.exchange.headers.iter();
        let (_, value) = headers.find(|(it, _)| it.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim)
    };
    rest::wait(header)
}

fn in_words(wait: Option<Duration>) -> String {
    wait.map_or_else(|| "nothing".to_owned(), |wait| format!("{} s", wait.as_secs_f64()))
}

/// Where everybody rests nobody is asked, and only the target can say when to come back.
fn resting(findings: &mut Findings<'_>, attempts: &[Attempt<'_>], status: u16) {
    let view = findings.view;
    let now = view.step.at;
    let all: Vec<_> =
        (0..view.group.chain.len()).map(|place| rest::Rest::of(view, place, 1)).collect();
    if !attempts.is_empty() || !all.iter().all(|rest| rest.at(now).is_some()) {
        return;
    }
    let first = all.iter().map(|rest| rest.left(now)).min().unwrap_or_default();
    let told = told_wait(view);
    // A whole second more is what rounding takes.
    let fits = |told: Duration| {
        told.saturating_add(rest::SLACK) >= first && told <= first + Duration::from_secs(2)
    };
    if !matches!(status, 429 | 503) || !told.is_some_and(fits) {
        let message = format!(
            "all deployments rest, the first for {} ms more; the client got {status} and is told {}",
            first.as_millis(),
            in_words(told)
        );
        findings.breach(RESTING, None, None, message);
    }
}

fn unanswered(findings: &mut Findings<'_>) {
    let exchange = &findings.view.step.exchange;
    let is_silent = match exchange.ending {
        Ending::TimedOut => true,
        Ending::Closed | Ending::Reset | Ending::Unreachable(_) => exchange.status.is_none(),
        _ => false,
    };
    if is_silent {
        let message = format!("the target {}", exchange.ending.in_words());
        findings.breach(UNANSWERED, None, None, message);
    }
}

fn own_group(findings: &mut Findings<'_>) {
    let view = findings.view;
    let others = view.groups.iter().filter(|group| group.name != view.step.group);
    let found = |hop: &&Hop| hop.marker().found_in(&view.step.exchange.body);
    if let Some(hop) = others.flat_map(Group::hops).find(found) {
        let message = format!(
            "the call asked for {} and holds the words of {}, which is of another group",
            view.group.name, hop.upstream
        );
        findings.breach(OWN_GROUP, None, None, message);
    }
}

/// Headers that say the same whoever answers, or that each server writes anew.
const GENERAL: [&str; 11] = [
    "content-type",
    "content-length",
    "connection",
    "date",
    "server",
    "transfer-encoding",
    "vary",
    "cache-control",
    "strict-transport-security",
    "x-accel-buffering",
    "x-content-type-options",
];

/// Whether the client is told what this attempt was answered: by its mark, or by an error's words.
fn is_told(view: View<'_>, attempt: &Attempt<'_>) -> bool {
    let exchange = &view.step.exchange;
    let is_error = exchange.status.is_none_or(|status| status >= 400);
    let has_words = |error: Value| {
        let said = error["message"].as_str().unwrap_or_default();
        !said.is_empty() && contains(&exchange.body, said)
    };
    attempt.hop.marker().found_in(&exchange.body)
        || is_error && error_of(&attempt.hit.reply).is_some_and(has_words)
}

/// What an earlier attempt's answer had in its head is not true of another one's.
fn stale_headers(findings: &mut Findings<'_>) {
    let view = findings.view;
    let attempts: Vec<_> = view.attempts().collect();
    let told: Vec<_> = attempts.iter().filter(|attempt| is_told(view, attempt)).collect();
    // In words of the gateway's own nobody speaks: they come after the last attempt.
    let told = if told.is_empty() { attempts.last().into_iter().collect() } else { told };
    let failed = |it: &&Attempt<'_>| {
        told.iter().all(|told| told.hop.prefix != it.hop.prefix)
            && !matches!(it.ended(), Ended::Success | Ended::Interrupted)
    };
    for (name, value) in &view.step.exchange.headers {
        let same = |attempt: &Attempt<'_>| {
            let mut headers = attempt.hit.reply_headers();
            headers.any(|(it, said)| it.eq_ignore_ascii_case(name) && said.as_bytes() == value)
        };
        let is_general = GENERAL.iter().any(|it| it.eq_ignore_ascii_case(name));
        if is_general || told.iter().any(|it| same(it)) {
            continue;
        }
        if let Some(stale) = attempts.iter().filter(failed).find(|it| same(it)) {
            let message = format!(
                "the answer has `{name}` of attempt {}, which failed at {}",
                stale.number, stale.hop.upstream
            );
            findings.breach(STALE_HEADERS, Some(stale.number), None, message);
        }
    }
}

/// A gateway may put words around a refusal, or take a key out of them, which then are AUTH's.
fn words(findings: &mut Findings<'_>, last: &Attempt<'_>) {
    let (Ended::Error(400 | 413 | 422), Some(error)) = (last.ended(), error_of(&last.hit.reply))
    else {
        return;
    };
    let Some(said) = error["message"].as_str().filter(|said| !said.contains(&last.hop.key)) else {
        return;
    };
    // Without an error in OpenAI's shape there is no place to look at.
    let Some(shown) = error_of(&findings.view.step.exchange.body) else { return };
    // The reason stands first; addresses of help behind it may be left out.
    let reason = said.trim().split_inclusive(". ").next().unwrap_or_default().trim();
    if !shown["message"].as_str().is_some_and(|shown| shown.contains(reason)) {
        let message =
            format!("{} refused the request, and its reason is not told", last.hop.upstream);
        findings.breach(WORDS, None, Some("/error/message"), message);
    }
}
