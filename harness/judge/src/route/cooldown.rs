//! 06: who asks to be left alone is. 07: who keeps failing is put aside.

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::cooldown_state::CooldownState;
use crate::excuse::Excuse;
use crate::millis;
use crate::observe::{Attempt, View};
use crate::violation::Reason;
use crate::violation::RouteViolation::InCooldown;

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let now = found.view.step.at;
    for attempt in attempts {
        let rest = CooldownState::of(found.view, attempt.chain_index, attempt.number);
        let Some(why) = rest.at(now) else { continue };
        let requirement = match why {
            Reason::Asked => Code::Route06,
            Reason::KeptFailing => Code::Route07,
        };
        let duration_ms = millis(rest.left(now));
        found.breach(requirement, InCooldown { why, duration_ms }).at(attempt);
    }
}

/// Why a deployment of the group may rest that the group itself does not put aside, where it can
/// have failed before.
pub(crate) fn may_rest(view: View<'_>) -> Option<Excuse> {
    let was_asked = view.history().next().is_some() || view.step.call > 0;
    view.capabilities.own_cooldown.clone().filter(|_| was_asked).map(Excuse::OwnCooldown)
}
