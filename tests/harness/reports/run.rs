//! Files that a run writes to the report directory.

use std::fs;
use std::path::Path;

use fallproof_report::event::RunEvent;
use fallproof_report::model::{Compliance, Counts, Outcome, Verdict};
use fallproof_report::report_dir::ReportDir;
use fallproof_report::reporter::Reporters;
use fallproof_report::{events, model};
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::shell::text;

use super::support::{made, path, read, report, reported, run_again};

#[rstest]
#[case::report("report.schema.json", model::schema())]
#[case::events("events.schema.json", events::schema())]
fn a_schema_equals_the_checked_in_one(#[case] name: &str, #[case] schema: String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/report/src").join(name);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&file, &schema).expect("the schema can be written");
    }
    let checked_in = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        checked_in == schema,
        "it is out of date; update it with: INSTA_UPDATE=always cargo test --test harness reports"
    );
}

/// Asserts that each instance matches the schema.
fn assert_valid(schema: &str, instances: impl Iterator<Item = String>) {
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for instance in instances {
        let instance: Value = serde_json::from_str(&instance).expect("a report is JSON");
        let errors: Vec<_> =
            validator.iter_errors(&instance).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn a_real_report_is_valid_by_its_schema_and_contains_the_results() {
    let arguments = ["responses-compact", "--saboteur", "invented-metadata"];
    let (folder, output) = reported(&arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));

    assert_valid(&model::schema(), [read(&folder, "report.json")].into_iter());
    assert_valid(&events::schema(), read(&folder, "events.ndjson").lines().map(str::to_owned));

    let report = report(&folder);
    assert_eq!(report.verdict, Verdict::NotConformant);
    assert_eq!(report.target.name, "reference router with saboteur invented-metadata");
    assert!(!report.is_whole() && !report.run.selection.whole);
    assert_eq!(report.cases.len(), report.run.selection.cases);
    let counts = report.counts;
    assert_eq!(counts.pass + counts.warn + counts.fail, report.cases.len());

    let founding = "responses-compact/openai-to-azure";
    let case = report.cases.iter().find(|case| case.id == founding).expect("it was run");
    assert_eq!(case.outcome, Outcome::Fail);
    let replay = &case.replay;
    assert!(replay.starts_with(&format!("fallproof run {founding} --scenarios /")), "{replay}");
    assert!(replay.ends_with(" --saboteur invented-metadata"), "{replay}");
    assert_eq!(case.steps[0].attempts[1].deployment, "backup");
    assert!(case.steps[0].diffs[0].lines.iter().any(|line| line.text.contains("model_group")));

    let verdict = |code: &str| {
        let requirement = report.requirements().find(|requirement| requirement.code == code);
        requirement.map(|requirement| requirement.verdict)
    };
    assert_eq!(verdict("FP-PAYLOAD-01"), Some(Compliance::Fail));
    assert_eq!(verdict("FP-AUTH-01"), Some(Compliance::NotJudged), "no case here tests it");
}

#[test]
fn a_report_replaces_an_earlier_one_and_nothing_else() {
    let (folder, _) = reported(&["auth"]);
    let path = path(&folder);
    let again = run_again(&["auth"], path);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let named = format!("reports in {path} (open {path}/index.html)\n");
    assert!(text(&again.stdout).ends_with(&named), "{}", text(&again.stdout));

    fs::write(folder.path().join("thesis.txt"), "years of work").expect("a file");
    let refused = run_again(&["auth"], path);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("thesis.txt"), "{}", text(&refused.stderr));

    fs::remove_file(folder.path().join("thesis.txt")).expect("it is there");
    fs::write(folder.path().join("report.json"), "{}").expect("a file");
    let refused = run_again(&["auth"], path);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        fs::read_to_string(folder.path().join("report.json")).expect("it is still there"),
        "{}"
    );
}

#[test]
fn an_unreachable_target_leaves_an_earlier_report_in_place() {
    let (folder, _) = reported(&["responses-compact"]);
    let earlier = read(&folder, "report.json");
    let nobody =
        ["responses-compact", "--target", "http://127.0.0.1:1/v1", "--listen", "127.0.0.1:0"];
    let output = run_again(&nobody, path(&folder));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(read(&folder, "report.json"), earlier);
}

#[test]
fn a_seed_reproduces_a_random_order() {
    // Runs scenarios one at a time, and returns them in the order in which they started.
    let order = |shuffle: &[&str]| -> Vec<String> {
        let (folder, output) = reported(&[&["auth", "--jobs", "1"], shuffle].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let is_printed = text(&output.stderr).contains("--shuffle=7 gives this order again");
        assert_eq!(is_printed, !shuffle.is_empty(), "{}", text(&output.stderr));
        let events = read(&folder, "events.ndjson");
        let events = events.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let started = events.filter(|event: &Value| event["event"] == "case-started");
        started.map(|event| event["id"].to_string()).collect()
    };
    let plain = order(&[]);
    let shuffled = order(&["--shuffle=7"]);
    assert_ne!(shuffled, plain);
    assert_eq!(shuffled, order(&["--shuffle=7"]));
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(shuffled), sorted(plain), "each is run once");
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_the_others_are_written() {
    let folder = TempDir::new().expect("a temporary folder");
    let dir = ReportDir::take(folder.path()).expect("it is empty");
    let reporters = Reporters::new(dir.reporters().expect("it can be written"));
    fs::create_dir(folder.path().join("junit.xml")).expect("a folder in a temporary one");
    let report = &made(Verdict::Conformant, Compliance::Pass, Counts::default(), Vec::new());
    reporters.emit(&RunEvent::Finished { report, log: "it listens" });
    let error = reporters.check().expect_err("a folder is not a file").to_string();
    assert!(error.starts_with(&format!("{}/junit.xml: ", path(&folder))), "{error}");
    for file in ["report.json", "badge.svg", "gateway.log"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}
