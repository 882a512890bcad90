//! Causes: the few faults that explain the violations of many cases.
//!
//! One fault of a gateway shows in hundreds of cases. The violations of a run are grouped in three
//! steps:
//!
//! 1. A violation has a [fingerprint](Fingerprint), and its case a list of [facts](CaseFacts) about
//!    each call: what could have gone wrong there.
//! 2. Violations of the same requirement that concern the same member of the body are one
//!    [symptom](symptom). An endpoint with far more violations than the others has its own symptom.
//! 3. If nearly all cases of a symptom also have an earlier symptom, it [follows](group) from that
//!    one. Each remaining symptom is a cause.
//!
//! The causes depend only on the violations and facts, not on the order of the cases. Their ids are
//! made from the first symptom of each, so that they stay the same from run to run.

mod example;
mod facts;
mod group;
mod own_error;
mod scope;
mod subjects;
mod symptom;
#[cfg(test)]
mod tests;

use std::fmt;

use fallproof_suite::requirement::Code;

pub(crate) use self::facts::facts;
pub use self::facts::{AttemptFacts, CallFacts, CaseFacts, FaultClass, Fingerprint};
pub use self::group::causes;
pub use self::own_error::{OwnError, Sent};
pub use self::scope::Scope;
use crate::violation::Verdict;

/// The causes of a run, the worst one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Causes {
    /// The causes.
    pub all: Vec<Cause>,
    /// For each case, and each of its violations, the index of its cause. `None` for an
    /// informational violation.
    pub of: Vec<Vec<Option<usize>>>,
}

/// A fault of the target that explains violations of one or more cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Names the cause in baselines and comparisons.
    pub id: CauseId,
    /// What the target does, as a phrase that follows its name.
    pub fault: String,
    /// Where it does so.
    pub scope: Scope,
    /// Whether it fails the target or only warns.
    pub verdict: Verdict,
    /// The cases that it explains, by index: the example first, then in the order of the run.
    pub cases: Vec<usize>,
    /// The violation to show from the example, by index.
    pub example: usize,
    /// Number of cases in which the fault could have shown.
    pub could_show: usize,
    /// Number of cases in which the client got no sign of an error.
    pub silent: usize,
    /// Other requirements that are violated because of it, each with the number of its cases.
    /// `None` stands for expectations of the scenarios.
    pub follows: Vec<(Option<Code>, usize)>,
    /// The symptoms: the first one, and those that follow from it. Each can be the id of a cause in
    /// another run.
    pub symptoms: Vec<CauseId>,
}

/// The name of a cause, e.g. `payload-02/metadata`: the requirement, and what distinguishes the
/// cause from others that violate it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CauseId {
    /// The requirement; `None` for expectations of the scenarios.
    pub requirement: Option<Code>,
    /// The member of the body, the endpoint, or the kind of expectation. Empty if the cause is all
    /// that violates the requirement.
    pub detail: String,
}

impl CauseId {
    /// The id with one more part.
    fn with(&self, part: &str) -> Self {
        let parts: Vec<_> = [&*self.detail, part].into_iter().filter(|it| !it.is_empty()).collect();
        Self { detail: parts.join("/"), ..self.clone() }
    }
}

impl fmt::Display for CauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.requirement {
            Some(code) => {
                let code = code.as_str().strip_prefix("FP-").unwrap_or(code.as_str());
                f.write_str(&code.to_ascii_lowercase())?;
            }
            None => f.write_str("expectation")?,
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, "/{}", self.detail) }
    }
}
