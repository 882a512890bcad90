//! Queue of the remaining cases of a batch. If the target exits, the queue also finds the case that
//! caused the exit.
//!
//! When the target exits in the middle of a batch, there are three kinds of cases:
//!
//! - Unserved cases: the target was already gone. They are run again after a restart.
//! - Suspects: the target may have exited during one of them. A single suspect is the cause, and
//!   its result is final. If there are several, each one is run again alone. A case in which the
//!   target exits again is a cause.
//! - All other cases are settled: their results are final.
//!
//! When a case runs alone, the target may already have exited before the case starts. If this happens
//! twice, the case is settled too, so that it does not block the others.

use std::mem;
use std::time::Duration;

use fallproof_suite::scenario::Scenario;

/// Maximum number of starts of the target in a batch.
pub(crate) const MAX_STARTS: usize = 10;

/// Maximum time between the last response of a target and its observed exit. A case that ended more
/// than this time before the observed exit cannot be a suspect.
pub(crate) const EXIT_DELAY: Duration = Duration::from_secs(1);

/// A case that has ended.
pub(crate) struct FinishedCase<K> {
    /// Output of the observer.
    pub(crate) output: K,
    /// Start, relative to the start of the run.
    pub(crate) started: Duration,
    /// End, relative to the start of the run.
    pub(crate) ended: Duration,
    /// Whether the target was gone, so that the case is run again after a restart.
    pub(crate) is_unserved: bool,
    /// Whether the target misbehaved or was gone.
    pub(crate) is_suspect: bool,
}

/// The remaining cases of a batch.
pub(crate) struct Queue<'a> {
    /// Cases that may run in parallel.
    parallel: Vec<&'a Scenario>,
    /// Suspects, which are run alone.
    alone: Vec<&'a Scenario>,
    /// Ids of cases that ran alone, and for which the target was gone from the start.
    gone_once: Vec<&'a str>,
    jobs: usize,
    starts_left: usize,
}

/// The cases for one start of the target.
pub(crate) struct Share<'a> {
    pub(crate) scenarios: Vec<&'a Scenario>,
    /// Number of cases that run in parallel.
    pub(crate) jobs: usize,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(scenarios: &[&'a Scenario], jobs: usize) -> Self {
        let (alone, gone_once) = (Vec::new(), Vec::new());
        Self { parallel: scenarios.to_vec(), alone, gone_once, jobs, starts_left: MAX_STARTS }
    }

    /// Number of remaining scenarios.
    pub(crate) fn len(&self) -> usize {
        self.parallel.len() + self.alone.len()
    }

    /// Whether the current start of the target is a restart.
    pub(crate) fn is_started_again(&self) -> bool {
        self.starts_left + 1 < MAX_STARTS
    }

    /// Returns the cases for the next start, if any remain. The last start that is allowed gets all
    /// remaining cases.
    pub(crate) fn next(&mut self) -> Option<Share<'a>> {
        if self.len() == 0 {
            return None;
        }
        self.starts_left = self.starts_left.checked_sub(1)?;
        let mut scenarios = mem::take(&mut self.alone);
        let is_alone = !scenarios.is_empty() && self.starts_left > 0;
        if !is_alone {
            scenarios.append(&mut self.parallel);
        }
        Some(Share { scenarios, jobs: if is_alone { 1 } else { self.jobs } })
    }

    /// Processes the results of a share, and returns the output of the settled cases. `has_ended`
    /// says whether the target has exited. An interrupted case is neither settled nor run again.
    pub(crate) fn settle<K>(
        &mut self,
        share: Share<'a>,
        cases: Vec<Option<FinishedCase<K>>>,
        has_ended: bool,
    ) -> Vec<K> {
        let cases = share.scenarios.into_iter().zip(cases);
        let cases = cases.filter_map(|(scenario, case)| Some((scenario, case?)));
        if !has_ended || self.starts_left == 0 {
            return cases.map(|(_, case)| case.output).collect();
        }
        let (mut unserved, mut served): (Vec<_>, Vec<_>) =
            cases.partition(|(_, case)| case.is_unserved);
        if served.is_empty() {
            // The target exited in one of the first cases, before its preflight succeeded.
            for (scenario, case) in unserved.drain(..share.jobs.min(unserved.len())) {
                let is_second_time = self.gone_once.contains(&scenario.id.as_str());
                if share.jobs == 1 && is_second_time {
                    served.push((scenario, case));
                } else {
                    self.alone.push(scenario);
                }
                if share.jobs == 1 {
                    self.gone_once.push(&scenario.id);
                }
            }
        }
        // If cases run one at a time, only the last served case can be the cause of the exit.
        if share.jobs > 1 {
            let since = gone_since(&served, &unserved);
            let is_cause_possible =
                |case: &FinishedCase<K>| case.is_suspect && case.ended + EXIT_DELAY >= since;
            if served.iter().filter(|(_, case)| is_cause_possible(case)).count() > 1 {
                let suspects = served.extract_if(.., |(_, case)| is_cause_possible(case));
                self.alone.extend(suspects.map(|(scenario, _)| scenario));
            }
        }
        let rerun = if share.jobs > 1 { &mut self.parallel } else { &mut self.alone };
        rerun.extend(unserved.into_iter().map(|(scenario, _)| scenario));
        served.into_iter().map(|(_, case)| case.output).collect()
    }

    /// Returns the remaining cases, for a target that cannot be restarted.
    pub(crate) fn remaining(self, share: Share<'a>) -> Vec<&'a Scenario> {
        [share.scenarios, self.parallel, self.alone].concat()
    }
}

/// Time at which the target was found to be gone: the start of the first unserved case or, if there
/// is none, the end of the last served one.
fn gone_since<K>(
    served: &[(&Scenario, FinishedCase<K>)],
    unserved: &[(&Scenario, FinishedCase<K>)],
) -> Duration {
    let first = unserved.iter().map(|(_, case)| case.started).min();
    let last = || served.iter().map(|(_, case)| case.ended).max();
    first.or_else(last).unwrap_or_default()
}

#[cfg(test)]
mod tests;
