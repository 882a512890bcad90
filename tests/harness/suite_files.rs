//! Loading the suite: its files, their ids, and selection by pattern.

use std::fs;

use fallproof_suite::scenario::{Scenario, SelectError, Suite};
use tempfile::TempDir;

use crate::common::part;

const VALID: &str = r#"
title: Answer from the only deployment
proves: [FP-ROUTE-01]
deployments:
  only: { provider: openai, model: gpt-5, script: [ok] }
group: { chain: [only] }
steps:
  - send: { endpoint: responses, body: { input: "Hello" } }
"#;

/// A suite of valid scenarios with these ids. Each one has the tag `even` or `odd`, by its index.
fn suite_of(ids: &[&str]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (index, id) in ids.iter().enumerate() {
        let tag = if index % 2 == 0 { "even" } else { "odd" };
        write(&folder, &format!("{id}.yaml"), &format!("{VALID}tags: [{tag}]\n"));
    }
    folder
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let file = folder.path().join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder in a temporary one");
    fs::write(file, text).expect("a file in a temporary folder");
}

fn ids(scenarios: &[Scenario]) -> Vec<&str> {
    scenarios.iter().map(|scenario| &*scenario.id).collect()
}

#[test]
fn the_suite_has_every_scenario_file_sorted_by_id() {
    let folder = suite_of(&["b/two", "a/b/three", "b-c/one", "one"]);
    for ignored in ["requirements.yaml", "_draft.yaml", ".hidden/a.yaml", "_b/c.yaml", "a.md"] {
        write(&folder, ignored, "not a scenario");
    }
    let suite = Suite::load(folder.path()).expect("a valid suite");
    assert_eq!(ids(&suite.scenarios), ["a/b/three", "b-c/one", "b/two", "one"]);
    assert_eq!(suite.scenarios[0].slug(), "a.b.three");
}

#[test]
fn the_errors_of_all_files_are_reported_together() {
    let folder = suite_of(&["good"]);
    write(&folder, "a/Bad.yaml", VALID);
    write(&folder, "b/bad.yaml", "titel: a");
    write(&folder, "c.yml", VALID);
    let error = Suite::load(folder.path()).expect_err("the suite is invalid");
    let messages: Vec<_> = error.diagnostics.iter().map(|found| &*found.message).collect();
    assert_eq!(messages.len(), 3, "{error}");
    assert!(error.to_string().contains("the path of a scenario has only"), "{error}");
    assert!(error.to_string().contains("unknown key `titel`"), "{error}");
    assert!(error.to_string().contains("must end in `.yaml`"), "{error}");
    assert!(Suite::load(&folder.path().join("no-such-folder")).is_err());
}

#[test]
fn scenarios_are_selected_by_id_folder_glob_and_path() {
    let folder = suite_of(&["azure/one", "azure/two", "azure-legacy/one", "core"]);
    let suite = Suite::load(folder.path()).expect("a valid suite");
    let path = |path: &str| folder.path().join(path).to_string_lossy().into_owned();
    let all = ["azure-legacy/one", "azure/one", "azure/two", "core"];
    for (patterns, expected) in [
        (vec![], &all[..]),
        (vec!["azure/one".to_owned()], &["azure/one"]),
        (vec!["azure".to_owned()], &["azure/one", "azure/two"]),
        (vec!["azure/".to_owned(), "core".to_owned()], &["azure/one", "azure/two", "core"]),
        (vec!["azure*/**".to_owned()], &["azure-legacy/one", "azure/one", "azure/two"]),
        (vec!["*/one".to_owned(), "azure/one".to_owned()], &["azure-legacy/one", "azure/one"]),
        (vec![path("azure/two.yaml")], &["azure/two"]),
        (vec![path("azure")], &["azure/one", "azure/two"]),
    ] {
        let selected = suite.select(&patterns, &[]).expect("scenarios");
        assert_eq!(ids(&selected), expected, "{patterns:?}");
    }
}

#[test]
fn a_family_is_selected_as_a_unit_or_by_case() {
    let folder = suite_of(&["faults/other"]);
    let family = VALID.replace("[ok]", "[\"{what}\"]") + "matrix: { what: [ok, server_error] }\n";
    write(&folder, "faults/each.yaml", &family);
    let suite = Suite::load(folder.path()).expect("a valid suite");
    let cases = ["faults/each@ok", "faults/each@server-error"];
    let path = folder.path().join("faults/each.yaml").to_string_lossy().into_owned();
    for (pattern, expected) in [
        ("faults/each", &cases[..]),
        ("faults/ea*", &cases),
        (&path, &cases),
        ("faults/each@server-error", &cases[1..]),
        ("*/*@ok", &cases[..1]),
        ("faults", &[cases[0], cases[1], "faults/other"]),
    ] {
        assert_eq!(
            ids(&suite.select(&[pattern.into()], &[]).expect("cases")),
            expected,
            "{pattern}"
        );
    }
    assert_eq!(suite.scenarios[1].slug(), "faults.each--server-error");
    assert_eq!(suite.scenarios[1].family(), "faults/each");
    let error = suite.select(&["faults/eahc".into()], &[]).expect_err("no such family");
    assert_eq!(error.to_string(), "no scenario matches `faults/eahc`; did you mean `faults/each`?");
}

#[test]
fn tags_narrow_the_selection() {
    let suite_folder = suite_of(&["a/one", "a/two", "b/three"]);
    let suite = Suite::load(suite_folder.path()).expect("a valid suite");
    let select = |pattern: &[&str], tags: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        suite.select(&owned(pattern), &owned(tags))
    };
    assert_eq!(ids(&select(&[], &["even"]).expect("scenarios")), ["a/one", "b/three"]);
    assert_eq!(ids(&select(&["a"], &["even"]).expect("scenarios")), ["a/one"]);
    assert_eq!(select(&[], &["even", "odd"]).expect("scenarios").len(), 3);
    assert!(matches!(select(&["b"], &["odd"]), Err(SelectError::Nothing)));
    let error = select(&[], &["evne"]).expect_err("no such tag").to_string();
    assert_eq!(error, "no scenario has the tag `evne`; did you mean `even`?");
}

#[test]
fn a_pattern_without_a_match_suggests_the_nearest_id_or_folder() {
    let folder = suite_of(&["azure/one", "core/two"]);
    let suite = Suite::load(folder.path()).expect("a valid suite");
    let error = suite.select(&["azure/oen".into()], &[]).expect_err("no such scenario");
    assert_eq!(error.to_string(), "no scenario matches `azure/oen`; did you mean `azure/one`?");
    let error = suite.select(&["azrue".into()], &[]).expect_err("no such folder");
    assert_eq!(error.to_string(), "no scenario matches `azrue`; did you mean `azure`?");
    let error = suite.select(&["core".into(), "a[".into()], &[]).expect_err("no glob");
    assert!(matches!(error, SelectError::Glob(_)), "{error}");
}

#[test]
fn a_file_outside_the_suite_is_selected_by_its_path() {
    let suite = Suite::load(suite_of(&["one"]).path()).expect("a valid suite");
    let elsewhere = suite_of(&["drafts/mine"]);
    write(&elsewhere, "bad.yaml", "titel: a");
    let path = |path: &str| vec![elsewhere.path().join(path).to_string_lossy().into_owned()];
    let selected = suite.select(&path("drafts/mine.yaml"), &[]).expect("a scenario");
    assert_eq!(ids(&selected), ["mine"]);
    write(&elsewhere, "one.yaml", VALID);
    let both = [path("one.yaml"), vec!["one".to_owned()]].concat();
    let error = suite.select(&both, &[]).expect_err("one id for two files");
    assert!(matches!(error, SelectError::SameId { .. }), "{error}");
    let error = suite.select(&path("bad.yaml"), &[]).expect_err("no scenario").to_string();
    assert!(error.contains("unknown key `titel`"), "{error}");
}

#[test]
fn the_selection_does_not_depend_on_how_much_of_the_suite_is_loaded() {
    let complete = Suite::load(part()).expect("a valid suite");
    let file = part().join("streaming/breaks-after-content.yaml");
    for pattern in [
        "auth",
        "auth/",
        "responses-compact/openai-to-azure",
        "streaming/breaks-after-content",
        "streaming/breaks-after-content@between-events.chat",
        "streaming/*@*.chat",
        "streaming/*.chat",
        "**/*-to-azure*",
        "{auth,streaming}/*",
        "a[t-v]*/*",
        file.to_str().expect("a UTF-8 path"),
    ] {
        let patterns = [pattern.to_owned()];
        let of_complete = complete.select(&patterns, &[]).expect("a match");
        let part = Suite::load_chosen(part(), &patterns).expect("a valid suite");
        let part = part.unwrap_or_else(|| panic!("`{pattern}` matches no file"));
        assert_eq!(part.select(&patterns, &[]).expect("a match"), of_complete, "{pattern}");
    }
}

#[test]
fn an_invalid_file_that_is_not_selected_is_ignored() {
    let folder = suite_of(&["good", "also/good"]);
    write(&folder, "also/draft.yaml", "titel: a");
    let load = |pattern: &str| Suite::load_chosen(folder.path(), &[pattern.to_owned()]);
    assert_eq!(ids(&load("good").expect("a valid file").expect("a match").scenarios), ["good"]);
    assert!(load("also").is_err());
    assert!(load("goo").expect("nothing was read").is_none());
}

#[test]
fn selecting_a_folder_reports_files_with_invalid_names() {
    let folder = suite_of(&["own/good", "other/good"]);
    write(&folder, "own/My_Test.yaml", VALID);
    write(&folder, "own/other.yml", VALID);
    let load = |pattern: &str| Suite::load_chosen(folder.path(), &[pattern.to_owned()]);
    for pattern in ["own", "own/", "own/*", "**/good"] {
        let error = load(pattern).expect_err("two files are invalid").to_string();
        assert!(
            error.contains("My_Test.yaml") && error.contains("other.yml"),
            "{pattern}: {error}"
        );
    }
    assert!(load("other").is_ok() && load("own/good").is_ok());
}
