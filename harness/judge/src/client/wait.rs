//! When the client is told to come back. 07: as late as a provider asked for. 10: when the first
//! deployment is back, where all are put aside.

use std::time::Duration;

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, View};
use crate::violation::ClientViolation::{CooldownUntold, RetryAfterLost};
use crate::{cooldown_state, millis};

pub(super) fn retry_after(found: &mut Collector<'_>, last: &Attempt<'_>, status: u16) {
    let Some(asked) = cooldown_state::asked_wait(found.view, last) else { return };
    let told = told_wait(found.view);
    if matches!(status, 429 | 503) && told.is_none_or(|told| told < asked) {
        let kind = RetryAfterLost { asked_by: last.deployment.name.clone(), asked, status, told };
        found.breach(Code::Client07, kind);
    }
}

/// Where everybody rests nobody is asked, and only the target can say when to come back.
pub(super) fn cooldown(found: &mut Collector<'_>, attempts: &[Attempt<'_>], status: u16) {
    let view = found.view;
    let now = view.step.at;
    let all: Vec<_> = (0..view.group.chain.len())
        .map(|chain_index| cooldown_state::CooldownState::of(view, chain_index, 1))
        .collect();
    if !attempts.is_empty() || !all.iter().all(|rest| rest.at(now).is_some()) {
        return;
    }
    let first = all.iter().map(|rest| rest.left(now)).min().unwrap_or_default();
    let told = told_wait(view);
    // A whole second more is what rounding takes.
    let fits = |told: Duration| {
        told.saturating_add(cooldown_state::SLACK) >= first
            && told <= first + Duration::from_secs(2)
    };
    if !matches!(status, 429 | 503) || !told.is_some_and(fits) {
        found.breach(Code::Client10, CooldownUntold { duration_ms: millis(first), status, told });
    }
}

/// How long the client is told to wait.
fn told_wait(view: View<'_>) -> Option<Duration> {
    let header = |name: &str| {
        let mut headers = view.step.exchange.headers.iter();
        let (_, value) = headers.find(|(it, _)| it.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim)
    };
    let exchange = &view.step.exchange;
    cooldown_state::wait(header, view.started + exchange.started + exchange.took)
}
