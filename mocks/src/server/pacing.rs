//! Paced replies: a delay between chunks ends early, once the client has received more of the
//! stream.

use std::collections::HashMap;
use std::time::Duration;

use fallproof_protocol::sse::{self, Event};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

/// Number of delays of a reply that may pass in full. After them, its client is known to wait for
/// more than it gets.
const MOST_FULL_DELAYS: u32 = 2;

/// Announces what clients have received, by the prefix of the deployment.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    receipts: Mutex<HashMap<String, watch::Sender<()>>>,
}

impl Pacing {
    /// Announces that the client of this deployment has received more.
    pub(super) fn received(&self, prefix: &str) {
        if let Some(receipts) = self.receipts.lock().get(prefix) {
            receipts.send_replace(());
        }
    }

    /// The pace of a reply that this deployment sends.
    pub(super) fn of(&self, prefix: &str) -> Pace {
        let mut receipts = self.receipts.lock();
        let receipts = receipts.entry(prefix.to_owned()).or_default().subscribe();
        Pace { receipts, has_begun: false, full_delays: 0 }
    }
}

/// The pace of one reply.
pub(super) struct Pace {
    receipts: watch::Receiver<()>,
    /// Whether content was sent. Before that, a gateway may hold back what it has, because it can
    /// still fall back.
    has_begun: bool,
    full_delays: u32,
}

impl Pace {
    /// Waits before the next chunk, at most `delay`.
    pub(super) async fn next(&mut self, delay: Duration) {
        if self.has_begun && self.full_delays < MOST_FULL_DELAYS {
            let is_full = timeout(delay, self.receipts.changed()).await.is_err();
            self.full_delays += u32::from(is_full);
        }
        self.receipts.mark_unchanged();
    }

    /// Takes a chunk that was sent.
    pub(super) fn sent(&mut self, chunk: &[u8]) {
        self.has_begun = self.has_begun || sse::events(chunk).iter().any(Event::is_answer);
    }
}
