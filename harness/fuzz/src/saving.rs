//! Saves failures as scenarios and runs the saved files again.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::Path;

use fallproof_judge::{Violation, judge_case};
use fallproof_runner::Runner;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::yaml::LoadError;

use super::case::FuzzCase;
use super::found::{self, Saved};
use super::stats::Failure;

/// A failure that was saved as a scenario.
#[derive(Debug)]
pub struct SavedFailure {
    /// The failure before minimization.
    pub failure: Failure,
    /// The violation in the minimized case.
    pub violation: Violation,
    /// Where the minimized case was saved.
    pub saved: Saved,
    /// Whether the saved scenario reproduces the failure; `None` if it was not run.
    pub shows_again: Option<bool>,
}

/// Checks that scenarios can be saved in this folder, so that a long campaign does not lose its
/// results at the end. Removes everything it creates.
///
/// # Errors
/// The folder or a file in it cannot be created.
pub fn check(folder: &Path) -> io::Result<()> {
    let folder = folder.join(found::FOLDER);
    let file = folder.join(".fallproof");
    let new: Vec<_> = folder.ancestors().take_while(|it| !it.exists()).collect();
    let tried = fs::create_dir_all(&folder).and_then(|()| File::create(&file));
    let _ = fs::remove_file(&file);
    for folder in new {
        let _ = fs::remove_dir(folder);
    }
    tried.map(drop)
}

impl SavedFailure {
    /// Saves the minimized case of a failure. `seed` is the seed of its campaign.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(
        failure: Failure,
        (case, violation): (&FuzzCase, Violation),
        seed: u64,
        folder: &Path,
    ) -> io::Result<Self> {
        let how = format!("Found in case {} of seed {seed}.", failure.number);
        let saved = found::save(&found::scenario(case, &violation, &how), folder)?;
        Ok(Self { failure, violation, saved, shows_again: None })
    }

    /// Replaces the saved case with the case from before minimization.
    ///
    /// # Errors
    /// The file cannot be written or removed.
    pub fn save_whole(&mut self, seed: u64, folder: &Path) -> io::Result<()> {
        self.remove()?;
        let (failure, violation) = (self.failure.clone(), self.failure.violation.clone());
        let case = failure.case.clone();
        *self = Self::save(failure, (&case, violation), seed, folder)?;
        Ok(())
    }

    /// Removes the file.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.saved.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads the scenario from its file.
    ///
    /// # Errors
    /// The file is not a valid scenario.
    pub fn load(&self) -> Result<Vec<Scenario>, LoadError> {
        let mut scenarios = found::load(&self.saved)?;
        scenarios.retain(|scenario| scenario.id == self.saved.id);
        Ok(scenarios)
    }

    /// Runs the saved scenario, if it is among `scenarios`, and records the result in
    /// [`Self::shows_again`]. The runner must have been started for `scenarios`.
    pub async fn run_again(&mut self, runner: &Runner, scenarios: &[&Scenario]) {
        if let Some(scenario) = scenarios.iter().find(|it| it.id == self.saved.id)
            && self.shows_again.is_none()
        {
            let evidence = runner.run(scenario).await;
            let judgment = judge_case(scenario, runner.facts(scenario), &evidence);
            self.shows_again = Some(self.failure.symptom.is_among(&judgment.violations));
        }
    }
}
