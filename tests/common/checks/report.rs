//! What holds for the reader of `report.json`.

use std::path::Path;

use fallproof_report::report_file::parse;
use fallproof_suite::text::is_printable;
use serde_json::Value;

/// Checks that the file is refused with a short line, or that nothing in it controls a terminal and that it
/// is read back as it was once it is written again. Returns whether it was read.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let file = Path::new("report.json");
    let report = match parse(file, bytes) {
        Ok(report) => report,
        Err(error) => {
            assert!(error.starts_with("report.json: ") && error.len() > 20, "{error:?}");
            assert!(error.chars().all(is_printable) && error.len() < 1000, "{error:?}");
            return false;
        }
    };
    let written = serde_json::to_vec(&report).expect("a report is plain data");
    let value: Value = serde_json::from_slice(&written).expect("it was written as JSON");
    is_safe(&value, "");
    let again = parse(file, &written).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, report, "written and read again");
    true
}

/// Checks that each text is one printable line, except the prose of `why`.
fn is_safe(value: &Value, name: &str) {
    let safe = |text: &str| {
        let ends_lines = |it| name == "why" && matches!(it, '\n' | '\u{2028}' | '\u{2029}');
        text.chars().all(|it| is_printable(it) || it == '\t' || ends_lines(it))
    };
    match value {
        Value::String(text) => assert!(safe(text), "{name}: {text:?}"),
        Value::Array(items) => items.iter().for_each(|item| is_safe(item, name)),
        Value::Object(members) => {
            for (name, value) in members {
                assert!(name.chars().all(is_printable), "{name:?}");
                is_safe(value, name);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
