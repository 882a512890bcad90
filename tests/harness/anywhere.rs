//! The installed Fallproof: it works outside its repository, with the built-in suite.

use std::fs;

use crate::shell::{fallproof, told};

const FOUNDING: &str = "responses-compact/openai-to-azure";

#[test]
fn the_suite_is_built_in() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["run", FOUNDING]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("1 scenario: 1 passed"), "{}", told(&output));
}

#[test]
fn init_adds_a_first_scenario_to_the_built_in_suite() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let output = fallproof(folder.path(), &["run", "own", FOUNDING]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("2 scenarios: 2 passed"), "{}", told(&output));
}

#[test]
fn init_does_not_overwrite_existing_scenarios() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let readme = folder.path().join("scenarios/README.md");
    fs::create_dir(folder.path().join("scenarios")).expect("it can be made");
    fs::write(&readme, "ours").expect("it can be written");
    let output = fallproof(folder.path(), &["init"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("README.md already exists"), "{}", told(&output));
    assert_eq!(fs::read_to_string(&readme).expect("it is there"), "ours");
    assert!(!folder.path().join("scenarios/own").exists());
}

#[test]
fn init_does_not_overwrite_a_readme_in_the_project_folder() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("README.md"), "ours").expect("it can be written");
    let output = fallproof(folder.path(), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let readme = fs::read_to_string(folder.path().join("README.md")).expect("it is there");
    assert_eq!(readme, "ours");
}

#[test]
fn a_scenario_cannot_have_an_id_of_the_suite() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    assert_eq!(fallproof(folder.path(), &["init"]).status.code(), Some(0));
    let twin = folder.path().join("scenarios/responses-compact/openai-to-azure.yaml");
    fs::create_dir_all(twin.parent().expect("a folder")).expect("it can be made");
    fs::rename(folder.path().join("scenarios/own/first.yaml"), twin).expect("it can be moved");
    let output = fallproof(folder.path(), &["run", FOUNDING]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("is the id of another scenario"), "{}", told(&output));
}

#[test]
fn completions_can_be_generated() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["completions", "bash"]);
    assert!(output.status.success());
    assert!(told(&output).contains("show"), "{}", told(&output));
}

#[test]
fn an_unknown_saboteur_is_rejected() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["router", "--saboteur", "invented-metadat"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("did you mean `invented-metadata`?"), "{}", told(&output));
}

#[test]
fn a_new_scenario_passes_and_existing_ones_are_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["new", "routing/mine"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("then fallproof run routing/mine"), "{}", told(&output));
    let schema = folder.path().join("scenarios/schema.json");
    let schema = std::fs::read_to_string(schema).expect("the schema that the first line names");
    assert_eq!(schema, fallproof_suite::scenario::schema());
    let output = fallproof(folder.path(), &["run", "routing/mine"]);
    assert!(told(&output).contains("1 scenario: 1 passed"), "{}", told(&output));
    let output = fallproof(folder.path(), &["new", "scenarios/routing/mine.yaml"]);
    assert!(
        told(&output).contains("scenarios/routing/mine.yaml already exists"),
        "{}",
        told(&output)
    );
    let output = fallproof(folder.path(), &["new", "routing/mine"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let output = fallproof(folder.path(), &["new", "Routing/My Case"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("try `routing/my-case`"), "{}", told(&output));
}

#[test]
fn an_invalid_file_says_why_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::create_dir(folder.path().join("scenarios")).expect("it can be made");
    fs::write(folder.path().join("scenarios/other.yaml"), "hello: 1\n").expect("it can be written");
    let output = fallproof(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let reason = "Fallproof reads every .yaml file in ./scenarios as one of your scenarios";
    assert!(told(&output).contains(reason), "{}", told(&output));
    let output = fallproof(folder.path(), &["run", FOUNDING]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}
