//! Makes a case simpler, step by step, for as long as it still shows what it was found for.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::case::{FuzzCase, Step};
use super::repair::Acceptor;
use super::simpler::{Edit, edits};

/// A case on its way to its simplest form.
pub struct Shrinking {
    best: FuzzCase,
    /// Who accepts what the best one asks.
    accepted: Accepted,
    current: FuzzCase,
    /// Whether chain and policy must stay, because the target is configured for them.
    fixed: bool,
    left: Option<VecDeque<Edit>>,
    tried: HashSet<u64>,
}

impl Shrinking {
    /// Begins with this case.
    pub fn new(case: FuzzCase, fixed: bool) -> Self {
        let tried = HashSet::from([hash(&case)]);
        let accepted = Accepted::of(&case);
        Self { best: case.clone(), accepted, current: case, fixed, left: None, tried }
    }

    /// The case to try, or what it has come to.
    pub fn current(&self) -> &FuzzCase {
        &self.current
    }

    /// Goes on from this case, which was the current one before.
    pub fn take(&mut self, case: FuzzCase) {
        self.current = case;
    }

    /// The current case shows it: tries a simpler one. False where there is none.
    pub fn simplify(&mut self) -> bool {
        self.best = self.current.clone();
        self.accepted = Accepted::of(&self.best);
        self.left = None;
        self.complicate()
    }

    /// The current case does not show it: tries another one. False where there is none; then the
    /// current case is the simplest that shows it.
    pub fn complicate(&mut self) -> bool {
        let (best, fixed) = (&self.best, self.fixed);
        let left = self.left.get_or_insert_with(|| edits(best, fixed));
        while let Some(edit) = left.pop_front() {
            let mut case = best.clone();
            edit(&mut case);
            // What shows with a valid request is not told by an invalid one, and never the other way
            // batch.
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

/// Whether the first request is one that the first, and that every deployment accepts.
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

/// Whether something happens in it, and somebody can answer.
fn can_run(case: &FuzzCase) -> bool {
    !case.chain.is_empty() && case.requests().next().is_some()
}

/// The same for cases that run alike.
fn hash(case: &FuzzCase) -> u64 {
    let mut hasher = DefaultHasher::new();
    let FuzzCase { endpoint: _, group: _, chain, retries, timeout, cooldown, steps } = case;
    format!("{chain:?} {retries} {timeout:?} {cooldown:?}").hash(&mut hasher);
    for step in steps {
        match step {
            Step::Call(request) => (&request.headers, request.text()).hash(&mut hasher),
            Step::Advance(by) => by.hash(&mut hasher),
        }
    }
    hasher.finish()
}
