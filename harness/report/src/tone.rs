//! The colors of a report, as class names of `style.css`.

use crate::model::{Compliance, Report, Requirement, Verdict};

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

/// Color and symbol of a requirement.
pub(crate) fn of_requirement(requirement: &Requirement) -> (Tone, char) {
    match requirement.verdict {
        Compliance::Pass => ("pass", '✓'),
        Compliance::Declared | Compliance::Observed => ("none", '○'),
        Compliance::Warn => ("warn", '!'),
        Compliance::Fail if requirement.expected => ("known", '✕'),
        Compliance::Fail => ("fail", '✕'),
        Compliance::NotJudged => ("none", '–'),
    }
}
