//! `FP-ROUTE-06`: a deployment that sent `Retry-After` gets no attempt until that time has passed.
//! `FP-ROUTE-07`: a deployment that failed repeatedly gets no attempt during its cooldown.

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::cooldown_state::Cooldowns;
use crate::excuse::Excuse;
use crate::millis;
use crate::observe::{Attempt, View};
use crate::violation::CooldownReason;
use crate::violation::RouteViolation::InCooldown;

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let now = found.view.observed.at;
    let mut cooldowns = Cooldowns::before(found.view);
    for attempt in attempts {
        let state = cooldowns.of(attempt.chain_index);
        cooldowns.take(attempt);
        let Some(why) = state.forbids(found.view, attempt) else { continue };
        let requirement = match why {
            CooldownReason::RetryAfter => Code::Route06,
            CooldownReason::RepeatedFailures => Code::Route07,
        };
        let duration_ms = millis(state.remaining(now));
        found.breach(requirement, InCooldown { why, duration_ms }).at(attempt);
    }
}

/// The excuse of a target that declares a cooldown of its own. `None` for the first call to the
/// group, before which no deployment can be cooling down.
pub(crate) fn own_cooldown_excuse(view: View<'_>) -> Option<Excuse> {
    let was_asked = view.history().next().is_some() || view.observed.call > 0;
    view.capabilities.own_cooldown.clone().filter(|_| was_asked).map(Excuse::OwnCooldown)
}
