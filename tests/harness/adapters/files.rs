//! The files: those that come with Fallproof, and the mistakes in a user's own.

use std::fs;

use fallproof_runner::adapter;
use fallproof_suite::yaml;
use rstest::rstest;
use serde_json::Value;

use crate::common::{SUITE, assert_up_to_date};

use super::support::{LEAST, addresses, read, root, site};

#[test]
fn every_file_in_the_folder_is_an_adapter_that_is_built_in() {
    let folder = fs::read_dir(root().join("harness/runner/adapters")).expect("the folder is there");
    let names = folder.map(|entry| entry.expect("it can be listed").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let mut yaml: Vec<_> =
        names.filter_map(|it| Some(it.strip_suffix(".yaml")?.to_owned())).collect();
    yaml.sort();
    let built_in: Vec<_> = adapter::all().iter().map(|adapter| adapter.id.clone()).collect();
    assert_eq!(
        built_in, yaml,
        "a new file is built in with: touch harness/runner/src/adapter/catalogue.rs"
    );
}

#[test]
fn every_adapter_keeps_to_the_schema_that_editors_check_it_by() {
    let schema: Value = serde_json::from_str(&adapter::schema()).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is one");
    let mut files: Vec<_> = adapter::all()
        .iter()
        .map(|adapter| root().join(format!("harness/runner/adapters/{}.yaml", adapter.id)))
        .collect();
    files.push(root().join("tests/harness/adapters/reference.yaml"));
    for file in files {
        let text = fs::read_to_string(&file).expect("it is there");
        let value: Value = yaml::parse(&file, &text).expect("it is YAML");
        let wrong: Vec<_> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{}", file.display());
        assert!(text.starts_with("# yaml-language-server: $schema="), "{}", file.display());
    }
}

#[test]
fn the_json_schema_is_up_to_date() {
    assert_up_to_date("harness/runner/adapters/schema.json", &adapter::schema(), "adapters");
}

#[test]
fn the_whole_suite_can_be_put_into_every_adapter() {
    // The cases of a family differ in what no configuration is made of.
    let mut families = SUITE.scenarios.clone();
    families.dedup_by_key(|scenario| scenario.family().to_owned());
    for adapter in adapter::all() {
        let batches = adapter.check(&families, addresses(), &site());
        let batches = batches.unwrap_or_else(|error| panic!("{error}"));
        assert!(!batches.batches.is_empty(), "{} takes nothing", adapter.id);
    }
}

#[rstest]
#[case::unknown_key("stat: {}", "unknown key `stat`")]
#[case::template("files: { a: '{{ open' }", "`files.a` is no template")]
#[case::block("files: { a: '{% for x in y %}' }", "`files.a` is no template")]
#[case::expression("cannot: [{ when: 'a ==', reason: b }]", "no expression")]
#[case::setting("settings: { a: '1 +' }", "no expression")]
#[case::endpoint("client: { paths: { chat: /chat } }", "chat/completions")]
#[case::outside("files: { ../a: b }", "the file `../a` is outside")]
#[case::absolute("files: { /etc/a: b }", "the file `/etc/a` is outside")]
fn a_mistake_is_told_with_its_place(#[case] line: &str, #[case] words: &str) {
    let error = read(&format!("{LEAST}{line}\n")).expect_err("it must be refused");
    assert!(error.contains(words) && error.contains("mine.yaml:8"), "{error}");
}

#[test]
fn an_adapter_without_a_version_is_refused() {
    let text = LEAST.replace(r#"[{ version: 1.0.0, install: ["install into {{ home }}"] }]"#, "[]");
    let error = read(&text).expect_err("it must be refused");
    assert!(error.contains("no version is given"), "{error}");
}

#[test]
fn an_adapter_that_reloads_must_say_how_it_is_seen() {
    let text = LEAST.replace("program: made-up,", "program: made-up, reload: HUP,");
    let error = read(&text).expect_err("it must be refused");
    assert!(error.contains("nothing tells when it has read its files"), "{error}");
}

#[test]
fn an_adapter_that_looks_for_words_must_say_where() {
    let text = LEAST.replace("ready: {", "ready: { contains: it is up,");
    let error = read(&text).expect_err("it must be refused");
    assert!(error.contains("nothing is asked for that could hold this"), "{error}");
    assert!(error.contains("mine.yaml:7"), "{error}");
}

#[test]
fn a_name_that_is_nearly_right_is_met_with_the_right_one() {
    let error = adapter::find("litelm").expect_err("there is none").to_string();
    assert!(error.contains("did you mean `litellm`?"), "{error}");
}
