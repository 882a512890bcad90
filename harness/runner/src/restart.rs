//! What is still to be run of a batch whose target may end by itself, and which case ended it.
//!
//! A target that ends in the middle of a batch leaves three kinds of cases: those that it was gone
//! for, those that it may have ended in, and the others, which are settled. It is started again for
//! the first kind. Each of the second kind, where there are several, is run with nothing beside it:
//! the one in which the target then ends is the one that ends it. One that the target is gone for at
//! once, twice, is settled too, so that it is in nobody else's way.

use std::mem;
use std::time::Duration;

use fallproof_suite::scenario::Scenario;

/// How often the target of a batch is started.
pub(crate) const MOST_STARTS: usize = 10;

/// How long before nobody answered a case may have seen its target end, and how long after it the
/// end may be seen.
pub(crate) const WHILE_IT_ENDS: Duration = Duration::from_secs(1);

pub(crate) struct Ended<K> {
    /// What the observer keeps of it.
    pub(crate) kept: K,
    /// When it began, since the start of the run.
    pub(crate) started: Duration,
    pub(crate) over: Duration,
    /// The target was gone: of one that is back, something can be said.
    pub(crate) is_unserved: bool,
    /// The target did not do well, or was gone.
    pub(crate) is_suspect: bool,
}

/// What is still to be run of a batch.
pub(crate) struct Queue<'a> {
    /// What may run side by side.
    parallel: Vec<&'a Scenario>,
    /// What the target may have ended in.
    alone: Vec<&'a Scenario>,
    /// The ids of those that the target, with nothing beside them, was gone for at once.
    doubted: Vec<&'a str>,
    jobs: usize,
    starts_left: usize,
}

/// What one start of the target is for.
pub(crate) struct Share<'a> {
    pub(crate) scenarios: Vec<&'a Scenario>,
    /// How many of them run side by side.
    pub(crate) jobs: usize,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(scenarios: &[&'a Scenario], jobs: usize) -> Self {
        let (alone, doubted) = (Vec::new(), Vec::new());
        Self { parallel: scenarios.to_vec(), alone, doubted, jobs, starts_left: MOST_STARTS }
    }

    /// How many scenarios are still to be run.
    pub(crate) fn len(&self) -> usize {
        self.parallel.len() + self.alone.len()
    }

    /// Whether the target was started before the start at hand.
    pub(crate) fn is_started_again(&self) -> bool {
        self.starts_left + 1 < MOST_STARTS
    }

    /// What the next start is for, if anything is left. The last start is for everything.
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

    /// Takes in how a share went, after which the target `has_ended` by itself or not, and gives
    /// what is settled. A case that was broken off is neither settled nor run again.
    pub(crate) fn settle<K>(
        &mut self,
        share: Share<'a>,
        cases: Vec<Option<Ended<K>>>,
        has_ended: bool,
    ) -> Vec<K> {
        let cases = share.scenarios.into_iter().zip(cases);
        let cases = cases.filter_map(|(scenario, case)| Some((scenario, case?)));
        if !has_ended || self.starts_left == 0 {
            return cases.map(|(_, case)| case.kept).collect();
        }
        let (mut unserved, mut served): (Vec<_>, Vec<_>) =
            cases.partition(|(_, case)| case.is_unserved);
        if served.is_empty() {
            // It ended before it was seen to be wired, in one of those that it was first asked for.
            for (scenario, case) in unserved.drain(..share.jobs.min(unserved.len())) {
                let is_second_time = self.doubted.contains(&scenario.id.as_str());
                if share.jobs == 1 && is_second_time {
                    served.push((scenario, case));
                } else {
                    self.alone.push(scenario);
                }
                if share.jobs == 1 {
                    self.doubted.push(&scenario.id);
                }
            }
        }
        // With nothing beside it, only the last one that was served can have ended the target.
        if share.jobs > 1 {
            let since = gone_since(&served, &unserved);
            let may_have_ended_it =
                |case: &Ended<K>| case.is_suspect && case.over + WHILE_IT_ENDS >= since;
            if served.iter().filter(|(_, case)| may_have_ended_it(case)).count() > 1 {
                let suspects = served.extract_if(.., |(_, case)| may_have_ended_it(case));
                self.alone.extend(suspects.map(|(scenario, _)| scenario));
            }
        }
        let again = if share.jobs > 1 { &mut self.parallel } else { &mut self.alone };
        again.extend(unserved.into_iter().map(|(scenario, _)| scenario));
        served.into_iter().map(|(_, case)| case.kept).collect()
    }

    /// What is left where the target cannot be started again.
    pub(crate) fn give_up(self, share: Share<'a>) -> Vec<&'a Scenario> {
        [share.scenarios, self.parallel, self.alone].concat()
    }
}

/// When the target was seen to be gone: when the first case began that it did not serve, or else when
/// the last one that it served ended.
fn gone_since<K>(served: &[(&Scenario, Ended<K>)], unserved: &[(&Scenario, Ended<K>)]) -> Duration {
    let first = unserved.iter().map(|(_, case)| case.started).min();
    let last = || served.iter().map(|(_, case)| case.over).max();
    first.or_else(last).unwrap_or_default()
}

#[cfg(test)]
mod tests;
