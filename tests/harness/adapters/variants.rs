//! Variants of adapters: named sets of settings that need separate runs.

use std::fs;
use std::process::Output;

use fallproof_runner::adapter;
use fallproof_suite::requirement::Code;
use serde_json::Value;
use tempfile::TempDir;

use crate::shell::text;

use super::support::{MINIMAL, addresses, command, file, read, scenarios, site};

const REFERENCE: &str = "tests/harness/adapters/reference.yaml";

/// The adapter of the reference router, with a variant that cools down after one failure.
fn cooling() -> String {
    let adapter = fs::read_to_string(REFERENCE).expect("it is in the repository");
    let cooled = "{% if settings.cooling %}\n        \
                  cooldown: { after_failures: 1, duration_ms: 600000 }\n    {% endif %}\n";
    let adapter = adapter.replace("        retries:", &format!("    {cooled}        retries:"));
    let variants = "settings: { cooling: \"false\" }\n\
                    variants:\n  cooling:\n    about: It cools down after one failure.\n    \
                    settings: { cooling: \"true\" }\n    \
                    capabilities: { own_cooldown: it cools down failing deployments }\n\nfiles:";
    adapter.replace("files:", variants)
}

/// Runs this command with the adapter from [`cooling`].
fn run(arguments: &[&str], more: &[&str]) -> Output {
    let (_folder, file) = file(&cooling());
    let work = TempDir::new().expect("a temporary folder");
    command(arguments)
        .args(["--adapter", file.to_str().expect("text"), "--launch"])
        .args(["--program", env!("CARGO_BIN_EXE_fallproof")])
        .args(["--work-dir", work.path().to_str().expect("a temporary path is text")])
        .args(more)
        .output()
        .expect("the binary was built with this test")
}

#[test]
fn a_variant_is_run_with_its_own_settings_and_claims_and_named_in_the_report() {
    const CASE: &str = "cooldown/without-a-cooldown";
    let report = TempDir::new().expect("a temporary folder");
    let folder = report.path().to_str().expect("a temporary path is text");
    let output = run(&["run", CASE, "--report", folder], &["--variant", "cooling"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let json = fs::read_to_string(report.path().join("report.json")).expect("it was written");
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["target"]["variant"], "cooling");
    let replay = json["cases"][0]["replay"].as_str().expect("a case has one");
    assert!(replay.contains("--variant cooling"), "{replay}");
    // A note refers to the declared cooldown, so the cooldown did happen.
    let violations = json["cases"][0]["violations"].as_array().expect("a list");
    let is_own = |it: &Value| it["declared"] == "it cools down failing deployments";
    assert!(violations.iter().any(is_own), "{violations:?}");
    let page = fs::read_to_string(report.path().join("summary.md")).expect("it was written");
    assert!(page.contains("Fallproof's reference router 0.1.0 (cooling)"), "{page}");

    let plain = run(&["run", CASE], &[]);
    assert_eq!(plain.status.code(), Some(0), "{}", text(&plain.stdout));
}

#[test]
fn doctor_reaches_the_groups_of_a_variant() {
    let output = run(&["doctor", "responses-compact/openai-to-azure"], &["--variant", "cooling"]);
    let shown = text(&output.stderr);
    assert!(shown.contains("(cooling): 1 scenarios reachable, 0 unreachable"), "{shown}");
}

#[test]
fn an_unknown_variant_is_rejected_with_the_nearest() {
    let output = run(&["run", "auth/**"], &["--variant", "colling"]);
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stderr);
    assert!(shown.contains("has no variant `colling`; did you mean `cooling`?"), "{shown}");
    let adapter = adapter::find("portkey").expect("it is built in");
    let error = adapter.variant("other").expect_err("it has none").to_string();
    assert_eq!(error, "Portkey gateway has no variant `other`; it has none");
}

#[test]
fn check_reports_each_variant() {
    let (_folder, file) = file(&cooling());
    let output = command(&["check", file.to_str().expect("text")]).output().expect("it runs");
    let shown = text(&output.stdout);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(lines[1].starts_with("variant cooling is valid: "), "{shown}");
}

#[test]
fn a_variant_replaces_only_the_keys_that_it_has() {
    let adapter = read(&format!(
        "{MINIMAL}settings: {{ a: \"1\", b: \"1\" }}\n\
         capabilities: {{ unsupported: {{ cooldown: it is off }}, waived: {{ FP-ROUTE-06: off }} }}\n\
         files: {{ config: '{{{{ settings.a }}}} {{{{ settings.b }}}}' }}\n\
         variants:\n  other:\n    about: Two differences.\n    settings: {{ b: \"2\" }}\n    \
         cannot: [{{ when: group.policy.retries > 0, reason: it asks once }}]\n    \
         capabilities: {{ unsupported: {{}} }}\n"
    ));
    let adapter = adapter.expect("it is valid");
    let other = adapter.variant("other").expect("it has it");
    let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
    let config =
        |it: &adapter::Adapter| it.render(&plan, &site()).expect("valid").files[0].1.clone();
    assert_eq!((config(&adapter), config(&other)), ("1 1".to_owned(), "1 2".to_owned()));
    assert!(!adapter.capabilities.unsupported.is_empty());
    assert!(other.capabilities.unsupported.is_empty());
    assert_eq!(other.capabilities.waives(Code::Route06), Some("off"));
    let retried = other.plan(&scenarios(&["routing/retries-then-next"]), &addresses());
    assert_eq!(other.split(&retried).expect("it can be split").unfit[0].reason, "it asks once");
    assert_eq!(adapter.split(&retried).expect("it can be split").unfit, []);
}

#[test]
fn a_setting_that_the_adapter_does_not_have_is_rejected_with_its_position() {
    let error = read(&format!(
        "{MINIMAL}variants: {{ other: {{ about: A., settings: {{ a: \"1\" }} }} }}\n"
    ));
    let error = error.expect_err("it must be rejected");
    let message = "the adapter has no setting `a` to replace";
    assert!(error.contains(message) && error.contains("mine.yaml:8"), "{error}");
}

#[test]
fn every_built_in_variant_can_be_rendered() {
    let some = scenarios(&["chat/**", "responses/**", "cooldown/**"]);
    for adapter in adapter::all() {
        for name in adapter.variants.keys() {
            let variant = adapter.variant(name).expect("it is listed");
            let batches = variant.check(&some, &addresses(), &site());
            let batches = batches.unwrap_or_else(|error| panic!("{}, {name}: {error}", adapter.id));
            assert!(!batches.batches.is_empty(), "{}, {name} supports nothing", adapter.id);
        }
    }
}
