//! A fuzzing campaign: runs generated cases on all cores until all have run or the time is up.
//!
//! A campaign continues after a failure. For each symptom, it keeps the first case that failed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fallproof_judge::{CallFacts, Violation};
use fallproof_runner::error::StartError;
use fallproof_runner::interrupt::stopped;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::blame;
use super::case::FuzzCase;
use super::executor::{Execution, Executor, Way};
use super::generate::{Scope, generate};
use super::random::case_rng;
use super::stats::{Judged, Stats};
use super::symptom::Symptom;

/// A fuzzing campaign: which cases run, and for how long.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// What the cases may contain.
    pub scope: Scope,
    /// Random seed. Seed and scope together determine every case.
    pub seed: u64,
    /// Number of cases. If `None`, runs as many as the time allows.
    pub cases: Option<u64>,
    /// The campaign does not start a case after this time.
    pub until: Option<Instant>,
    /// Number of threads that run cases in parallel.
    pub threads: usize,
}

/// Becomes true when the user interrupts the campaign.
pub type Stop<'a> = &'a watch::Receiver<bool>;

/// Number of cases per start of the target.
const BATCH: u64 = 128;

/// Maximum number of slow cases per start of the target. They run in parallel.
const SLOW_BATCH: usize = 48;

/// How far a slow case may be ahead of the other cases, counted in cases. Applies only if the
/// number of cases is not limited.
const SLOW_AHEAD: u64 = 8_192;

/// How long the slow worker sleeps when it has no case to run.
const PAUSE: Duration = Duration::from_millis(50);

impl Campaign {
    /// The case with this number.
    pub fn case(&self, number: u64) -> FuzzCase {
        generate(&self.scope, &mut case_rng(self.seed, number))
    }

    /// Runs until all cases have run, the time is up or `stop` is true, and counts results in
    /// `stats`. Must not be called from within an async runtime.
    ///
    /// # Errors
    /// The target or the deployments could not be started.
    ///
    /// # Panics
    /// If a worker thread panics.
    pub fn run(
        &self,
        executor: &Executor,
        stats: &Mutex<Stats>,
        stop: Stop<'_>,
    ) -> Result<(), StartError> {
        let next = AtomicU64::new(0);
        let worker = Worker { campaign: self, executor, stats, stop, next: &next };
        thread::scope(|scope| {
            let threads = if executor.is_fixed() { 1 } else { self.threads };
            let mut threads: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| worker.run_quick())).collect();
            if self.scope.has_slow() {
                threads.push(scope.spawn(|| worker.run_slow()));
            }
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    /// Whether the case with this number is slow: a deployment hangs until the timeout.
    fn is_slow(&self, number: u64) -> bool {
        self.scope.is_slow(&mut case_rng(self.seed, number))
    }
}

/// The state that all threads of a campaign share.
#[derive(Clone, Copy)]
struct Worker<'a> {
    campaign: &'a Campaign,
    executor: &'a Executor,
    stats: &'a Mutex<Stats>,
    stop: Stop<'a>,
    /// Number of the first case that no worker has started.
    next: &'a AtomicU64,
}

impl Worker<'_> {
    /// Runs batches of cases, beginning at `next`. Skips slow cases.
    fn run_quick(self) -> Result<(), StartError> {
        let runtime = runtime()?;
        let size = if self.executor.is_fixed() { 1 } else { BATCH };
        let last = self.campaign.cases.unwrap_or(u64::MAX);
        while !self.is_over() {
            let first = self.next.fetch_add(size, Ordering::Relaxed);
            if first >= last {
                break;
            }
            let numbers = first..last.min(first + size);
            let numbers = numbers.filter(|&number| !self.campaign.is_slow(number));
            runtime.block_on(self.run(numbers.collect()))?;
        }
        Ok(())
    }

    /// Runs the slow cases. They mostly wait, so they run on a separate thread, where they do not
    /// delay the other cases.
    fn run_slow(self) -> Result<(), StartError> {
        let runtime = runtime()?;
        let mut first = 0;
        while !self.is_over() && self.campaign.cases.is_none_or(|cases| first < cases) {
            let ahead = || self.next.load(Ordering::Relaxed).saturating_add(SLOW_AHEAD);
            let end = self.campaign.cases.unwrap_or_else(ahead);
            let is_slow = |number: &u64| self.campaign.is_slow(*number);
            let numbers: Vec<_> = (first..end).filter(is_slow).take(SLOW_BATCH).collect();
            first = match numbers.get(SLOW_BATCH - 1) {
                Some(last) => last + 1,
                None => end,
            };
            if numbers.is_empty() {
                thread::sleep(PAUSE);
            }
            runtime.block_on(self.run(numbers))?;
        }
        Ok(())
    }

    fn is_over(self) -> bool {
        *self.stop.borrow()
            || self.campaign.until.is_some_and(|it| Instant::now() >= it)
            || self.stats.lock().inconclusive.is_gone
    }

    /// Runs the cases with these numbers. An interrupt ends the function at once, even if the
    /// target hangs.
    async fn run(self, numbers: Vec<u64>) -> Result<(), StartError> {
        let cases: Vec<_> = numbers.iter().map(|&number| self.campaign.case(number)).collect();
        if cases.is_empty() {
            return Ok(());
        }
        let run = async {
            let executions = self.executor.run(&cases).await?;
            self.stats.lock().cases += cases.len() as u64;
            for ((&number, case), execution) in numbers.iter().zip(&cases).zip(executions) {
                let Execution { violations, calls, harness_error, inconclusive, .. } = execution;
                if let Some(message) = harness_error {
                    self.stats.lock().harness_errors.insert(number, message);
                } else if let Some(case) = inconclusive {
                    self.stats.lock().inconclusive.add(&case, self.executor.is_fixed());
                } else {
                    self.add(number, case, violations, calls).await?;
                }
            }
            Ok(())
        };
        tokio::select! {
            ran = run => ran,
            () = stopped(self.stop.clone()) => Ok(()),
        }
    }

    /// Counts the violations of a judged case. If a symptom is new, or was known only from later
    /// cases, the case runs again alone, without state of earlier cases. If this does not reproduce
    /// the symptom, it is counted as flaky. A violation that blames an innocent part of the request
    /// is dropped.
    async fn add(
        self,
        number: u64,
        case: &FuzzCase,
        mut violations: Vec<Violation>,
        calls: Vec<CallFacts>,
    ) -> Result<(), StartError> {
        let is_first = |symptom: &Symptom| self.stats.lock().is_first(symptom, number);
        let mut found: BTreeSet<_> = violations.iter().map(Symptom::of).collect();
        if found.iter().any(is_first) {
            let alone = self.executor.run_after_cooldown(case).await?;
            let again = alone.iter().flat_map(|it| &it.violations);
            let again: BTreeMap<_, _> = again.map(|it| (Symptom::of(it), it)).collect();
            let all = found.len();
            found.retain(|symptom| again.contains_key(symptom) || !is_first(symptom));
            self.stats.lock().flaky += all - found.len();
            let new = again.into_iter().filter(|(symptom, _)| found.contains(symptom));
            let mut innocent = Vec::new();
            for (symptom, violation) in new.filter(|(symptom, _)| is_first(symptom)) {
                let ways = alone.as_ref().map(|it| it.ways.as_slice()).unwrap_or_default();
                if !self.is_to_blame(case, violation, ways).await? {
                    innocent.push(symptom);
                }
            }
            found.retain(|symptom| !innocent.contains(symptom));
            violations.retain(|it| found.contains(&Symptom::of(it)));
        }
        self.stats.lock().add(number, case, Judged::new(calls, violations));
        Ok(())
    }
}

impl Worker<'_> {
    /// Whether the calls take other ways than these without the part of the request that the
    /// violation blames. Also true if the violation does not blame a part of the request.
    async fn is_to_blame(
        self,
        case: &FuzzCase,
        violation: &Violation,
        ways: &[Way],
    ) -> Result<bool, StartError> {
        let Some(without) = blame::without(case, violation) else { return Ok(true) };
        let execution = self.executor.run_after_cooldown(&without).await?;
        Ok(execution.is_some_and(|execution| execution.ways != ways))
    }
}

fn runtime() -> Result<Runtime, StartError> {
    Builder::new_current_thread().enable_all().build().map_err(StartError::Router)
}

#[cfg(test)]
mod tests;
