//! How the evidence of a call is read: the attempts, and how each ended.

use std::ops::Deref;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use fallproof_protocol::behavior::{Cut, CutEnd, HeadFault};
use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::request_log::RecordedRequest;
use fallproof_protocol::sse::{self, Event, Meaning};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{CallEvidence, Ending};
use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::scenario::{Body, Planned, Scenario};
use serde_json::Value;

/// The evidence of one call, with each attempt's answer understood once.
#[derive(Debug)]
pub struct Step<'a> {
    call: &'a CallEvidence,
    /// The attempts at the group's deployments, in order of arrival.
    pub requests: Vec<Seen<'a>>,
}

impl<'a> Step<'a> {
    /// Reads the evidence of this call.
    pub fn new(call: &'a CallEvidence) -> Self {
        let seen = |recorded| Seen { recorded, understood: OnceLock::new() };
        Self { call, requests: call.requests.iter().map(seen).collect() }
    }
}

impl Deref for Step<'_> {
    type Target = CallEvidence;

    fn deref(&self) -> &CallEvidence {
        self.call
    }
}

/// What reached a deployment and what came of it; its answer is understood once.
#[derive(Debug)]
pub struct Seen<'a> {
    recorded: &'a RecordedRequest,
    understood: OnceLock<Understood>,
}

#[derive(Debug)]
struct Understood {
    events: Option<Vec<Event>>,
    ended: Ended,
}

impl Deref for Seen<'_> {
    type Target = RecordedRequest;

    fn deref(&self) -> &RecordedRequest {
        self.recorded
    }
}

/// One step with all that is needed to judge it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The scenario that it belongs to.
    pub scenario: &'a Scenario,
    /// What the target was configured with for it, all groups.
    pub groups: &'a [Group],
    /// The group that was asked for.
    pub group: &'a Group,
    /// The key that the client gave to the target.
    pub gateway_key: &'a str,
    /// The time of day when the run started.
    pub started: SystemTime,
    /// What the target says of itself.
    pub capabilities: &'a Capabilities,
    /// The call, and what the scenario expects of it.
    pub planned: &'a Planned,
    /// Its place in the case, from 0.
    pub index: usize,
    /// What happened.
    pub step: &'a Step<'a>,
    /// What happened before, in order.
    pub earlier: &'a [Step<'a>],
}

/// One attempt and the deployment that it was addressed to.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Its number within the step, from 1.
    pub number: usize,
    /// The deployment's place in the chain, from 0.
    pub chain_index: usize,
    /// The deployment.
    pub deployment: &'a Deployment,
    /// What reached the deployment.
    pub recorded: &'a Seen<'a>,
}

/// The answer that a call goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The place of the deployment that gave it.
    pub chain_index: usize,
    /// The id that its provider knows it by; the target may have told the client another.
    pub id: String,
}

/// Why a request was refused that another chain may be there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is too long for the model.
    ContextLength,
    /// A content filter took offence.
    ContentFilter,
}

/// How an attempt ended, as a gateway could see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A complete and sound 2xx.
    Success,
    /// A complete error answer. Holds the status.
    Error(u16),
    /// No complete answer, or a 2xx whose body is not what it says it is.
    Broken,
    /// A success that said `error`, in its body or in its stream before any content.
    ErrorInSuccess,
    /// A stream that broke off, or said that it failed, after its first content.
    Interrupted,
}

impl<'a> View<'a> {
    /// The attempts in order of arrival.
    pub fn attempts(&self) -> impl Iterator<Item = Attempt<'a>> {
        attempts(self.group, &self.step.requests)
    }

    /// Whether the target broke off its answer because the provider's stream broke: nothing else is
    /// left to it once a part of the answer is out.
    pub fn is_broken_off(&self) -> bool {
        matches!(self.step.exchange.ending, Ending::Closed | Ending::Reset)
            && self.step.exchange.status.is_some()
            && self.attempts().any(|attempt| attempt.ended() == Ended::Interrupted)
    }

    /// The headers that the scenario gave to the client's call, beside those that every call has.
    pub fn client_headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.planned.send.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The attempts of the calls before that this group got, with the time of each call.
    pub fn history(&self) -> impl Iterator<Item = (Duration, Attempt<'a>)> {
        let (group, name) = (self.group, &self.step.group);
        let steps = self.earlier.iter().filter(move |step| step.group == *name);
        steps.flat_map(move |step| attempts(group, &step.requests).map(move |it| (step.at, it)))
    }

    /// The answer that this call goes on from, if the target gave it.
    pub fn conversation(&self) -> Option<Conversation> {
        let sent: Value = serde_json::from_slice(&self.step.exchange.sent).ok()?;
        let named = sent.get("previous_response_id")?.as_str()?;
        let mut before = self.earlier.iter().filter(|step| step.group == self.step.group);
        let gave = |step: &&Step<'_>| step.exchange.answer_id().as_deref() == Some(named);
        let requests = &before.find(gave)?.requests;
        let spoke = |it: &Attempt<'_>| matches!(it.ended(), Ended::Success | Ended::Interrupted);
        let giver = attempts(self.group, requests).filter(spoke).last()?;
        Some(Conversation {
            chain_index: giver.chain_index,
            id: sse::response_id(&giver.recorded.reply)?,
        })
    }

    /// Every deployment of the scenario, those of other groups too.
    pub fn all_deployments(&self) -> impl Iterator<Item = &'a Deployment> {
        self.groups.iter().flat_map(Group::deployments)
    }

    /// Whether attempts at this place can be seen: a refused connection cannot.
    pub fn visible(&self, chain_index: usize) -> bool {
        self.group
            .deployments()
            .nth(chain_index)
            .and_then(|deployment| self.scenario.deployments.get(&deployment.name))
            .is_some_and(|deployment| deployment.dead_end().is_none())
    }

    /// Whether the client asked for a stream: of events, and not of sound.
    pub fn wants_stream(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Wish {
            #[serde(default)]
            stream: bool,
            stream_format: Option<String>,
        }
        let call = &self.planned.send;
        if let Body::Form(parts) = &call.body {
            return parts.iter().any(|part| part.name == "stream" && part.content == b"true");
        }
        let speaks = call.endpoint == Endpoint::AudioSpeech;
        serde_json::from_slice(&self.step.exchange.sent).is_ok_and(|wish: Wish| {
            wish.stream || speaks && wish.stream_format.as_deref() == Some("sse")
        })
    }
}

fn attempts<'a>(group: &'a Group, requests: &'a [Seen<'a>]) -> impl Iterator<Item = Attempt<'a>> {
    requests.iter().enumerate().filter_map(move |(index, recorded)| {
        let (chain_index, deployment) = group.deployment_at(recorded.prefix.as_deref()?)?;
        Some(Attempt { number: index + 1, chain_index, deployment, recorded })
    })
}

impl<'a> Attempt<'a> {
    /// How the attempt ended.
    pub fn ended(&self) -> Ended {
        self.recorded.understood().ended
    }

    /// The events that were sent to the target, where the reply is a stream of them.
    pub fn events(&self) -> Option<&'a [Event]> {
        self.recorded.understood().events.as_deref()
    }

    /// The kind of failure that it ended with; `None` after a success, or where it is too late for
    /// another attempt.
    pub fn failure(&self) -> Option<Condition> {
        Some(match self.ended() {
            Ended::Success | Ended::Interrupted => return None,
            Ended::Error(status) => Condition::Status(status),
            Ended::ErrorInSuccess => Condition::ErrorInSuccess,
            // What hangs until the target leaves, or would have come after it left.
            Ended::Broken if self.recorded.client_gone => Condition::Timeout,
            Ended::Broken if self.recorded.status.is_none() => Condition::Connection,
            Ended::Broken => Condition::InvalidResponse,
        })
    }

    /// Whether its stream broke within its `[DONE]`, so that all is said and only the end is torn.
    pub fn broke_within_done(&self) -> bool {
        let sent = &self.recorded.reply[..self.recorded.sent()];
        let from = memchr::memmem::rfind(sent, b"\n\n").map_or(0, |at| at + 2);
        let Some(data) = sent[from..].strip_prefix(b"data:") else { return false };
        let data = data.trim_ascii();
        self.ended() == Ended::Interrupted && !data.is_empty() && b"[DONE]".starts_with(data)
    }

    /// Whether its stream said why it ended, and then did, without its `[DONE]`.
    pub fn ended_but_for_its_done(&self) -> bool {
        let mut events = self.events().unwrap_or_default().iter();
        self.recorded.wire.cut.is_none() && events.any(Event::finishes)
    }

    /// Whether it was made at another endpoint than the client's, so that its answer is translated.
    pub fn is_translated(&self, asked: Endpoint) -> bool {
        self.recorded.route.is_some_and(|(_, endpoint)| endpoint != asked)
    }

    /// Whether it was refused with an error that did not arrive whole.
    pub fn is_broken_refusal(&self) -> bool {
        self.recorded.is_cut()
            && self.recorded.status.is_some_and(|status| (400..500).contains(&status))
    }

    /// The provider's `error.code`, where it answered an error that has one.
    pub fn error_code(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.recorded.reply).ok()?;
        body.pointer("/error/code")?.as_str().map(str::to_owned)
    }

    /// Why the request was refused, where another chain may be there for that.
    pub fn cause(&self) -> Option<Cause> {
        if !matches!(self.ended(), Ended::Error(400..=499) | Ended::ErrorInSuccess) {
            return None;
        }
        let code = self.error_code();
        let said = [self.recorded.behavior.as_str(), code.as_deref().unwrap_or_default()];
        if said.contains(&"context_length_exceeded") {
            return Some(Cause::ContextLength);
        }
        let filtered = ["content_filter", "content_policy_violation", "moderation_blocked"];
        filtered.iter().any(|it| said.contains(it)).then_some(Cause::ContentFilter)
    }
}

impl Seen<'_> {
    fn understood(&self) -> &Understood {
        self.understood.get_or_init(|| {
            let events = self.events();
            Understood { ended: self.ended(events.as_deref()), events }
        })
    }

    fn ended(&self, events: Option<&[Event]>) -> Ended {
        let is_success = self.recorded.status.is_some_and(|status| (200..300).contains(&status));
        if let (true, Some(events)) = (is_success, events) {
            return match ended(events) {
                Ended::Interrupted if self.is_kept_in_part() => Ended::Success,
                ended => ended,
            };
        }
        match self.recorded.status {
            None => Ended::Broken,
            Some(_) if self.is_sound() && is_success && self.is_cut() && self.recorded.sent > 0 => {
                Ended::Interrupted
            }
            Some(_) if self.is_cut() => Ended::Broken,
            Some(status) if !is_success => Ended::Error(status),
            Some(_) if self.is_sound() && !self.sounds() => Ended::Broken,
            // A page for people is no transcript.
            Some(_) if !self.answers_json() && self.is_page() => Ended::Broken,
            Some(_) if !self.answers_json() && self.recorded.reply.is_empty() => Ended::Broken,
            Some(_) if !self.answers_json() => Ended::Success,
            Some(_) => match serde_json::from_slice::<Value>(&self.recorded.reply) {
                Ok(Value::Object(reply)) if !reply.get("error").is_none_or(Value::is_null) => {
                    Ended::ErrorInSuccess
                }
                Err(_) if !self.is_kept_in_part() => Ended::Broken,
                Ok(_) | Err(_) => Ended::Success,
            },
        }
    }

    /// Whether the wire kept the answer from arriving as its head says.
    fn is_cut(&self) -> bool {
        let cut = self.recorded.wire.cut.as_ref();
        cut.is_some_and(|cut| !self.is_through(cut)) || self.recorded.wire.head.is_some()
    }

    /// Whether nothing was missing where it was cut: all that its length promised was sent. A reset
    /// may take away what is still on its way.
    fn is_through(&self, cut: &Cut) -> bool {
        let length = self.recorded.reply_cut.unwrap_or(self.recorded.reply.len());
        let out = &self.recorded.out.bytes;
        let head = memchr::memmem::find(out, b"\r\n\r\n").map_or(&out[..], |end| &out[..end]);
        let promises_length = memchr::memmem::find(head, b"\r\ncontent-length: ").is_some();
        promises_length && self.recorded.sent >= length && cut.end != CutEnd::Reset
    }

    /// Whether all of it was sent, and more than the request log keeps: it ends where nobody can see.
    fn is_kept_in_part(&self) -> bool {
        self.recorded.reply_cut.is_some() && !self.is_cut()
    }

    /// Whether a success of this endpoint is sound, which has no beginning that could be held back.
    fn is_sound(&self) -> bool {
        self.recorded.route.is_some_and(|(_, endpoint)| endpoint == Endpoint::AudioSpeech)
    }

    /// Whether the answer says that it is sound, and is not empty.
    fn sounds(&self) -> bool {
        let is_sound = self.is_called("audio/") || self.is_called("application/octet-stream");
        is_sound && !self.recorded.reply.is_empty()
    }

    /// Whether it was answered with a page for people.
    fn is_page(&self) -> bool {
        self.is_called("text/html")
    }

    /// Whether the answer's content type begins so.
    fn is_called(&self, kind: &str) -> bool {
        self.recorded.reply_headers().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.starts_with(kind)
        })
    }

    /// Whether a success of this endpoint is JSON: speech is not, and transcripts need not be.
    fn answers_json(&self) -> bool {
        let endpoint = self.recorded.route.map(|(_, endpoint)| endpoint);
        let is_text = endpoint.is_some_and(Endpoint::is_multipart)
            && !self.recorded.reply.trim_ascii_start().starts_with(b"{");
        !self.is_sound() && !is_text
    }

    fn events(&self) -> Option<Vec<Event>> {
        let reply = &self.recorded.reply;
        (!sse::events(reply).is_empty()).then(|| sse::events(&reply[..self.sent()]))
    }

    /// How much of its body was sent.
    fn sent(&self) -> usize {
        // What is beyond a content length that is too small is no part of the answer.
        let beyond = match self.recorded.wire.head {
            Some(HeadFault::ContentLengthOffBy(by)) => by.get().min(0).unsigned_abs() as usize,
            Some(HeadFault::Garbage) | None => 0,
        };
        self.recorded.sent.min(self.recorded.reply.len().saturating_sub(beyond))
    }
}

fn ended(events: &[Event]) -> Ended {
    let has_content =
        events.iter().take_while(|event| event.meaning() != Meaning::Error).any(Event::is_answer);
    let has = |wanted| events.iter().any(|event| event.meaning() == wanted);
    match (has_content, has(Meaning::Error), has(Meaning::End)) {
        (true, false, true) => Ended::Success,
        (true, _, _) => Ended::Interrupted,
        (false, true, _) => Ended::ErrorInSuccess,
        (false, false, _) => Ended::Broken,
    }
}
