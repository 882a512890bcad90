//! The real runs that are kept in `reports/`, and the page that tells of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fallproof_report::model::{Kept, Level, Report, Requirement};

/// Where the part of the page begins that is made from the reports.
const MADE: &str = "<!-- Made from the reports: UPDATE=1 cargo test --test harness matrix -->\n";

/// What a report may weigh; `reports/strip.jq` makes it light.
const MOST_BYTES: usize = 500_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

/// The reports by the name of their folder.
fn kept() -> BTreeMap<String, Report> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let folders = entries.map(|entry| entry.expect("it can be listed").path());
    let read = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("report.json")).expect("it has a report");
        assert!(text.len() < MOST_BYTES, "{}: {} bytes", folder.display(), text.len());
        let report = serde_json::from_str(&text).expect("it is one of ours");
        (folder.file_name().expect("it has a name").to_string_lossy().into_owned(), report)
    };
    folders.filter(|path| path.is_dir()).map(read).collect()
}

fn is_broken(requirement: &Requirement) -> bool {
    requirement.verdict == Kept::Fail
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
    page.push_str("\n## The requirements that fail\n");
    let mut broken: BTreeMap<&str, (&Requirement, Vec<String>)> = BTreeMap::new();
    for report in reports.values() {
        for requirement in report.requirements().filter(|it| is_broken(it)) {
            let cases = requirement.violated_in.len();
            let example = &requirement.violated_in[0];
            let (_, told) = broken.entry(&requirement.code).or_insert((requirement, Vec::new()));
            told.push(format!("{} in {cases}, e.g. `{example}`", report.target));
        }
    }
    for (code, (requirement, told)) in broken {
        let level = match requirement.level {
            Level::Policy => "A policy: it binds those who claim it. ",
            Level::Invariant | Level::Observation => "",
        };
        let _ = writeln!(
            page,
            "\n### {code}\n\n{} {level}{}\nSee `fallproof show {code}`.\n",
            requirement.sentence, requirement.why
        );
        for gateway in told {
            let _ = writeln!(page, "- {gateway}");
        }
    }
    page
}

#[test]
fn the_matrix_tells_what_the_reports_say() {
    let file = folder().join("README.md");
    let stored = fs::read_to_string(&file).expect("the page is there");
    let (words, made) = stored.split_once(MADE).expect("a part of it is made");
    let page = page(&kept());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, format!("{words}{MADE}{page}")).expect("it can be written");
        return;
    }
    assert!(
        made == page,
        "reports/README.md is stale; refresh it: UPDATE=1 cargo test --test harness matrix"
    );
}
