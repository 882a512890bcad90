//! The time by which deployments rest. Tests move it by hand; timeouts on the network stay real.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where the router reads how long a deployment has rested.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands still until it is moved.
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

/// A clock that stands still until it is moved. Its clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Instant,
    advanced_ms: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at the present.
    pub fn new() -> Self {
        Self { start: Instant::now(), advanced_ms: Arc::default() }
    }

    /// Moves it, by whole milliseconds.
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
