//! A circuit breaker that knows only two ends of a trial: success and failure.

use std::collections::HashMap;

use parking_lot::Mutex;

/// What the breaker knows of each deployment that has failed, by prefix.
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
    /// Whether the deployment may get an attempt, which is a trial if it has failed before.
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

    /// Takes the end of an attempt: its status, if it has one. Any other end than a success or a
    /// failure leaves the trial open.
    pub(super) fn ended(&self, prefix: &str, status: Option<u16>) {
        let mut deployments = self.deployments.lock();
        match status {
            Some(200..300) => drop(deployments.remove(prefix)),
            None | Some(500..) => drop(deployments.insert(prefix.to_owned(), Breaks::Failed)),
            Some(_) => {}
        }
    }
}
