//! What is under test, seen from the runner.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fallproof_suite::declaration::Declaration;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::scenario::Scenario;
use futures_util::future::BoxFuture;

use crate::adapter::{Front, Process};
use crate::error::StartError;

/// A way to what is under test: a router in this process, a gateway that runs already, or one that
/// is started here.
pub trait Target: Send + Sync {
    /// Where it expects the mock providers. At port 0 the system chooses.
    fn mocks_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    /// What it must be configured with for these scenarios.
    fn plan(&self, scenarios: &[&Scenario], addresses: Addresses) -> Plan {
        Plan::new(scenarios.iter().copied(), addresses)
    }

    /// What it can do and claims.
    fn capabilities(&self) -> Cow<'_, Declaration>;

    /// Starts it, or reaches it where it runs already.
    ///
    /// # Errors
    /// It cannot be started, or nothing answers where it was said to be.
    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a>;
}

/// A target that is being started.
pub type Starting<'a> = BoxFuture<'a, Result<Box<dyn RunningTarget>, StartError>>;

/// What a target is started with.
pub struct Setup<'a> {
    /// What it is configured with.
    pub plan: &'a Plan,
    /// The scenarios that it is started for.
    pub scenarios: &'a [&'a Scenario],
    /// The process of an earlier start, which is to read another configuration.
    pub process: Option<Process>,
}

/// A target at work.
pub trait RunningTarget: Send + Sync {
    /// The key that its clients give to it.
    fn gateway_key(&self) -> &str;

    /// How a client of this scenario speaks to it.
    fn front(&self, scenario: &Scenario) -> Cow<'_, Front>;

    /// Moves its clock for this scenario on. `false` where it goes by the clock on the wall, so that
    /// there is nothing but to wait.
    fn advance(&self, _: &Scenario, _: Duration) -> bool {
        false
    }

    /// Whether [`advance`](Self::advance) moves its clock.
    fn has_own_clock(&self) -> bool {
        false
    }

    /// Whether somebody else configured it, so that it must be seen first that its groups lead to
    /// the mocks.
    fn needs_preflight(&self) -> bool {
        true
    }

    /// Its process, where it was started here; it goes on.
    fn release(self: Box<Self>) -> Option<Process> {
        None
    }
}
