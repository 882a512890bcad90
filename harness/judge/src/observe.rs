//! Interprets the evidence of a call: its attempts, and the outcome of each.

mod outcome;

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::SystemTime;

use fallproof_protocol::behavior::CutEnd;
use fallproof_protocol::coding;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::limits::has_too_many_values;
use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::request_log::RecordedRequest;
use fallproof_protocol::sse::{self, Event, EventCounter, EventKind};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{
    CallEvidence, Ending, Exchange, MOST_ANSWER_BYTES, MOST_ANSWER_EVENTS, MOST_OF_TOO_LONG,
};
use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::scenario::{Body, Planned, Scenario};
use serde_json::Value;

pub use self::outcome::AttemptOutcome;
use self::outcome::ParsedReply;

/// The evidence of one call. The answer to each attempt is parsed at most once.
#[derive(Debug)]
pub struct ObservedCall<'a> {
    call: &'a CallEvidence,
    /// The client's request and response, with content codings removed.
    pub exchange: Cow<'a, Exchange>,
    /// The attempts at the group's deployments, in order of arrival.
    pub requests: Vec<ObservedRequest<'a>>,
}

impl<'a> ObservedCall<'a> {
    /// Wraps the evidence of this call.
    pub fn new(call: &'a CallEvidence) -> Self {
        let mut exchange = Cow::Borrowed(&call.exchange);
        // A limit for the whole call: many small bodies can unpack to gigabytes.
        let mut left = MOST_ANSWER_BYTES;
        if let Some(sent) = plain(&call.exchange.sent, &mut left) {
            exchange.to_mut().sent = sent;
        }
        if let Some(body) = plain(&call.exchange.body, &mut left) {
            exchange.to_mut().body = body;
        }
        if exchange.ending == Ending::TooLong || is_too_long(&exchange.body) {
            let exchange = exchange.to_mut();
            exchange.ending = Ending::TooLong;
            exchange.body.truncate(MOST_OF_TOO_LONG);
        }
        let observed = |recorded| ObservedRequest::new(recorded, &mut left);
        let requests = call.requests.iter().map(observed).collect();
        Self { call, exchange, requests }
    }

    /// The client's request and response, with all bytes as they were sent.
    pub fn raw_exchange(&self) -> &'a Exchange {
        &self.call.exchange
    }
}

impl Deref for ObservedCall<'_> {
    type Target = CallEvidence;

    fn deref(&self) -> &CallEvidence {
        self.call
    }
}

/// A request that reached a deployment, with its reply. The reply is parsed at most once.
#[derive(Debug)]
pub struct ObservedRequest<'a> {
    recorded: &'a RecordedRequest,
    /// The body, without its content coding.
    pub body: Cow<'a, [u8]>,
    parsed: OnceLock<ParsedReply>,
}

impl Deref for ObservedRequest<'_> {
    type Target = RecordedRequest;

    fn deref(&self) -> &RecordedRequest {
        self.recorded
    }
}

impl<'a> ObservedRequest<'a> {
    fn new(recorded: &'a RecordedRequest, left: &mut usize) -> Self {
        let body = plain(&recorded.body, left).map_or(Cow::Borrowed(&*recorded.body), Cow::Owned);
        Self { recorded, body, parsed: OnceLock::new() }
    }

    /// The request with all bytes as they were sent.
    pub fn raw(&self) -> &'a RecordedRequest {
        self.recorded
    }
}

/// Whether this body of a response has so many events or JSON values that it is not judged.
fn is_too_long(body: &[u8]) -> bool {
    EventCounter::default().push(body) > MOST_ANSWER_EVENTS || has_too_many_values(body)
}

/// Removes the content coding, if there is one. It is recognized from the bytes alone; the
/// `content-encoding` header is checked separately. Reduces the number of bytes `left`.
fn plain(bytes: &[u8], left: &mut usize) -> Option<Vec<u8>> {
    let plain = coding::unpacked(bytes, *left)?;
    *left -= plain.len();
    Some(plain)
}

/// One call, with everything that is needed to judge it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The scenario that the call belongs to.
    pub scenario: &'a Scenario,
    /// All groups that the target was configured to serve for the scenario.
    pub groups: &'a [Group],
    /// All groups that the same start of the target served, including those of other scenarios.
    pub all_groups: &'a [Group],
    /// The group that the call asked for.
    pub group: &'a Group,
    /// The API key that clients send to the target.
    pub gateway_key: &'a str,
    /// Wall-clock time at the start of the run.
    pub started: SystemTime,
    /// The target's capabilities.
    pub capabilities: &'a Capabilities,
    /// The planned call, with its expectations.
    pub planned: &'a Planned,
    /// Index of the call in the case, from 0.
    pub index: usize,
    /// The evidence of the call.
    pub observed: &'a ObservedCall<'a>,
    /// The evidence of the calls of earlier steps, in order.
    pub earlier: &'a [ObservedCall<'a>],
    /// Whether the group is known to reach the mocks, because some call did.
    pub wired: bool,
}

/// One attempt and the deployment that it was sent to.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The attempt's number within the call, from 1.
    pub number: usize,
    /// Index of the deployment in the chain, from 0.
    pub chain_index: usize,
    /// The deployment.
    pub deployment: &'a Deployment,
    /// The request that the deployment got.
    pub recorded: &'a ObservedRequest<'a>,
}

/// The earlier response that a call continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Chain index of the deployment that produced it.
    pub chain_index: usize,
    /// The id that the provider gave it. The client may have got a different id.
    pub id: String,
}

/// A cause of a refusal for which a group can have special fallbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The request is too long for the model.
    ContextLength,
    /// A content filter blocked it.
    ContentFilter,
}

impl<'a> View<'a> {
    /// The attempts in order of arrival.
    pub fn attempts(&self) -> impl Iterator<Item = Attempt<'a>> {
        attempts(self.group, &self.observed.requests)
    }

    /// Whether the target cut off its response because the provider's stream was interrupted. Once
    /// the target has sent a part of the response, it cannot fall back anymore.
    pub fn is_interrupted(&self) -> bool {
        matches!(self.observed.exchange.ending, Ending::Closed | Ending::Reset)
            && self.observed.exchange.status.is_some()
            && self.attempts().any(|attempt| attempt.outcome() == AttemptOutcome::Interrupted)
    }

    /// The headers that the scenario adds to the client's call.
    pub fn client_headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.planned.send.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The attempts of earlier calls to the same group, each with its call.
    pub fn history(&self) -> impl Iterator<Item = (&'a ObservedCall<'a>, Attempt<'a>)> {
        let (group, name) = (self.group, &self.observed.group);
        let calls = self.earlier.iter().filter(move |call| call.group == *name);
        calls.flat_map(move |call| attempts(group, &call.requests).map(move |it| (call, it)))
    }

    /// The earlier response that this call continues, if it came from the target.
    pub fn conversation(&self) -> Option<Conversation> {
        let sent: Value = serde_json::from_slice(&self.observed.exchange.sent).ok()?;
        let named = sent.get("previous_response_id")?.as_str()?;
        let mut before = self.earlier.iter().filter(|call| call.group == self.observed.group);
        let gave = |call: &&ObservedCall<'_>| call.exchange.answer_id().as_deref() == Some(named);
        let requests = &before.find(gave)?.requests;
        let spoke = |it: &Attempt<'_>| {
            matches!(it.outcome(), AttemptOutcome::Success | AttemptOutcome::Interrupted)
        };
        let giver = attempts(self.group, requests).filter(spoke).last()?;
        Some(Conversation {
            chain_index: giver.chain_index,
            id: sse::response_id(&giver.recorded.reply)?,
        })
    }

    /// Every deployment of the scenario, including those of other groups.
    pub fn all_deployments(&self) -> impl Iterator<Item = &'a Deployment> {
        self.groups.iter().flat_map(Group::deployments)
    }

    /// Whether attempts at this chain index can be observed. False if the deployment does not
    /// accept connections.
    pub fn visible(&self, chain_index: usize) -> bool {
        self.group
            .deployments()
            .nth(chain_index)
            .and_then(|deployment| self.scenario.deployments.get(&deployment.name))
            .is_some_and(|deployment| deployment.dead_end().is_none())
    }

    /// Whether the client requested a stream of events (not of audio).
    pub fn wants_stream(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Request {
            #[serde(default)]
            stream: bool,
            stream_format: Option<String>,
        }
        let call = &self.planned.send;
        if let Body::Form(parts) = &call.body {
            return parts.iter().any(|part| part.name == "stream" && part.content == b"true");
        }
        let is_speech = call.endpoint == Endpoint::AudioSpeech;
        serde_json::from_slice(&self.observed.exchange.sent).is_ok_and(|sent: Request| {
            sent.stream || is_speech && sent.stream_format.as_deref() == Some("sse")
        })
    }
}

fn attempts<'a>(
    group: &'a Group,
    requests: &'a [ObservedRequest<'a>],
) -> impl Iterator<Item = Attempt<'a>> {
    requests.iter().enumerate().filter_map(move |(index, recorded)| {
        let (chain_index, deployment) = group.deployment_at(recorded.prefix.as_deref()?)?;
        Some(Attempt { number: index + 1, chain_index, deployment, recorded })
    })
}

impl<'a> Attempt<'a> {
    /// The outcome of the attempt.
    pub fn outcome(&self) -> AttemptOutcome {
        self.recorded.parsed().outcome
    }

    /// The events that were sent to the target, if the reply is an event stream.
    pub fn events(&self) -> Option<&'a [Event]> {
        self.recorded.parsed().events.as_deref()
    }

    /// The failure with which the attempt ended. `None` if it succeeded, or if it was too late to
    /// fall back.
    pub fn failure(&self) -> Option<Condition> {
        Some(match self.outcome() {
            AttemptOutcome::Success | AttemptOutcome::Interrupted => return None,
            AttemptOutcome::Error(status) => Condition::Status(status),
            AttemptOutcome::ErrorInSuccess => Condition::ErrorInSuccess,
            // The target disconnected while the reply hung, or before the reply was due.
            AttemptOutcome::Broken if self.recorded.client_gone => Condition::Timeout,
            AttemptOutcome::Broken if self.recorded.status.is_none() => Condition::Connection,
            AttemptOutcome::Broken => Condition::InvalidResponse,
        })
    }

    /// Every condition that the failure can be taken for. A success whose connection closed too early
    /// is a broken connection, and also an invalid response.
    pub fn failures(&self) -> impl Iterator<Item = Condition> + use<> {
        let failure = self.failure();
        let cut = self.recorded.wire.cut.as_ref();
        let is_closed = cut.is_some_and(|cut| matches!(cut.end, CutEnd::Close | CutEnd::Reset));
        let is_both = failure == Some(Condition::InvalidResponse) && is_closed;
        failure.into_iter().chain(is_both.then_some(Condition::Connection))
    }

    /// Whether one of these conditions covers the failure, whatever it is taken for. False if it did
    /// not fail.
    pub fn fails_by(&self, conditions: &[Condition]) -> bool {
        let is_covered = |failure| conditions.iter().any(|it| it.covers(failure));
        self.failure().is_some() && self.failures().all(is_covered)
    }

    /// Whether the attempt's stream was cut within `[DONE]`, so that no content is missing.
    pub fn broke_within_done(&self) -> bool {
        let sent = &self.recorded.reply[..self.recorded.sent()];
        let from = memchr::memmem::rfind(sent, b"\n\n").map_or(0, |at| at + 2);
        let Some(data) = sent[from..].strip_prefix(b"data:") else { return false };
        let data = data.trim_ascii();
        self.outcome() == AttemptOutcome::Interrupted
            && !data.is_empty()
            && b"[DONE]".starts_with(data)
    }

    /// Whether the attempt's stream ended with a finish reason, but without `[DONE]`. A stream that a
    /// fault cut short did not end like that. An error, or an event that cannot be parsed, before the
    /// finish reason may have been a part of the answer.
    pub fn ended_without_done(&self) -> bool {
        let events = self.events().unwrap_or_default().iter();
        let mut valid = events.take_while(|event| event.kind() != EventKind::Error);
        !self.recorded.is_cut() && valid.any(Event::finishes)
    }

    /// Whether the attempt went to a different endpoint than the client's call, so that the answer
    /// must be translated.
    pub fn is_translated(&self, asked: Endpoint) -> bool {
        self.recorded.route.is_some_and(|(_, endpoint)| endpoint != asked)
    }

    /// Whether the attempt was refused with a 4xx response that arrived incomplete.
    pub fn is_broken_refusal(&self) -> bool {
        self.recorded.is_cut()
            && self.recorded.status.is_some_and(|status| (400..500).contains(&status))
    }

    /// The error codes in the provider's answer, from its events or from its body.
    pub fn error_codes(&self) -> Vec<String> {
        if let Some(events) = self.events() {
            return events.iter().filter_map(Event::error_code).map(str::to_owned).collect();
        }
        let body: Value = serde_json::from_slice(&self.recorded.reply).unwrap_or_default();
        let code = body.pointer("/error/code").and_then(Value::as_str);
        code.map(str::to_owned).into_iter().collect()
    }

    /// Whether the connection was reset after a complete answer that is not a stream. A reset may
    /// discard bytes in flight, so the gateway may count the attempt as failed.
    pub fn may_be_lost(&self) -> bool {
        let is_reset = self.recorded.wire.cut.as_ref().is_some_and(|cut| cut.end == CutEnd::Reset);
        is_reset && self.events().is_none()
    }

    /// Whether it was still in progress when the client of this call disconnected. The deployment
    /// has not failed then.
    pub fn lost_its_client(&self, call: &ObservedCall<'_>) -> bool {
        let is_open =
            matches!(self.outcome(), AttemptOutcome::Broken | AttemptOutcome::Interrupted);
        is_open
            && self.recorded.client_gone
            && call.exchange.ending == Ending::Disconnected
            && self.number == call.requests.len()
    }

    /// The cause of the refusal, if a group can have special fallbacks for it.
    pub fn cause(&self) -> Option<Cause> {
        if !matches!(
            self.outcome(),
            AttemptOutcome::Error(400..=499) | AttemptOutcome::ErrorInSuccess
        ) {
            return None;
        }
        let codes = self.error_codes();
        // A refused request did not get the scheduled reply.
        let behavior = if self.recorded.refused { "" } else { &self.recorded.behavior };
        let is_named = |name: &&str| behavior == *name || codes.iter().any(|code| code == *name);
        if is_named(&"context_length_exceeded") {
            return Some(Cause::ContextLength);
        }
        let filtered = ["content_filter", "content_policy_violation", "moderation_blocked"];
        filtered.iter().any(is_named).then_some(Cause::ContentFilter)
    }
}
