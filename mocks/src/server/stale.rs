//! Stale connections: those that a deployment had closed or lost before a request arrived on them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::behavior::KeepAliveFault;

/// For each deployment, by prefix, which connections are stale.
///
/// Gateways use a connection for all deployments at one address, so a connection is stale for a
/// deployment and not as such.
#[derive(Debug, Default)]
pub(super) struct StaleConnections {
    deployments: Mutex<HashMap<String, (Duration, KeepAliveFault)>>,
}

impl StaleConnections {
    /// Makes all connections stale that were accepted until `now`.
    pub(super) fn add(&self, prefix: &str, now: Duration, fault: KeepAliveFault) {
        self.deployments.lock().insert(prefix.to_owned(), (now, fault));
    }

    /// The fault of a connection that was accepted at this time, if it is stale.
    pub(super) fn of(&self, prefix: &str, accepted: Duration) -> Option<KeepAliveFault> {
        let (until, fault) = self.deployments.lock().get(prefix).copied()?;
        (accepted <= until).then_some(fault)
    }

    /// Makes all connections to this deployment usable again.
    pub(super) fn forget(&self, prefix: &str) {
        self.deployments.lock().remove(prefix);
    }
}
