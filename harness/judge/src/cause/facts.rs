//! What a case contributes to the causes of a run.

use std::fmt;

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Body;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::observe::{Attempt, AttemptOutcome, View};
use crate::verdict::looks_like_success;
use crate::violation::{ClientViolation, Effect, Verdict, Violation, ViolationKind};

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
    /// What the target did, as a phrase that follows its name.
    pub fault: String,
    /// The same without the member that it is about.
    pub general_fault: String,
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

/// The name of the kind. To close a connection and never to answer are two faults, although one
/// requirement forbids both.
fn kind(kind: &ViolationKind) -> &'static str {
    use fallproof_suite::evidence::Ending::{Closed, Reset};
    match kind {
        ViolationKind::Client(ClientViolation::Unanswered { ending: Closed | Reset }) => CUT_OFF,
        kind => kind.name(),
    }
}

/// The pointer with `*` for each array index.
fn without_indexes(pointer: &str) -> String {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let parts = pointer.split('/').map(|part| if is_index(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

impl Fingerprint {
    /// The fingerprint of a violation.
    pub fn of(violation: &Violation) -> Self {
        let pointer = violation.pointer.as_deref().map(without_indexes);
        Self {
            requirement: violation.requirement,
            kind: kind(&violation.kind),
            fault: violation.kind.fault(pointer.as_deref()),
            general_fault: violation.kind.fault(None),
            pointer,
            call: violation.call,
            attempt: violation.attempt.map(|number| number.saturating_sub(1)),
            effect: violation.kind.effect(),
            verdict: violation.verdict,
        }
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
