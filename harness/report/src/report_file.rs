//! Reads a `report.json`.

use std::path::Path;

use fallproof_suite::read;
use serde_json::Value;

use crate::model::{FORMAT, Report};
use crate::phrases;
use crate::texts::Texts as _;

/// Maximum size of a report. Those of real gateways have about 10 MB.
const MAX_BYTES: u64 = 128 << 20;

/// Reads a report. Its strings are made safe to print, since the file may come from anybody, for
/// example from a pull request.
///
/// # Errors
/// A message for the user that says why the file cannot be read.
pub fn read(file: &Path) -> Result<Report, String> {
    let wrong = |what: String| format!("{}: {what}", file.display());
    let text = read::limited(file, MAX_BYTES).map_err(|error| wrong(error.to_string()))?;
    let value: Value = serde_json::from_slice(&text)
        .map_err(|error| wrong(format!("not a Fallproof report: {error}")))?;
    match value.get("format").and_then(Value::as_str) {
        Some(FORMAT) => {}
        Some(other) => {
            let other = phrases::line(other);
            return Err(wrong(format!("the format is `{other}`, expected `{FORMAT}`")));
        }
        None => return Err(wrong("not a Fallproof report".into())),
    }
    let mut report: Report = serde_json::from_value(value)
        .map_err(|error| wrong(format!("not a Fallproof report: {error}")))?;
    report.each(&mut phrases::make_safe);
    for case in &mut report.cases {
        // `why` is prose and keeps its line breaks.
        let why = case.why.take();
        case.each(&mut phrases::make_safe);
        case.why = why.map(|why| phrases::printable(&why));
    }
    Ok(report)
}
