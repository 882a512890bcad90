//! Which deployments are to be left alone for now, by what happened to them before.

use std::time::{Duration, SystemTime};

use fallproof_protocol::condition::Condition;

use crate::observe::{Attempt, Ended, View};
use crate::violation::Reason;

/// No provider is left alone longer because it asks for it, where the group does not say.
const MOST_ASKED_FOR: Duration = Duration::from_secs(60);

/// Times of an external target are known by so much.
pub(super) const SLACK: Duration = Duration::from_millis(250);

/// What is known of a deployment's rest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CooldownState {
    until: Duration,
    reason: Option<Reason>,
    /// Until when it rests at the most, where it can be argued whether an attempt was a failure.
    perhaps_until: Duration,
}

impl CooldownState {
    /// Of the deployment at this place, before this attempt of the step that is judged.
    pub(super) fn of(view: View<'_>, chain_index: usize, before: usize) -> Self {
        let now = view.attempts().filter(|attempt| attempt.number < before);
        let now = now.map(|attempt| (view.step.at, attempt));
        let mut rest = Self::default();
        // As few as it may be, and as many.
        let (mut failures, mut perhaps) = (0, 0);
        for (at, attempt) in
            view.history().chain(now).filter(|(_, it)| it.chain_index == chain_index)
        {
            if let Some(wait) = asked_wait(view, &attempt) {
                rest.prolong(at + wait, Reason::Asked);
            }
            if attempt.ended() == Ended::Success {
                (failures, perhaps) = (0, 0);
                continue;
            }
            let blamed = attempt
                .failure()
                .is_none_or(|failure| Condition::RECOMMENDED.iter().any(|it| it.covers(failure)));
            if !blamed || attempt.cause().is_some() {
                continue;
            }
            perhaps += 1;
            if attempt.ended() == Ended::Interrupted || attempt.is_broken_refusal() {
                failures = 0;
            } else {
                failures += 1;
            }
            let Some(cooldown) = view.group.policy.cooldown else { continue };
            let until = at + Duration::from_millis(cooldown.duration_ms);
            if failures >= cooldown.after_failures {
                rest.prolong(until, Reason::KeptFailing);
            }
            if perhaps >= cooldown.after_failures {
                rest.perhaps_until = rest.perhaps_until.max(until);
            }
        }
        rest
    }

    fn prolong(&mut self, until: Duration, reason: Reason) {
        if until > self.until {
            (self.until, self.reason) = (until, Some(reason));
        }
    }

    /// Why it surely rests at this time, where it does.
    pub(super) fn at(&self, now: Duration) -> Option<Reason> {
        self.reason.filter(|_| now + SLACK < self.until)
    }

    /// Whether it surely does not rest at this time.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        let until = self.until.max(self.perhaps_until);
        until.is_zero() || now > until + SLACK
    }

    /// Whether it has ever been told to rest.
    pub(super) fn has_been(&self) -> bool {
        self.reason.is_some()
    }

    /// How long it rests from this time on.
    pub(super) fn left(&self, now: Duration) -> Duration {
        self.until.saturating_sub(now)
    }
}

/// How long the provider asked to be left alone, with its 429 or 503, as far as that is kept.
pub(super) fn asked_wait(view: View<'_>, attempt: &Attempt<'_>) -> Option<Duration> {
    let most = view.group.policy.max_retry_after_ms.map_or(MOST_ASKED_FOR, Duration::from_millis);
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

/// How long these headers ask to wait: `retry-after-ms`, unless it is 0, before `Retry-After`,
/// which is a number of seconds or a date. That counts from their own date, or else from the time at
/// which they came.
pub(super) fn wait<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    came: SystemTime,
) -> Option<Duration> {
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let fine = header("retry-after-ms").and_then(seconds).map(|thousands| thousands / 1000);
    fine.filter(|wait| !wait.is_zero()).or_else(|| {
        let text = header("retry-after")?;
        seconds(text).or_else(|| {
            let until = httpdate::parse_http_date(text).ok()?;
            let from = header("date").and_then(|date| httpdate::parse_http_date(date).ok());
            Some(until.duration_since(from.unwrap_or(came)).unwrap_or_default())
        })
    })
}
