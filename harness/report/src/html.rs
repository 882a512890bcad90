//! `index.html`: the complete report as a self-contained page.

use std::collections::BTreeMap;
use std::io;

use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{Case, Outcome, Profile, Report, Requirement, Step};
use crate::{baseline_notes, phrases, template, tone};

/// The content of `index.html`.
pub fn write(report: &Report) -> io::Result<String> {
    let selection = &report.run.selection;
    let selected: Vec<_> = selection.patterns.iter().chain(&selection.tags).cloned().collect();
    let view = context! {
        report => Serde(report),
        tool => Serde(&report.tool),
        target => report.target.to_string(),
        tone => tone::of_report(report),
        headline => phrases::headline(report),
        scope => phrases::scope(report),
        started => report.run.started.replace('T', " ").replace('Z', " UTC"),
        took => phrases::took(report),
        selected => selected.join(" "),
        fingerprint => phrases::short(&report.suite.fingerprint),
        baseline => Serde(report.baseline.as_ref().map(baseline_notes::notes)),
        profiles => report.profiles.iter().map(profile).collect::<Vec<_>>(),
        shown => shown(report).into_iter().map(case).collect::<Vec<_>>(),
        all => report.cases.iter().map(listed).collect::<Vec<_>>(),
        skipped => Serde(skipped(report)),
        unselected => report.suite.cases.saturating_sub(selection.cases),
    };
    template::page("report.html", view)
}

/// The requirements of a profile, grouped by family.
fn profile(profile: &Profile) -> Value {
    let is_same = |one: &Requirement, next: &Requirement| family(one).0 == family(next).0;
    let families = profile.requirements.chunk_by(is_same).map(|of_one| {
        let requirements: Vec<_> = of_one.iter().map(requirement).collect();
        context! { name => family(&of_one[0]).0, requirements }
    });
    context! {
        name => &profile.name,
        summary => phrases::profile(profile),
        unjudged => profile.requirements.iter().filter(|it| !it.is_judged()).count(),
        families => families.collect::<Vec<_>>(),
    }
}

fn requirement(requirement: &Requirement) -> Value {
    let (tone, sign) = tone::of_requirement(requirement);
    let count = match requirement.violated_in.len() {
        _ if !requirement.is_judged() => String::new(),
        0 => phrases::cases(requirement.tested_by.len()),
        violated => format!("in {}", phrases::cases(violated)),
    };
    let number = family(requirement).1;
    let word = phrases::compliance(requirement);
    let applies_to = phrases::applies_to(requirement);
    context! { tone, sign, count, number, word, applies_to, ..Serde(requirement) }
}

/// Family and number of a requirement's code, e.g. `PAYLOAD` and `01` for `FP-PAYLOAD-01`.
fn family(requirement: &Requirement) -> (&str, &str) {
    let code = phrases::brief(&requirement.code);
    code.rsplit_once('-').unwrap_or(("", code))
}

/// Position of a case among those shown in full, where the worst come first. `None` if the case is
/// not shown in full.
fn rank(case: &Case) -> Option<u8> {
    match case.outcome {
        Outcome::HarnessError => Some(0),
        Outcome::Fail if !case.is_expected() => Some(1),
        Outcome::Inconclusive => Some(2),
        Outcome::Fail => Some(3),
        Outcome::Warn => Some(4),
        Outcome::NotRobust => Some(5),
        Outcome::Pass | Outcome::Skipped => None,
    }
}

fn shown(report: &Report) -> Vec<&Case> {
    let mut shown: Vec<_> = report.cases.iter().filter(|case| rank(case).is_some()).collect();
    shown.sort_by_key(|case| rank(case));
    shown
}

/// A case in the list of all cases.
fn listed(case: &Case) -> Value {
    let Case { id, profile, took_ms, .. } = case;
    let (is_shown, took) = (rank(case).is_some(), format!("{took_ms:.0}"));
    context! { id, profile, is_shown, took, tone => tone::of_case(case), word => word(case) }
}

/// A case shown in full.
fn case(case: &Case) -> Value {
    let codes = case.codes();
    let mut brief: Vec<_> =
        codes.iter().take(2).map(|code| phrases::brief(code).to_owned()).collect();
    if codes.len() > 2 {
        brief.push(format!("+{}", codes.len() - 2));
    }
    context! {
        codes => Serde(&codes),
        brief => brief.join(" "),
        steps => case.steps.iter().map(step).collect::<Vec<_>>(),
        tone => tone::of_case(case),
        word => word(case),
        ..Serde(case),
    }
}

fn word(case: &Case) -> &'static str {
    if case.is_expected() { "expected" } else { case.outcome.word() }
}

/// A step whose rows are positioned on a time line.
fn step(step: &Step) -> Value {
    let client = &step.client;
    let start = client.at_ms;
    let end = step.attempts.iter().filter_map(|attempt| attempt.end_ms);
    let end = end.fold(start + client.took_ms, f64::max);
    let length = (end - start).max(0.01);
    let percent = |at: f64| ((at - start) / length * 100.0).clamp(0.0, 100.0);
    let attempts = step.attempts.iter().map(|it| (it.at_ms, it.end_ms.unwrap_or(end)));
    let times = attempts.chain([(start, start + client.took_ms)]);
    let rows = step.rows().zip(times).map(|(cells, (from, to))| {
        context! {
            cells => cells.to_vec(),
            start => format!("{:.1}", from - start),
            took => format!("{:.1}", (to - start) - (from - start)),
            from => format!("{:.2}", percent(from)),
            length => format!("{:.2}", percent(to) - percent(from)),
        }
    });
    let (heads, rows): (_, Vec<_>) = (Step::HEADS.to_vec(), rows.collect());
    context! { heads, rows, length => format!("{length:.0}"), ..Serde(step) }
}

/// The ids of the skipped cases, by reason.
fn skipped(report: &Report) -> BTreeMap<&str, Vec<&str>> {
    let mut by_reason: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for case in report.cases.iter().filter(|case| case.outcome == Outcome::Skipped) {
        by_reason.entry(case.reason.as_deref().unwrap_or_default()).or_default().push(&*case.id);
    }
    by_reason
}
