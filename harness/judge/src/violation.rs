//! Violations: what is wrong, as data. Its sentence is its `Display`.

mod auth;
mod client;
mod control;
mod expectation;
mod header;
mod leak;
mod payload;
mod route;
mod stream;

use std::fmt;

use fallproof_suite::requirement::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::auth::{AuthViolation, Stranger};
pub use self::client::{ClientViolation, ProviderFailure};
pub use self::control::{ControlViolation, OtherWay};
pub use self::expectation::ExpectationViolation;
pub use self::header::HeaderViolation;
pub use self::leak::LeakViolation;
pub use self::payload::{PayloadViolation, Unlike, Unreadable};
pub use self::route::{Failed, Reason, RouteViolation};
pub use self::stream::{Alteration, StreamViolation};
use super::excuse::Excuse;
use crate::observe::Attempt;

/// One breach of a requirement, or of what the scenario itself expects: where it was seen, what it is,
/// and how it weighs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The requirement; `None` for an expectation of the scenario.
    pub requirement: Option<Code>,
    /// The call, as its place among the case's calls, from 0.
    pub call: usize,
    /// The attempt within the call, from 1.
    pub attempt: Option<usize>,
    /// The deployment that the attempt went to.
    pub deployment: Option<String>,
    /// Where in the attempt's body, or in the answer's, as a JSON pointer.
    pub pointer: Option<String>,
    /// What is wrong there.
    pub kind: ViolationKind,
    /// Whether it fails the target, only warns, or is no more than noted.
    pub verdict: Verdict,
    /// Why it is not held against the target, where that is so.
    pub declared: Option<Excuse>,
}

/// What a violation means for the target.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Weight")]
pub enum Verdict {
    /// Observed, or declared by the target: not held against it.
    Note,
    /// A SHOULD was not kept, or a rule that is only documented was broken.
    Warn,
    /// The target does not conform.
    Fail,
}

/// Where a violation was seen, as its sentence names it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// The attempt's number.
    pub(super) n: usize,
    /// The deployment that the attempt went to.
    pub(super) deployment: &'a str,
    /// The JSON pointer.
    pub(super) pointer: &'a str,
}

impl Violation {
    /// It is about this attempt.
    pub(super) fn at(&mut self, attempt: &Attempt<'_>) -> &mut Self {
        self.attempt = Some(attempt.number);
        self.deployment = Some(attempt.deployment.name.clone());
        self
    }

    /// It is about what is at this JSON pointer.
    pub(super) fn pointing(&mut self, pointer: &str) -> &mut Self {
        self.pointer = Some(pointer.to_owned());
        self
    }

    /// It is only noted where there is an excuse.
    pub(super) fn excused(&mut self, excuse: Option<Excuse>) -> &mut Self {
        if excuse.is_some() {
            self.verdict = Verdict::Note;
            self.declared = excuse;
        }
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = At {
            n: self.attempt.unwrap_or_default(),
            deployment: self.deployment.as_deref().unwrap_or_default(),
            pointer: self.pointer.as_deref().unwrap_or_default(),
        };
        self.kind.tell(at, f)
    }
}

macro_rules! families {
    ($($family:ident($kind:ty),)*) => {
        /// What is wrong, by the family of its requirement.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "each family is documented where it is checked")]
        pub enum ViolationKind {
            $($family($kind),)*
        }

        impl ViolationKind {
            /// Its name, whatever values it holds.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$family(kind) => kind.into(),)*
                }
            }

            fn tell(&self, at: At<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$family(kind) => kind.tell(at, f),)*
                }
            }
        }

        $(impl From<$kind> for ViolationKind {
            fn from(kind: $kind) -> Self {
                Self::$family(kind)
            }
        })*
    };
}

families! {
    Payload(PayloadViolation),
    Route(RouteViolation),
    Stream(StreamViolation),
    Auth(AuthViolation),
    Header(HeaderViolation),
    Client(ClientViolation),
    Control(ControlViolation),
    Leak(LeakViolation),
    Expectation(ExpectationViolation),
}

/// The violations of one family: what each holds, and its sentence. The three names stand for the
/// attempt's number, its deployment and the JSON pointer; what a field has no words for is given
/// behind the sentence.
macro_rules! violations {
    (
        $(#[$meta:meta])*
        pub enum $name:ident($n:ident, $deployment:ident, $pointer:ident) {
            $($variant:ident $({ $($field:ident: $type:ty),+ })?
                => $sentence:literal $(, $word:ident = $words:expr)*;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, strum::IntoStaticStr)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "kebab-case")]
        #[allow(missing_docs, clippy::doc_markdown, reason = "the sentence says what each field is")]
        pub enum $name {
            $(#[doc = $sentence] $variant $({ $($field: $type),+ })?,)+
        }

        impl $name {
            pub(in crate) fn tell(
                &self,
                at: $crate::violation::At<'_>,
                f: &mut std::fmt::Formatter<'_>,
            ) -> std::fmt::Result {
                let ($n, $deployment, $pointer) = (at.n, at.deployment, at.pointer);
                let _ = ($n, $deployment, $pointer);
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        write!(f, $sentence $(, $word = $words)*)
                    })+
                }
            }
        }
    };
}
use violations;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_written_as_data_and_told_as_a_sentence() {
        let violation = Violation {
            requirement: Some(Code::Payload02),
            call: 0,
            attempt: Some(2),
            deployment: Some("backup".to_owned()),
            pointer: Some("/seed".to_owned()),
            kind: PayloadViolation::Lost { value: "7".to_owned() }.into(),
            verdict: Verdict::Note,
            declared: Some(Excuse::Rewrites("it has no seeds".to_owned())),
        };
        assert_eq!(violation.to_string(), "attempt 2 lost /seed: 7");
        assert_eq!(violation.kind.name(), "lost");
        let written = serde_json::to_value(&violation).expect("it is data");
        let expected = serde_json::json!({
            "requirement": "FP-PAYLOAD-02",
            "call": 0,
            "attempt": 2,
            "deployment": "backup",
            "pointer": "/seed",
            "kind": { "payload": { "lost": { "value": "7" } } },
            "verdict": "note",
            "declared": { "rewrites": "it has no seeds" },
        });
        assert_eq!(written, expected);
    }
}
