//! The hunt: case after case, on all cores, until they are through or the time is up. It goes on
//! after a finding, and keeps the first case of each cause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fallproof_protocol::provider::Endpoint;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::arena::Arena;
use super::cause::Cause;
use super::dice::{Dice, rng};
use super::draft::Draft;
use super::draw::{self, Scope};
use super::shrink::Shrinking;
use fallproof_judge::Violation;
use fallproof_runner::drive::stopped;
use fallproof_runner::error::StartError;

/// What is hunted for, and for how long.
#[derive(Debug, Clone)]
pub struct Hunt {
    /// What cases may have.
    pub scope: Scope,
    /// Tells every case.
    pub seed: u64,
    /// How many cases there are; as many as fit in the time where it is `None`.
    pub cases: Option<u64>,
    /// When the last case begins, at the latest.
    pub until: Option<Instant>,
    /// Threads that hunt side by side.
    pub threads: usize,
}

/// Findings of one cause.
#[derive(Debug, Clone)]
pub struct Find {
    /// What they have in common.
    pub cause: Cause,
    /// The number of the first case, from 0.
    pub case: u64,
    /// The first case itself.
    pub draft: Draft,
    /// What was found there.
    pub violation: Violation,
    /// In how many cases it was found.
    pub count: u64,
    /// Where their calls went.
    pub endpoints: BTreeSet<Endpoint>,
}

/// How far a hunt has come.
#[derive(Debug, Default)]
pub struct Tally {
    cases: AtomicU64,
    finds: Mutex<BTreeMap<Cause, Find>>,
    unsteady: AtomicU64,
    unjudged: Mutex<Unjudged>,
    harness_errors: Mutex<Vec<(u64, String)>>,
}

/// Cases of which nothing can be said.
#[derive(Debug, Clone, Default)]
pub struct Unjudged {
    /// How many.
    pub count: u64,
    /// Why, of the one that was played first.
    pub reason: String,
    /// Whether the target went away, which ends the hunt.
    pub is_gone: bool,
}

/// Holds true once the user has had enough.
pub type Stop<'a> = &'a watch::Receiver<bool>;

/// Cases that are played by one start of the target.
const BATCH: u64 = 128;

/// A case that hangs holds up its batch; so they have batches of their own, of this size.
const SLOW_BATCH: usize = 48;

/// A case is made simpler in so many tries at most.
const MOST_TRIES: usize = 3_000;

/// Simpler cases that are tried at once at most, where the target is made anew for them.
const TRIED_AT_ONCE: usize = 12;

impl Tally {
    /// How many cases have been played.
    pub fn cases(&self) -> u64 {
        self.cases.load(Ordering::Relaxed)
    }

    /// How many findings did not come again when their case was played alone.
    pub fn unsteady(&self) -> u64 {
        self.unsteady.load(Ordering::Relaxed)
    }

    /// Cases of which nothing can be said.
    pub fn unjudged(&self) -> Unjudged {
        lock(&self.unjudged).clone()
    }

    /// The causes found so far.
    pub fn causes(&self) -> usize {
        lock(&self.finds).len()
    }

    /// What was found, in the order of the requirements.
    pub fn finds(&self) -> Vec<Find> {
        lock(&self.finds).values().cloned().collect()
    }

    /// Cases in which Fallproof itself failed, and how.
    pub fn harness_errors(&self) -> Vec<(u64, String)> {
        lock(&self.harness_errors).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hunt {
    /// The case with this number.
    pub fn draft(&self, case: u64) -> Draft {
        draw::draft(&self.scope, &mut Dice::new(&mut rng(self.seed, case)))
    }

    /// Hunts until the cases are through, the time is up or `stop` is true, and puts down what it
    /// finds. Not to be called from within a runtime.
    ///
    /// # Errors
    /// The target or the upstreams could not be started.
    ///
    /// # Panics
    /// Where a thread panics.
    pub fn run(&self, arena: &Arena, tally: &Tally, stop: Stop<'_>) -> Result<(), StartError> {
        let next = AtomicU64::new(0);
        let threads = if arena.is_fixed() { 1 } else { self.threads };
        thread::scope(|scope| {
            let lanes: Vec<_> = (0..threads)
                .map(|_| {
                    let next = &next;
                    scope.spawn(move || self.lane(arena, tally, stop, next))
                })
                .collect();
            lanes.into_iter().try_for_each(|lane| {
                lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    fn lane(
        &self,
        arena: &Arena,
        tally: &Tally,
        stop: Stop<'_>,
        next: &AtomicU64,
    ) -> Result<(), StartError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(StartError::Router)?;
        let size = if arena.is_fixed() { 1 } else { BATCH };
        let is_over = || {
            *stop.borrow()
                || self.until.is_some_and(|it| Instant::now() >= it)
                || tally.unjudged().is_gone
        };
        // A target that hangs must not hold up whoever ends the hunt.
        let batch = async |cases| {
            tokio::select! {
                played = self.batch(arena, tally, cases) => played,
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
            let cases = (first..end).map(|case| (case, self.draft(case)));
            let (hanging, quick): (Vec<_>, Vec<_>) = cases.partition(|(_, it)| it.is_slow());
            runtime.block_on(batch(quick))?;
            slow.extend(hanging);
            if slow.len() >= SLOW_BATCH {
                runtime.block_on(batch(std::mem::take(&mut slow)))?;
            }
        }
        runtime.block_on(batch(slow))
    }

    async fn batch(
        &self,
        arena: &Arena,
        tally: &Tally,
        numbered: Vec<(u64, Draft)>,
    ) -> Result<(), StartError> {
        let (numbers, drafts): (Vec<_>, Vec<_>) = numbered.into_iter().unzip();
        if drafts.is_empty() {
            return Ok(());
        }
        let played = arena.play(&drafts).await?;
        tally.cases.fetch_add(drafts.len() as u64, Ordering::Relaxed);
        for ((number, draft), played) in numbers.into_iter().zip(drafts).zip(played) {
            if let Some(words) = played.harness_error {
                lock(&tally.harness_errors).push((number, words));
            }
            if let Some(unclear) = played.unjudged {
                let mut unjudged = lock(&tally.unjudged);
                unjudged.count += 1;
                unjudged.is_gone |= arena.is_fixed() && unclear.is_gone();
                if unjudged.count == 1 {
                    unjudged.reason = unclear.to_string();
                }
            }
            let mut found = BTreeMap::new();
            for violation in played.violations {
                found.entry(Cause::of(&violation)).or_insert(violation);
            }
            put_down(arena, tally, (number, &draft), found).await?;
        }
        Ok(())
    }
}

/// Counts what was found in a case; what is new, or earlier than what is known, must come again when
/// the case is played alone.
async fn put_down(
    arena: &Arena,
    tally: &Tally,
    (number, draft): (u64, &Draft),
    mut found: BTreeMap<Cause, Violation>,
) -> Result<(), StartError> {
    let is_first =
        |cause: &Cause| lock(&tally.finds).get(cause).is_none_or(|find| number < find.case);
    if found.keys().any(is_first) {
        let alone = arena.play(std::slice::from_ref(draft)).await?;
        let again: Vec<_> = alone.iter().flat_map(|it| &it.violations).map(Cause::of).collect();
        let all = found.len();
        found.retain(|cause, _| again.contains(cause) || !is_first(cause));
        tally.unsteady.fetch_add((all - found.len()) as u64, Ordering::Relaxed);
    }
    let mut finds = lock(&tally.finds);
    for (cause, violation) in found {
        let find = finds.entry(cause.clone()).or_insert_with(|| Find {
            cause,
            case: number,
            draft: draft.clone(),
            violation: violation.clone(),
            count: 0,
            endpoints: BTreeSet::new(),
        });
        find.count += 1;
        find.endpoints.insert(draft.endpoint);
        if number < find.case {
            (find.case, find.draft, find.violation) = (number, draft.clone(), violation);
        }
    }
    Ok(())
}

/// The simplest case that still shows what this one was found for, with what is found there; the
/// simplest so far once `stop` is true or the time is up.
///
/// # Errors
/// The target or the upstreams could not be started.
pub async fn shrink(
    find: &Find,
    arena: &Arena,
    limit: Duration,
    stop: Stop<'_>,
) -> Result<(Draft, Violation), StartError> {
    let started = Instant::now();
    let mut shrinking = Shrinking::new(find.draft.clone(), arena.is_fixed());
    let mut simplest = (find.draft.clone(), find.violation.clone());
    let most_at_once = if arena.is_fixed() { 1 } else { TRIED_AT_ONCE };
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
        let played = arena.play(&candidates).await?;
        // The first of them: the simplest, and the same in each run.
        let shows = candidates.into_iter().zip(played).find_map(|(draft, played)| {
            let mut violations = played.violations.into_iter();
            violations.find(|it| Cause::of(it) == find.cause).map(|it| (draft, it))
        });
        goes_on = if let Some((draft, violation)) = shows {
            shrinking.take(draft.clone());
            simplest = (draft, violation);
            at_once = 1;
            shrinking.simplify()
        } else {
            at_once = most_at_once.min(2 * at_once);
            shrinking.complicate()
        };
    }
    Ok(simplest)
}
