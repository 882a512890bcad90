//! The parts of a run, one after the other.

use std::mem;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anstream::eprintln;
use fallproof_judge::Case;
use fallproof_report::model;
use fallproof_report::record::{Ended, Recorder};
use fallproof_runner::adapter::Process;
use fallproof_runner::drive::{Rig, Watch};
use fallproof_runner::error::StartError;
use fallproof_suite::evidence::{CaseResult, Evidence, Inconclusive};
use fallproof_suite::scenario::Scenario;
use tokio::runtime::Runtime;

use super::Stop;
use super::gateway::{Part, Whole};
use super::interrupt::{Interrupt, unless};

/// How often a gateway that ends by itself is started for what is left.
const MOST_STARTS: usize = 10;

/// How long before nobody answered a case may have seen its gateway end, and how long after it the
/// end may be seen.
const WHILE_IT_ENDS: Duration = Duration::from_secs(1);

/// The cases that may have seen the gateway end, which then was gone for those that are left.
fn under_way(done: &[model::Case], left: &[model::Case]) -> Vec<String> {
    let ended = |case: &model::Case| case.started_ms + case.took_ms;
    let gone = left.iter().map(|case| case.started_ms).min_by(f64::total_cmp);
    let gone = gone.or_else(|| done.iter().map(ended).max_by(f64::total_cmp)).unwrap_or_default();
    let seen = |case: &&model::Case| {
        let is_bad = matches!(case.outcome, model::Outcome::Fail | model::Outcome::Inconclusive);
        is_bad && ended(case) + WHILE_IT_ENDS.as_secs_f64() * 1000.0 >= gone
    };
    done.iter().filter(seen).map(|case| case.id.clone()).collect()
}

/// What runs the parts.
pub(super) struct Parts<'a> {
    pub(super) recorder: Recorder<'a>,
    pub(super) runtime: &'a Runtime,
    pub(super) interrupt: &'a Interrupt,
    /// How long a client call waits.
    pub(super) patience: Duration,
    /// When the run started.
    pub(super) clock: Instant,
}

impl Parts<'_> {
    /// Runs them all. Cases that had not ended when the user broke it off are missing.
    pub(super) fn run(&self, whole: &Whole<'_>) -> Result<Vec<model::Case>, Stop> {
        let left_out = whole.left_out.iter();
        let mut cases: Vec<_> = left_out
            .map(|(scenario, reason)| self.not_run(scenario, CaseResult::Skipped(reason.clone())))
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
                // What a gateway could not do in one round says nothing about the next one.
                Err(StartError::Launch(error)) if index > 0 => {
                    let (round, error) = (part.heading.clone(), error.to_string());
                    let unclear = Inconclusive::NotStarted { round, error };
                    let scenarios = part.scenarios.iter();
                    cases.extend(scenarios.map(|scenario| self.inconclusive(scenario, &unclear)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.stop(process);
        Ok(cases)
    }

    /// Runs one part; where its gateway ends by itself, it is started again for what is left. Of
    /// several cases that were under way then, each is run by itself, to tell which one ended it.
    fn part(
        &self,
        part: &Part<'_>,
        process: &mut Option<Process>,
    ) -> Result<Vec<model::Case>, StartError> {
        let mut cases = Vec::new();
        let (mut scenarios, mut alone) = (part.scenarios.clone(), Vec::new());
        for starts_left in (0..MOST_STARTS).rev() {
            let jobs = if alone.is_empty() || starts_left == 0 { part.jobs } else { 1 };
            let mut batch = mem::take(&mut alone);
            if jobs == part.jobs {
                batch.append(&mut scenarios);
            }
            let rig = match self.start(process.take(), &batch, part) {
                Ok(Some(rig)) => rig,
                Ok(None) => break,
                // What ran before it ended by itself is kept.
                Err(StartError::Launch(error)) if starts_left + 1 < MOST_STARTS => {
                    let unclear = Inconclusive::NotStartedAgain { error: error.to_string() };
                    let left = batch.iter().chain(&scenarios);
                    cases.extend(left.map(|scenario| self.inconclusive(scenario, &unclear)));
                    break;
                }
                Err(error) => return Err(error),
            };
            let handle = self.runtime.handle();
            let watch = Judging { rig: &rig, recorder: &self.recorder };
            let ran = rig.run_watched(handle, &batch, jobs, &watch, &self.interrupt.stop);
            *process = rig.release();
            let is_gone = ran.iter().flatten().any(|it| it.is_left);
            let ended = process.as_mut().and_then(|it| self.end_of(it, is_gone));
            if ended.is_some() || !part.reloads() {
                self.stop(process.take());
            }
            let ended = ended.filter(|_| starts_left > 0);
            let (left, done): (Vec<_>, Vec<_>) =
                ran.into_iter().flatten().partition(|it| ended.is_some() && it.is_left);
            let [left, mut done] =
                [left, done].map(|some| some.into_iter().map(|it| it.case).collect::<Vec<_>>());
            let mut under_way = under_way(&done, &left);
            // By itself only the last one can have ended it.
            if ended.is_none() || jobs == 1 || under_way.len() == 1 {
                under_way.clear();
            }
            done.retain(|case| !under_way.contains(&case.id));
            cases.extend(done);
            let is_left = |it: &&Scenario| left.iter().any(|case| case.id == it.id);
            let again = |it: &&Scenario| under_way.contains(&it.id) || jobs == 1 && is_left(it);
            alone = batch.iter().copied().filter(again).collect();
            if jobs > 1 {
                scenarios = batch.into_iter().filter(is_left).collect();
            }
            let number = scenarios.len() + alone.len();
            if number == 0 {
                break;
            }
            if let Some(status) = ended {
                eprintln!(
                    "the gateway ended by itself ({status}); it is started again for {number} more"
                );
            }
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
        let rig = Rig::start_with(process, scenarios, &*part.target, self.patience);
        let rig = self.runtime.block_on(unless(&self.interrupt.stop, rig)).transpose();
        let rig = rig?.map(|rig| rig.counted_from(self.clock));
        if let Some(rig) = &rig {
            self.recorder.target_started(rig.plan());
        }
        Ok(rig)
    }

    /// How a gateway ended, where it has; the end of one that is gone is waited for.
    fn end_of(&self, process: &mut Process, is_gone: bool) -> Option<ExitStatus> {
        if is_gone {
            self.runtime.block_on(process.ended_within(WHILE_IT_ENDS))
        } else {
            process.ended()
        }
    }

    fn stop(&self, process: Option<Process>) {
        self.runtime.block_on(self.interrupt.end(process));
    }

    fn inconclusive(&self, scenario: &Scenario, unclear: &Inconclusive) -> model::Case {
        self.not_run(scenario, CaseResult::Inconclusive(unclear.clone()))
    }

    fn not_run(&self, scenario: &Scenario, result: CaseResult) -> model::Case {
        self.recorder.ended(scenario, &[], &Case::of(scenario, result)).case
    }
}

/// Judges each case as it ends.
struct Judging<'a> {
    rig: &'a Rig,
    recorder: &'a Recorder<'a>,
}

impl Watch for Judging<'_> {
    type Kept = Ended;

    fn started(&self, scenario: &Scenario) {
        self.recorder.started(scenario);
    }

    fn ended(&self, scenario: &Scenario, evidence: Evidence) -> Ended {
        let facts = self.rig.facts(scenario);
        self.recorder.ended(scenario, facts.groups, &Case::new(scenario, facts, evidence))
    }
}
