//! Several reports beside each other: requirements × targets, and what changed from one to the next.
//!
//! Only what was judged is compared. A case that led to a verdict in one report alone makes nothing
//! better or worse, and a way that a gateway declares as its makers' choice is no fault.

mod change;

use std::io;

use indexmap::IndexMap;
use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{
    Case, Failure, Kept, Level, Outcome, Report, Requirement, Severity, Verdict, kept,
};
use crate::{assemble, phrases, template, tone};

/// What the signs mean, for whoever has not seen them before.
const LEGEND: [&str; 3] = [
    "✓ kept · ○ kept as declared, or noted: a way of its makers that is not held against it · \
     ! advised and not kept · ✕ broken · – not judged: no case that was written for it led to a verdict.",
    "A choice binds a gateway that claims it, and advice only warns. What a gateway does not claim \
     is not judged, so the longer column is not the better gateway.",
    "Better and worse go by the cases that led to a verdict in both reports.",
];

/// Everything in words, in the order of the reports.
#[derive(Debug)]
pub struct Comparison {
    /// What the templates draw.
    view: Value,
}

impl Comparison {
    /// Compares reports, each with the name of the file that it was read from.
    pub fn new(reports: &[(String, Report)]) -> Self {
        let names = names(reports);
        let reports: Vec<_> = reports.iter().map(|(_, report)| report).collect();
        let columns = names.iter().zip(&reports).map(|(name, report)| {
            context! { name, tone => tone::of_report(report), verdict => verdict(report) }
        });
        let view = context! {
            tool => Serde(assemble::tool()),
            legend => LEGEND.to_vec(),
            columns => columns.collect::<Vec<_>>(),
            // What should be known before the columns are compared.
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

    /// The text of one page that needs nothing beside itself.
    pub fn to_html(&self) -> io::Result<String> {
        template::page("compare.html", self.view.clone())
    }
}

/// What each column is called: the target, and the file too where the target is there twice.
fn names(reports: &[(String, Report)]) -> Vec<String> {
    let targets: Vec<_> = reports.iter().map(|(_, report)| report.target.to_string()).collect();
    let is_twice = |name: &String| targets.iter().filter(|other| *other == name).count() > 1;
    let name = |(target, (file, _)): (&String, &(String, Report))| {
        if is_twice(target) { format!("{target} ({file})") } else { target.clone() }
    };
    targets.iter().zip(reports).map(name).collect()
}

fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Conformant if report.counts.expected > 0 => "fails only as expected",
        Verdict::Conformant if !report.is_whole() => "conforms, as far as it was run",
        Verdict::Conformant => "conforms",
        Verdict::NotConformant if report.counts.fail == 0 => "nothing certain",
        Verdict::NotConformant => "does not conform",
        Verdict::Interrupted => "broken off",
        Verdict::HarnessError => "Fallproof failed",
    }
}

fn cautions(names: &[String], reports: &[&Report]) -> Vec<String> {
    let mut cautions = Vec::new();
    let suites = reports.windows(2).map(|pair| [&pair[0].suite, &pair[1].suite]);
    if suites.into_iter().any(|[one, next]| one.fingerprint != next.fingerprint) {
        cautions.push(
            "The reports were made with different suites: a case of the same name may ask for more \
             in one than in the other."
                .to_owned(),
        );
    }
    for (name, report) in names.iter().zip(reports) {
        if report.cases.len() + report.not_run.len() < report.run.selection.cases {
            cautions.push(format!(
                "The report of {name} was made shorter: of what changed, only a part is told."
            ));
        }
        if report.run.interrupted {
            let left = phrases::cases(report.not_run.len());
            cautions.push(format!("The run of {name} was broken off with {left} not run."));
        }
    }
    cautions
}

/// What is told of a report in the overview.
type Tell = fn(&Report) -> String;

/// The lines of the overview, each for a number or the like.
const OVERVIEW: [(&str, Tell); 12] = [
    ("cases chosen", |it| format!("{} of {}", it.run.selection.cases, it.suite.cases)),
    ("requirements kept", |it| {
        let (kept, judged) = kept(it.requirements());
        format!("{kept} of {judged} judged")
    }),
    ("cases passed", |it| it.counts.pass.to_string()),
    ("failed", |it| it.counts.fail.to_string()),
    ("failed as expected", |it| it.counts.expected.to_string()),
    ("failed so that the client could not tell", |it| {
        it.cases.iter().filter(|case| case.failure == Some(Failure::Silent)).count().to_string()
    }),
    ("warned", |it| it.counts.warn.to_string()),
    ("inconclusive", |it| it.counts.inconclusive.to_string()),
    ("harness errors", |it| it.counts.harness_error.to_string()),
    ("skipped, each for a reason", |it| it.counts.skipped.to_string()),
    ("not run", |it| it.counts.not_run.to_string()),
    ("run on", |it| it.run.started.get(..10).unwrap_or_default().to_owned()),
];

/// One value for each column, line by line.
fn overview(reports: &[&Report]) -> Vec<Value> {
    let line = |(what, tell): (&str, Tell)| {
        let values: Vec<_> = reports.iter().map(|report| tell(report)).collect();
        let is_told =
            matches!(what, "cases passed" | "failed") || values.iter().any(|value| value != "0");
        is_told.then(|| context! { what, values })
    };
    OVERVIEW.into_iter().filter_map(line).collect()
}

/// Changes between neighbours that are the same product; between two reports whatever they are of.
fn changes(names: &[String], reports: &[&Report]) -> Vec<Value> {
    let pairs = reports.windows(2).zip(names.windows(2));
    let is_told =
        |pair: &[&Report]| reports.len() == 2 || pair[0].target.name == pair[1].target.name;
    pairs
        .filter(|(pair, _)| is_told(pair))
        .map(|(pair, names)| change::change([pair[0], pair[1]], [&names[0], &names[1]]))
        .collect()
}

/// Each requirement that a report knows, by profile and code, with what each report says of it.
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

/// A requirement, and how each target keeps it; none where no report knows it.
fn row(requirements: &[Option<&Requirement>], reports: &[&Report]) -> Option<Value> {
    let any = requirements.iter().flatten().next()?;
    let mark = match (any.level, any.severity) {
        (Level::Policy, _) => Some("choice"),
        (Level::Observation, _) => Some("observation"),
        (Level::Invariant, Severity::Should) => Some("advice"),
        (Level::Invariant, Severity::Must) => None,
    };
    let cells = requirements.iter().zip(reports).map(|(it, report)| {
        let unknown = || context! { tone => "none", sign => ' ', words => "not in its suite" };
        it.map_or_else(unknown, |it| cell(it, report))
    });
    Some(context! {
        code => &any.code,
        sentence => &any.sentence,
        mark,
        // It is broken in a column, and explained further below.
        is_explained => requirements.iter().flatten().any(|it| it.is_broken()),
        cells => cells.collect::<Vec<_>>(),
    })
}

fn cell(requirement: &Requirement, report: &Report) -> Value {
    let (tone, sign) = tone::of_requirement(requirement);
    let mut words = phrases::kept(requirement).to_owned();
    let number = match requirement.verdict {
        Kept::Fail | Kept::Warn => requirement.violated_in.len(),
        Kept::NotJudged => {
            let is_skipped = |case: &&Case| {
                case.outcome == Outcome::Skipped && case.proves.contains(&requirement.code)
            };
            let skipped = report.cases.iter().filter(is_skipped).count();
            if skipped > 0 {
                words.push_str(", skipped");
            }
            skipped
        }
        Kept::Pass | Kept::Declared | Kept::Observed => 0,
    };
    if number > 0 {
        words = format!("{words} in {}", phrases::cases(number));
    }
    context! { tone, sign, words }
}

/// What is broken in any report, in the order of the document, with where each breaks it.
fn explained(names: &[String], reports: &[&Report]) -> Vec<Value> {
    let mut by_code: IndexMap<&str, Vec<(&String, &Requirement)>> = IndexMap::new();
    for (name, report) in names.iter().zip(reports) {
        for requirement in report.requirements() {
            by_code.entry(&requirement.code).or_default().push((name, requirement));
        }
    }
    let explained = |all: Vec<(&String, &Requirement)>| {
        let broken = || all.iter().filter(|(_, requirement)| requirement.is_broken());
        let (_, first) = broken().next()?;
        let broken = broken().map(|(name, it)| {
            context! { name => *name, word => phrases::kept(it), cases => Serde(&it.violated_in) }
        });
        let (binds, broken) = (phrases::binds(first), broken.collect::<Vec<_>>());
        Some(context! { binds, broken, ..Serde(first) })
    };
    by_code.into_values().filter_map(explained).collect()
}
