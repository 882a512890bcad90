//! The cooldown of a deployment, derived from its earlier attempts.
//!
//! Between calls, the target's clock counts, which a scenario may move forward. It stands still
//! within a call, so the recorded times of the attempts count there.

use std::time::{Duration, SystemTime};

use fallproof_protocol::condition::Condition;

use crate::observe::{Attempt, AttemptOutcome, ObservedCall, View};
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
    /// The recorded time from which the rest of the cooldown runs: that of the failure, or the start
    /// of the judged call if it failed before.
    since: Duration,
    /// The latest possible end of the cooldown: every attempt that may be a failure counts as a
    /// failure.
    latest_end: Duration,
}

/// The states of all deployments of a group, attempt by attempt.
pub(super) struct Cooldowns<'a> {
    view: View<'a>,
    counted: Vec<Counted>,
}

impl<'a> Cooldowns<'a> {
    /// The states before the judged call.
    pub(super) fn before(view: View<'a>) -> Self {
        let mut counted = vec![Counted::default(); view.group.deployments().count()];
        for (call, attempt) in view.history() {
            counted[attempt.chain_index].take(view, call, &attempt);
        }
        Self { view, counted }
    }

    /// The state of the deployment at `chain_index`.
    pub(super) fn of(&self, chain_index: usize) -> CooldownState {
        self.counted[chain_index].state
    }

    /// Adds the next attempt of the judged call.
    pub(super) fn take(&mut self, attempt: &Attempt<'a>) {
        self.counted[attempt.chain_index].take(self.view, self.view.observed, attempt);
    }
}

/// The state of a cooldown, with bounds on the number of consecutive failures.
#[derive(Clone, Copy, Default)]
struct Counted {
    state: CooldownState,
    failures: u32,
    at_most: u32,
}

impl Counted {
    /// Adds the next attempt at the deployment.
    fn take(&mut self, view: View<'_>, call: &ObservedCall<'_>, attempt: &Attempt<'_>) {
        if attempt.lost_its_client(call) {
            return;
        }
        let at = call.at;
        let failed = failed_at(attempt);
        let is_in_call = call.position == view.observed.position;
        let since = if is_in_call { failed } else { view.observed.exchange.started };
        let within_call = failed.saturating_sub(call.exchange.started);
        let Self { state, failures, at_most } = self;
        if let Some(wait) = requested_wait(view, attempt) {
            state.extend(at + wait, since, CooldownReason::RetryAfter);
            state.latest_end = state.latest_end.max(at + within_call + wait);
        }
        if attempt.outcome() == AttemptOutcome::Success {
            (*failures, *at_most) = (0, 0);
            return;
        }
        let counts = attempt.cause().is_none() && is_of(Condition::RECOMMENDED, attempt);
        let declared = view.capabilities.fallback_on.as_deref();
        if !counts && !declared.is_some_and(|declared| is_of(declared, attempt)) {
            return;
        }
        *at_most += 1;
        let is_unclear = !counts
            || attempt.outcome() == AttemptOutcome::Interrupted
            || attempt.is_broken_refusal()
            || declared.is_some_and(|declared| !is_of(declared, attempt));
        *failures = if is_unclear { 0 } else { *failures + 1 };
        let Some(cooldown) = view.group.policy.cooldown else { return };
        let until = at + Duration::from_millis(cooldown.duration_ms);
        if *failures >= cooldown.after_failures {
            state.extend(until, since, CooldownReason::RepeatedFailures);
            // After the cooldown, a target may count from zero, or go on counting.
            *failures = 0;
        }
        if *at_most >= cooldown.after_failures {
            state.latest_end = state.latest_end.max(until + within_call);
        }
    }
}

impl CooldownState {
    /// The state of the deployment at `chain_index`, before attempt `before` of the judged call.
    pub(super) fn of(view: View<'_>, chain_index: usize, before: usize) -> Self {
        let now = view.attempts().take_while(|attempt| attempt.number < before);
        let now = now.map(|attempt| (view.observed, attempt));
        let mut counted = Counted::default();
        for (call, attempt) in view.history().chain(now) {
            if attempt.chain_index == chain_index {
                counted.take(view, call, &attempt);
            }
        }
        counted.state
    }

    fn extend(&mut self, until: Duration, since: Duration, reason: CooldownReason) {
        if until > self.until {
            (self.until, self.since, self.reason) = (until, since, Some(reason));
        }
    }

    /// The reason for the cooldown, if this attempt of the judged call certainly came within it.
    pub(super) fn forbids(&self, view: View<'_>, attempt: &Attempt<'_>) -> Option<CooldownReason> {
        self.active(self.now(view, attempt.recorded.times.head))
    }

    /// The remaining time of the cooldown at this recorded time of the judged call.
    pub(super) fn remaining_at(&self, view: View<'_>, recorded: Duration) -> Duration {
        self.remaining(self.now(view, recorded))
    }

    /// The target's clock at this recorded time of the judged call.
    fn now(&self, view: View<'_>, recorded: Duration) -> Duration {
        view.observed.at + recorded.saturating_sub(self.since)
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

/// The recorded time at which the target could know that the attempt had failed.
pub(super) fn failed_at(attempt: &Attempt<'_>) -> Duration {
    let times = &attempt.recorded.times;
    times.first_byte.or(times.end).unwrap_or(times.head)
}

/// Whether the attempt failed in one of these ways, or after its first content.
fn is_of(conditions: &[Condition], attempt: &Attempt<'_>) -> bool {
    attempt.failure().is_none() || attempt.fails_by(conditions)
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
