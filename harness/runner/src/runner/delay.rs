//! Measures how much this machine is delayed during a case: how late regular timer ticks are.

use std::pin::pin;
use std::time::{Duration, Instant};

/// Time between two ticks.
const TICK: Duration = Duration::from_millis(20);

/// Delay of a tick that is usual on every machine and does not count.
const USUAL: Duration = Duration::from_millis(50);

/// A clock that can wait until a given time.
pub(super) trait Clock {
    /// The current time.
    fn now(&self) -> Duration;

    /// Waits until this time, but may return late.
    async fn wait_until(&self, due: Duration);
}

/// The clock of this machine.
pub(super) struct RealTime(pub(super) Instant);

impl Clock for RealTime {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn wait_until(&self, due: Duration) {
        tokio::time::sleep_until((self.0 + due).into()).await;
    }
}

/// Returns the result of `work`, and the sum of the delays of all ticks until it completed. The
/// same task polls `work` and the ticks, so the ticks are late whenever the calls of a case are
/// handled late.
pub(super) async fn measured<T>(work: impl Future<Output = T>, clock: impl Clock) -> (T, Duration) {
    let mut work = pin!(work);
    let mut delay = Duration::ZERO;
    loop {
        let due = clock.now() + TICK;
        let done = tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = clock.wait_until(due) => None,
        };
        let late = clock.now().saturating_sub(due);
        if late > USUAL {
            delay += late;
        }
        if let Some(done) = done {
            return (done, delay);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use futures_util::future::poll_fn;
    use std::task::Poll;

    use super::*;

    /// A clock whose ticks are this late, in milliseconds.
    struct Fake {
        now: Cell<Duration>,
        late: RefCell<Vec<u64>>,
    }

    impl Clock for &Fake {
        fn now(&self) -> Duration {
            self.now.get()
        }

        async fn wait_until(&self, due: Duration) {
            let late = self.late.borrow_mut().pop();
            // After the last tick, only the work can complete.
            let Some(late) = late else { return std::future::pending().await };
            self.now.set(due + Duration::from_millis(late));
        }
    }

    /// Measures the delay of work that completes after ticks that are `late`. When the work
    /// completes, the next tick is already `last` milliseconds overdue.
    async fn delay(late: &[u64], last: u64) -> u64 {
        let late: Vec<_> = late.iter().rev().copied().collect();
        let clock = Fake { now: Cell::default(), late: RefCell::new(late) };
        let ticks = clock.late.borrow().len();
        let polls = Cell::new(0);
        let work = poll_fn(|context| {
            if polls.replace(polls.get() + 1) < ticks {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            clock.now.set(clock.now.get() + TICK + Duration::from_millis(last));
            Poll::Ready("done")
        });
        let (done, delay) = measured(work, &clock).await;
        assert_eq!(done, "done");
        u64::try_from(delay.as_millis()).expect("it is short")
    }

    #[tokio::test]
    async fn late_ticks_add_up_and_usual_delays_do_not_count() {
        assert_eq!(delay(&[], 0).await, 0);
        assert_eq!(delay(&[0, 50, 1], 0).await, 0);
        assert_eq!(delay(&[300, 50, 145], 0).await, 445);
    }

    #[tokio::test]
    async fn a_tick_that_is_due_when_the_work_ends_counts() {
        assert_eq!(delay(&[1], 700).await, 700);
    }
}
