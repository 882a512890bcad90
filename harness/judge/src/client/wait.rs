//! The wait that the response requests from the client. `FP-CLIENT-07`: it is at least the wait
//! that the provider requested, or lasts until the first deployment is back. `FP-CLIENT-10`: if all
//! deployments are cooling down, it ends when the first cooldown ends.

use std::time::Duration;

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, View};
use crate::violation::ClientViolation::{CooldownNotReported, RetryAfterLost};
use crate::{cooldown_state, millis};

pub(super) fn retry_after(found: &mut Collector<'_>, last: &Attempt<'_>, status: u16) {
    let Some(asked) = cooldown_state::requested_wait(found.view, last) else { return };
    let reported = reported_wait(found.view);
    let is_enough = |reported: Duration| {
        let first = first_back(found.view);
        reported >= asked || first.is_some_and(|first| reported + cooldown_state::SLACK >= first)
    };
    if matches!(status, 429 | 503) && !reported.is_some_and(is_enough) {
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
    if !matches!(status, 429 | 503) || !reported.is_some_and(|it| fits(it, first)) {
        let duration_ms = millis(first);
        found.breach(Code::Client10, CooldownNotReported { duration_ms, status, reported });
    }
}

/// Whether the response requests this wait, in any form.
pub(crate) fn reports(view: View<'_>, wait: Duration) -> bool {
    reported_wait(view).is_some_and(|reported| fits(reported, wait))
}

/// Whether the reported wait is the real one. The target may round it up to full seconds, or make it
/// longer at random, so that clients do not all come back at once.
fn fits(reported: Duration, wait: Duration) -> bool {
    let more = Duration::from_secs(2).max(wait / 10 + Duration::from_secs(1));
    reported.saturating_add(cooldown_state::SLACK) >= wait && reported <= wait + more
}

/// The time from the response until any deployment of the chain is back, if all of them are cooling
/// down when the response ends.
fn first_back(view: View<'_>) -> Option<Duration> {
    let answered = view.observed.exchange.started + view.observed.exchange.took;
    let remaining = |chain_index| {
        let state = cooldown_state::CooldownState::of(view, chain_index, usize::MAX);
        state.remaining_at(view, answered)
    };
    let first = (0..view.group.chain.len()).map(remaining).min();
    first.filter(|first| !first.is_zero())
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
