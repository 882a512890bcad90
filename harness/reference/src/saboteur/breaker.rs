//! A circuit breaker that handles only two outcomes of a trial: success and failure. Any other
//! outcome leaves the trial open.

use std::collections::HashMap;

use parking_lot::Mutex;

/// The state of each deployment that has failed, by prefix.
#[derive(Default)]
pub(super) struct Breaker {
    deployments: Mutex<HashMap<String, Breaks>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    /// It has failed. Its next attempt is a trial.
    Failed,
    /// The trial has begun.
    OnTrial,
}

impl Breaker {
    /// Whether an attempt may be sent to the deployment. If the deployment has failed before, the
    /// attempt is a trial.
    pub(super) fn admits(&self, prefix: &str) -> bool {
        match self.deployments.lock().get_mut(prefix) {
            Some(Breaks::OnTrial) => false,
            Some(failed) => {
                *failed = Breaks::OnTrial;
                true
            }
            None => true,
        }
    }

    /// Records that an attempt has ended with this status, or without one. A status that is neither
    /// a success nor a server error leaves the trial open.
    pub(super) fn ended(&self, prefix: &str, status: Option<u16>) {
        let mut deployments = self.deployments.lock();
        match status {
            Some(200..300) => drop(deployments.remove(prefix)),
            None | Some(500..) => drop(deployments.insert(prefix.to_owned(), Breaks::Failed)),
            Some(_) => {}
        }
    }
}
