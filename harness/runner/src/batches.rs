//! Runs the batches of a plan, one after the other.

use std::time::{Duration, Instant, SystemTime};

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{CaseResult, Ending, Evidence, Inconclusive, TargetFacts};
use fallproof_suite::scenario::Scenario;
use tokio::runtime::Handle;

use crate::error::StartError;
use crate::interrupt::{Interrupt, unless};
use crate::observer::Observer;
use crate::restart::{EXIT_DELAY, FinishedCase, Queue};
use crate::run_plan::{Batch, RunPlan};
use crate::runner::Runner;
use crate::target::RunningTarget;

/// Runs the batches of a plan.
pub struct Batches<'a, O> {
    /// Runtime for the calls. [`run`](Self::run) must not be called from within this runtime.
    pub runtime: &'a Handle,
    /// The user's requests to stop early.
    pub interrupt: &'a Interrupt,
    /// Observer of the run. It also produces the output of each case.
    pub observer: &'a O,
    /// Timeout of a client call.
    pub timeout: Duration,
    /// Start of the run. All times in the evidence are relative to this time.
    pub clock: Instant,
}

impl<O: Observer> Batches<'_, O> {
    /// Runs all batches. Returns the output of each case, including skipped ones. If the user
    /// interrupts the run, unfinished cases are missing.
    ///
    /// # Errors
    /// The mocks or the first target could not be started.
    pub fn run(&self, plan: &RunPlan<'_>) -> Result<Vec<O::Output>, StartError> {
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
                // The next batch may still start, and the results of earlier ones remain valid.
                Err(error) if index > 0 => {
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

    /// Runs one batch. If the target exits, it is restarted for the remaining cases.
    ///
    /// A target that is still `running` from the previous batch loads this batch's configuration.
    /// A target that can reload is kept for the next batch.
    fn batch(
        &self,
        batch: &Batch<'_>,
        running: &mut Option<Box<dyn RunningTarget>>,
    ) -> Result<Vec<O::Output>, StartError> {
        let mut cases = Vec::new();
        let mut queue = Queue::new(&batch.scenarios, batch.jobs);
        while let Some(share) = queue.next() {
            let runner =
                Runner::start_with(running.take(), &share.scenarios, &*batch.target, self.timeout);
            let runner = match self.runtime.block_on(unless(&self.interrupt.stop, runner)) {
                Some(Ok(runner)) => runner.counted_from(self.clock),
                None => break,
                // The results from before the exit remain valid.
                Some(Err(error)) if queue.is_started_again() => {
                    let why = Inconclusive::NotStartedAgain { error: error.to_string() };
                    cases.extend(self.inconclusive(&queue.remaining(share), &why));
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
            let mut target = self.runtime.block_on(runner.release());
            // A target stops responding shortly before its exit can be observed.
            let is_gone = ended.iter().flatten().any(|case| case.is_unserved);
            let within = if is_gone { EXIT_DELAY } else { Duration::ZERO };
            let status = self.runtime.block_on(async { target.ended(within).await });
            if status.is_some() || !target.reloads() {
                self.stop(target);
            } else {
                *running = Some(target);
            }
            cases.extend(queue.settle(share, ended, status.is_some()));
            if let Some(status) = status
                && queue.len() > 0
            {
                self.observer.target_ended(status, queue.len());
            }
        }
        Ok(cases)
    }

    fn stop(&self, target: Box<dyn RunningTarget>) {
        self.runtime.block_on(self.interrupt.end(target));
    }

    fn inconclusive(&self, scenarios: &[&Scenario], why: &Inconclusive) -> Vec<O::Output> {
        let result = || CaseResult::Inconclusive(why.clone());
        scenarios.iter().map(|scenario| self.not_run(scenario, result())).collect()
    }

    fn not_run(&self, scenario: &Scenario, result: CaseResult) -> O::Output {
        let capabilities = &Capabilities::default();
        let started = SystemTime::now() - self.clock.elapsed();
        let nothing = TargetFacts { groups: &[], capabilities, gateway_key: "", started };
        let evidence = Evidence::without_calls(scenario, result);
        self.observer.case_ended(scenario, nothing, evidence)
    }
}

/// Forwards events to the observer, and records the facts that a restart needs.
struct Timed<'a, O>(&'a O);

impl<O: Observer> Observer for Timed<'_, O> {
    type Output = FinishedCase<O::Output>;

    fn case_started(&self, scenario: &Scenario) {
        self.0.case_started(scenario);
    }

    fn case_ended(
        &self,
        scenario: &Scenario,
        target: TargetFacts<'_>,
        evidence: Evidence,
    ) -> Self::Output {
        let (started, ended) = (evidence.started, evidence.started + evidence.took);
        let is_unserved = is_unserved(&evidence.result);
        let output = self.0.case_ended(scenario, target, evidence);
        let is_suspect = is_unserved || self.0.is_suspect(&output);
        FinishedCase { output, started, ended, is_unserved, is_suspect }
    }

    fn is_suspect(&self, case: &Self::Output) -> bool {
        case.is_suspect
    }
}

/// Whether the target was not reachable in this case.
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
