//! The clock for cooldowns. Tests can advance it. Network timeouts use real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The clock that measures cooldowns.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A clock that moves only when it is advanced.
    Manual(ManualClock),
}

impl Clock {
    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(clock) => clock.now(),
        }
    }
}

/// A clock that moves only when it is advanced. Clones share the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Instant,
    advanced_ms: Arc<AtomicU64>,
}

impl ManualClock {
    /// Creates a clock that stands still at the current time until it is advanced.
    pub fn new() -> Self {
        Self { start: Instant::now(), advanced_ms: Arc::default() }
    }

    /// Advances the clock. Fractions of a millisecond are ignored.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.advanced_ms.fetch_add(by, Ordering::SeqCst);
    }

    fn now(&self) -> Instant {
        let advanced = Duration::from_millis(self.advanced_ms.load(Ordering::SeqCst));
        self.start.checked_add(advanced).unwrap_or(self.start)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}
