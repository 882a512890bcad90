//! The reference pages of the book, which are generated from the data that they describe.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use fallproof_suite::requirement;
use serde_json::{Value, json};

use crate::common::assert_up_to_date;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every page of `docs/reference/` with its text.
fn pages() -> [(&'static str, String); 4] {
    [
        ("requirements", requirements()),
        ("behaviors", behaviors()),
        ("scenario", scenario_keys()),
        ("command-line", command_line()),
    ]
}

#[test]
fn the_reference_pages_are_up_to_date() {
    for (name, text) in pages() {
        assert_up_to_date(&format!("docs/reference/{name}.md"), &text, "book");
    }
}

fn requirements() -> String {
    let mut page = "# Requirements\n\nEach requirement is judged in every scenario. An *invariant* applies to \
                    every gateway; a *policy* applies unless the gateway says otherwise; an *observation* \
                    applies to nobody.\n"
        .to_owned();
    for it in requirement::all() {
        let _ = write!(
            page,
            "\n## {}\n\n**{}** *{}, {}*\n\n{}\n",
            it.code,
            it.sentence.trim(),
            json!(it.level).as_str().unwrap_or_default(),
            json!(it.severity).as_str().unwrap_or_default(),
            it.why.trim()
        );
        if !it.sources.is_empty() {
            page.push_str("\nSources:\n\n");
        }
        for source in &it.sources {
            let _ = writeln!(page, "- <{source}>");
        }
    }
    page
}

fn behaviors() -> String {
    let mut page =
        "# Behaviors\n\nWhat a deployment can do at an attempt. A script names them.\n\n| name | \
                    what happens |\n|---|---|\n"
            .to_owned();
    for it in fallproof_mocks::behavior::behaviors() {
        let _ = writeln!(page, "| `{}` | {} |", it.name, it.what.replace('|', "\\|"));
    }
    page
}

fn scenario_keys() -> String {
    let file = Path::new(ROOT).join("scenarios/schema.json");
    let text = std::fs::read_to_string(file).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("it is JSON");
    let mut page = "# Keys of a scenario\n\nFrom the JSON Schema that an editor uses, `scenarios/schema.json`.\n"
        .to_owned();
    let top = schema["else"].as_object().or_else(|| schema.as_object()).expect("an object");
    section(&mut page, "A scenario", &Value::Object(top.clone()));
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        section(&mut page, name, definition);
    }
    page
}

/// Writes a section with the keys of one mapping. Writes nothing if the mapping has no keys.
fn section(page: &mut String, name: &str, definition: &Value) {
    let mappings = definition["oneOf"].as_array().or(definition["anyOf"].as_array());
    let mappings = mappings.into_iter().flatten().chain([definition]);
    let keys: Vec<_> = mappings
        .filter_map(|it| it["properties"].as_object())
        .flatten()
        .map(|(key, value)| (key, one_line(&value["description"])))
        .collect();
    if keys.is_empty() {
        return;
    }
    let _ = write!(page, "\n## {name}\n");
    let about = one_line(&definition["description"]);
    if !about.is_empty() {
        let _ = write!(page, "\n{about}\n");
    }
    page.push_str("\n| key | meaning |\n|---|---|\n");
    for (key, meaning) in keys {
        let _ = writeln!(page, "| `{key}` | {meaning} |");
    }
}

fn one_line(text: &Value) -> String {
    let words: Vec<_> = text.as_str().unwrap_or_default().split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

fn command_line() -> String {
    let help = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fallproof"));
        let output = command.args(arguments).arg("--help").output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    let whole = help(&[]);
    let mut page = format!("# Command line\n\n```text\n{}\n```\n", whole.trim());
    let commands = whole.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        let _ = write!(page, "\n## fallproof {name}\n\n```text\n{}\n```\n", help(&[name]).trim());
    }
    page
}
