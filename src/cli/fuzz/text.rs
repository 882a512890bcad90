//! Prints the result of a campaign.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use fallproof_fuzz::finding::Finding;
use fallproof_fuzz::saving::SavedFailure;
use fallproof_fuzz::stats::{COMPARED, Failure, Stats};
use fallproof_judge::Verdict;
use fallproof_report::model;
use fallproof_report::phrases::{cases, counted};
use fallproof_runner::shell::quoted;
use fallproof_suite::requirement::Code;
use owo_colors::{OwoColorize as _, Style};

use super::{Found, Fuzz, progress};
use crate::cli::SCENARIOS;
use crate::cli::print::{eprintln, println};

/// Maximum number of symptoms of a requirement that are named.
const MAX_NAMES: usize = 4;

/// Prints the summary of a campaign.
pub(super) fn summary(stats: &Stats, findings: usize, seed: u64, took: Duration) {
    let took = took.as_secs_f64();
    eprintln!(
        "{} in {took:.1} s, {:.0} cases/s, seed {seed}: {}",
        many(stats.cases, "case"),
        progress::rate(stats.cases, took),
        counted(findings, "finding"),
    );
    if stats.cases > COMPARED && findings > 0 {
        eprintln!("the findings are counted in the first {COMPARED} cases");
    }
    if stats.flaky > 0 {
        let times = counted(stats.flaky, "symptom");
        eprintln!("{times} did not reproduce when the case ran alone; not reported");
    }
    let inconclusive = &stats.inconclusive;
    if inconclusive.count > 0 {
        let of = many(inconclusive.count, "case");
        eprintln!("{of} could not be judged, e.g.: {}", inconclusive.reason);
    }
    if inconclusive.is_gone {
        eprintln!("the target went away, which ended the run");
    }
}

fn many(count: u64, what: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), what)
}

impl Fuzz {
    pub(super) fn print(&self, found: &[Found]) {
        for Found { finding, saved } in found {
            println!("\n{}", heading(finding));
            println!("  the target {}", sentence(finding));
            match finding.cause.id.requirement.map(Code::requirement) {
                Some(it) => println!("  {} {}", it.code, it.sentence.trim().dimmed()),
                None => println!("  {}", "differs from what the router model predicts".dimmed()),
            }
            println!("  {}", met(finding));
            if let Some(others) = others(finding) {
                println!("  {others}");
            }
            let violation = saved.as_ref().map_or(&finding.example.violation, |it| &it.violation);
            println!("\n  {}", violation.to_string().replace('\n', "\n  "));
            match saved {
                Some(SavedFailure { saved, shows_again, .. }) => {
                    let again = match shows_again {
                        Some(true) => "reproduces the finding:",
                        Some(false) => "did not reproduce the finding:",
                        None => "not run; configure the gateway for it first:",
                    };
                    println!("  {} {again}", saved.file.display());
                    println!("  {}", self.replay(&saved.id).cyan());
                }
                None => println!("  not saved: a file with it did not reproduce it"),
            }
        }
    }

    /// The command that runs a saved scenario.
    fn replay(&self, id: &str) -> String {
        let mut command = format!("fallproof run {id}");
        if self.scenarios != Path::new(SCENARIOS) {
            let _ =
                write!(command, " --scenarios {}", quoted(&self.scenarios.display().to_string()));
        }
        if let Some(saboteur) = &self.saboteur {
            let _ = write!(command, " --saboteur {saboteur}");
        }
        for option in self.gateway.again() {
            let _ = write!(command, " {option}");
        }
        command
    }
}

fn heading(Finding { cause, .. }: &Finding) -> String {
    let (word, style) = match cause.verdict {
        Verdict::Fail => ("FAIL", Style::new().red().bold()),
        Verdict::Warn | Verdict::Note => ("WARN", Style::new().yellow().bold()),
    };
    let (number, of) = (cause.cases.len(), cases(cause.could_show));
    format!("{} {}  {number} of {of}", word.style(style), cause.id.bold())
}

fn sentence(Finding { cause, .. }: &Finding) -> String {
    model::sentence(&cause.fault, &cause.scope.to_string())
}

/// Describes at which endpoints the cause was seen, and first in which case.
fn met(Finding { endpoints, example, .. }: &Finding) -> String {
    let endpoints: Vec<_> = endpoints.iter().map(|endpoint| endpoint.path()).collect();
    format!("at {}; example: case {}", endpoints.join(", "), example.number)
}

/// The other symptoms of the cause, by requirement, if there are any.
fn others(finding: &Finding) -> Option<String> {
    let of_one = finding.others.chunk_by(|a, b| a.symptom.requirement == b.symptom.requirement);
    let named = |failures: &[Failure]| {
        let names: Vec<_> = failures.iter().map(|it| it.symptom.about.as_str()).collect();
        let shown = names[..names.len().min(MAX_NAMES)].join(", ");
        let more = match names.len().saturating_sub(MAX_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let requirement = failures[0].symptom.requirement.map_or("expectation", Code::as_str);
        format!("{requirement} {shown}{more}")
    };
    let others: Vec<_> = of_one.map(named).collect();
    (!others.is_empty()).then(|| format!("from it follow: {}", others.join("; ")))
}
