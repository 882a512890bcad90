//! Runs the batches of a plan on one or more processes of the target.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
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
    /// Runs all batches, as many in parallel as the plan has processes. Returns the output of each
    /// case, including skipped ones. Cases that had not ended when the user interrupted the run are
    /// missing. If a batch could not be started, each of its cases is a harness error.
    ///
    /// # Errors
    /// Neither the mocks nor the target could be started by any process.
    ///
    /// # Panics
    /// If a thread panics.
    pub fn run(&self, plan: &RunPlan<'_>) -> Result<Vec<O::Output>, StartError> {
        let left_out = plan.left_out.iter();
        let mut cases: Vec<_> = left_out
            .map(|(scenario, reason)| self.not_run(scenario, CaseResult::Skipped(reason.clone())))
            .collect();
        let (next, has_started) = (&AtomicUsize::new(0), &AtomicBool::new(false));
        let lane = Lane { run: self, plan, next, has_started };
        let lanes = plan.processes.min(plan.batches.len()).max(1);
        let ran: Vec<_> = thread::scope(|scope| {
            let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(|| lane.run())).collect();
            let ended = |thread: ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| resume_unwind(panic))
            };
            lanes.into_iter().map(ended).collect()
        });
        let mut not_started = Vec::new();
        for of_lane in ran {
            cases.extend(of_lane.cases);
            not_started.extend(of_lane.not_started);
        }
        for (batch, error) in not_started {
            if !has_started.load(Ordering::Relaxed) {
                return Err(error);
            }
            cases.extend(self.of_failed(batch, &error));
        }
        Ok(cases)
    }

    /// The cases of a batch for which the target could not be started. The error has the end of the
    /// target's log.
    fn of_failed(&self, batch: &Batch<'_>, error: &StartError) -> Vec<O::Output> {
        let heading = Some(&batch.heading).filter(|heading| !heading.is_empty());
        let start = heading.map_or_else(String::new, |heading| format!("{heading}: "));
        let result = || CaseResult::HarnessError(format!("{start}{error}"));
        batch.scenarios.iter().map(|scenario| self.not_run(scenario, result())).collect()
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
        let nothing =
            TargetFacts { groups: &[], all_groups: &[], capabilities, gateway_key: "", started };
        let evidence = Evidence::without_calls(scenario, result);
        self.observer.case_ended(scenario, nothing, evidence)
    }
}

/// Runs one process of the target at a time, each for the next batch that no lane has taken.
struct Lane<'a, O> {
    run: &'a Batches<'a, O>,
    plan: &'a RunPlan<'a>,
    /// Index of the first batch that no lane has taken.
    next: &'a AtomicUsize,
    /// Whether the target has started, for this lane or another.
    has_started: &'a AtomicBool,
}

/// What a lane has run.
struct Ran<'a, K> {
    cases: Vec<K>,
    /// The batches that could not be started.
    not_started: Vec<(&'a Batch<'a>, StartError)>,
}

impl<'a, O: Observer> Lane<'a, O> {
    /// Runs batches until none are left. If the target cannot be started, and never has been, it
    /// most likely never will, so the lane ends.
    fn run(&self) -> Ran<'a, O::Output> {
        let (mut cases, mut not_started, mut running) = (Vec::new(), Vec::new(), None);
        while !self.run.interrupt.is_asked() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = self.plan.batches.get(index) else { break };
            self.run.observer.batch_started(&batch.heading);
            match self.batch(batch, &mut running) {
                Ok(of_batch) => cases.extend(of_batch),
                Err(error) => {
                    not_started.push((batch, error));
                    if !self.has_started.load(Ordering::Relaxed) {
                        break;
                    }
                }
            }
        }
        if let Some(running) = running {
            self.run.stop(running);
        }
        Ran { cases, not_started }
    }

    /// Runs one batch. If the target exits, it is restarted for the remaining cases.
    ///
    /// A target that is `running` from the previous batch loads this batch's configuration. If it
    /// can reload, it is passed on to the next batch.
    fn batch(
        &self,
        batch: &Batch<'_>,
        running: &mut Option<Box<dyn RunningTarget>>,
    ) -> Result<Vec<O::Output>, StartError> {
        let Batches { runtime, timeout, clock, observer, .. } = *self.run;
        let (mut cases, stop) = (Vec::new(), &self.run.interrupt.stop);
        let mut queue = Queue::new(&batch.scenarios, batch.jobs);
        while let Some(share) = queue.next() {
            let runner =
                Runner::start_with(running.take(), &share.scenarios, &*batch.target, timeout);
            let runner = match runtime.block_on(unless(stop, runner)) {
                Some(Ok(runner)) => runner.counted_from(clock),
                None => break,
                // The results from before the exit remain valid.
                Some(Err(error)) if queue.is_started_again() => {
                    let why = Inconclusive::NotStartedAgain { error: error.to_string() };
                    cases.extend(self.run.inconclusive(&queue.remaining(share), &why));
                    break;
                }
                Some(Err(error)) => return Err(error),
            };
            self.has_started.store(true, Ordering::Relaxed);
            observer.target_started(runner.plan());
            let (scenarios, timed) = (&share.scenarios, &Timed(observer));
            let ended = runner.run_observed(runtime, scenarios, share.jobs, timed, stop);
            let mut target = runtime.block_on(runner.release());
            // A target stops responding shortly before its exit can be observed.
            let is_gone = ended.iter().flatten().any(|case| case.is_unserved);
            let within = if is_gone { EXIT_DELAY } else { Duration::ZERO };
            let status = runtime.block_on(async { target.ended(within).await });
            if status.is_some() || !target.reloads() {
                self.run.stop(target);
            } else {
                *running = Some(target);
            }
            cases.extend(queue.settle(share, ended, status.is_some()));
            if let Some(status) = status
                && queue.len() > 0
            {
                observer.target_ended(status, queue.len());
            }
        }
        Ok(cases)
    }
}

/// Forwards to the observer, and records what is needed for a restart.
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
