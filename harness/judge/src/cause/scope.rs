//! Where a cause shows.

use std::collections::BTreeSet;
use std::fmt;

use fallproof_protocol::provider::{Endpoint, Surface};

use super::facts::{CallFacts, FaultClass};
use super::symptom::{Run, Symptom, is_of_request};

/// Where a cause shows, compared with where it could show. Empty fields do not narrow the scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The endpoints, if they are few or not all that could show it.
    pub endpoints: Vec<Endpoint>,
    /// `Some(true)` if the cause shows only in streams, `Some(false)` if it shows only outside
    /// streams.
    pub streams: Option<bool>,
    /// `Some(true)` if it shows only in attempts after the first, `Some(false)` if only in the
    /// first.
    pub later_attempts: Option<bool>,
    /// The surfaces of the attempts, if they are not all that could show it.
    pub surfaces: Vec<Surface>,
    /// How the attempts failed after which the cause shows. Empty if they failed in more than two
    /// ways.
    pub faults: Vec<FaultClass>,
}

/// The largest number of failures that a scope names.
const MOST_FAULTS: usize = 2;

/// The largest number of endpoints that a scope names.
const MOST_ENDPOINTS: usize = 3;

/// How many calls without a violation it takes to say that the fault shows only elsewhere.
const ENOUGH: usize = 3;

impl Scope {
    pub(super) fn new(run: &Run<'_>, symptom: &Symptom) -> Self {
        let hit: Vec<_> = symptom.hit.iter().filter_map(|at| run.call(*at)).collect();
        let endpoints: BTreeSet<_> = hit.iter().map(|it| it.endpoint).collect();
        // Calls without a violation, although it could show there.
        let missed = || symptom.possible.difference(&symptom.hit).filter_map(|at| run.call(*at));
        let elsewhere = missed().filter(|it| !endpoints.contains(&it.endpoint)).count();
        let is_everywhere =
            symptom.endpoint.is_none() && elsewhere < ENOUGH && endpoints.len() > MOST_ENDPOINTS;
        let mut scope = Self::default();
        if !is_everywhere {
            scope.endpoints = endpoints.iter().copied().collect();
        }
        // A single violation shows no pattern.
        if hit.len() < ENOUGH {
            return scope;
        }
        let here = || missed().filter(|it| endpoints.contains(&it.endpoint));
        let is_streamed = hit[0].is_streamed;
        let others_are_not = here().filter(|it| it.is_streamed != is_streamed).count() >= ENOUGH;
        if others_are_not && hit.iter().all(|it| it.is_streamed == is_streamed) {
            scope.streams = Some(is_streamed);
        }
        let fingerprints = || symptom.violations.iter().map(|at| (*at, run.fingerprint(*at)));
        let attempts: Option<Vec<_>> = fingerprints().map(|(_, it)| it.attempt).collect();
        if let Some(attempts) = attempts {
            let has_later = hit.iter().filter(|it| it.attempts.len() > 1).count() >= ENOUGH;
            let is_later = attempts.iter().all(|it| *it > 0);
            let is_first = attempts.iter().all(|it| *it == 0);
            if has_later && (is_later || is_first) {
                scope.later_attempts = Some(is_later);
            }
            let surface = |at| {
                Some(run.call(run.call_of(at))?.attempts.get(run.fingerprint(at).attempt?)?.surface)
            };
            let surfaces: BTreeSet<_> = fingerprints().filter_map(|(at, _)| surface(at)).collect();
            let others = run.at_other_surfaces(&endpoints, &surfaces);
            if surfaces.len() == 1 && others >= ENOUGH {
                scope.surfaces = surfaces.into_iter().collect();
            }
        }
        // What a provider gets depends on no failure, but what a client gets does.
        let faults = run.faults(symptom);
        let every_call_fails = hit.iter().all(|it| it.faults().next().is_some());
        let is_of_request = symptom.id.requirement.is_none_or(is_of_request);
        if !is_of_request && every_call_fails && faults.len() <= MOST_FAULTS {
            scope.faults = faults.into_iter().collect();
        }
        scope
    }

    /// The scope without what these calls, which all show the cause, contradict.
    pub(super) fn without_contradicted<'a>(
        mut self,
        calls: impl Iterator<Item = &'a CallFacts>,
    ) -> Self {
        for call in calls {
            if !self.endpoints.is_empty() && !self.endpoints.contains(&call.endpoint) {
                self.endpoints.push(call.endpoint);
                self.endpoints.sort_unstable();
            }
            self.streams = self.streams.filter(|it| *it == call.is_streamed);
            let has_later = call.attempts.len() > 1;
            self.later_attempts = self.later_attempts.filter(|is_later| !is_later || has_later);
            if !call.attempts.iter().any(|it| self.surfaces.contains(&it.surface)) {
                self.surfaces.clear();
            }
            if !call.faults().any(|fault| self.faults.contains(&fault)) {
                self.faults.clear();
            }
        }
        self
    }
}

/// In words, e.g. `chat/completions; streams only; after a 429`. Empty if nothing narrows the
/// scope.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.endpoints.len() <= MOST_ENDPOINTS {
            let names = self.endpoints.iter().map(|it| it.path().trim_start_matches('/'));
            parts.extend(some(&names.collect::<Vec<_>>().join(", ")));
        } else {
            parts.push(format!("{} endpoints", self.endpoints.len()));
        }
        match self.streams {
            Some(true) => parts.push("streams only".to_owned()),
            Some(false) => parts.push("not in streams".to_owned()),
            None => {}
        }
        match self.later_attempts {
            Some(true) => parts.push("after the first attempt".to_owned()),
            Some(false) => parts.push("first attempt only".to_owned()),
            None => {}
        }
        let surfaces = self.surfaces.iter().map(|it| it.name());
        parts.extend(some(&surfaces.collect::<Vec<_>>().join(" and ")).map(|it| it + " only"));
        let faults = self.faults.iter().map(ToString::to_string);
        parts
            .extend(some(&faults.collect::<Vec<_>>().join(" or ")).map(|it| format!("after {it}")));
        f.write_str(&parts.join("; "))
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// As it follows the word "after".
impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("a refusal by the provider"),
            Self::Status(status) => write!(f, "a {status}"),
            Self::Connection => f.write_str("a broken connection"),
            Self::Timeout => f.write_str("a timeout"),
            Self::InvalidResponse => f.write_str("an invalid response"),
            Self::ErrorInSuccess => f.write_str("an error in a success response"),
            Self::Interrupted => f.write_str("an interrupted stream"),
        }
    }
}
