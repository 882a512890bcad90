//! Several reports beside each other: requirements × targets, and what changed from one to the next.
//!
//! Only what was judged is compared. A case that led to a verdict in one report alone makes nothing
//! better or worse, and a way that a gateway declares as its makers' choice is no fault.

mod change;
pub mod html;
pub mod markdown;

use indexmap::IndexMap;
use serde::Serialize;

use self::change::Change;
use super::html::kept_tone;
use super::model::{Case, Failure, Kept, Level, Outcome, Report, Requirement, Severity, Verdict};
use super::words;

/// What is drawn: everything in words, in the order of the reports.
#[derive(Debug, Serialize)]
pub struct Comparison<'a> {
    columns: Vec<Column>,
    /// What should be known before the columns are compared.
    cautions: Vec<String>,
    overview: Vec<Fact>,
    changes: Vec<Change<'a>>,
    profiles: Vec<Profile<'a>>,
    explained: Vec<Explained<'a>>,
}

/// One report.
#[derive(Debug, Serialize)]
struct Column {
    name: String,
    tone: &'static str,
    verdict: &'static str,
}

/// A line of the overview: one value for each column.
#[derive(Debug, Serialize)]
struct Fact {
    what: &'static str,
    values: Vec<String>,
}

/// The requirements of one profile.
#[derive(Debug, Serialize)]
struct Profile<'a> {
    name: &'a str,
    rows: Vec<Row<'a>>,
    /// The codes of those that no report judged.
    unjudged: Vec<&'a str>,
}

/// A requirement, and how each target keeps it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    code: &'a str,
    sentence: &'a str,
    /// What it is where it does not bind every gateway.
    mark: Option<&'static str>,
    /// It is broken in a column, and explained further below.
    is_explained: bool,
    cells: Vec<Cell>,
}

/// How one target keeps a requirement.
#[derive(Debug, Serialize)]
struct Cell {
    tone: &'static str,
    sign: char,
    words: String,
}

/// A requirement that a target breaks.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    requirement: &'a Requirement,
    binds: &'static str,
    broken: Vec<Broken<'a>>,
}

/// Where it breaks it.
#[derive(Debug, Serialize)]
struct Broken<'a> {
    name: String,
    word: &'static str,
    cases: &'a [String],
}

impl<'a> Comparison<'a> {
    /// Compares reports, each with the name of the file that it was read from.
    pub fn new(reports: &'a [(String, Report)]) -> Self {
        let names = names(reports);
        let reports: Vec<_> = reports.iter().map(|(_, report)| report).collect();
        let column = |(name, report): (&String, &&Report)| Column {
            name: name.clone(),
            tone: super::html::headline_tone(report),
            verdict: verdict(report),
        };
        Self {
            columns: names.iter().zip(&reports).map(column).collect(),
            cautions: cautions(&names, &reports),
            overview: overview(&reports),
            changes: changes(&names, &reports),
            profiles: profiles(&reports),
            explained: explained(&names, &reports),
        }
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
            let left = words::cases(report.not_run.len());
            cautions.push(format!("The run of {name} was broken off with {left} not run."));
        }
    }
    cautions
}

fn overview(reports: &[&Report]) -> Vec<Fact> {
    let fact = |what, value: &dyn Fn(&Report) -> String| Fact {
        what,
        values: reports.iter().map(|report| value(report)).collect(),
    };
    let kept = |report: &Report| {
        let judged = report.requirements().filter(|it| it.verdict != Kept::NotJudged).count();
        let broken = report.requirements().filter(|it| it.verdict == Kept::Fail).count();
        format!("{} of {judged} judged", judged - broken)
    };
    let silent = |report: &Report| {
        report.cases.iter().filter(|case| case.failure == Some(Failure::Silent)).count().to_string()
    };
    let chosen =
        |report: &Report| format!("{} of {}", report.run.selection.cases, report.suite.cases);
    let mut facts = vec![
        fact("cases chosen", &chosen),
        fact("requirements kept", &kept),
        fact("cases passed", &|report| report.counts.pass.to_string()),
        fact("failed", &|report| report.counts.fail.to_string()),
        fact("failed as expected", &|report| report.counts.expected.to_string()),
        fact("failed so that the client could not tell", &silent),
        fact("warned", &|report| report.counts.warn.to_string()),
        fact("inconclusive", &|report| report.counts.inconclusive.to_string()),
        fact("harness errors", &|report| report.counts.harness_error.to_string()),
        fact("skipped, each for a reason", &|report| report.counts.skipped.to_string()),
        fact("not run", &|report| report.counts.not_run.to_string()),
        fact("run on", &|report| report.run.started.get(..10).unwrap_or_default().to_owned()),
    ];
    let is_said = |fact: &Fact| {
        matches!(fact.what, "cases passed" | "failed") || fact.values.iter().any(|it| it != "0")
    };
    facts.retain(is_said);
    facts
}

/// Changes between neighbours that are the same product; between two reports whatever they are of.
fn changes<'a>(names: &[String], reports: &[&'a Report]) -> Vec<Change<'a>> {
    let pairs = reports.windows(2).zip(names.windows(2));
    let is_told =
        |pair: &[&Report]| reports.len() == 2 || pair[0].target.name == pair[1].target.name;
    pairs
        .filter(|(pair, _)| is_told(pair))
        .map(|(pair, names)| Change::new([pair[0], pair[1]], [&names[0], &names[1]]))
        .collect()
}

/// Each requirement that a report knows, by profile and code, with what each report says of it.
fn profiles<'a>(reports: &[&'a Report]) -> Vec<Profile<'a>> {
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
    let profile = |(name, rows): (&'a str, IndexMap<&'a str, Vec<Option<&'a Requirement>>>)| {
        let is_judged = |cells: &[Option<&Requirement>]| {
            cells.iter().flatten().any(|requirement| requirement.verdict != Kept::NotJudged)
        };
        let (judged, unjudged): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(_, cells)| is_judged(cells));
        Profile {
            name,
            rows: judged.into_iter().filter_map(|(_, cells)| Row::new(&cells, reports)).collect(),
            unjudged: unjudged.into_iter().map(|(code, _)| code).collect(),
        }
    };
    let profiles = by_profile.into_iter().map(profile);
    profiles.filter(|it| !it.rows.is_empty() || !it.unjudged.is_empty()).collect()
}

impl<'a> Row<'a> {
    /// None where no report knows the requirement.
    fn new(requirements: &[Option<&'a Requirement>], reports: &[&Report]) -> Option<Self> {
        let any = requirements.iter().flatten().next()?;
        let cells = requirements.iter().zip(reports);
        Some(Self {
            code: &any.code,
            sentence: &any.sentence,
            mark: mark(any),
            is_explained: requirements.iter().flatten().any(|it| is_broken(it)),
            cells: cells
                .map(|(it, report)| it.map_or_else(unknown, |it| cell(it, report)))
                .collect(),
        })
    }
}

fn is_broken(requirement: &Requirement) -> bool {
    matches!(requirement.verdict, Kept::Fail | Kept::Warn)
}

fn mark(requirement: &Requirement) -> Option<&'static str> {
    match (requirement.level, requirement.severity) {
        (Level::Policy, _) => Some("choice"),
        (Level::Observation, _) => Some("observation"),
        (Level::Invariant, Severity::Should) => Some("advice"),
        (Level::Invariant, Severity::Must) => None,
    }
}

/// The cell of a report whose suite has no such requirement.
fn unknown() -> Cell {
    Cell { tone: "none", sign: ' ', words: "not in its suite".to_owned() }
}

fn cell(requirement: &Requirement, report: &Report) -> Cell {
    let (tone, sign) = kept_tone(requirement);
    let mut words = words::kept(requirement).to_owned();
    let number = match requirement.verdict {
        Kept::Fail | Kept::Warn => requirement.broken_in.len(),
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
        words = format!("{words} in {}", words::cases(number));
    }
    Cell { tone, sign, words }
}

/// What is broken in any report, in the order of the document.
fn explained<'a>(names: &[String], reports: &[&'a Report]) -> Vec<Explained<'a>> {
    let mut by_code: IndexMap<&str, Explained<'a>> = IndexMap::new();
    for (name, &report) in names.iter().zip(reports) {
        for requirement in report.requirements().filter(|it| is_broken(it)) {
            let explained = by_code.entry(&requirement.code).or_insert_with(|| Explained {
                requirement,
                binds: words::binds(requirement),
                broken: Vec::new(),
            });
            explained.broken.push(Broken {
                name: name.clone(),
                word: words::kept(requirement),
                cases: &requirement.broken_in,
            });
        }
    }
    let place = |code: &str| {
        let mut all = reports.iter().flat_map(|report| report.requirements());
        all.position(|requirement| requirement.code == code)
    };
    by_code.sort_by_cached_key(|code, _| place(code));
    by_code.into_values().collect()
}
