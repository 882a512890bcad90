//! Violations as data. `Display` writes a violation as a sentence.

mod about;
mod auth;
mod client;
mod control;
mod effect;
mod expectation;
mod fault;
mod header;
mod leak;
mod payload;
mod route;
mod stream;
mod subject;
#[cfg(test)]
mod tests;

use std::fmt;

use fallproof_suite::requirement::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::auth::{AuthViolation, UnauthorizedClient};
pub use self::client::{ClientViolation, CodingMisfit, ProviderFailure};
pub use self::control::{ChainDeviation, ControlViolation};
pub use self::effect::Effect;
pub use self::expectation::ExpectationViolation;
#[cfg(test)]
pub(crate) use self::fault::GAP;
pub(crate) use self::fault::without_indexes;
pub use self::header::HeaderViolation;
pub use self::leak::LeakViolation;
pub use self::payload::{PayloadViolation, Unreadable};
pub use self::route::{CooldownReason, Failed, RouteViolation};
pub use self::stream::{Alteration, FalseStart, Restart, StreamViolation};
pub use self::subject::{Phrase, Subject};
use super::excuse::Excuse;
use crate::observe::Attempt;

/// A breach of a requirement, or of an expectation of the scenario, with its location and severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The requirement; `None` for an expectation of the scenario.
    pub requirement: Option<Code>,
    /// Index of the call in the case, from 0.
    pub call: usize,
    /// Number of the attempt within the call, from 1.
    pub attempt: Option<usize>,
    /// The deployment that the attempt went to.
    pub deployment: Option<String>,
    /// JSON pointer into the body of the attempt or of the response.
    pub pointer: Option<String>,
    /// The kind of violation.
    pub kind: ViolationKind,
    /// Whether the violation fails the target, is a warning, or is informational.
    pub verdict: Verdict,
    /// Why the target is exempt, if it is.
    pub declared: Option<Excuse>,
}

/// What a violation means for the target.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Weight")]
pub enum Verdict {
    /// Informational: an observation, or a violation from which the target's capabilities exempt
    /// it.
    Note,
    /// Breaks a SHOULD, or a rule that is documented but was not observed.
    Warn,
    /// Breaks a MUST: the target does not conform.
    Fail,
}

/// The location of a violation, as shown in its sentence.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// The number of the attempt.
    pub(super) n: usize,
    /// The deployment that the attempt went to.
    pub(super) deployment: &'a str,
    /// The JSON pointer.
    pub(super) pointer: &'a str,
}

impl Violation {
    /// Sets the attempt that the violation is about.
    pub(super) fn at(&mut self, attempt: &Attempt<'_>) -> &mut Self {
        self.attempt = Some(attempt.number);
        self.deployment = Some(attempt.deployment.name.clone());
        self
    }

    /// Sets the JSON pointer that the violation is about.
    pub(super) fn pointing(&mut self, pointer: &str) -> &mut Self {
        self.pointer = Some(pointer.to_owned());
        self
    }

    /// Makes the violation informational if there is an excuse.
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
        self.kind.write(at, f)
    }
}

macro_rules! families {
    ($($family:ident($kind:ty),)*) => {
        /// The kind of a violation, by the family of its requirement.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "each family is documented where it is checked")]
        pub enum ViolationKind {
            $($family($kind),)*
        }

        impl ViolationKind {
            /// The name of the kind, without the values that it holds.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$family(kind) => kind.into(),)*
                }
            }

            /// The fault of the target, as a verb phrase that follows the target's name. The phrase
            /// leaves out what varies between the cases of one fault. It has a gap for the
            /// [subjects](Self::subject) of the violations. `pointer` is their JSON pointer.
            pub fn phrase(&self, pointer: Option<&str>) -> Phrase {
                let place = fault::Place(pointer);
                Phrase::new(&match self {
                    $(Self::$family(kind) => kind.fault(place),)*
                })
            }

            /// The phrase of a single violation.
            pub fn fault(&self, pointer: Option<&str>) -> String {
                let subject = self.subject(pointer);
                self.phrase(pointer).about(&subject.iter().collect::<Vec<_>>())
            }

            fn write(&self, at: At<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$family(kind) => kind.write(at, f),)*
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

/// Defines the violations of one family: the fields of each, its sentence, and its fault phrase. The
/// three names in parentheses are bound to the attempt's number, its deployment and the JSON pointer;
/// in a fault phrase, only the pointer is bound, to a `Place`, and `fault::GAP` stands for the subject. Fields that need formatting are passed
/// as named arguments after the sentence or phrase.
macro_rules! violations {
    (
        $(#[$meta:meta])*
        pub enum $name:ident($n:ident, $deployment:ident, $pointer:ident) {
            $($variant:ident $({ $($field:ident: $type:ty),+ })?
                => $sentence:literal $(, $argument:ident = $value:expr)*
                => $fault:literal $(, $detail:ident = $detail_value:expr)*;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, strum::IntoStaticStr)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "kebab-case")]
        #[allow(missing_docs, clippy::doc_markdown, reason = "the sentence explains each field")]
        pub enum $name {
            $(#[doc = $sentence] $variant $({ $($field: $type),+ })?,)+
        }

        impl $name {
            pub(in crate) fn write(
                &self,
                at: $crate::violation::At<'_>,
                f: &mut std::fmt::Formatter<'_>,
            ) -> std::fmt::Result {
                let ($n, $deployment, $pointer) = (at.n, at.deployment, at.pointer);
                let _ = ($n, $deployment, $pointer);
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        write!(f, $sentence $(, $argument = $value)*)
                    })+
                }
            }

            #[allow(unused_variables, reason = "a fault phrase leaves out most fields")]
            pub(in crate::violation) fn fault(
                &self,
                $pointer: $crate::violation::fault::Place<'_>,
            ) -> String {
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        format_args!($fault $(, $detail = $detail_value)*).to_string()
                    })+
                }
            }

            /// Each variant with its fault phrase, before the details are filled in.
            #[cfg(test)]
            pub(in crate::violation) const FAULTS: &[(&str, &str)] =
                &[$((stringify!($variant), $fault)),+];
        }
    };
}
use violations;
