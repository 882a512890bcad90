//! What a case contributes to the causes of a run.

use std::fmt;

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Body;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::own_error::OwnError;
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::verdict::looks_like_success;
use crate::violation::{
    ClientViolation, Effect, Phrase, StreamViolation, Subject, Verdict, Violation, ViolationKind,
    without_indexes,
};

/// The facts and fingerprints of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFacts {
    /// The calls, in order.
    pub calls: Vec<CallFacts>,
    /// A fingerprint for each violation, in the same order.
    pub fingerprints: Vec<Fingerprint>,
}

/// What could go wrong in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts {
    /// The endpoint that the client called.
    pub endpoint: Endpoint,
    /// Whether the client requested a stream.
    pub is_streamed: bool,
    /// The top-level members of the client's body, or the names of its form parts.
    pub members: Vec<String>,
    /// The attempts, in order of arrival.
    pub attempts: Vec<AttemptFacts>,
    /// Whether the response looked like a success to the client.
    pub looks_like_success: bool,
    /// The error that the client got, if the target wrote it itself.
    pub own_error: Option<OwnError>,
}

/// Where an attempt went, and how it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptFacts {
    /// The deployment's surface.
    pub surface: Surface,
    /// How it failed; `None` if it succeeded.
    pub fault: Option<FaultClass>,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// The provider refused the request as invalid, although the scenario did not tell it to.
    Refused,
    /// An error answer with this status.
    Status(u16),
    /// The connection failed, or ended before the response was complete.
    Connection,
    /// No response in time.
    Timeout,
    /// A success response with a body that is not valid.
    InvalidResponse,
    /// A success response with an error in its body or stream.
    ErrorInSuccess,
    /// A stream that broke after its first content.
    Interrupted,
}

/// What a violation has in common with others of the same cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The requirement; `None` for an expectation of the scenario.
    pub requirement: Option<Code>,
    /// The name of the kind of violation.
    pub kind: &'static str,
    /// What the target did, with a gap for the subject.
    pub phrase: Phrase,
    /// What it is about within its requirement.
    pub subject: Option<Subject>,
    /// The member of the body that it is about: a JSON pointer without array indexes.
    pub pointer: Option<String>,
    /// Index of the call in the case, from 0.
    pub call: usize,
    /// Index of the attempt in the call, from 0.
    pub attempt: Option<usize>,
    /// The effect that this kind of violation shares with violations of other requirements, if any.
    pub effect: Option<Effect>,
    /// Whether it fails the target, is a warning, or is informational.
    pub verdict: Verdict,
}

/// The facts about a call.
pub(crate) fn facts(view: View<'_>) -> CallFacts {
    CallFacts {
        endpoint: view.planned.send.endpoint,
        is_streamed: view.wants_stream(),
        members: members(view),
        attempts: view.attempts().map(attempt).collect(),
        looks_like_success: looks_like_success(view.observed),
        own_error: OwnError::of(view),
    }
}

fn members(view: View<'_>) -> Vec<String> {
    if let Body::Form(parts) = &view.planned.send.body {
        return parts.iter().map(|part| base(&part.name).to_owned()).collect();
    }
    serde_json::from_slice(&view.observed.exchange.sent)
        .map(|Names(names)| names)
        .unwrap_or_default()
}

/// The names of an object's members. The values are not kept, because they may be large.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}

/// The name of a form part without brackets, e.g. `chunking` for `chunking[type]`.
fn base(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

fn attempt(attempt: Attempt<'_>) -> AttemptFacts {
    let fault = if attempt.recorded.refused {
        Some(FaultClass::Refused)
    } else if attempt.outcome() == AttemptOutcome::Interrupted {
        Some(FaultClass::Interrupted)
    } else {
        attempt.failure().map(class)
    };
    AttemptFacts { surface: attempt.deployment.surface(), fault }
}

fn class(failure: Condition) -> FaultClass {
    match failure {
        Condition::Connection => FaultClass::Connection,
        Condition::Timeout => FaultClass::Timeout,
        Condition::InvalidResponse => FaultClass::InvalidResponse,
        Condition::ErrorInSuccess => FaultClass::ErrorInSuccess,
        Condition::Status(status) => FaultClass::Status(status),
        // A failure has exactly one status.
        Condition::Any4xx => FaultClass::Status(400),
        Condition::Any5xx => FaultClass::Status(500),
    }
}

/// The kind of a violation by a target that closes the connection before its response is complete.
pub(super) const CUT_OFF: &str = "cut-off";

/// The kind of a violation about an event that is so large that its size may be the reason.
pub(super) const LARGE_EVENT: &str = "large-event";

/// The name of the kind. To close a connection and never to answer are two faults, although one
/// requirement forbids both. What a client gets in place of a stream also tells faults apart.
fn kind(kind: &ViolationKind) -> &'static str {
    use fallproof_suite::evidence::Ending::{Closed, Reset};
    match kind {
        ViolationKind::Client(ClientViolation::Unanswered { ending: Closed | Reset }) => CUT_OFF,
        ViolationKind::Stream(StreamViolation::InventedSuccess { with }) => with.name(),
        ViolationKind::Stream(StreamViolation::Altered { large: Some(_), .. }) => LARGE_EVENT,
        kind => kind.name(),
    }
}

impl Fingerprint {
    /// The fingerprint of a violation.
    pub fn of(violation: &Violation) -> Self {
        let pointer = violation.pointer.as_deref().map(without_indexes);
        Self {
            requirement: violation.requirement,
            kind: kind(&violation.kind),
            phrase: violation.kind.phrase(pointer.as_deref()),
            subject: violation.kind.subject(pointer.as_deref()),
            pointer,
            call: violation.call,
            attempt: violation.attempt.map(|number| number.saturating_sub(1)),
            effect: violation.kind.effect(),
            verdict: violation.verdict,
        }
    }

    /// What the target did, as a phrase that follows its name.
    pub fn fault(&self) -> String {
        self.phrase.about(&self.subject.iter().collect::<Vec<_>>())
    }

    /// The top-level member that the violation is about.
    pub(super) fn member(&self) -> Option<&str> {
        let top = self.pointer.as_deref()?.strip_prefix('/')?.split('/').next()?;
        Some(base(top)).filter(|it| !it.is_empty())
    }
}

impl CallFacts {
    /// The failures of its attempts.
    pub(super) fn faults(&self) -> impl Iterator<Item = FaultClass> {
        self.attempts.iter().filter_map(|attempt| attempt.fault)
    }
}
