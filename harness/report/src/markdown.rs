//! `summary.md`: a run on one page, for the summary of a CI job. The causes come first.

use std::io;

use indexmap::IndexMap;
use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{
    Case, Cause, Diff, Follow, Outcome, Profile, Report, Step, Weight, met_and_judged,
};
use crate::{baseline_notes, phrases, template};

/// Number of causes shown in full. The others get one line each.
const FULL: usize = 10;

/// Maximum number of reasons for cases without a verdict.
const MAX_REASONS: usize = 10;

/// Maximum size of all examples together, in bytes. GitHub accepts at most a megabyte from a step
/// and rejects a longer summary completely.
const MAX_BYTES: usize = 500_000;

/// Maximum number of lines of a diff that are shown.
const MAX_LINES: usize = 40;

/// The content of `summary.md`.
pub fn write(report: &Report) -> io::Result<String> {
    let (expected, unexpected): (Vec<_>, Vec<_>) =
        report.causes.iter().partition(|cause| cause.expected.is_some());
    let violated = report.requirements().filter(|it| it.is_violated()).map(Serde).map(Value::from);
    let unjudged = unjudged(report);
    let baseline = report.baseline.as_ref();
    let view = context! {
        target => report.target.to_string(),
        headline => phrases::headline(report),
        scope => phrases::scope(report),
        kinds => kinds(&unexpected),
        causes => causes(&unexpected, report)?,
        full => FULL,
        expected => expected.into_iter().map(one_line).collect::<Vec<_>>(),
        file => baseline.map(|baseline| &baseline.file),
        baseline => Serde(baseline.map(baseline_notes::notes)),
        more_reasons => unjudged.len().saturating_sub(MAX_REASONS),
        unjudged => unjudged.into_iter().take(MAX_REASONS).collect::<Vec<_>>(),
        claims => Serde(&report.claims),
        profiles => report.profiles.iter().map(profile).collect::<Vec<_>>(),
        violated => violated.collect::<Vec<_>>(),
        version => &report.tool.version,
        suite => phrases::short(&report.suite.fingerprint),
        started => &report.run.started,
    };
    template::markdown("summary.md", view)
}

fn profile(profile: &Profile) -> Value {
    let (met, judged) = met_and_judged(profile.requirements.iter());
    context! { met, judged, name => &profile.name, counts => Serde(profile.counts) }
}

/// How many causes there are, e.g. `2 causes of failures, 1 cause of warnings, the worst first.`
fn kinds(causes: &[&Cause]) -> String {
    let failing = causes.iter().filter(|cause| cause.weight == Weight::Fail).count();
    let parts = [(failing, "failures"), (causes.len() - failing, "warnings")];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, of)| format!("{} of {of}", phrases::counted(*number, "cause")))
        .collect();
    let order = if causes.len() > 1 { ", the worst first" } else { "" };
    format!("{}{order}.", parts.join(", "))
}

/// The causes. The first ones have all that is shown of a cause in full.
fn causes(causes: &[&Cause], report: &Report) -> io::Result<Vec<Value>> {
    let mut room = MAX_BYTES;
    let mut values = Vec::new();
    for (number, cause) in causes.iter().enumerate() {
        let case = report.cases.iter().find(|case| case.id == cause.example.case);
        let details = case.filter(|_| number < FULL).map(self::case).transpose()?;
        let details = details.filter(|details| details.len() <= room);
        room -= details.as_ref().map_or(0, String::len);
        let (extent, violated) = (phrases::extent(cause), violated(cause));
        values.push(context! { details, extent, violated, ..one_line(cause) });
    }
    Ok(values)
}

fn one_line(cause: &Cause) -> Value {
    context! { sentence => cause.sentence(), notes => cause.example.notes(), ..Serde(cause) }
}

/// What a cause violates, one item for each line.
fn violated(cause: &Cause) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(code) = &cause.requirement {
        lines.push(format!("violates {code}: {}", phrases::sentence(code)));
    }
    let follow = |follow: &Follow| {
        let what = follow.requirement.as_deref().unwrap_or("expectations of the scenarios");
        format!("{what} ({})", phrases::cases(follow.cases))
    };
    let follows: Vec<_> = cause.follows.iter().map(follow).collect();
    if !follows.is_empty() {
        lines.push(format!("also violated because of it: {}", follows.join(", ")));
    }
    lines
}

/// The cases that should have a verdict and have none, by reason.
fn unjudged(report: &Report) -> Vec<Value> {
    let mut by_reason = IndexMap::<_, Vec<&str>>::new();
    let has_none =
        |case: &&Case| matches!(case.outcome, Outcome::Inconclusive | Outcome::HarnessError);
    for case in report.cases.iter().filter(has_none) {
        let reason = case.reason.as_deref().unwrap_or_default();
        by_reason.entry((case.outcome.word(), reason)).or_default().push(&case.id);
    }
    let group = |((word, reason), ids): ((&str, &str), Vec<&str>)| {
        context! { word, reason, number => ids.len(), id => ids[0] }
    };
    by_reason.into_iter().map(group).collect()
}

fn case(case: &Case) -> io::Result<String> {
    let view = context! {
        word => case.outcome.word(),
        heads => Step::HEADS.to_vec(),
        steps => case.steps.iter().map(|it| step(it, MAX_LINES)).collect::<Vec<_>>(),
        ..Serde(case),
    };
    template::markdown("case.md", view)
}

/// A step for the template `steps.md`. At most `max_lines` lines of each diff are shown.
pub(crate) fn step(step: &Step, max_lines: usize) -> Value {
    let rows: Vec<_> = step.rows().map(|row| row.to_vec()).collect();
    let diffs: Vec<_> = step.diffs.iter().map(|it| diff(it, max_lines)).collect();
    context! { rows, diffs }
}

fn diff(diff: &Diff, max_lines: usize) -> Value {
    let Diff { attempt, deployment, lines } = diff;
    let mut shown: Vec<_> = lines.iter().take(max_lines).map(ToString::to_string).collect();
    if lines.len() > max_lines {
        shown.push("…".to_owned());
    }
    context! { attempt, deployment, text => shown.join("\n") }
}
