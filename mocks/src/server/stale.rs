//! Stale connections: the deployment behaves as if it had closed or lost them before a request
//! arrived on them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::behavior::KeepAliveFault;

/// The connections that are stale for each deployment, by prefix.
///
/// Gateways use the same connection for all deployments at one address, so a connection can be
/// stale for one deployment and usable for another.
#[derive(Debug, Default)]
pub(super) struct StaleConnections {
    deployments: Mutex<HashMap<String, (Duration, KeepAliveFault)>>,
}

impl StaleConnections {
    /// Makes all connections that were accepted until `now` stale for this deployment.
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
