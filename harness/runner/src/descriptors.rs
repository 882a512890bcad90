//! The file descriptors of this process. Each connection needs one, and the system limits their number.
//!
//! A scenario runs only once the descriptors that it needs are reserved, so that few run
//! at the same time where the limit is low. If there are none left all the same, for example because
//! the whole machine has none, the scenario ends with a harness error: its target is not to blame.

use std::io;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use fallproof_mocks::server::is_out_of_descriptors;
use fallproof_suite::scenario::{Scenario, Step};
use tokio::sync::{Semaphore, SemaphorePermit};

/// As many as a run can use, and few enough for programs that go through all of them.
const MOST: u64 = 16 * 1024;

/// Descriptors that are not for scenarios: standard streams, reports, the runtime, and the addresses
/// of the mocks.
const OTHERS: u64 = 48;

/// The descriptors of scenarios: their number, and those that are free. The limit belongs to the
/// process, and so does this.
static FOR_SCENARIOS: LazyLock<(usize, Semaphore)> = LazyLock::new(|| {
    // Raises nothing, and returns the limit.
    let number = for_scenarios(rlimit::increase_nofile_limit(0).unwrap_or(MOST));
    (number, Semaphore::new(number))
});

/// How often a client could not connect because there were no descriptors left.
static MISSED: AtomicU64 = AtomicU64::new(0);

/// Raises the limit of this process as far as it may be raised without privileges. The usual limit
/// of some systems, 256, is too low for a run at full speed.
///
/// Call this before the first scenario runs. If it fails, runs are slower.
pub fn raise_limit() {
    let _ = rlimit::increase_nofile_limit(MOST);
}

/// Number of descriptors for scenarios if the limit of the process is `limit`.
fn for_scenarios(limit: u64) -> usize {
    usize::try_from(limit.clamp(OTHERS + 1, MOST) - OTHERS).unwrap_or(1)
}

/// Waits until there are enough descriptors for this scenario, or until no other scenario runs. They
/// are reserved until the result is dropped.
pub(crate) async fn reserve(scenario: &Scenario) -> SemaphorePermit<'static> {
    let (all, free) = &*FOR_SCENARIOS;
    let needed = u32::try_from(needed(scenario).min(*all)).unwrap_or(u32::MAX);
    free.acquire_many(needed).await.expect("it is never closed")
}

/// Number of descriptors that this scenario needs, if its target is in this process. Then both ends of
/// each connection count.
fn needed(scenario: &Scenario) -> usize {
    let calls = scenario.steps.iter().map(|step| match step {
        Step::Calls(calls) => calls.len(),
        Step::Advance(_) => 0,
    });
    // The listener of the target, and for each call a connection and up to two attempts: a mock may
    // close a connection later than the target.
    1 + calls.max().unwrap_or(0) * 2 * 3
}

/// Notes that a client could not connect, if the reason is that there were no descriptors left.
pub(crate) fn note(error: &io::Error) {
    if is_out_of_descriptors(error) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often a client could not connect because there were no descriptors left.
pub(crate) fn missed() -> u64 {
    MISSED.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scenario;

    #[test]
    fn a_scenario_with_many_parallel_calls_needs_more_descriptors() {
        let one = needed(&scenario("routing/rate-limited-goes-on@chat"));
        let eight = needed(&scenario("routing/eight-at-the-same-time"));
        assert!(eight > 4 * one, "{eight} and {one}");
    }

    #[test]
    fn there_is_always_room_for_one_scenario() {
        assert_eq!(for_scenarios(0), 1);
        assert_eq!(for_scenarios(256), 208);
        assert_eq!(for_scenarios(u64::MAX), 16 * 1024 - 48);
    }
}
