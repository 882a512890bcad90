//! Comparison of reports: the causes that changed from one report to the next, and a matrix of
//! requirements × targets.
//!
//! Only cases that both reports judged count for a change. Behavior that a gateway declares is not a
//! violation.

mod change;
mod matching;
mod order;
mod tally;

use std::io;

use indexmap::IndexMap;
use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{
    Case, Compliance, Failure, Level, Outcome, Report, Requirement, Severity, Verdict, Weight,
    met_and_judged,
};
use crate::{assemble, phrases, template, tone};

/// Explanation of the symbols in the matrix.
const LEGEND: [&str; 2] = [
    "✓ met · ○ exempt (declared by the gateway) or informational · ! recommendation violated · \
     ✕ violated · – not judged: no case that tests it was judged.",
    "A policy applies only to gateways that claim it, and a violated recommendation only warns. \
     Requirements that a gateway does not claim are not judged, so a gateway with more of them met is \
     not necessarily better.",
];

/// A comparison of reports, with one column for each report.
#[derive(Debug)]
pub struct Comparison {
    /// Input of the templates.
    view: Value,
}

impl Comparison {
    /// Compares reports. Each report comes with the name of its file.
    ///
    /// Versions of one product are put in their order.
    pub fn new(reports: &[(String, Report)]) -> Self {
        let mut reports: Vec<_> = reports.iter().collect();
        order::sort(&mut reports);
        let names = names(&reports);
        let reports: Vec<_> = reports.iter().map(|(_, report)| report).collect();
        let columns = names.iter().zip(&reports).map(|(name, report)| {
            context! { name, tone => tone::of_report(report), verdict => verdict(report) }
        });
        let view = context! {
            tool => Serde(assemble::tool()),
            legend => LEGEND.to_vec(),
            columns => columns.collect::<Vec<_>>(),
            // Reasons why the columns cannot be compared directly.
            cautions => cautions(&names, &reports),
            overview => overview(&reports),
            changes => changes(&names, &reports),
            profiles => profiles(&reports),
            explained => explained(&names, &reports),
        };
        Self { view }
    }

    /// The text of the comparison as Markdown.
    pub fn to_markdown(&self) -> io::Result<String> {
        template::markdown("compare.md", self.view.clone())
    }

    /// The comparison as a self-contained HTML page.
    pub fn to_html(&self) -> io::Result<String> {
        template::page("compare.html", self.view.clone())
    }
}

/// Names of the columns: the target, plus the file if two reports have the same target.
fn names(reports: &[&(String, Report)]) -> Vec<String> {
    let targets: Vec<_> = reports.iter().map(|(_, report)| report.target.to_string()).collect();
    let is_twice = |name: &String| targets.iter().filter(|other| *other == name).count() > 1;
    let name = |(target, (file, _)): (&String, &&(String, Report))| {
        if is_twice(target) { format!("{target} ({file})") } else { target.clone() }
    };
    targets.iter().zip(reports).map(name).collect()
}

fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Conformant if report.counts.expected > 0 => "fails only as expected",
        Verdict::Conformant if !report.is_whole() => "conforms (partial run)",
        Verdict::Conformant => "conforms",
        Verdict::NotConformant if report.counts.fail == 0 => "inconclusive",
        Verdict::NotConformant => "does not conform",
        Verdict::Interrupted => "interrupted",
        Verdict::HarnessError => "Fallproof failed",
    }
}

fn cautions(names: &[String], reports: &[&Report]) -> Vec<String> {
    let mut cautions = Vec::new();
    let suites = reports.windows(2).map(|pair| [&pair[0].suite, &pair[1].suite]);
    if suites.into_iter().any(|[one, next]| one.fingerprint != next.fingerprint) {
        cautions.push(
            "The reports were made with different suites: a case of the same name may expect more in \
             one than in the other."
                .to_owned(),
        );
    }
    for (name, report) in names.iter().zip(reports) {
        if is_reduced(report) {
            cautions.push(format!(
                "The report of {name} was reduced: it lacks some of the selected cases."
            ));
        }
        if report.run.interrupted {
            let not_run = phrases::cases(report.not_run.len());
            cautions.push(format!("The run of {name} was interrupted before {not_run} had run."));
        }
    }
    cautions
}

/// Whether cases were removed from a report, for example those that passed.
fn is_reduced(report: &Report) -> bool {
    report.cases.len() + report.not_run.len() < report.run.selection.cases
}

/// Extracts one fact from a report, for a row of the overview.
type Fact = fn(&Report) -> String;

/// The rows of the overview.
const OVERVIEW: [(&str, Fact); 14] = [
    ("causes of failures", |it| {
        let failing = it.causes.iter().filter(|cause| cause.weight == Weight::Fail);
        if change::has_causes(it) { failing.count().to_string() } else { "unknown".to_owned() }
    }),
    ("cases selected", |it| format!("{} of {}", it.run.selection.cases, it.suite.cases)),
    ("requirements met", |it| {
        let (met, judged) = met_and_judged(it.requirements());
        format!("{met} of {judged} judged")
    }),
    ("cases passed", |it| it.counts.pass.to_string()),
    ("failed", |it| it.counts.fail.to_string()),
    ("failed as expected", |it| it.counts.expected.to_string()),
    ("silent failures", |it| {
        it.cases.iter().filter(|case| case.failure == Some(Failure::Silent)).count().to_string()
    }),
    ("warned", |it| it.counts.warn.to_string()),
    ("not robust", |it| it.counts.not_robust.to_string()),
    ("inconclusive", |it| it.counts.inconclusive.to_string()),
    ("harness errors", |it| it.counts.harness_error.to_string()),
    ("skipped", |it| it.counts.skipped.to_string()),
    ("not run", |it| it.counts.not_run.to_string()),
    ("run on", |it| it.run.started.get(..10).unwrap_or_default().to_owned()),
];

/// The rows of the overview, with one value for each column. Rows that contain only zeros are left
/// out.
fn overview(reports: &[&Report]) -> Vec<Value> {
    let line = |(what, fact): (&str, Fact)| {
        let values: Vec<_> = reports.iter().map(|report| fact(report)).collect();
        let is_shown =
            matches!(what, "cases passed" | "failed") || values.iter().any(|value| value != "0");
        is_shown.then(|| context! { what, values })
    };
    OVERVIEW.into_iter().filter_map(line).collect()
}

/// Changes between adjacent reports of the same product. If there are only two reports, they are
/// always compared.
fn changes(names: &[String], reports: &[&Report]) -> Vec<Value> {
    let pairs = reports.windows(2).zip(names.windows(2));
    let is_compared =
        |pair: &[&Report]| reports.len() == 2 || pair[0].target.name == pair[1].target.name;
    pairs
        .filter(|(pair, _)| is_compared(pair))
        .map(|(pair, names)| change::change([pair[0], pair[1]], [&names[0], &names[1]]))
        .collect()
}

/// All requirements, by profile and code, with the result of each report.
fn profiles(reports: &[&Report]) -> Vec<Value> {
    let mut by_profile: IndexMap<&str, IndexMap<&str, Vec<Option<&Requirement>>>> = IndexMap::new();
    for (number, report) in reports.iter().enumerate() {
        for profile in &report.profiles {
            let rows = by_profile.entry(&profile.name).or_default();
            for requirement in &profile.requirements {
                let cells =
                    rows.entry(&requirement.code).or_insert_with(|| vec![None; reports.len()]);
                cells[number] = Some(requirement);
            }
        }
    }
    by_profile.retain(|_, rows| !rows.is_empty());
    let profile = |(name, rows): (&str, IndexMap<&str, Vec<Option<&Requirement>>>)| {
        let (judged, unjudged): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|(_, cells)| cells.iter().flatten().any(|it| it.is_judged()));
        let rows: Vec<_> = judged.iter().filter_map(|(_, cells)| row(cells, reports)).collect();
        let unjudged: Vec<_> = unjudged.into_iter().map(|(code, _)| code).collect();
        context! { name, rows, unjudged => Serde(unjudged) }
    };
    by_profile.into_iter().map(profile).collect()
}

/// The row of a requirement, with a cell for each report. `None` if no report has the requirement.
fn row(requirements: &[Option<&Requirement>], reports: &[&Report]) -> Option<Value> {
    let any = requirements.iter().flatten().next()?;
    let mark = match (any.level, any.severity) {
        (Level::Policy, _) => Some("policy"),
        (Level::Observation, _) => Some("observation"),
        (Level::Invariant, Severity::Should) => Some("recommendation"),
        (Level::Invariant, Severity::Must) => None,
    };
    let cells = requirements.iter().zip(reports).map(|(it, report)| {
        let unknown = || context! { tone => "none", sign => ' ', label => "not in its suite" };
        it.map_or_else(unknown, |it| cell(it, report))
    });
    Some(context! {
        code => &any.code,
        sentence => &any.sentence,
        mark,
        // A requirement that is violated in any column is explained below the matrix.
        is_explained => requirements.iter().flatten().any(|it| it.is_violated()),
        cells => cells.collect::<Vec<_>>(),
    })
}

fn cell(requirement: &Requirement, report: &Report) -> Value {
    let (tone, sign) = tone::of_requirement(requirement);
    let mut label = phrases::compliance(requirement).to_owned();
    let number = match requirement.verdict {
        Compliance::Fail | Compliance::Warn => requirement.violated_in.len(),
        Compliance::NotJudged => {
            let is_skipped = |case: &&Case| {
                case.outcome == Outcome::Skipped && case.proves.contains(&requirement.code)
            };
            let skipped = report.cases.iter().filter(is_skipped).count();
            if skipped > 0 {
                label.push_str(", skipped");
            }
            skipped
        }
        Compliance::Pass | Compliance::Declared | Compliance::Observed => 0,
    };
    if number > 0 {
        label = format!("{label} in {}", phrases::cases(number));
    }
    context! { tone, sign, label }
}

/// Requirements that are violated in any report, in the order of the reports. Each requirement
/// comes with the cases of each report that violate it.
fn explained(names: &[String], reports: &[&Report]) -> Vec<Value> {
    let mut by_code: IndexMap<&str, Vec<(&String, &Requirement)>> = IndexMap::new();
    for (name, report) in names.iter().zip(reports) {
        for requirement in report.requirements() {
            by_code.entry(&requirement.code).or_default().push((name, requirement));
        }
    }
    let explained = |all: Vec<(&String, &Requirement)>| {
        let violated = || all.iter().filter(|(_, requirement)| requirement.is_violated());
        let (_, first) = violated().next()?;
        let violated = violated().map(|(name, it)| {
            let word = phrases::compliance(it);
            context! { name => *name, word, cases => Serde(&it.violated_in) }
        });
        let (applies_to, violated) = (phrases::applies_to(first), violated.collect::<Vec<_>>());
        Some(context! { applies_to, violated, ..Serde(first) })
    };
    by_code.into_values().filter_map(explained).collect()
}
