//! The symptom that a violation shows: the violated requirement, and the affected part of the
//! request or response. The shrinker keeps a case only if it still shows the symptom.

use std::fmt;

use fallproof_judge::{ClientViolation, ExpectationViolation, Verdict, Violation, ViolationKind};
use fallproof_suite::requirement::Code;

/// A symptom. A campaign keeps the first case that shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symptom {
    /// Whether this is a missed expectation. Symptoms are sorted by this field first, so that
    /// expectations come after all requirements.
    is_expectation: bool,
    /// Requirement code; `None` for an expectation of the oracle.
    pub requirement: Option<Code>,
    /// The affected parameter of the body. If there is none, the kind of violation, without details
    /// that vary between cases.
    pub about: String,
}

impl Symptom {
    /// Returns the symptom that this violation shows.
    pub fn of(violation: &Violation) -> Self {
        let parameter = violation.pointer.as_deref().and_then(|it| it.split('/').nth(1));
        let about = match (parameter, &violation.kind) {
            (Some(parameter), _) => format!("/{parameter}"),
            (
                None,
                kind @ (ViolationKind::Client(ClientViolation::Unanswered { ending })
                | ViolationKind::Expectation(ExpectationViolation::Interrupted { ending })),
            ) => format!("{}: {}", kind.name(), <&str>::from(ending)),
            (None, kind) => kind.name().to_owned(),
        };
        let requirement = violation.requirement;
        Self { is_expectation: requirement.is_none(), requirement, about }
    }

    /// Whether these violations, which a saved scenario produced, show the symptom. Notes do not
    /// count. Any missed expectation matches a symptom without a requirement, because the saved
    /// file may contain fewer expectations than the oracle has.
    pub fn is_among(&self, violations: &[Violation]) -> bool {
        let mut wrong = violations.iter().filter(|violation| violation.verdict > Verdict::Note);
        match self.requirement {
            Some(_) => wrong.any(|violation| Self::of(violation) == *self),
            None => wrong.any(|violation| violation.requirement.is_none()),
        }
    }

    /// The requirement code as it is used in file names.
    pub fn code(&self) -> String {
        self.requirement
            .map_or_else(|| "unexpected".to_owned(), |code| code.as_str().to_ascii_lowercase())
    }
}

impl fmt::Display for Symptom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.requirement.map_or("expectation", Code::as_str), self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fallproof_judge::{PayloadViolation, RouteViolation};

    fn symptom(
        requirement: Code,
        attempt: usize,
        pointer: Option<&str>,
        kind: impl Into<ViolationKind>,
    ) -> String {
        let violation = Violation {
            requirement: Some(requirement),
            call: 0,
            attempt: Some(attempt),
            deployment: None,
            pointer: pointer.map(str::to_owned),
            kind: kind.into(),
            verdict: Verdict::Fail,
            declared: None,
        };
        Symptom::of(&violation).to_string()
    }

    #[test]
    fn a_symptom_names_a_parameter_or_a_kind_without_varying_details() {
        let lost = PayloadViolation::Lost { value: "\"f\"".to_owned() };
        let lost = symptom(Code::Payload02, 1, Some("/tools/0/name"), lost);
        assert_eq!(lost, "FP-PAYLOAD-02 /tools");
        let passed_over = |attempt, deployment: &str| {
            let kind = RouteViolation::PassedOver { deployment: deployment.to_owned() };
            symptom(Code::Route01, attempt, None, kind)
        };
        assert_eq!(passed_over(2, "primary"), "FP-ROUTE-01 passed-over");
        assert_eq!(passed_over(2, "primary"), passed_over(17, "third"));
    }
}
