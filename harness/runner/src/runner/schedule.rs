//! Runs scenarios in parallel, on threads.

use std::iter;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fallproof_suite::evidence::Evidence;
use fallproof_suite::scenario::Scenario;
use futures_util::{StreamExt as _, future, stream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Runner;
use crate::interrupt::unless;
use crate::observer::Observer;

impl Runner {
    /// Runs these scenarios, `jobs` at a time, on separate threads. Returns the evidence in the
    /// order of the scenarios.
    ///
    /// # Panics
    /// If a thread panics, or if called from within the runtime.
    pub fn run_all(&self, runtime: &Handle, scenarios: &[&Scenario], jobs: usize) -> Vec<Evidence> {
        let (_never, stop) = watch::channel(false);
        self.run_observed(runtime, scenarios, jobs, &(), &stop).into_iter().flatten().collect()
    }

    /// Like [`run_all`](Self::run_all), with an observer. Once `stop` is true, cases that have not
    /// ended are aborted and returned as `None`.
    ///
    /// # Panics
    /// If a thread panics, or if called from within the runtime.
    pub fn run_observed<O: Observer>(
        &self,
        runtime: &Handle,
        scenarios: &[&Scenario],
        jobs: usize,
        observer: &O,
        stop: &watch::Receiver<bool>,
    ) -> Vec<Option<O::Output>> {
        let next = AtomicUsize::new(0);
        let begin =
            || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < scenarios.len());
        let run = async |index: usize| {
            if *stop.borrow() {
                return None;
            }
            let scenario = scenarios[index];
            observer.case_started(scenario);
            let evidence = unless(stop, self.run(scenario)).await?;
            Some((index, observer.case_ended(scenario, self.facts(scenario), evidence)))
        };
        let work = |at_once: usize| {
            let cases = stream::iter(iter::from_fn(begin)).map(run).buffer_unordered(at_once);
            runtime.block_on(cases.filter_map(future::ready).collect::<Vec<_>>())
        };
        // Limited to the number of processors: more threads would slow down the router and the
        // mocks.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(jobs);
        let shares = (0..threads).map(|thread| (jobs + thread) / threads);
        let mut cases: Vec<_> = scenarios.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let threads: Vec<_> =
                shares.map(|at_once| scope.spawn(move || work(at_once))).collect();
            for thread in threads {
                for (index, case) in thread.join().unwrap_or_else(|panic| resume_unwind(panic)) {
                    cases[index] = Some(case);
                }
            }
        });
        cases
    }
}
