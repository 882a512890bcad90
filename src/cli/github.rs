//! Reporters for a job of GitHub Actions: annotations and the job summary.

use std::env;
use std::ffi::OsString;

use fallproof_report::github::{Annotations, JobSummary};
use fallproof_report::reporter::Reporter;

/// The file of the job summary, if this is a job of GitHub Actions.
pub(super) fn summary() -> Option<OsString> {
    env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty())
}

/// The reporters for a job of GitHub Actions. Empty if this is not such a job.
pub(super) fn reporters() -> impl Iterator<Item = Box<dyn Reporter>> {
    let is_job = env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    let annotations = is_job.then(|| Box::new(Annotations) as Box<dyn Reporter>);
    let summary = summary().map(|file| Box::new(JobSummary { file: file.into() }) as _);
    annotations.into_iter().chain(summary)
}
