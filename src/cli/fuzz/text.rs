//! Prints the result of a campaign.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use fallproof_fuzz::saving::SavedFailure;
use fallproof_fuzz::stats::{Failure, Stats};
use fallproof_report::phrases::counted;
use fallproof_runner::shell::quoted;
use fallproof_suite::requirement::Code;
use owo_colors::OwoColorize as _;

use super::{Found, Fuzz, progress};
use crate::cli::SCENARIOS;
use crate::cli::print::{eprintln, println};

/// Prints the summary of a campaign.
pub(super) fn summary(stats: &Stats, seed: u64, took: Duration) {
    let took = took.as_secs_f64();
    eprintln!(
        "{} in {took:.1} s, {:.0} cases/s, seed {seed}: {}",
        many(stats.cases, "case"),
        progress::rate(stats.cases, took),
        counted(stats.failures.len(), "finding"),
    );
    if stats.flaky > 0 {
        let times = counted(stats.flaky, "finding");
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
        for Found { saved, others, not_reproduced } in found {
            let first = saved.first().map(|it| &it.failure).or(not_reproduced.first());
            if let Some(first) = first {
                println!("\n{}", headline(first));
            }
            for SavedFailure { failure, violation, saved, shows_again } in saved {
                let again = match shows_again {
                    Some(true) => "reproduces the finding:",
                    Some(false) => "did not reproduce the finding:",
                    None => "not run; configure the gateway for it first:",
                };
                println!("\n  {}\n  {}", violation.to_string().replace('\n', "\n  "), met(failure));
                println!("  {} {again}\n  {}", saved.file.display(), self.replay(&saved.id));
            }
            for failure in not_reproduced {
                let violation = failure.violation.to_string().replace('\n', "\n  ");
                println!("\n  {violation}\n  {}", met(failure));
                println!("  not saved: a file with it did not reproduce it");
            }
            if !others.is_empty() {
                let named: Vec<_> = others.iter().map(|it| it.cause.about.as_str()).collect();
                println!(
                    "\n  not saved, {} more: {}",
                    counted(named.len(), "way"),
                    named.join(", ")
                );
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

fn headline(failure: &Failure) -> String {
    match failure.cause.requirement.map(Code::requirement) {
        Some(requirement) => {
            format!("{}  {}", requirement.code.red().bold(), requirement.sentence.trim())
        }
        None => {
            format!("{}", "differs from the recommended policy (router/README.md)".red().bold())
        }
    }
}

/// Describes how often the failure was seen, and at which endpoints.
fn met(failure: &Failure) -> String {
    let endpoints: Vec<_> = failure.endpoints.iter().map(|endpoint| endpoint.path()).collect();
    let (cases, first) = (many(failure.count, "case"), failure.number);
    format!("in {cases}, first in case {first}; at {}", endpoints.join(", "))
}
