//! Shrinks a case step by step while it still reproduces its failure.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::case::{FuzzCase, Step};
use super::repair::Acceptor;
use super::simpler::{Edit, edits};

/// A case that is being shrunk.
pub struct Shrinking {
    best: FuzzCase,
    /// Which deployments accept the request of `best`.
    accepted: Accepted,
    current: FuzzCase,
    /// Whether the chain and the policy cannot change, because the target is configured for them.
    fixed: bool,
    left: Option<VecDeque<Edit>>,
    tried: HashSet<u64>,
}

impl Shrinking {
    /// Starts to shrink this case.
    pub fn new(case: FuzzCase, fixed: bool) -> Self {
        let tried = HashSet::from([hash(&case)]);
        let accepted = Accepted::of(&case);
        Self { best: case.clone(), accepted, current: case, fixed, left: None, tried }
    }

    /// The case to try next or, when shrinking has ended, the result.
    pub fn current(&self) -> &FuzzCase {
        &self.current
    }

    /// Makes this earlier case the current case again.
    pub fn take(&mut self, case: FuzzCase) {
        self.current = case;
    }

    /// Moves to a simpler case. Call this if the current case reproduces the failure. Returns false
    /// if there is no simpler case.
    pub fn simplify(&mut self) -> bool {
        self.best = self.current.clone();
        self.accepted = Accepted::of(&self.best);
        self.left = None;
        self.complicate()
    }

    /// Moves to another candidate. Call this if the current case does not reproduce the failure.
    /// Returns false if there is no other candidate; the current case is then the simplest that
    /// reproduces the failure.
    pub fn complicate(&mut self) -> bool {
        let (best, fixed) = (&self.best, self.fixed);
        let left = self.left.get_or_insert_with(|| edits(best, fixed));
        while let Some(edit) = left.pop_front() {
            let mut case = best.clone();
            edit(&mut case);
            // A valid request must not become an invalid one: its failure would be a different bug.
            if can_run(&case)
                && self.tried.insert(hash(&case))
                && Accepted::of(&case) >= self.accepted
            {
                self.current = case;
                return true;
            }
        }
        self.current = self.best.clone();
        false
    }
}

/// Whether the first deployment accepts the first request, and whether every deployment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Accepted {
    by_first: bool,
    by_all: bool,
}

impl Accepted {
    fn of(case: &FuzzCase) -> Self {
        let Some(request) = case.requests().next() else {
            return Self { by_first: true, by_all: true };
        };
        let text = request.text();
        let accepts = |acceptor: &Acceptor| acceptor.violation(case.endpoint, &text).is_none();
        let mut chain = case.chain.iter().map(|deployment| &deployment.acceptor);
        let by_first = chain.next().is_none_or(accepts);
        Self { by_first, by_all: by_first && chain.all(accepts) }
    }
}

/// Whether the case has at least one call and one deployment.
fn can_run(case: &FuzzCase) -> bool {
    !case.chain.is_empty() && case.requests().next().is_some()
}

/// Hash of a case. It is equal for cases that run identically.
fn hash(case: &FuzzCase) -> u64 {
    let mut hasher = DefaultHasher::new();
    let FuzzCase { endpoint: _, group: _, chain, retries, timeout, cooldown, .. } = case;
    let FuzzCase { total_timeout, max_retry_after, steps, .. } = case;
    format!("{chain:?} {retries} {timeout:?} {total_timeout:?} {cooldown:?} {max_retry_after:?}")
        .hash(&mut hasher);
    for step in steps {
        match step {
            Step::Call(request) => (&request.headers, request.text()).hash(&mut hasher),
            Step::Advance(by) => by.hash(&mut hasher),
        }
    }
    hasher.finish()
}
