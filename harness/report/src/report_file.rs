//! Reads a `report.json`.

use std::path::Path;

use fallproof_suite::read;
use serde_json::Value;

use crate::model::{FORMAT, Report};
use crate::phrases;
use crate::texts::Texts as _;

/// Maximum size of a report. Those of real gateways have about 10 MB.
const MAX_BYTES: u64 = 128 << 20;

/// Maximum number of characters of a text of the file that are told in an error.
const MOST_TOLD: usize = 200;

/// Reads a report. Its strings are made safe to print, since the file may come from anybody, for
/// example from a pull request.
///
/// # Errors
/// A message for the user that says why the file cannot be read.
pub fn read(file: &Path) -> Result<Report, String> {
    let bytes =
        read::limited(file, MAX_BYTES).map_err(|error| format!("{}: {error}", file.display()))?;
    parse(file, &bytes)
}

/// Like [`read()`], for a file whose bytes were already read.
///
/// # Errors
/// Those of [`read()`].
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Report, String> {
    let wrong = |what: String| format!("{}: {what}", file.display());
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| wrong(format!("not a Fallproof report: {}", told(&error.to_string()))))?;
    match value.get("format").and_then(Value::as_str) {
        Some(FORMAT) => {}
        Some(other) => {
            let other = told(other);
            return Err(wrong(format!("the format is `{other}`, expected `{FORMAT}`")));
        }
        None => return Err(wrong("not a Fallproof report".into())),
    }
    let mut report: Report = serde_json::from_value(value)
        .map_err(|error| wrong(format!("not a Fallproof report: {}", told(&error.to_string()))))?;
    report.each(&mut phrases::make_safe);
    for case in &mut report.cases {
        // `why` is prose and keeps its line breaks.
        let why = case.why.take();
        case.each(&mut phrases::make_safe);
        case.why = why.map(|why| phrases::printable(&why));
    }
    Ok(report)
}

/// A text of the file, or an error that may quote one, for a message.
fn told(text: &str) -> String {
    let (start, is_cut) = match text.char_indices().nth(MOST_TOLD) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    };
    phrases::line(start) + if is_cut { "…" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_refused_file_is_told_as_one_short_line() {
        let refused = |text: &str| parse(Path::new("report.json"), text.as_bytes());
        let format = refused(r#"{ "format": "a\u001b[2J\n::error::b" }"#);
        let expected =
            "report.json: the format is `a\u{fffd}[2J ::error::b`, expected `fallproof-report/2`";
        assert_eq!(format, Err(expected.to_owned()));
        let verdict = format!(
            r#"{{ "format": "{FORMAT}", "tool": "\u001b[2J\n::error::{}" }}"#,
            "a".repeat(10_000)
        );
        let error = refused(&verdict).expect_err("`tool` is not a text");
        assert!(error.contains("invalid type: string"), "{error}");
        assert!(!error.contains(char::is_control) && error.len() < 500, "{error}");
    }
}
