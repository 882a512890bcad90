//! Interruption of a run by the user.

use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::target::RunningTarget;

/// Requests of the user.
#[derive(Debug, Clone)]
pub struct Interrupt {
    /// True once the run is to stop.
    pub stop: watch::Receiver<bool>,
    /// True once the run is to stop immediately, without a grace period.
    pub hurry: watch::Receiver<bool>,
}

impl Interrupt {
    /// Whether the run is to stop.
    pub fn is_asked(&self) -> bool {
        *self.stop.borrow()
    }

    /// Stops a target, with a grace period unless there is hurry.
    pub async fn end(&self, target: Box<dyn RunningTarget>) {
        target.stop(stopped(self.hurry.clone()).boxed()).await;
    }
}

/// Returns the result of `work`, or `None` if `asked` becomes true first. Then `work` is dropped,
/// together with a gateway that it may be starting.
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
