//! The reports of real runs in `reports/`, and the page that summarizes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fallproof_report::model::{Compliance, Level, Report, Requirement};

/// Line before the generated part of the page.
const MARKER: &str = "<!-- Made from the reports: UPDATE=1 cargo test --test harness matrix -->\n";

/// Maximum size of a report. `reports/strip.jq` strips it.
const MAX_BYTES: usize = 500_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

/// The reports, by the name of their folder.
fn stored_reports() -> BTreeMap<String, Report> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let folders = entries.map(|entry| entry.expect("it can be listed").path());
    let read = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("report.json")).expect("it has a report");
        assert!(text.len() < MAX_BYTES, "{}: {} bytes", folder.display(), text.len());
        let report = serde_json::from_str(&text).expect("it is a report");
        (folder.file_name().expect("it has a name").to_string_lossy().into_owned(), report)
    };
    folders.filter(|path| path.is_dir()).map(read).collect()
}

fn is_violated(requirement: &Requirement) -> bool {
    requirement.verdict == Compliance::Fail
}

fn page(reports: &BTreeMap<String, Report>) -> String {
    let mut page = String::from(
        "\n| product | version | run on | passed | warned | failed | inconclusive | skipped | requirements that fail |\n\
         |---|---|---|--:|--:|--:|--:|--:|---|\n",
    );
    for (folder, report) in reports {
        let counts = &report.counts;
        let codes: Vec<_> = report
            .requirements()
            .filter(|it| is_violated(it))
            .map(|it| format!("[{}](#{})", it.code, it.code.to_lowercase()))
            .collect();
        let _ = writeln!(
            page,
            "| {} | [{}]({folder}/report.json) | {} | {} | {} | {} | {} | {} | {} |",
            report.target.name,
            report.target.version.as_deref().unwrap_or("unknown"),
            &report.run.started[..10],
            counts.pass,
            counts.warn,
            counts.fail,
            counts.inconclusive,
            counts.skipped,
            if codes.is_empty() { "none".to_owned() } else { codes.join(", ") },
        );
    }
    page.push_str("\n## The requirements that fail\n");
    let mut violated: BTreeMap<&str, (&Requirement, Vec<String>)> = BTreeMap::new();
    for report in reports.values() {
        for requirement in report.requirements().filter(|it| is_violated(it)) {
            let cases = requirement.violated_in.len();
            let example = &requirement.violated_in[0];
            let (_, shown) = violated.entry(&requirement.code).or_insert((requirement, Vec::new()));
            shown.push(format!("{} in {cases}, e.g. `{example}`", report.target));
        }
    }
    for (code, (requirement, shown)) in violated {
        let level = match requirement.level {
            Level::Policy => "A policy: it applies to gateways that claim it. ",
            Level::Invariant | Level::Observation => "",
        };
        let _ = writeln!(
            page,
            "\n### {code}\n\n{} {level}{}\nFor details: `fallproof show {code}`.\n",
            requirement.sentence, requirement.why
        );
        for gateway in shown {
            let _ = writeln!(page, "- {gateway}");
        }
    }
    page
}

#[test]
fn the_matrix_is_up_to_date_with_the_reports() {
    let file = folder().join("README.md");
    let stored = fs::read_to_string(&file).expect("the page is there");
    let (intro, made) = stored.split_once(MARKER).expect("it has a generated part");
    let page = page(&stored_reports());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, format!("{intro}{MARKER}{page}")).expect("it can be written");
        return;
    }
    assert!(
        made == page,
        "reports/README.md is stale; refresh it: UPDATE=1 cargo test --test harness matrix"
    );
}
