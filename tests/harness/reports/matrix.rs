//! The reports of real runs in `reports/`, and the page that summarizes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fallproof_report::model::{
    Cause, Compliance, Example, Level, Report, Requirement, Target, Weight,
};
use fallproof_report::phrases::{counted, extent, markdown};
use fallproof_suite::requirement;

/// Marks the start of the generated part of the page.
const GENERATED: &str =
    "<!-- Generated from the reports: UPDATE=1 cargo test --test harness matrix -->\n";

/// Maximum size of a report. `reports/strip.jq` reduces it.
const MAX_BYTES: usize = 1_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

/// The reports, by folder name.
fn reports() -> BTreeMap<String, Report> {
    let entries = fs::read_dir(folder()).expect("the folder exists");
    let folders = entries.map(|entry| entry.expect("a readable folder").path());
    let read = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("report.json")).expect("a report");
        assert!(text.len() < MAX_BYTES, "{}: {} bytes", folder.display(), text.len());
        let report = serde_json::from_str(&text).expect("a valid report");
        (folder.file_name().expect("a folder name").to_string_lossy().into_owned(), report)
    };
    folders.filter(|path| path.is_dir()).map(read).collect()
}

fn is_broken(requirement: &Requirement) -> bool {
    requirement.verdict == Compliance::Fail
}

/// The causes of failures, or those that only warn, the worst first.
fn causes(report: &Report, weight: Weight) -> impl Iterator<Item = &Cause> {
    report.causes.iter().filter(move |cause| cause.weight == weight)
}

fn failures(report: &Report) -> impl Iterator<Item = &Cause> {
    causes(report, Weight::Fail)
}

/// The text with what is between backticks as code, and the rest escaped.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(n, it)| if n % 2 == 1 { format!("`{it}`") } else { markdown(it) }).collect()
}

/// The page of one gateway: its causes.
fn page_of(report: &Report) -> String {
    let counts = &report.counts;
    let mut page = format!(
        "# {}\n\n{} of {} judged cases failed in the run of {}, with {}. \
         [All runs](../README.md) · [report.json](report.json)\n",
        report.target,
        counts.fail,
        counts.pass + counts.warn + counts.fail,
        &report.run.started[..10],
        counted(failures(report).count(), "cause"),
    );
    for cause in failures(report) {
        let Cause { id, requirement, example, .. } = cause;
        let today = requirement.as_deref().and_then(requirement::find);
        let _ = write!(
            page,
            "\n## {id}\n\n{} {}. {}\n",
            report.target.name,
            prose(&cause.sentence()),
            extent(cause)
        );
        if let Some(today) = today {
            let _ = writeln!(page, "\n{}: {}", today.code, prose(today.sentence.trim()));
        }
        let _ = write!(
            page,
            "\nExample `{}`: {}\n{}\n```sh\n{}\n```\n",
            example.case,
            prose(&example.message),
            notes(example),
            example.replay
        );
        if !cause.sources.is_empty() {
            let links: Vec<_> = cause.sources.iter().map(|link| format!("<{link}>")).collect();
            let _ = writeln!(page, "\nSources: {}", links.join(", "));
        }
    }
    let warnings: Vec<_> = causes(report, Weight::Warn).collect();
    if !warnings.is_empty() {
        page.push_str("\n## Warnings\n\nThese do not fail a run.\n\n");
    }
    for cause in warnings {
        let (sentence, example) = (prose(&cause.sentence()), &cause.example.case);
        let cases = counted(cause.cases.len(), "case");
        let _ = writeln!(page, "- `{}`: {sentence}, in {cases}, e.g. `{example}`", cause.id);
    }
    page
}

/// What the client sent and the error that it got, as a list.
fn notes(example: &Example) -> String {
    let notes: Vec<_> = example.notes().iter().map(|it| format!("- {}\n", markdown(it))).collect();
    let notes = notes.concat();
    if notes.is_empty() { notes } else { format!("\n{notes}") }
}

/// A table of the requirements that were judged for any gateway.
fn table(reports: &BTreeMap<String, Report>) -> String {
    let mut by_code = BTreeMap::<&str, BTreeMap<&str, Compliance>>::new();
    for (folder, report) in reports {
        for requirement in report.requirements() {
            by_code.entry(&requirement.code).or_default().insert(folder, requirement.verdict);
        }
    }
    by_code.retain(|_, of| of.values().any(|it| *it != Compliance::NotJudged));
    let head = |report: &Report| {
        let Target { name, version, .. } = &report.target;
        format!("{name} {}", version.as_deref().unwrap_or_default())
    };
    let heads: Vec<_> = reports.values().map(head).collect();
    let mut table = format!("| | {} |\n|---|{}\n", heads.join(" | "), ":-:|".repeat(heads.len()));
    for (code, of) in by_code {
        let cell = |folder: &String| match of.get(folder.as_str()) {
            Some(Compliance::Fail) => "✗",
            Some(Compliance::Warn) => "!",
            Some(Compliance::Pass) => "✓",
            Some(Compliance::Declared | Compliance::Observed) => "d",
            Some(Compliance::NotJudged) | None => "",
        };
        let cells: Vec<_> = reports.keys().map(cell).collect();
        let code = code.strip_prefix("FP-").unwrap_or(code);
        let _ = writeln!(table, "| {code} | {} |", cells.join(" | "));
    }
    table
}

fn page(reports: &BTreeMap<String, Report>) -> String {
    let mut page = String::from(
        "\n| product | version | date | causes | passed | warned | failed | inconclusive | skipped |\n\
         |---|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for (folder, report) in reports {
        let counts = &report.counts;
        let causes = match failures(report).count() {
            _ if report.causes.is_empty() => "–".to_owned(),
            number => format!("[{number}]({folder}/README.md)"),
        };
        let _ = writeln!(
            page,
            "| {} | [{}]({folder}/report.json) | {} | {causes} | {} | {} | {} | {} | {} |",
            report.target.name,
            report.target.version.as_deref().unwrap_or("unknown"),
            &report.run.started[..10],
            counts.pass,
            counts.warn,
            counts.fail,
            counts.inconclusive,
            counts.skipped,
        );
    }
    page.push_str(
        "\n## Requirements\n\n✗ violated in at least one case, ! violated but only a warning, ✓ kept, \
         d differs only as declared or observed; empty: not judged.\n\n",
    );
    page.push_str(&table(reports));
    page.push_str("\n## Failed requirements\n");
    let mut broken: BTreeMap<&str, (&Requirement, Vec<String>)> = BTreeMap::new();
    for report in reports.values() {
        for requirement in report.requirements().filter(|it| is_broken(it)) {
            let cases = requirement.violated_in.len();
            let example = &requirement.violated_in[0];
            let (_, gateways) =
                broken.entry(&requirement.code).or_insert((requirement, Vec::new()));
            let cases = counted(cases, "case");
            gateways.push(format!("{} in {cases}, e.g. `{example}`", report.target));
        }
    }
    for (code, (requirement, gateways)) in broken {
        // The wording in the reports may be outdated.
        let today = requirement::find(code).expect("codes are permanent");
        let level = match requirement.level {
            Level::Policy => "A policy: it applies to gateways that claim it. ",
            Level::Invariant | Level::Observation => "",
        };
        let _ = writeln!(
            page,
            "\n### {code}\n\n{} {level}{}\nRun `fallproof show {code}` for details.\n",
            today.sentence.trim(),
            today.why.trim()
        );
        for gateway in gateways {
            let _ = writeln!(page, "- {gateway}");
        }
    }
    page
}

#[test]
fn the_page_matches_the_reports() {
    let file = folder().join("README.md");
    let stored = fs::read_to_string(&file).expect("the page exists");
    let (written, generated) = stored.split_once(GENERATED).expect("the marker");
    let reports = reports();
    let with_causes = reports.iter().filter(|(_, report)| !report.causes.is_empty());
    let pages: Vec<_> = with_causes
        .map(|(name, report)| (folder().join(name).join("README.md"), page_of(report)))
        .collect();
    let page = page(&reports);
    if std::env::var_os("UPDATE").is_some() {
        for (file, page) in &pages {
            fs::write(file, page).expect("the page can be written");
        }
        fs::write(&file, format!("{written}{GENERATED}{page}")).expect("the page can be written");
        return;
    }
    for (folder, page) in pages {
        let stored = fs::read_to_string(&folder).expect("the page of the gateway exists");
        assert!(
            stored == page,
            "{} is stale; update it: UPDATE=1 cargo test --test harness matrix",
            folder.display()
        );
    }
    assert!(
        generated == page,
        "reports/README.md is stale; update it: UPDATE=1 cargo test --test harness matrix"
    );
}
