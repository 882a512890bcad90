//! The colors of a report, by the names that `style.css` has for them.

use crate::model::{Case, Kept, Outcome, Report, Requirement, Verdict};

/// A class of `style.css`.
pub(crate) type Tone = &'static str;

pub(crate) fn of_report(report: &Report) -> Tone {
    match report.verdict {
        Verdict::Conformant if report.counts.expected > 0 => "known",
        Verdict::Conformant if report.requirements().all(|it| !it.is_judged()) => "none",
        Verdict::Conformant => "pass",
        Verdict::NotConformant if report.counts.fail == 0 => "warn",
        Verdict::NotConformant | Verdict::HarnessError => "fail",
        Verdict::Interrupted => "none",
    }
}

pub(crate) fn of_case(case: &Case) -> Tone {
    match case.outcome {
        Outcome::Pass => "pass",
        Outcome::Warn | Outcome::Inconclusive => "warn",
        Outcome::Fail if case.is_expected() => "known",
        Outcome::Fail | Outcome::HarnessError => "fail",
        Outcome::Skipped => "none",
    }
}

/// Of a requirement, with a sign.
pub(crate) fn of_requirement(requirement: &Requirement) -> (Tone, char) {
    match requirement.verdict {
        Kept::Pass => ("pass", '✓'),
        Kept::Declared | Kept::Observed => ("pass", '○'),
        Kept::Warn => ("warn", '!'),
        Kept::Fail if requirement.expected => ("known", '✕'),
        Kept::Fail => ("fail", '✕'),
        Kept::NotJudged => ("none", '–'),
    }
}
