//! The cooldown of a deployment, derived from its earlier attempts.

use std::time::{Duration, SystemTime};

use fallproof_protocol::condition::Condition;

use crate::observe::{Attempt, AttemptOutcome, View};
use crate::violation::CooldownReason;

/// Limit on a requested wait if the group does not set one.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(60);

/// Tolerance when times of an external target are compared.
pub(super) const SLACK: Duration = Duration::from_millis(250);

/// The state of a deployment's cooldown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CooldownState {
    until: Duration,
    reason: Option<CooldownReason>,
    /// The latest possible end of the cooldown: every attempt that may be a failure counts as a
    /// failure.
    latest_end: Duration,
}

impl CooldownState {
    /// The state of the deployment at `chain_index`, before attempt `before` of the judged call.
    pub(super) fn of(view: View<'_>, chain_index: usize, before: usize) -> Self {
        let now = view.attempts().filter(|attempt| attempt.number < before);
        let now = now.map(|attempt| (view.observed, attempt));
        let mut state = Self::default();
        // Lower and upper bounds on the number of consecutive failures.
        let (mut failures, mut at_most) = (0, 0);
        let own = view.history().chain(now).filter(|(_, it)| it.chain_index == chain_index);
        for (call, attempt) in own.filter(|(call, it)| !it.lost_its_client(call)) {
            let at = call.at;
            if let Some(wait) = requested_wait(view, &attempt) {
                state.extend(at + wait, CooldownReason::RetryAfter);
            }
            if attempt.outcome() == AttemptOutcome::Success {
                (failures, at_most) = (0, 0);
                continue;
            }
            let counts = attempt.cause().is_none() && is_of(Condition::RECOMMENDED, &attempt);
            let declared = view.capabilities.fallback_on.as_deref();
            if !counts && !declared.is_some_and(|declared| is_of(declared, &attempt)) {
                continue;
            }
            at_most += 1;
            let is_unclear = !counts
                || attempt.outcome() == AttemptOutcome::Interrupted
                || attempt.is_broken_refusal()
                || declared.is_some_and(|declared| !is_of(declared, &attempt));
            failures = if is_unclear { 0 } else { failures + 1 };
            let Some(cooldown) = view.group.policy.cooldown else { continue };
            let until = at + Duration::from_millis(cooldown.duration_ms);
            if failures >= cooldown.after_failures {
                state.extend(until, CooldownReason::RepeatedFailures);
            }
            if at_most >= cooldown.after_failures {
                state.latest_end = state.latest_end.max(until);
            }
        }
        state
    }

    fn extend(&mut self, until: Duration, reason: CooldownReason) {
        if until > self.until {
            (self.until, self.reason) = (until, Some(reason));
        }
    }

    /// The reason for the cooldown, if the deployment is certainly cooling down at this time.
    pub(super) fn active(&self, now: Duration) -> Option<CooldownReason> {
        self.reason.filter(|_| now + SLACK < self.until)
    }

    /// Whether the deployment is certainly not cooling down at this time.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        let until = self.until.max(self.latest_end);
        until.is_zero() || now > until + SLACK
    }

    /// Whether the deployment has ever been in a cooldown.
    pub(super) fn has_started(&self) -> bool {
        self.reason.is_some()
    }

    /// The remaining time of the cooldown.
    pub(super) fn remaining(&self, now: Duration) -> Duration {
        self.until.saturating_sub(now)
    }
}

/// Whether the attempt failed in one of these ways, or broke off after its first content.
fn is_of(conditions: &[Condition], attempt: &Attempt<'_>) -> bool {
    attempt.failure().is_none_or(|failure| conditions.iter().any(|it| it.covers(failure)))
}

/// The wait that the provider requested with its 429 or 503, capped at the group's limit.
pub(super) fn requested_wait(view: View<'_>, attempt: &Attempt<'_>) -> Option<Duration> {
    let most =
        view.group.policy.max_retry_after_ms.map_or(MAX_REQUESTED_WAIT, Duration::from_millis);
    let header = |name: &str| {
        let mut headers = attempt.recorded.reply_headers();
        headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let answered = attempt.recorded.times.first_byte.unwrap_or(attempt.recorded.times.head);
    let wait = wait(header, view.started + answered)?.min(most);
    matches!(attempt.recorded.status, Some(429 | 503))
        .then_some(wait)
        .filter(|wait| !wait.is_zero())
}

/// The wait that these headers request. `retry-after-ms` takes precedence over `Retry-After` unless
/// its value is 0. `Retry-After` is a number of seconds or a date. A date is relative to the `Date`
/// header or, if there is none, to the time of arrival.
pub(super) fn wait<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    arrived: SystemTime,
) -> Option<Duration> {
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let fine = header("retry-after-ms").and_then(seconds).map(|thousandfold| thousandfold / 1000);
    fine.filter(|wait| !wait.is_zero()).or_else(|| {
        let text = header("retry-after")?;
        seconds(text).or_else(|| {
            let until = httpdate::parse_http_date(text).ok()?;
            let from = header("date").and_then(|date| httpdate::parse_http_date(date).ok());
            Some(until.duration_since(from.unwrap_or(arrived)).unwrap_or_default())
        })
    })
}
