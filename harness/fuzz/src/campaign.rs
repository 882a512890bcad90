//! A fuzzing campaign: runs generated cases on all cores until all have run or the time is up.
//!
//! A campaign continues after a failure. For each cause of failure, it keeps the first case that
//! failed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fallproof_judge::Violation;
use fallproof_runner::error::StartError;
use fallproof_runner::interrupt::stopped;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::blame;
use super::case::FuzzCase;
use super::cause::Cause;
use super::executor::{Executor, Way};
use super::generate::{Scope, generate};
use super::random::case_rng;
use super::stats::Stats;

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
                let error = execution.harness_error.map(|message| (number, message));
                self.stats.lock().harness_errors.extend(error);
                if let Some(case) = execution.inconclusive {
                    self.stats.lock().inconclusive.add(&case, self.executor.is_fixed());
                }
                let found = execution.violations.into_iter().map(|it| (Cause::of(&it), it)).rev();
                self.add(number, case, found.collect()).await?;
            }
            Ok(())
        };
        tokio::select! {
            ran = run => ran,
            () = stopped(self.stop.clone()) => Ok(()),
        }
    }

    /// Counts the violations of a case. If the cause is new, or was known only from later cases,
    /// the case runs again alone, without state of earlier cases. If this does not reproduce the
    /// violation, it is counted as flaky. A violation that blames an innocent part of the request
    /// is dropped.
    async fn add(
        self,
        number: u64,
        case: &FuzzCase,
        mut found: BTreeMap<Cause, Violation>,
    ) -> Result<(), StartError> {
        let is_first = |cause: &Cause| self.stats.lock().is_first(cause, number);
        if found.keys().any(is_first) {
            let alone = self.executor.run_after_cooldown(case).await?;
            let again = alone.iter().flat_map(|it| &it.violations);
            let again: BTreeMap<_, _> = again.map(|it| (Cause::of(it), it)).collect();
            let all = found.len();
            found.retain(|cause, _| again.contains_key(cause) || !is_first(cause));
            self.stats.lock().flaky += all - found.len();
            let new = again.into_iter().filter(|(cause, _)| found.contains_key(cause));
            let mut innocent = Vec::new();
            for (cause, violation) in new.filter(|(cause, _)| is_first(cause)) {
                let ways = alone.as_ref().map(|it| it.ways.as_slice()).unwrap_or_default();
                if !self.is_to_blame(case, violation, ways).await? {
                    innocent.push(cause);
                }
            }
            found.retain(|cause, _| !innocent.contains(cause));
        }
        self.stats.lock().add(number, case, found);
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
