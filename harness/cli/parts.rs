//! The parts of a run, one after the other.

use std::time::Duration;

use anstream::eprintln;
use fallproof::adapter::Process;
use fallproof::drive::{Case, Outcome, Rig, StartError, UNREACHABLE, Watch as _};
use fallproof::report::model;
use fallproof::report::record::Recorder;
use fallproof::scenario::Scenario;
use tokio::runtime::Runtime;

use super::Stop;
use super::gateway::{Part, Whole};
use super::interrupt::{Interrupt, holds};

/// How often a gateway that ends by itself is started for what is left.
const MOST_STARTS: usize = 5;

/// What runs the parts.
pub(super) struct Parts<'a> {
    pub(super) recorder: Recorder<'a>,
    pub(super) runtime: &'a Runtime,
    pub(super) interrupt: &'a Interrupt,
    /// How long a client call waits.
    pub(super) patience: Duration,
}

impl Parts<'_> {
    /// Runs them all. Cases that had not ended when the user broke it off are missing.
    pub(super) fn run(&self, whole: &Whole<'_>) -> Result<Vec<model::Case>, Stop> {
        let left_out = whole.left_out.iter();
        let mut cases: Vec<_> = left_out
            .map(|(scenario, reason)| self.not_run(scenario, Outcome::Skipped(reason.clone())))
            .collect();
        let mut process = None;
        for (index, part) in whole.parts.iter().enumerate() {
            if self.interrupt.is_asked() {
                break;
            }
            if !part.heading.is_empty() {
                eprintln!("{}", part.heading);
            }
            match self.part(part, &mut process) {
                Ok(of_part) => cases.extend(of_part),
                // What one start of a gateway could not do says nothing about the next one.
                Err(StartError::Launch(error)) if index > 0 => {
                    let outcome = Outcome::Inconclusive(format!("{}: {error}", part.heading));
                    let scenarios = part.scenarios.iter();
                    cases.extend(scenarios.map(|scenario| self.not_run(scenario, outcome.clone())));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.stop(process);
        Ok(cases)
    }

    /// Runs one part; where its gateway ends by itself, it is started again for what is left.
    fn part(
        &self,
        part: &Part<'_>,
        process: &mut Option<Process>,
    ) -> Result<Vec<model::Case>, StartError> {
        let mut cases = Vec::new();
        let mut scenarios = part.scenarios.clone();
        for starts_left in (0..MOST_STARTS).rev() {
            let Some(rig) = self.start(process.take(), &scenarios, part)? else { break };
            let recorder = self.recorder.of(&rig);
            let handle = self.runtime.handle();
            let ran =
                rig.run_watched(handle, &scenarios, part.jobs, &recorder, &self.interrupt.stop);
            *process = rig.release();
            let ended = process.as_mut().and_then(Process::ended);
            if ended.is_some() || !part.reloads() {
                self.stop(process.take());
            }
            let is_left = |case: &model::Case| {
                let reason = case.reason.as_deref().unwrap_or_default();
                ended.is_some() && starts_left > 0 && reason.starts_with(UNREACHABLE)
            };
            let (left, done): (Vec<_>, Vec<_>) = ran.into_iter().flatten().partition(is_left);
            cases.extend(done);
            scenarios.retain(|scenario| left.iter().any(|case| case.id == scenario.id));
            let (Some(status), false) = (ended, scenarios.is_empty()) else { break };
            let number = scenarios.len();
            eprintln!(
                "the gateway ended by itself ({status}); it is started again for {number} more"
            );
        }
        Ok(cases)
    }

    /// `None` where the user breaks it off.
    fn start(
        &self,
        process: Option<Process>,
        scenarios: &[&Scenario],
        part: &Part<'_>,
    ) -> Result<Option<Rig>, StartError> {
        self.runtime.block_on(async {
            tokio::select! {
                rig = Rig::start_with(process, scenarios, &part.target, self.patience) => {
                    rig.map(Some)
                }
                () = holds(self.interrupt.stop.clone()) => Ok(None),
            }
        })
    }

    fn stop(&self, process: Option<Process>) {
        if let Some(process) = process {
            self.runtime.block_on(process.stop(holds(self.interrupt.hurry.clone())));
        }
    }

    fn not_run(&self, scenario: &Scenario, outcome: Outcome) -> model::Case {
        self.recorder.ended(scenario, Case::not_run(scenario, outcome))
    }
}
