//! `summary.md`: a run on one page, fit for the summary of a CI job.

use std::io;

use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{Case, Diff, Outcome, Profile, Report, Step, kept};
use crate::{phrases, template};

/// So many failures are told whole; the others are in the other reports.
const MOST_FAILURES: usize = 20;

/// They are not longer than this: GitHub takes a megabyte from a step, and refuses a longer one whole.
const MOST_BYTES: usize = 500_000;

const MOST_LINES: usize = 40;

/// The text of `summary.md`.
pub fn write(report: &Report) -> io::Result<String> {
    let (cases, more) = failures(report)?;
    let broken = report.requirements().filter(|it| it.is_broken()).map(Serde).map(Value::from);
    let view = context! {
        target => report.target.to_string(),
        headline => phrases::headline(report),
        scope => phrases::scope(report),
        profiles => report.profiles.iter().map(profile).collect::<Vec<_>>(),
        broken => broken.collect::<Vec<_>>(),
        baseline => Serde(&report.baseline),
        cases,
        more,
        version => &report.tool.version,
        suite => phrases::short(&report.suite.fingerprint),
        started => &report.run.started,
    };
    template::markdown("summary.md", view)
}

fn profile(profile: &Profile) -> Value {
    let kept = match kept(profile.requirements.iter()) {
        (_, 0) => "–".to_owned(),
        (kept, judged) => format!("{kept} of {judged}"),
    };
    context! { kept, name => &profile.name, counts => Serde(profile.counts) }
}

/// What nobody expected, as far as it is told here, and how many more there are.
fn failures(report: &Report) -> io::Result<(String, usize)> {
    let is_told = |case: &&Case| {
        matches!(case.outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::HarnessError)
            && !case.is_expected()
    };
    let mut text = String::new();
    let mut more = report.cases.iter().filter(is_told).count();
    for case in report.cases.iter().filter(is_told).take(MOST_FAILURES) {
        let told = self::case(case)?;
        if text.len() + told.len() <= MOST_BYTES {
            text.push_str(&told);
            more -= 1;
        }
    }
    Ok((text, more))
}

fn case(case: &Case) -> io::Result<String> {
    let step = |step: &Step| {
        let rows: Vec<_> = step.rows().map(|row| row.to_vec()).collect();
        context! { rows, diffs => step.diffs.iter().map(diff).collect::<Vec<_>>() }
    };
    let view = context! {
        word => case.outcome.word(),
        heads => Step::HEADS.to_vec(),
        steps => case.steps.iter().map(step).collect::<Vec<_>>(),
        ..Serde(case),
    };
    template::markdown("case.md", view)
}

fn diff(diff: &Diff) -> Value {
    let Diff { attempt, deployment, lines } = diff;
    let mut told: Vec<_> = lines.iter().take(MOST_LINES).map(ToString::to_string).collect();
    if lines.len() > MOST_LINES {
        told.push("…".to_owned());
    }
    context! { attempt, deployment, text => told.join("\n") }
}
