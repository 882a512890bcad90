//! How a run is ended by its user.

use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::target::RunningTarget;

/// What the user has asked for.
#[derive(Debug, Clone)]
pub struct Interrupt {
    /// Holds true once the run is to end.
    pub stop: watch::Receiver<bool>,
    /// Holds true once nothing is to be waited for any more.
    pub hurry: watch::Receiver<bool>,
}

impl Interrupt {
    /// Whether the run is to end.
    pub fn is_asked(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends a target: politely, unless there is hurry.
    pub async fn end(&self, target: Box<dyn RunningTarget>) {
        target.stop(stopped(self.hurry.clone()).boxed()).await;
    }
}

/// What comes of this work, unless `asked` holds true before: then it is given up, with the gateway
/// that it may be starting, which must not be left behind.
pub async fn unless<T>(asked: &watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = stopped(asked.clone()) => None,
    }
}

/// Done when `stop` holds true.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}
