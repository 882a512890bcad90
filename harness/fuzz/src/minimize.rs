//! Minimizes a failure: runs simpler and simpler cases, as long as they reproduce it.

use std::time::{Duration, Instant};

use fallproof_judge::Violation;
use fallproof_runner::error::StartError;

use super::campaign::Stop;
use super::case::FuzzCase;
use super::executor::Executor;
use super::shrink::Shrinking;
use super::stats::Failure;
use super::symptom::Symptom;

/// Maximum number of simpler cases to try.
const MOST_TRIES: usize = 3_000;

/// Maximum number of simpler cases to try at once if the target is restarted for them.
const TRIED_AT_ONCE: usize = 12;

/// Returns the simplest case that still reproduces this failure, and its violation. Once `stop` is
/// true or the time is up, returns the simplest case so far. Calls `progress` with the number of
/// cases tried so far.
///
/// # Errors
/// The target or the deployments could not be started.
pub async fn minimize(
    failure: &Failure,
    executor: &Executor,
    limit: Duration,
    stop: Stop<'_>,
    progress: impl Fn(usize),
) -> Result<(FuzzCase, Violation), StartError> {
    let started = Instant::now();
    let mut shrinking = Shrinking::new(failure.case.clone(), executor.is_fixed());
    let mut simplest = (failure.case.clone(), failure.violation.clone());
    let most_at_once = if executor.is_fixed() { 1 } else { TRIED_AT_ONCE };
    // Running candidates after the first success is wasted work, so the first batch is small. Each
    // batch without a success makes the next success less likely, so the batch size grows.
    let (mut tries, mut at_once) = (0, 1);
    let mut goes_on = shrinking.simplify();
    while goes_on && tries < MOST_TRIES && started.elapsed() < limit {
        if *stop.borrow() {
            break;
        }
        let mut candidates = vec![shrinking.current().clone()];
        while candidates.len() < at_once && shrinking.complicate() {
            candidates.push(shrinking.current().clone());
        }
        tries += candidates.len();
        progress(tries);
        let executions = executor.run(&candidates).await?;
        // Take the first candidate that reproduces the failure: it is the simplest one, and the
        // choice is deterministic.
        let shows = candidates.into_iter().zip(executions).find_map(|(case, execution)| {
            let mut violations = execution.violations.into_iter();
            violations.find(|it| Symptom::of(it) == failure.symptom).map(|it| (case, it))
        });
        goes_on = if let Some((case, violation)) = shows {
            shrinking.take(case.clone());
            simplest = (case, violation);
            at_once = 1;
            shrinking.simplify()
        } else {
            at_once = most_at_once.min(2 * at_once);
            shrinking.complicate()
        };
    }
    // The simplest case may have failed only because of state from the cases before it.
    if executor.is_fixed() && simplest.0 != failure.case {
        let alone = executor.run_after_cooldown(&simplest.0).await?;
        let mut violations = alone.into_iter().flat_map(|it| it.violations);
        if !violations.any(|it| Symptom::of(&it) == failure.symptom) {
            return Ok((failure.case.clone(), failure.violation.clone()));
        }
    }
    Ok(simplest)
}
