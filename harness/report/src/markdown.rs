//! `summary.md`: a run on one page, for the summary of a CI job.

use std::io;

use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{Case, Diff, Outcome, Profile, Report, Step, met_and_judged};
use crate::{phrases, template};

/// Maximum number of failures shown in full. The other output formats contain all of them.
const MAX_FAILURES: usize = 20;

/// Maximum size of all failures together, in bytes. GitHub accepts at most a megabyte from a step
/// and rejects a longer summary completely.
const MAX_BYTES: usize = 500_000;

/// Maximum number of lines of a diff that are shown.
const MAX_LINES: usize = 40;

/// The content of `summary.md`.
pub fn write(report: &Report) -> io::Result<String> {
    let (cases, more) = failures(report)?;
    let violated = report.requirements().filter(|it| it.is_violated()).map(Serde).map(Value::from);
    let view = context! {
        target => report.target.to_string(),
        headline => phrases::headline(report),
        scope => phrases::scope(report),
        profiles => report.profiles.iter().map(profile).collect::<Vec<_>>(),
        violated => violated.collect::<Vec<_>>(),
        claims => Serde(&report.claims),
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
    let met = match met_and_judged(profile.requirements.iter()) {
        (_, 0) => "–".to_owned(),
        (met, judged) => format!("{met} of {judged}"),
    };
    context! { met, name => &profile.name, counts => Serde(profile.counts) }
}

/// Returns the text of the unexpected failures, within the limits, and the number of failures that
/// were left out.
fn failures(report: &Report) -> io::Result<(String, usize)> {
    let is_shown = |case: &&Case| {
        matches!(case.outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::HarnessError)
            && !case.is_expected()
    };
    let mut text = String::new();
    let mut more = report.cases.iter().filter(is_shown).count();
    for case in report.cases.iter().filter(is_shown).take(MAX_FAILURES) {
        let drawn = self::case(case)?;
        if text.len() + drawn.len() <= MAX_BYTES {
            text.push_str(&drawn);
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
    let mut shown: Vec<_> = lines.iter().take(MAX_LINES).map(ToString::to_string).collect();
    if lines.len() > MAX_LINES {
        shown.push("…".to_owned());
    }
    context! { attempt, deployment, text => shown.join("\n") }
}
