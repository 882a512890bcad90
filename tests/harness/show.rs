//! `fallproof list`, `show` and `check`, run as commands.

use std::fs;
use std::path::Path;

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::shell::{fallproof, text, told};

const FAMILY: &str = "streaming/all-fail";
const CASE: &str = "streaming/all-fail@overloaded.chat";

/// Runs the command in this folder, asserts that it succeeds, and returns what it prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = fallproof(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", told(&output));
    text(&output.stdout)
}

#[rstest]
#[case::requirement("FP-PAYLOAD-01", "MUST: a violation fails the case")]
#[case::short_requirement("payload-1", "FP-PAYLOAD-01")]
#[case::requirement_without_zero("FP-PAYLOAD-1", "FP-PAYLOAD-01")]
#[case::small_requirement("fp-payload-01", "FP-PAYLOAD-01")]
#[case::behavior("rate_limited", "in a script: [rate_limited, ok]")]
#[case::saboteur("invented-metadata", "fallproof router --saboteur invented-metadata")]
#[case::adapter("litellm", "\nversions:\n")]
#[case::version("litellm@1.82.6", "fallproof run --adapter litellm@1.82.6 --launch")]
#[case::scenario("responses-compact/openai-to-azure", "\nsteps:\n")]
#[case::family(FAMILY, "\n# streaming/all-fail@overloaded.chat\n")]
#[case::case(CASE, "script: [overloaded]")]
#[case::folder("streaming", "streaming/all-fail  12 cases")]
fn everything_is_shown_by_its_name(#[case] name: &str, #[case] expected: &str) {
    let folder = TempDir::new().expect("a temporary folder");
    let shown = printed(folder.path(), &["show", name]);
    assert!(shown.contains(expected), "{shown}");
}

#[rstest]
#[case::requirement("payload-99", "did you mean `FP-PAYLOAD-09`?")]
#[case::adapter("litelm", "did you mean `litellm`?")]
#[case::scenario("streaming/al-fail", "did you mean `streaming/all-fail`?")]
#[case::version("litellm@0.0.1", "only with 1.109.1")]
#[case::nothing_like_it("zzzzzz", "`fallproof list` shows all names")]
fn a_name_that_nothing_has_is_answered_with_the_nearest(#[case] name: &str, #[case] hint: &str) {
    let folder = TempDir::new().expect("a temporary folder");
    let output = fallproof(folder.path(), &["show", name]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains(hint), "{}", told(&output));
}

#[test]
fn a_name_of_two_kinds_shows_both() {
    let folder = TempDir::new().expect("a temporary folder");
    printed(folder.path(), &["new", "invented-metadata"]);
    let shown = printed(folder.path(), &["show", "invented-metadata"]);
    let headings: Vec<_> =
        shown.lines().filter(|line| matches!(*line, "# saboteur" | "# scenario")).collect();
    assert_eq!(headings, ["# saboteur", "# scenario"], "{shown}");
}

#[test]
fn a_case_is_shown_as_a_scenario_that_runs_alone() {
    let folder = TempDir::new().expect("a temporary folder");
    let shown = printed(folder.path(), &["show", CASE]);
    fs::write(folder.path().join("alone.yaml"), shown).expect("it can be written");
    let checked = printed(folder.path(), &["check", "alone.yaml"]);
    assert_eq!(checked, "alone.yaml is valid: 1 scenario\n");
    let output = fallproof(folder.path(), &["run", "alone.yaml"]);
    assert!(told(&output).contains("1 scenario: 1 passed"), "{}", told(&output));
}

#[test]
fn only_the_commands_that_install_a_gateway_are_for_a_shell() {
    let folder = TempDir::new().expect("a temporary folder");
    let newest = printed(folder.path(), &["show", "litellm", "--install"]);
    assert!(newest.contains("litellm[proxy]==1.109.1") && !newest.contains("LiteLLM"), "{newest}");
    let older = printed(folder.path(), &["show", "litellm@1.82.6", "--install"]);
    assert!(older.contains("litellm[proxy]==1.82.6"), "{older}");
}

#[rstest]
#[case::requirements("requirements", "code", "FP-PAYLOAD-01")]
#[case::behaviors("behaviors", "name", "ok")]
#[case::saboteurs("saboteurs", "name", "invented-metadata")]
#[case::adapters("adapters", "name", "litellm")]
#[case::scenarios("scenarios", "id", CASE)]
fn everything_is_listed_for_people_and_programs(
    #[case] kind: &str,
    #[case] key: &str,
    #[case] name: &str,
) {
    let folder = TempDir::new().expect("a temporary folder");
    let json = printed(folder.path(), &["list", kind, "--json"]);
    let json: Vec<Value> = serde_json::from_str(&json).expect("a list");
    assert!(json.iter().any(|item| item[key] == name), "{json:?}");
    let lines = printed(folder.path(), &["list", kind]);
    let family = name.split('@').next().unwrap_or(name);
    assert!(lines.lines().any(|line| line.split(' ').next() == Some(family)), "{lines}");
}

#[test]
fn the_scenarios_that_are_listed_can_be_chosen() {
    let folder = TempDir::new().expect("a temporary folder");
    let chosen = ["list", "scenarios", FAMILY, "--cases"];
    let lines = printed(folder.path(), &chosen);
    assert_eq!(lines.lines().count(), 12, "{lines}");
    assert!(lines.lines().all(|line| line.starts_with("streaming/all-fail@")), "{lines}");
}

#[rstest]
#[case::neither("model_list: []\n", "is neither a scenario")]
#[case::scenario("title: A title\nprove: []\n", "file.yaml:2:1")]
#[case::adapter("name: Mine\nversions: []\nlaunch: {}\n", "file.yaml:3")]
fn a_file_that_is_not_right_is_checked_by_what_it_is(#[case] content: &str, #[case] hint: &str) {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("file.yaml"), content).expect("it can be written");
    let output = fallproof(folder.path(), &["check", "file.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains(hint), "{}", told(&output));
}

#[test]
fn each_scenario_of_a_folder_is_checked() {
    let folder = TempDir::new().expect("a temporary folder");
    printed(folder.path(), &["new", "routing/mine"]);
    printed(folder.path(), &["new", "yours"]);
    let checked = printed(folder.path(), &["check", "scenarios"]);
    assert_eq!(checked, "scenarios is valid: 2 cases\n");
    fs::write(folder.path().join("scenarios/wrong.yaml"), "title: A\nprove: []\n")
        .expect("written");
    let output = fallproof(folder.path(), &["check", "scenarios"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("scenarios/wrong.yaml:2:1"), "{}", told(&output));
    let empty = TempDir::new().expect("a temporary folder");
    let output = fallproof(empty.path(), &["check", "."]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("`.` holds no scenario"), "{}", told(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn where_nothing_can_be_printed_a_list_ends_with_the_reason() {
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["list", "requirements"])
        .stdout(full)
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("failed printing to stdout: "), "{}", told(&output));
    assert!(!told(&output).contains("panicked"), "{}", told(&output));
}
