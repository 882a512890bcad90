//! From failures to scenarios: the first of each requirement are minimized, saved, and run again from
//! their files.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fallproof_judge::{Violation, judge_case};
use fallproof_runner::Runner;
use fallproof_runner::error::StartError;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::yaml::LoadError;
use thiserror::Error;

use super::campaign::Stop;
use super::executor::Executor;
use super::found::{self, Saved};
use super::minimize::minimize;
use super::stats::Failure;

/// How failures become scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Saving<'a> {
    /// The folder of scenarios; they go below [`FOLDER`](found::FOLDER) in it.
    pub folder: &'a Path,
    /// So many failures of each requirement are saved.
    pub per_requirement: usize,
    /// A failure is minimized for so long at most.
    pub limit: Duration,
    /// The campaign's seed, which the scenario names.
    pub seed: u64,
}

/// The failures of one requirement.
#[derive(Debug)]
pub struct RequirementFailures {
    /// Those that were saved, first those of the first cases; never empty.
    pub saved: Vec<SavedFailure>,
    /// The others.
    pub others: Vec<Failure>,
}

/// A failure as a scenario of its own.
#[derive(Debug)]
pub struct SavedFailure {
    /// The failure as it was found.
    pub failure: Failure,
    /// What is found in the minimized case.
    pub violation: Violation,
    /// Where it is.
    pub saved: Saved,
    /// Whether the scenario shows it when it runs as any other; `None` where it was not run.
    pub shows_again: Option<bool>,
}

/// Why failures could not be saved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The target could not be started to minimize one.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file could not be written.
    #[error("{}: {source}", folder.display())]
    Write {
        /// The folder of scenarios.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Saving<'_> {
    /// Whether scenarios can be saved: nothing is to be lost at the end of a long campaign. Leaves
    /// nothing behind.
    ///
    /// # Errors
    /// Why they cannot.
    pub fn check(&self) -> io::Result<()> {
        let folder = self.folder.join(found::FOLDER);
        let file = folder.join(".fallproof");
        let new: Vec<_> = folder.ancestors().take_while(|it| !it.exists()).collect();
        let tried = fs::create_dir_all(&folder).and_then(|()| File::create(&file));
        let _ = fs::remove_file(&file);
        for folder in new {
            let _ = fs::remove_dir(folder);
        }
        tried.map(drop)
    }

    /// Minimizes and saves the first failures of each requirement. They are as simple as they have
    /// come once `stop` is true.
    ///
    /// # Errors
    /// The target could not be started, or a file not be written.
    pub async fn save(
        &self,
        failures: Vec<Failure>,
        executor: &Executor,
        stop: Stop<'_>,
    ) -> Result<Vec<RequirementFailures>, SaveError> {
        let mut all = Vec::new();
        for mut of_one in by_requirement(failures) {
            let others = of_one.split_off(self.per_requirement.min(of_one.len()));
            let mut saved = Vec::new();
            for failure in of_one {
                saved.push(self.save_one(failure, executor, stop).await?);
            }
            all.push(RequirementFailures { saved, others });
        }
        Ok(all)
    }

    async fn save_one(
        &self,
        failure: Failure,
        executor: &Executor,
        stop: Stop<'_>,
    ) -> Result<SavedFailure, SaveError> {
        let (case, violation) = minimize(&failure, executor, self.limit, stop).await?;
        let how = format!("Found in case {} of seed {}.", failure.number, self.seed);
        let scenario = found::scenario(&case, &violation, &how);
        let saved = found::save(&scenario, self.folder)
            .map_err(|source| SaveError::Write { folder: self.folder.to_owned(), source })?;
        Ok(SavedFailure { failure, violation, saved, shows_again: None })
    }
}

impl SavedFailure {
    /// The scenario as it is read from its file.
    ///
    /// # Errors
    /// The file is no scenario.
    pub fn load(&self) -> Result<Option<Scenario>, LoadError> {
        let scenarios = found::load(&self.saved)?;
        Ok(scenarios.into_iter().find(|scenario| scenario.id == self.saved.id))
    }

    /// Runs its scenario, where it is among these, on a runner that was started for them.
    pub async fn run_again(&mut self, runner: &Runner, scenarios: &[&Scenario]) {
        let mut scenarios = scenarios.iter();
        if let Some(scenario) = scenarios.find(|scenario| scenario.id == self.saved.id) {
            let evidence = runner.run(scenario).await;
            let judgment = judge_case(scenario, runner.facts(scenario), &evidence);
            self.shows_again = Some(self.failure.cause.is_among(&judgment.violations));
        }
    }
}

/// The failures of each requirement together, first those of the first cases.
fn by_requirement(mut failures: Vec<Failure>) -> Vec<Vec<Failure>> {
    let mut all = Vec::new();
    while let Some(first) = failures.first() {
        let requirement = first.cause.requirement;
        let is_other = |it: &Failure| it.cause.requirement != requirement;
        let end = failures.iter().position(is_other).unwrap_or(failures.len());
        let rest = failures.split_off(end);
        failures.sort_by_key(|failure| failure.number);
        all.push(std::mem::replace(&mut failures, rest));
    }
    all
}
