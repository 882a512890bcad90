//! Reports that were damaged, and reports with hostile texts.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::checks::report;
use crate::mutation::{damaged, each};

/// A report of a real gateway.
fn a_report() -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/noveum-2.0.1/report.json");
    fs::read(file).expect("it is in the repository")
}

#[test]
fn what_holds_for_reports_holds_for_any_file() {
    assert!(report::check(&a_report()), "the report itself is refused");
    each(20, &damaged(vec![a_report()]), |bytes| {
        report::check(&bytes);
    });
}

/// Texts that a report must not contain.
const HOSTILE: &[&str] =
    &["\u{1b}[2J", "a\n::error::b", "\u{202e}a", "##[error]", "\u{85}\u{2028}"];

#[test]
fn a_hostile_text_anywhere_in_a_report_is_refused_or_made_safe() {
    let mut report: Value = serde_json::from_slice(&a_report()).expect("it is JSON");
    let mut all = Vec::new();
    texts(&mut report, &mut all);
    let all = all.len();
    each(25, &(any::<Index>(), select(HOSTILE)), |(index, hostile)| {
        let (mut report, mut texts_of) = (report.clone(), Vec::new());
        texts(&mut report, &mut texts_of);
        hostile.clone_into(texts_of[index.index(all)]);
        report::check(report.to_string().as_bytes());
    });
}

/// All texts within the value.
fn texts<'a>(value: &'a mut Value, found: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter_mut().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values_mut().for_each(|member| texts(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
