//! What a CI job on GitHub is told beside the log.

use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anstream::{eprintln, print};
use fallproof_report::model::Report;
use fallproof_report::{github, markdown};

/// The file of the job's summary.
pub(super) fn summary() -> Option<OsString> {
    env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty())
}

/// Annotates the job, and appends to its summary, where there is one. That it cannot is told, but
/// changes nothing about what was found.
pub(super) fn tell(report: &Report) {
    if env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        print!("{}", github::annotations(report, |file| Path::new(file).is_file()));
    }
    let Some(summary) = summary() else { return };
    let file = OpenOptions::new().create(true).append(true).open(&summary);
    let written = file.and_then(|mut file| writeln!(file, "{}", markdown::write(report)));
    if let Err(error) = written {
        eprintln!("warning: no summary in {}: {error}", summary.display());
    }
}
