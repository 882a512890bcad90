//! Health of deployments, and their cooldowns.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::config::{Cooldown, Group};
use crate::outcome::{Failure, Unavailable};
use crate::policy;

/// Health of one deployment in one group.
#[derive(Debug)]
pub(crate) struct Health {
    clock: Clock,
    cooldown: Option<Cooldown>,
    max_retry_after: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    current: Option<CoolingDown>,
}

#[derive(Debug, Clone, Copy)]
struct CoolingDown {
    since: Instant,
    length: Duration,
    rate_limited: bool,
}

impl Health {
    pub(crate) fn new(group: &Group, clock: Clock) -> Self {
        let Group { cooldown, max_retry_after, .. } = *group;
        Self { clock, cooldown, max_retry_after, state: Mutex::default() }
    }

    /// The cooldown in progress, if any.
    pub(crate) fn unavailable(&self) -> Option<Unavailable> {
        self.change(|state, now| state.unavailable(now))
    }

    /// Records a complete answer.
    pub(crate) fn succeeded(&self) {
        self.change(|state, _| state.failures_in_a_row = 0);
    }

    /// Records a failure. Failures that blame the request are ignored.
    pub(crate) fn failed(&self, failure: &Failure) {
        if !policy::blames_deployment(failure) {
            return;
        }
        let (asked, rate_limited) = match failure {
            Failure::Refused(answer) => match answer.status {
                StatusCode::TOO_MANY_REQUESTS => (answer.wait, true),
                StatusCode::SERVICE_UNAVAILABLE => (answer.wait, false),
                _ => (None, false),
            },
            _ => (None, false),
        };
        self.change(|state, now| {
            state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
            let cooldown = self
                .cooldown
                .filter(|cooldown| state.failures_in_a_row >= cooldown.after_failures.get());
            let cooldown = cooldown.map_or(Duration::ZERO, |cooldown| cooldown.duration);
            let length = cooldown.max(asked.unwrap_or_default().min(self.max_retry_after));
            // Another call may still be in progress when a cooldown starts. If that call fails, it
            // must not shorten the cooldown.
            if state.unavailable(now).is_none_or(|it| it.remaining < length) {
                state.current = Some(CoolingDown { since: now, length, rate_limited });
            }
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.state.lock();
        change(&mut state, self.clock.now())
    }
}

impl State {
    fn unavailable(&self, now: Instant) -> Option<Unavailable> {
        let CoolingDown { since, length, rate_limited } = self.current?;
        let remaining = length.saturating_sub(now.saturating_duration_since(since));
        (!remaining.is_zero()).then_some(Unavailable { remaining, rate_limited })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use axum::body::Bytes;
    use axum::http::HeaderMap;

    use super::*;
    use crate::clock::ManualClock;
    use crate::outcome::Answer;

    const SECOND: Duration = Duration::from_secs(1);

    fn health(after_failures: Option<u32>) -> (Health, ManualClock) {
        let clock = ManualClock::new();
        let cooldown = after_failures.and_then(NonZeroU32::new);
        let cooldown =
            cooldown.map(|after_failures| Cooldown { after_failures, duration: 5 * SECOND });
        let health = Health {
            clock: Clock::Manual(clock.clone()),
            cooldown,
            max_retry_after: 60 * SECOND,
            state: Mutex::default(),
        };
        (health, clock)
    }

    fn refused(status: u16, wait: Option<Duration>) -> Failure {
        Failure::Refused(Box::new(Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            wait,
        }))
    }

    fn remaining(health: &Health) -> Duration {
        health.unavailable().map(|it| it.remaining).unwrap_or_default()
    }

    #[test]
    fn failures_in_a_row_start_a_cooldown() {
        let (health, clock) = health(Some(2));
        health.failed(&Failure::Timeout);
        health.succeeded();
        health.failed(&Failure::Connection);
        assert_eq!(health.unavailable(), None);
        health.failed(&refused(500, None));
        assert_eq!(
            health.unavailable(),
            Some(Unavailable { remaining: 5 * SECOND, rate_limited: false })
        );
        clock.advance(4 * SECOND);
        assert_eq!(remaining(&health), SECOND);
        clock.advance(SECOND);
        assert_eq!(health.unavailable(), None);
    }

    #[test]
    fn after_a_cooldown_one_failure_is_enough_and_a_success_resets_the_count() {
        let (health, clock) = health(Some(2));
        for _ in 0..2 {
            health.failed(&Failure::InvalidResponse);
        }
        clock.advance(5 * SECOND);
        health.failed(&Failure::InvalidResponse);
        assert_eq!(remaining(&health), 5 * SECOND);
        clock.advance(5 * SECOND);
        health.succeeded();
        health.failed(&Failure::InvalidResponse);
        assert_eq!(health.unavailable(), None);
    }

    #[test]
    fn a_client_error_does_not_count_as_a_failure() {
        let (health, _) = health(Some(1));
        health.failed(&refused(400, Some(SECOND)));
        assert_eq!(health.unavailable(), None);
    }

    #[test]
    fn retry_after_is_respected_up_to_the_limit() {
        for (status, asked, expected) in [(429, 7, 7), (503, 7, 7), (429, 86_400, 60), (500, 7, 0)]
        {
            let (health, _) = health(None);
            health.failed(&refused(status, Some(asked * SECOND)));
            assert_eq!(remaining(&health), expected * SECOND, "{status} with Retry-After {asked}");
            assert_eq!(health.unavailable().is_some_and(|it| it.rate_limited), status == 429);
        }
    }

    #[test]
    fn a_cooldown_is_never_shortened() {
        let (health, clock) = health(Some(1));
        health.failed(&refused(429, Some(30 * SECOND)));
        clock.advance(SECOND);
        health.failed(&Failure::Timeout);
        health.succeeded();
        assert_eq!(
            health.unavailable(),
            Some(Unavailable { remaining: 29 * SECOND, rate_limited: true })
        );
        health.failed(&refused(503, Some(40 * SECOND)));
        assert_eq!(
            health.unavailable(),
            Some(Unavailable { remaining: 40 * SECOND, rate_limited: false })
        );
    }
}
