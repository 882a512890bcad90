//! What a deployment of a generated chain does at an attempt, as a gateway sees it.

use std::time::Duration;

use fallproof_mocks::brain::override_headers;
use fallproof_mocks::reply::{Course, Members, Order};
use fallproof_mocks::strict::Strength;
use fallproof_mocks::{Reply, errors};
use fallproof_protocol::behaviour::{Behaviour, CutEnd, CutPoint, HeadFault, WirePlan};
use fallproof_protocol::marker::Marker;
use fallproof_protocol::provider::{Deployment, Endpoint};

use super::draft::{Link, Request};
use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::Tree;
use fallproof_protocol::sse::{self, Event, Meaning};
use fallproof_suite::plan::DEFAULT_TIMEOUT_MS;
use fallproof_suite::scenario::DeadEnd;

/// How an attempt ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a whole answer.
    Answer,
    /// With a part of one, which the client has got when the rest fails.
    Part(Failure),
    /// With none.
    Failure(Failure),
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Of what kind.
    pub kind: Condition,
    /// How long the provider asks to be left alone.
    pub wait: Duration,
}

impl From<Condition> for Failure {
    fn from(kind: Condition) -> Self {
        Self { kind, wait: Duration::ZERO }
    }
}

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Json,
    Events,
    Sound,
}

impl Link {
    /// Whether its attempts can be seen: where there is no connection they cannot.
    pub fn is_seen(&self) -> bool {
        self.dead_end().is_none()
    }

    fn dead_end(&self) -> Option<DeadEnd> {
        self.script.iter().find_map(|behaviour| DeadEnd::named(&behaviour.reply))
    }

    /// What it does at the attempt with this number, from 0.
    fn behaviour(&self, attempt: usize) -> &Behaviour {
        let times = self.script.iter().flat_map(|it| std::iter::repeat_n(it, it.times as usize));
        times.take(attempt + 1).last().expect("a script is never empty")
    }

    fn deployment(&self) -> Deployment {
        Deployment {
            surface: self.taker.surface,
            model: self.taker.model.clone(),
            name: self.deployment.clone(),
            key: String::new(),
        }
    }
}

/// How this deployment's attempt with this number, from 0, ends.
pub fn play(
    link: &Link,
    endpoint: Endpoint,
    request: &Request,
    attempt: usize,
    timeout: Option<Duration>,
) -> Outcome {
    match link.dead_end() {
        Some(DeadEnd::Refusing) => return Outcome::Failure(Condition::Connection.into()),
        Some(DeadEnd::Silent) => return Outcome::Failure(Condition::Timeout.into()),
        None => {}
    }
    let behaviour = link.behaviour(attempt);
    let (scripted, wire) =
        errors::behaviour(&behaviour.reply, &link.deployment(), endpoint).unwrap_or_default();
    let wire = behaviour.wire.clone().or(wire);
    let timeout = timeout.unwrap_or(Duration::from_millis(DEFAULT_TIMEOUT_MS));
    if Duration::from_millis(wire.delay_ms.unwrap_or(0)) >= timeout {
        return Outcome::Failure(Condition::Timeout.into());
    }
    if wire.head == Some(HeadFault::Garbage) {
        return Outcome::Failure(Condition::Connection.into());
    }
    if let Some(cut) = wire.cut.as_ref().filter(|cut| cut.at == CutPoint::BeforeHead) {
        let stalls = cut.end == CutEnd::Stall;
        let kind = if stalls { Condition::Timeout } else { Condition::Connection };
        return Outcome::Failure(kind.into());
    }
    let text = request.layout.text(&request.body);
    let refusal = link
        .taker
        .complaint(endpoint, &text)
        .filter(|complaint| complaint.strength == Strength::Observed);
    let mut reply = match (refusal, scripted) {
        (Some(violation), _) => errors::refusal(link.taker.surface, endpoint, &violation),
        (None, Some(reply)) => overridden(behaviour, reply),
        // A whole success needs no look.
        (None, None)
            if is_plain(behaviour)
                && wire.cut.is_none()
                && wire.head.is_none()
                && !asks_for_nothing(request) =>
        {
            return Outcome::Answer;
        }
        (None, None) => overridden(behaviour, success(link, endpoint, behaviour, &text)),
    };
    if reply.status >= 400 {
        let failure = Failure { kind: Condition::Status(reply.status), wait: wait(&reply) };
        return Outcome::Failure(failure);
    }
    let whole = reply.body.len();
    reply.body.truncate(sent(&reply, &wire));
    let is_whole = reply.body.len() == whole && wire.head.is_none();
    let stalls = wire.cut.as_ref().is_some_and(|cut| cut.end == CutEnd::Stall);
    let broken = if stalls { Condition::Timeout } else { Condition::InvalidResponse };
    read(&reply, wanted(endpoint, request), is_whole, broken)
}

/// What a gateway makes of a reply that says success.
fn read(reply: &Reply, wanted: Wanted, is_whole: bool, broken: Condition) -> Outcome {
    let media_type = header(reply, "content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let invalid = Outcome::Failure(Condition::InvalidResponse.into());
    match wanted {
        Wanted::Events if media_type == "text/event-stream" => of_events(&reply.body, broken),
        Wanted::Sound if media_type.starts_with("audio/") => match (reply.body.len(), is_whole) {
            (0, _) => Outcome::Failure(broken.into()),
            (_, true) => Outcome::Answer,
            (_, false) => Outcome::Part(broken.into()),
        },
        Wanted::Events | Wanted::Sound => invalid,
        Wanted::Json if !is_whole => Outcome::Failure(broken.into()),
        Wanted::Json => match Tree::parse(&reply.body) {
            Ok(body @ Tree::Object(_)) => match body.member("error").map(Tree::compact) {
                None => Outcome::Answer,
                Some(none) if none == "null" => Outcome::Answer,
                Some(_) => Outcome::Failure(Condition::ErrorInSuccess.into()),
            },
            _ => invalid,
        },
    }
}

fn of_events(body: &[u8], broken: Condition) -> Outcome {
    let events = sse::events(body);
    let until_error = events.iter().take_while(|event| event.meaning() != Meaning::Error);
    let has_content = { until_error }.any(Event::is_answer);
    let has = |meaning| events.iter().any(|event| event.meaning() == meaning);
    match (has_content, has(Meaning::Error), has(Meaning::End)) {
        (true, false, true) => Outcome::Answer,
        (true, true, _) => Outcome::Part(Condition::ErrorInSuccess.into()),
        (true, false, false) => Outcome::Part(broken.into()),
        (false, true, _) => Outcome::Failure(Condition::ErrorInSuccess.into()),
        (false, false, _) => Outcome::Failure(broken.into()),
    }
}

fn wanted(endpoint: Endpoint, request: &Request) -> Wanted {
    let is = |name: &str, text: &str| {
        request.member(name).is_some_and(|value| match value.as_str() {
            Some(value) => value == text,
            None => value.compact() == text,
        })
    };
    match endpoint {
        Endpoint::AudioSpeech if is("stream_format", "sse") => Wanted::Events,
        Endpoint::AudioSpeech => Wanted::Sound,
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Responses
        | Endpoint::ImagesGenerations
            if is("stream", "true") =>
        {
            Wanted::Events
        }
        _ => Wanted::Json,
    }
}

/// The success reply, or how its course fails.
fn success(link: &Link, endpoint: Endpoint, behaviour: &Behaviour, body: &str) -> Reply {
    let members = Members::of(body.as_bytes()).unwrap_or_default();
    let order = Order {
        deployment: &link.deployment(),
        marker: &Marker::new("/any/any"),
        attempt: 1,
        members: &members,
        course: Course::named(&behaviour.reply),
    };
    order.success(endpoint)
}

fn overridden(behaviour: &Behaviour, mut reply: Reply) -> Reply {
    reply.status = behaviour.status.unwrap_or(reply.status);
    override_headers(behaviour, &mut reply.headers);
    reply
}

/// How many bytes of the body are sent.
fn sent(reply: &Reply, wire: &WirePlan) -> usize {
    let all = reply.body.len();
    match wire.cut.as_ref().map(|cut| cut.at) {
        None => all,
        Some(CutPoint::BeforeHead | CutPoint::AfterHead | CutPoint::Events(0)) => 0,
        Some(CutPoint::BodyBytes(bytes)) => bytes.min(all),
        Some(CutPoint::Events(events)) => {
            let is_stream =
                header(reply, "content-type").is_some_and(|it| it.starts_with("text/event-stream"));
            let text = String::from_utf8_lossy(&reply.body);
            let mut ends = text.match_indices("\n\n").map(|(at, end)| at + end.len());
            if is_stream { ends.nth(events - 1).unwrap_or(all) } else { all }
        }
    }
}

/// How long the provider asks to be left alone; a date as if it were two seconds ahead.
fn wait(reply: &Reply) -> Duration {
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let fine = header(reply, "retry-after-ms").and_then(seconds).map(|thousands| thousands / 1000);
    let coarse = || Some(seconds(header(reply, "retry-after")?).unwrap_or(Duration::from_secs(2)));
    fine.filter(|wait| !wait.is_zero()).or_else(coarse).unwrap_or_default()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut headers = reply.headers.iter();
    headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Whether there is nothing to answer: a list of no prompts.
pub(super) fn asks_for_nothing(request: &Request) -> bool {
    matches!(request.member("prompt"), Some(Tree::Array(prompts)) if prompts.is_empty())
}

/// Whether it is a success as the endpoint gives it.
fn is_plain(behaviour: &Behaviour) -> bool {
    let succeeds = ["ok", "refusal"].contains(&behaviour.reply.as_str());
    succeeds && behaviour.status.is_none() && behaviour.body.is_none()
}
