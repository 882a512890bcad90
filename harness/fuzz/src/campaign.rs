//! A campaign: case after case, on all cores, until they are through or the time is up. It goes on
//! after a failure, and keeps the first case of each cause.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use fallproof_judge::Violation;
use fallproof_runner::drive::stopped;
use fallproof_runner::error::StartError;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::case::FuzzCase;
use super::cause::Cause;
use super::executor::Executor;
use super::generate::{Scope, generate};
use super::random::case_rng;
use super::stats::Stats;

/// Which cases run, and for how long.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// What cases may have.
    pub scope: Scope,
    /// With the scope it determines every case.
    pub seed: u64,
    /// How many cases there are; as many as fit in the time where it is `None`.
    pub cases: Option<u64>,
    /// When the last case begins, at the latest.
    pub until: Option<Instant>,
    /// Threads that run cases side by side.
    pub threads: usize,
}

/// Holds true once the user has had enough.
pub type Stop<'a> = &'a watch::Receiver<bool>;

/// Cases that run on one start of the target.
const BATCH: u64 = 128;

/// A case that hangs holds up its batch; so they have batches of their own, of this size.
const SLOW_BATCH: usize = 48;

impl Campaign {
    /// The case with this number.
    pub fn case(&self, number: u64) -> FuzzCase {
        generate(&self.scope, &mut case_rng(self.seed, number))
    }

    /// Runs until the cases are through, the time is up or `stop` is true, and counts what it finds.
    /// Not to be called from within a runtime.
    ///
    /// # Errors
    /// The target or the upstreams could not be started.
    ///
    /// # Panics
    /// Where a thread panics.
    pub fn run(
        &self,
        executor: &Executor,
        stats: &Stats,
        stop: Stop<'_>,
    ) -> Result<(), StartError> {
        let next = AtomicU64::new(0);
        let threads = if executor.is_fixed() { 1 } else { self.threads };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.work(executor, stats, stop, &next)))
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    /// One thread's work: batches from `next` on.
    fn work(
        &self,
        executor: &Executor,
        stats: &Stats,
        stop: Stop<'_>,
        next: &AtomicU64,
    ) -> Result<(), StartError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(StartError::Router)?;
        let size = if executor.is_fixed() { 1 } else { BATCH };
        let is_over = || {
            *stop.borrow()
                || self.until.is_some_and(|it| Instant::now() >= it)
                || stats.inconclusive().is_gone
        };
        // A target that hangs must not hold up whoever ends the campaign.
        let batch = async |cases| {
            tokio::select! {
                ran = batch(executor, stats, cases) => ran,
                () = stopped(stop.clone()) => Ok(()),
            }
        };
        let mut slow = Vec::new();
        while !is_over() {
            let first = next.fetch_add(size, Ordering::Relaxed);
            let end = self.cases.map_or(first + size, |cases| cases.min(first + size));
            if first >= end {
                break;
            }
            let cases = (first..end).map(|number| (number, self.case(number)));
            let (hanging, quick): (Vec<_>, Vec<_>) = cases.partition(|(_, it)| it.is_slow());
            runtime.block_on(batch(quick))?;
            slow.extend(hanging);
            if slow.len() >= SLOW_BATCH {
                runtime.block_on(batch(std::mem::take(&mut slow)))?;
            }
        }
        runtime.block_on(batch(slow))
    }
}

/// Runs these cases, each with its number, and counts what comes of them.
async fn batch(
    executor: &Executor,
    stats: &Stats,
    numbered: Vec<(u64, FuzzCase)>,
) -> Result<(), StartError> {
    let (numbers, cases): (Vec<_>, Vec<_>) = numbered.into_iter().unzip();
    if cases.is_empty() {
        return Ok(());
    }
    let executions = executor.run(&cases).await?;
    stats.count_cases(cases.len());
    for ((number, case), execution) in numbers.into_iter().zip(&cases).zip(executions) {
        if let Some(message) = execution.harness_error {
            stats.add_harness_error(number, message);
        }
        if let Some(unclear) = execution.inconclusive {
            stats.add_inconclusive(unclear, executor.is_fixed());
        }
        let mut found = BTreeMap::new();
        for violation in execution.violations {
            found.entry(Cause::of(&violation)).or_insert(violation);
        }
        add(executor, stats, (number, case), found).await?;
    }
    Ok(())
}

/// Counts what was found in a case; what is new, or earlier than what is known, must come again when
/// the case runs alone.
async fn add(
    executor: &Executor,
    stats: &Stats,
    (number, case): (u64, &FuzzCase),
    mut found: BTreeMap<Cause, Violation>,
) -> Result<(), StartError> {
    let is_first = |cause: &Cause| stats.is_first(cause, number);
    if found.keys().any(is_first) {
        let alone = executor.run(std::slice::from_ref(case)).await?;
        let again: Vec<_> = alone.iter().flat_map(|it| &it.violations).map(Cause::of).collect();
        let all = found.len();
        found.retain(|cause, _| again.contains(cause) || !is_first(cause));
        stats.count_flaky(all - found.len());
    }
    stats.add(number, case, found);
    Ok(())
}
