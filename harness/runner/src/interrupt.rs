//! Interruption of a run by the user.

use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::target::RunningTarget;

/// The user's requests to stop.
#[derive(Debug, Clone)]
pub struct Interrupt {
    /// Becomes true when the run must stop.
    pub stop: watch::Receiver<bool>,
    /// Becomes true when the run must stop immediately, without a grace period.
    pub hurry: watch::Receiver<bool>,
}

impl Interrupt {
    /// Whether the run must stop.
    pub fn is_asked(&self) -> bool {
        *self.stop.borrow()
    }

    /// Stops a target. It gets a grace period unless `hurry` is true.
    pub async fn end(&self, target: Box<dyn RunningTarget>) {
        target.stop(stopped(self.hurry.clone()).boxed()).await;
    }
}

/// Returns the result of `work`, or `None` if `asked` becomes true first. In that case `work` is
/// dropped, which also kills a gateway that it is starting.
pub async fn unless<T>(asked: &watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = stopped(asked.clone()) => None,
    }
}

/// Completes when `stop` is true.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // The sender is gone, so `stop` can never become true.
        std::future::pending::<()>().await;
    }
}
