//! The wait that the response requests from the client. `FP-CLIENT-07`: it is at least the wait
//! that the provider requested. `FP-CLIENT-10`: if all deployments are cooling down, it ends when
//! the first cooldown ends.

use std::time::Duration;

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, View};
use crate::violation::ClientViolation::{CooldownNotReported, RetryAfterLost};
use crate::{cooldown_state, millis};

pub(super) fn retry_after(found: &mut Collector<'_>, last: &Attempt<'_>, status: u16) {
    let Some(asked) = cooldown_state::requested_wait(found.view, last) else { return };
    let reported = reported_wait(found.view);
    if matches!(status, 429 | 503) && reported.is_none_or(|reported| reported < asked) {
        let asked_by = last.deployment.name.clone();
        let kind = RetryAfterLost { asked_by, asked, status, reported };
        found.breach(Code::Client07, kind);
    }
}

/// If all deployments are cooling down, no attempt is made, so the target itself must report the
/// wait.
pub(super) fn cooldown(found: &mut Collector<'_>, attempts: &[Attempt<'_>], status: u16) {
    let view = found.view;
    let now = view.observed.at;
    let all: Vec<_> = (0..view.group.chain.len())
        .map(|chain_index| cooldown_state::CooldownState::of(view, chain_index, 1))
        .collect();
    if !attempts.is_empty() || !all.iter().all(|state| state.active(now).is_some()) {
        return;
    }
    let first = all.iter().map(|state| state.remaining(now)).min().unwrap_or_default();
    let reported = reported_wait(view);
    // The target may round the wait up to full seconds.
    let fits = |reported: Duration| {
        reported.saturating_add(cooldown_state::SLACK) >= first
            && reported <= first + Duration::from_secs(2)
    };
    if !matches!(status, 429 | 503) || !reported.is_some_and(fits) {
        let duration_ms = millis(first);
        found.breach(Code::Client10, CooldownNotReported { duration_ms, status, reported });
    }
}

/// The wait that the response requests from the client.
fn reported_wait(view: View<'_>) -> Option<Duration> {
    let header = |name: &str| {
        let mut headers = view.observed.exchange.headers.iter();
        let (_, value) = headers.find(|(it, _)| it.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim)
    };
    let exchange = &view.observed.exchange;
    cooldown_state::wait(header, view.started + exchange.started + exchange.took)
}
