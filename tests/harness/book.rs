//! The reference pages of the book, which are generated from the data that they describe.

mod keys;

use std::fmt::Write as _;
use std::process::Command;

use fallproof_suite::feature::Feature;
use fallproof_suite::requirement::{self, FAILURE_RULES, FailureRule};
use serde_json::{Value, json};

use crate::common::assert_up_to_date;

/// Every page of `docs/reference/` with its text.
fn pages() -> [(&'static str, String); 5] {
    [
        ("requirements", requirements()),
        ("behaviors", behaviors()),
        ("scenario", keys::page("Keys of a scenario", "A scenario", "scenarios/schema.json")),
        ("adapter", adapter()),
        ("command-line", command_line()),
    ]
}

#[test]
fn the_reference_pages_are_up_to_date() {
    for (name, text) in pages() {
        assert_up_to_date(&format!("docs/reference/{name}.md"), &text, "book");
    }
}

/// The guide has the table in the middle of its text.
#[test]
fn the_guide_says_which_failures_fall_back() {
    let guide = include_str!("../../docs/test-your-gateway.md");
    let rows = FAILURE_RULES.iter().map(|rule| {
        let FailureRule { failure, falls_back, is_retried, counts, .. } = rule;
        format!("| {failure} | {falls_back} | {is_retried} | {counts} |\n")
    });
    let table: String = rows.collect();
    assert!(guide.contains(&format!("|---|---|---|---|\n{table}\n")), "it lacks:\n{table}");
}

fn adapter() -> String {
    let mut page =
        keys::page("Keys of an adapter", "An adapter", "harness/runner/adapters/schema.json");
    page.push_str(
        "\n## Features\n\nThe keys of `unsupported`. A template that configures a feature uses one of its \
         variables; `fallproof check` warns if none does, unless the feature is unsupported.\n\n\
         | feature | meaning | variables |\n|---|---|---|\n",
    );
    for feature in Feature::all() {
        let variables: Vec<_> = feature.variables().iter().map(|it| format!("`{it}`")).collect();
        let (meaning, variables) = (feature.meaning(), variables.join(", "));
        let _ = writeln!(page, "| `{feature}` | {meaning} | {variables} |");
    }
    page
}

fn requirements() -> String {
    let mut page = "# Requirements\n\nEach requirement is judged in every scenario. An *invariant* applies to \
                    every gateway; a *policy* applies unless the gateway says otherwise; an *observation* \
                    is reported and never fails a gateway.\n"
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
