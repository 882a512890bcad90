//! A report in a few sentences, the same in all of its forms.

use std::fmt::Write as _;

use super::model::{Kept, Report, Verdict};

/// What the run says of the target, in one sentence.
pub fn headline(report: &Report) -> String {
    let target = &report.target;
    let counts = report.counts;
    let judged = report.requirements().filter(|it| it.verdict != Kept::NotJudged).count();
    let broken = report.requirements().filter(|it| it.verdict == Kept::Fail && !it.expected);
    match (report.verdict, broken.count()) {
        (Verdict::HarnessError, _) => {
            format!("Fallproof itself failed in {}.", cases(counts.harness_error))
        }
        (Verdict::NotConformant, 0) if counts.fail > 0 => {
            format!("{target} does not conform: {} did not end as expected.", cases(counts.fail))
        }
        (Verdict::NotConformant, 0) if counts.inconclusive > 0 => {
            format!("Nothing certain can be said of {target}: {}.", inconclusive(report))
        }
        (Verdict::NotConformant, 0) => {
            "The baseline is out of date: it names failures that are none any more.".to_owned()
        }
        (Verdict::NotConformant, broken) => format!(
            "{target} does not conform: {broken} of {judged} judged requirements {} broken.",
            if broken == 1 { "is" } else { "are" }
        ),
        (Verdict::Interrupted, _) => {
            format!("The run was broken off; nothing that was run speaks against {target}.")
        }
        (Verdict::Conformant, _) if judged == 0 => format!("Nothing was judged of {target}."),
        (Verdict::Conformant, _) if counts.expected > 0 => {
            format!("{target} fails only as its baseline expects: in {}.", cases(counts.expected))
        }
        (Verdict::Conformant, _) => {
            format!("{target} conforms: it keeps the {judged} requirements that were judged.")
        }
    }
}

/// How much of the suite the run tells of, in a sentence or two.
pub fn scope(report: &Report) -> String {
    let selection = &report.run.selection;
    let mut text = if selection.whole {
        format!("All {} of the suite were chosen.", cases(selection.cases))
    } else {
        format!("{} of the suite's {} were chosen.", selection.cases, cases(report.suite.cases))
    };
    for (number, what) in [
        (report.counts.skipped, "skipped, each for a reason"),
        (report.counts.inconclusive, "inconclusive"),
        (report.counts.not_run, "not run, since the run was broken off"),
    ] {
        if number > 0 {
            let verb = if number == 1 { "was" } else { "were" };
            let _ = write!(text, " {number} {verb} {what}.");
        }
    }
    text
}

/// `1 case`, `2 cases`.
pub fn cases(number: usize) -> String {
    format!("{number} case{}", if number == 1 { "" } else { "s" })
}

fn inconclusive(report: &Report) -> String {
    let number = report.counts.inconclusive;
    format!("{} {} inconclusive", cases(number), if number == 1 { "is" } else { "are" })
}
