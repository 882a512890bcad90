//! Paced replies: a delay between chunks ends early when the client has received more of the
//! stream.

use std::collections::HashMap;
use std::time::Duration;

use fallproof_protocol::sse::{self, Event};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

/// Maximum number of delays of a reply that may pass in full. After them, it is clear that the
/// client receives nothing during the delays, and no more delays are needed.
const MOST_FULL_DELAYS: u32 = 2;

/// Passes on reports that a client has received more of a stream, by the prefix of the deployment.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    receipts: Mutex<HashMap<String, watch::Sender<()>>>,
}

impl Pacing {
    /// Reports that the client has received more of this deployment's stream.
    pub(super) fn received(&self, prefix: &str) {
        if let Some(receipts) = self.receipts.lock().get(prefix) {
            receipts.send_replace(());
        }
    }

    /// Returns the pace of a new reply of this deployment.
    pub(super) fn of(&self, prefix: &str) -> Pace {
        let mut receipts = self.receipts.lock();
        let receipts = receipts.entry(prefix.to_owned()).or_default().subscribe();
        Pace { receipts, has_begun: false, full_delays: 0 }
    }
}

/// The pace of one reply.
pub(super) struct Pace {
    receipts: watch::Receiver<()>,
    /// Whether content was sent. Before that, a gateway may hold back events, because it can still
    /// fall back.
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

    /// Records a chunk that was sent.
    pub(super) fn sent(&mut self, chunk: &[u8]) {
        self.has_begun = self.has_begun || sse::events(chunk).iter().any(Event::is_answer);
    }
}
