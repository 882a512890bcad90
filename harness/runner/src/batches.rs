//! The batches of a run, one after the other.

use std::time::{Duration, Instant, SystemTime};

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{CaseResult, Ending, Evidence, Inconclusive, TargetFacts};
use fallproof_suite::scenario::Scenario;
use tokio::runtime::Handle;

use crate::error::StartError;
use crate::interrupt::{Interrupt, unless};
use crate::observer::Observer;
use crate::restart::{Ended, Queue, WHILE_IT_ENDS};
use crate::run_plan::{Batch, RunPlan};
use crate::runner::Runner;
use crate::target::RunningTarget;

/// Runs the batches of a plan.
pub struct Batches<'a, O> {
    /// Where it runs; not to be used from within.
    pub runtime: &'a Handle,
    /// What ends it early.
    pub interrupt: &'a Interrupt,
    /// Who is told, and says what is kept.
    pub observer: &'a O,
    /// How long a client call waits for its answer.
    pub timeout: Duration,
    /// When the run started: the times of all evidence count from here.
    pub clock: Instant,
}

impl<O: Observer> Batches<'_, O> {
    /// Runs them all, and gives what is kept of each case, of those that are left out too. Cases
    /// that had not ended when the user broke it off are missing.
    ///
    /// # Errors
    /// The mocks or the first target could not be started.
    pub fn run(&self, plan: &RunPlan<'_>) -> Result<Vec<O::Kept>, StartError> {
        let left_out = plan.left_out.iter();
        let mut cases: Vec<_> = left_out
            .map(|(scenario, reason)| self.not_run(scenario, CaseResult::Skipped(reason.clone())))
            .collect();
        let mut running = None;
        for (index, batch) in plan.batches.iter().enumerate() {
            if self.interrupt.is_asked() {
                break;
            }
            self.observer.batch_started(&batch.heading);
            match self.batch(batch, &mut running) {
                Ok(of_batch) => cases.extend(of_batch),
                // What a gateway could not do in one batch says nothing about the next one.
                Err(StartError::Launch(error)) if index > 0 => {
                    let (heading, error) = (batch.heading.clone(), error.to_string());
                    let why = Inconclusive::NotStarted { batch: heading, error };
                    cases.extend(self.inconclusive(&batch.scenarios, &why));
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(running) = running {
            self.stop(running);
        }
        Ok(cases)
    }

    /// Runs one batch; where its target ends by itself, it is started again for what is left. The
    /// target that is `running` already takes the batch's configuration, and goes on where it can
    /// take that of the next.
    fn batch(
        &self,
        batch: &Batch<'_>,
        running: &mut Option<Box<dyn RunningTarget>>,
    ) -> Result<Vec<O::Kept>, StartError> {
        let mut cases = Vec::new();
        let mut queue = Queue::new(&batch.scenarios, batch.jobs);
        while let Some(share) = queue.next() {
            let runner =
                Runner::start_with(running.take(), &share.scenarios, &*batch.target, self.timeout);
            let runner = match self.runtime.block_on(unless(&self.interrupt.stop, runner)) {
                Some(Ok(runner)) => runner.counted_from(self.clock),
                None => break,
                // What ran before it ended by itself is kept.
                Some(Err(StartError::Launch(error))) if queue.is_started_again() => {
                    let why = Inconclusive::NotStartedAgain { error: error.to_string() };
                    cases.extend(self.inconclusive(&queue.give_up(share), &why));
                    break;
                }
                Some(Err(error)) => return Err(error),
            };
            self.observer.target_started(runner.plan());
            let (scenarios, stop) = (&share.scenarios, &self.interrupt.stop);
            let ended = runner.run_observed(
                self.runtime,
                scenarios,
                share.jobs,
                &Timed(self.observer),
                stop,
            );
            let mut target = runner.release();
            // It stops answering a moment before it is seen to have ended.
            let is_gone = ended.iter().flatten().any(|case| case.is_unserved);
            let within = if is_gone { WHILE_IT_ENDS } else { Duration::ZERO };
            let how = self.runtime.block_on(async { target.ended(within).await });
            if how.is_some() || !target.reloads() {
                self.stop(target);
            } else {
                *running = Some(target);
            }
            cases.extend(queue.settle(share, ended, how.is_some()));
            if let Some(how) = how
                && queue.len() > 0
            {
                self.observer.target_ended(how, queue.len());
            }
        }
        Ok(cases)
    }

    fn stop(&self, target: Box<dyn RunningTarget>) {
        self.runtime.block_on(self.interrupt.end(target));
    }

    fn inconclusive(&self, scenarios: &[&Scenario], why: &Inconclusive) -> Vec<O::Kept> {
        let result = || CaseResult::Inconclusive(why.clone());
        scenarios.iter().map(|scenario| self.not_run(scenario, result())).collect()
    }

    fn not_run(&self, scenario: &Scenario, result: CaseResult) -> O::Kept {
        let capabilities = &Capabilities::default();
        let started = SystemTime::now() - self.clock.elapsed();
        let nothing = TargetFacts { groups: &[], capabilities, gateway_key: "", started };
        let evidence = Evidence::without_calls(scenario, result);
        self.observer.case_ended(scenario, nothing, evidence)
    }
}

/// Tells the observer, and notes what a restart must know.
struct Timed<'a, O>(&'a O);

impl<O: Observer> Observer for Timed<'_, O> {
    type Kept = Ended<O::Kept>;

    fn case_started(&self, scenario: &Scenario) {
        self.0.case_started(scenario);
    }

    fn case_ended(
        &self,
        scenario: &Scenario,
        target: TargetFacts<'_>,
        evidence: Evidence,
    ) -> Self::Kept {
        let (started, over) = (evidence.started, evidence.started + evidence.took);
        let is_unserved = is_unserved(&evidence.result);
        let kept = self.0.case_ended(scenario, target, evidence);
        let is_suspect = is_unserved || self.0.is_suspect(&kept);
        Ended { kept, started, over, is_unserved, is_suspect }
    }

    fn is_suspect(&self, case: &Self::Kept) -> bool {
        case.is_suspect
    }
}

/// Whether the target was not there.
fn is_unserved(result: &CaseResult) -> bool {
    match result {
        CaseResult::Played(calls) => {
            calls.first().is_some_and(|call| matches!(call.exchange.ending, Ending::Unreachable(_)))
        }
        CaseResult::Inconclusive(why) => why.is_gone(),
        CaseResult::Skipped(_) | CaseResult::HarnessError(_) => false,
    }
}

#[cfg(test)]
mod tests;
