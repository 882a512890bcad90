//! Minimizes a failure: simpler cases run for as long as they still show it.

use std::time::{Duration, Instant};

use fallproof_judge::Violation;
use fallproof_runner::error::StartError;

use super::campaign::Stop;
use super::case::FuzzCase;
use super::cause::Cause;
use super::executor::Executor;
use super::shrink::Shrinking;
use super::stats::Failure;

/// So many simpler cases are tried at most.
const MOST_TRIES: usize = 3_000;

/// Simpler cases that are tried at once at most, where the target is started anew for them.
const TRIED_AT_ONCE: usize = 12;

/// The simplest case that still shows this failure, with what is found there; the simplest so far
/// once `stop` is true or the time is up.
///
/// # Errors
/// The target or the deployments could not be started.
pub async fn minimize(
    failure: &Failure,
    executor: &Executor,
    limit: Duration,
    stop: Stop<'_>,
) -> Result<(FuzzCase, Violation), StartError> {
    let started = Instant::now();
    let mut shrinking = Shrinking::new(failure.case.clone(), executor.is_fixed());
    let mut simplest = (failure.case.clone(), failure.violation.clone());
    let most_at_once = if executor.is_fixed() { 1 } else { TRIED_AT_ONCE };
    // The more fail in a row, the more are likely to: only what comes before a success is not in vain.
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
        let executions = executor.run(&candidates).await?;
        // The first of them: the simplest, and the same in each run.
        let shows = candidates.into_iter().zip(executions).find_map(|(case, execution)| {
            let mut violations = execution.violations.into_iter();
            violations.find(|it| Cause::of(it) == failure.cause).map(|it| (case, it))
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
    Ok(simplest)
}
