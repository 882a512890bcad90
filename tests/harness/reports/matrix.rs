//! The reports of real runs in `reports/`, and the page that summarizes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fallproof_report::model::{Compliance, Level, Report, Requirement};
use fallproof_report::phrases::counted;
use fallproof_suite::requirement;

/// Marks the start of the generated part of the page.
const GENERATED: &str =
    "<!-- Generated from the reports: UPDATE=1 cargo test --test harness matrix -->\n";

/// Maximum size of a report. `reports/strip.jq` reduces it.
const MAX_BYTES: usize = 500_000;

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

fn page(reports: &BTreeMap<String, Report>) -> String {
    let mut page = String::from(
        "\n| product | version | date | passed | warned | failed | inconclusive | skipped | failed requirements |\n\
         |---|---|---|--:|--:|--:|--:|--:|---|\n",
    );
    for (folder, report) in reports {
        let counts = &report.counts;
        let codes: Vec<_> = report
            .requirements()
            .filter(|it| is_broken(it))
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
    let page = page(&reports());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, format!("{written}{GENERATED}{page}")).expect("the page can be written");
        return;
    }
    assert!(
        generated == page,
        "reports/README.md is stale; update it: UPDATE=1 cargo test --test harness matrix"
    );
}
