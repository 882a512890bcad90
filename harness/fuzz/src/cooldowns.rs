//! Waits between cases for the same group if the target is configured only once. After a reply with
//! `Retry-After`, the target may skip the deployment for that time, which would affect the next
//! case.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use fallproof_protocol::request_log::RecordedRequest;
use parking_lot::Mutex;

/// Time that is added to each wait, because the clocks of the target and of this machine may
/// differ.
const SLACK: Duration = Duration::from_millis(250);

/// The longest wait that a generated case requests with a date.
const DATED: Duration = Duration::from_secs(3);

/// The time at which each group returns to its usual state.
#[derive(Debug, Default)]
pub struct Cooldowns {
    until: Mutex<HashMap<String, Instant>>,
    /// Whether the first plain call for each group went to its first deployment.
    began: Mutex<HashMap<String, bool>>,
}

impl Cooldowns {
    /// Whether no call for this group has been recorded yet.
    pub(super) fn is_new(&self, group: &str) -> bool {
        !self.began.lock().contains_key(group)
    }

    /// Records whether the first plain call for this group went to its first deployment.
    pub(super) fn begin(&self, group: &str, at_first: bool) {
        self.began.lock().insert(group.to_owned(), at_first);
    }

    /// Whether calls for this group go to its first deployment in its usual state. If they do not,
    /// a call cannot show whether the group has returned to this state.
    pub(super) fn began_at_first(&self, group: &str) -> bool {
        self.began.lock().get(group).is_some_and(|at_first| *at_first)
    }

    /// Time until this group returns to its usual state.
    pub(super) fn left(&self, group: &str, now: Instant) -> Duration {
        let until = self.until.lock().get(group).copied();
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Records that this group may cool down for this long.
    pub(super) fn rest(&self, group: &str, duration: Duration, now: Instant) {
        let until = now + duration + SLACK;
        let mut known = self.until.lock();
        let latest = known.entry(group.to_owned()).or_insert(until);
        *latest = until.max(*latest);
    }

    /// Records the wait that this group needs after these attempts, at most `limit`.
    pub(super) fn note<'a>(
        &self,
        group: &str,
        attempts: impl Iterator<Item = &'a RecordedRequest>,
        limit: Duration,
        now: Instant,
    ) {
        let asked = attempts.map(requested_wait).max().unwrap_or_default();
        if !asked.is_zero() {
            self.rest(group, asked.min(limit), now);
        }
    }
}

/// The longest wait that a target may read from the reply to this attempt.
fn requested_wait(attempt: &RecordedRequest) -> Duration {
    if !matches!(attempt.status, Some(429 | 503)) {
        return Duration::ZERO;
    }
    let wait = |(name, value): (&str, &str)| {
        let number = || Duration::try_from_secs_f64(value.trim().parse().ok()?).ok();
        match name.to_ascii_lowercase().as_str() {
            "retry-after-ms" => number().map(|thousandfold| thousandfold / 1000),
            "retry-after" => Some(number().unwrap_or(DATED)),
            _ => None,
        }
    };
    attempt.reply_headers().filter_map(wait).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(status: u16, headers: &str) -> RecordedRequest {
        let reply_head = format!("HTTP/1.1 {status} X\r\n{headers}\r\n").into_bytes();
        RecordedRequest { status: Some(status), reply_head, ..RecordedRequest::default() }
    }

    #[test]
    fn the_longest_reading_counts() {
        for (status, headers, ms) in [
            (429, "Retry-After: 7\r\n", 7_000),
            (429, "retry-after: 1\r\nretry-after-ms: 494\r\n", 1_000),
            (503, "retry-after: Fri, 27 Nov 2026 10:00:00 GMT\r\n", 3_000),
            (429, "", 0),
            (500, "retry-after: 7\r\n", 0),
        ] {
            let wait = requested_wait(&attempt(status, headers));
            assert_eq!(wait, Duration::from_millis(ms), "{status} {headers}");
        }
    }

    #[test]
    fn a_group_cools_down_as_long_as_its_deployment_asked_within_the_limit() {
        let (cooldowns, now) = (Cooldowns::default(), Instant::now());
        let attempts = [attempt(500, ""), attempt(429, "retry-after: 20\r\n")];
        cooldowns.note("one", attempts.iter(), Duration::from_secs(1), now);
        assert_eq!(cooldowns.left("one", now), Duration::from_millis(1_250));
        assert_eq!(cooldowns.left("one", now + Duration::from_secs(2)), Duration::ZERO);
        assert_eq!(cooldowns.left("other", now), Duration::ZERO);
    }
}
