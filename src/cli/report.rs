//! `fallproof report`: compares reports, or lists the causes of one.

mod configuration;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use fallproof_report::bug_report;
use fallproof_report::compare::Comparison;
use fallproof_report::{model, report_file, whole_file};

use super::Stop;
use super::print::{eprintln, print};

/// File of the report in a folder that `run --report` wrote.
const IN_FOLDER: &str = "report.json";

/// The beginning of every HTML page that Fallproof writes.
const PAGE: &str = "<!doctype html>";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof report target/new                           list the causes
  fallproof report target/new --cause payload-02/seed   write a bug report about one
  fallproof report target/old target/new
  fallproof report target/old target/new --html upgrade.html")]
pub(super) struct Report {
    /// Folders that `fallproof run --report` wrote, or their report.json, in the order of the
    /// columns; versions of one product are put in their order
    #[arg(required = true, value_name = "FILE|DIR")]
    reports: Vec<PathBuf>,
    /// Also write the comparison as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print a bug report, in Markdown, about the cause with this id or number of a single report
    #[arg(long, value_name = "ID", conflicts_with = "html")]
    cause: Option<String>,
}

impl Report {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let reports = self.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        match (&reports[..], &self.cause, &self.html) {
            ([(_, report)], Some(cause), _) => return self.bug(report, cause),
            (_, Some(_), _) => return Err(Stop::usage("--cause needs exactly one report")),
            ([(_, report)], None, None) => {
                print!("{}", bug_report::list(report, textwrap::termwidth()));
                return Ok(());
            }
            _ => {}
        }
        let comparison = Comparison::new(&reports);
        if let Some(file) = &self.html {
            if !is_ours(file) {
                return Err(Stop::usage(format!(
                    "{} exists, and Fallproof did not write it; choose another file",
                    file.display()
                )));
            }
            let page = comparison.to_html().map_err(Stop::harness)?;
            whole_file::write(file, &page)
                .map_err(|error| Stop::usage(format!("{}: {error}", file.display())))?;
        }
        print!("{}", comparison.to_markdown().map_err(Stop::harness)?);
        if let Some(file) = &self.html {
            eprintln!("wrote {}", file.display());
        }
        Ok(())
    }
}

impl Report {
    /// Prints the bug report of one cause.
    fn bug(&self, report: &model::Report, name: &str) -> Result<(), Stop> {
        let cause = bug_report::find(report, name).map_err(Stop::usage)?;
        let path = &self.reports[0];
        let dir = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
        let dir = dir.unwrap_or(Path::new("."));
        let example = &cause.example;
        let version = report.target.version.as_deref();
        let configuration = configuration::of_case(&example.case, &example.replay, version);
        let text = bug_report::write(report, cause, dir, configuration.as_ref());
        print!("{}", text.map_err(Stop::harness)?);
        Ok(())
    }
}

/// Reads a report. Also returns its path, which distinguishes reports of the same target.
fn read(path: &Path) -> Result<(String, model::Report), Stop> {
    let file = if path.is_dir() { path.join(IN_FOLDER) } else { path.to_owned() };
    if path.is_dir() && !file.is_file() {
        return Err(Stop::usage(format!("{} has no {IN_FOLDER}", path.display())));
    }
    let report = report_file::read(&file).map_err(Stop::usage)?;
    Ok((path.display().to_string(), report))
}

/// Whether the file is missing or is a page that Fallproof may overwrite.
fn is_ours(file: &Path) -> bool {
    let start = || {
        let mut start = vec![0; PAGE.len()];
        File::open(file)?.read_exact(&mut start)?;
        Ok::<_, io::Error>(start)
    };
    !file.exists() || file.is_file() && start().is_ok_and(|start| start == PAGE.as_bytes())
}
