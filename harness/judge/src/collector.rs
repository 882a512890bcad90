//! Collects the violations of one call and assigns their severity.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fallproof_suite::requirement::{Code, Level, Severity};

use super::excuse::Excuse;
use crate::observe::View;
use crate::violation::{ClientViolation, Verdict, Violation, ViolationKind};

/// Maximum number of violations of one requirement with one verdict that are kept of a call. More say
/// nothing new: a target can add a thousand members to each of a thousand attempts.
const MOST_ALIKE: usize = 50;

/// The violations of one call.
pub(super) struct Collector<'a> {
    pub(super) view: View<'a>,
    found: Vec<Violation>,
    /// Number of violations in `found`, by requirement and verdict.
    alike: BTreeMap<(Option<Code>, Verdict), usize>,
    /// The latest violation. Its verdict may still change.
    latest: Option<Violation>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(view: View<'a>) -> Self {
        Self { view, found: Vec::new(), alike: BTreeMap::new(), latest: None }
    }

    /// The violations, in the order in which they were added.
    pub(super) fn into_found(mut self) -> Vec<Violation> {
        self.keep_latest();
        self.found
    }

    /// Keeps the latest violation, unless there are enough like it.
    fn keep_latest(&mut self) {
        let Some(latest) = self.latest.take() else { return };
        let alike = self.alike.entry((latest.requirement, latest.verdict)).or_default();
        if *alike < MOST_ALIKE {
            *alike += 1;
            self.found.push(latest);
        }
    }

    /// Adds a breach of a requirement. Its verdict follows from the requirement's level and
    /// severity.
    pub(super) fn breach(
        &mut self,
        requirement: Code,
        kind: impl Into<ViolationKind>,
    ) -> &mut Violation {
        let found = requirement.requirement();
        let verdict = match (found.level, found.severity) {
            (Level::Observation, _) => Verdict::Note,
            (_, Severity::Should) => Verdict::Warn,
            (_, Severity::Must) => Verdict::Fail,
        };
        let kind = kind.into();
        // A waiver of `FP-CLIENT-06` is about statuses of providers. It does not allow a failure of
        // the target itself.
        let is_own = matches!(kind, ViolationKind::Client(ClientViolation::OwnFailure { .. }));
        let may_waive = found.level != Level::Invariant && !is_own;
        let excuse = may_waive.then(|| self.waived(requirement)).flatten();
        self.add(Some(requirement), kind, verdict).excused(excuse)
    }

    /// Adds a missed expectation of the scenario.
    pub(super) fn miss(&mut self, kind: impl Into<ViolationKind>) -> &mut Violation {
        self.add(None, kind.into(), Verdict::Fail)
    }

    /// The reason why the target is exempt from this requirement, if it is. A target is exempt if
    /// it waives this requirement. If it waives any requirement that the scenario proves, other
    /// attempts and another response may follow, so it is also exempt from the `ROUTE` and `CLIENT`
    /// requirements that the scenario does not prove.
    fn waived(&self, requirement: Code) -> Option<Excuse> {
        let may_follow = matches!(requirement.family(), "ROUTE" | "CLIENT")
            && !self.view.scenario.proves.contains(&requirement);
        let follows = || unclaimed(self.view).filter(|_| may_follow);
        waives(self.view, requirement).or_else(follows)
    }

    fn add(
        &mut self,
        requirement: Option<Code>,
        kind: ViolationKind,
        verdict: Verdict,
    ) -> &mut Violation {
        self.keep_latest();
        self.latest.insert(Violation {
            requirement,
            call: self.view.index,
            attempt: None,
            deployment: None,
            pointer: None,
            kind,
            verdict,
            declared: None,
        })
    }
}

/// The reason why the target waives this requirement, if there is one.
pub(super) fn waives(view: View<'_>, requirement: Code) -> Option<Excuse> {
    let reason = view.capabilities.waives(requirement)?.to_owned();
    Some(Excuse::Waived { requirement, reason })
}

/// The reason why the target waives a requirement that the scenario proves, if there is one.
pub(super) fn unclaimed(view: View<'_>) -> Option<Excuse> {
    view.scenario.proves.iter().find_map(|&code| waives(view, code))
}
