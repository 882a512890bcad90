//! What is under test, seen from the runner.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;
use std::time::Duration;

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::record::TargetName;
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use crate::adapter::{Adapter, GatewayClient, Site};
use crate::error::StartError;

/// A way to what is under test: a router in this process, a gateway that runs already, or one that
/// is started here.
pub trait Target: Send + Sync {
    /// What reports call it; as its adapter does by default.
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        future::ready(named(self.adapter())).boxed()
    }

    /// The adapter that says how it is configured, started and spoken to, where there is one.
    fn adapter(&self) -> Option<&Adapter> {
        None
    }

    /// Where it runs, where it is started here as a process.
    fn site(&self) -> Option<&Site> {
        None
    }

    /// Where it expects the mock providers. At port 0 the system chooses.
    fn mocks_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    /// What it must be configured with for these scenarios.
    fn plan(&self, scenarios: &[&Scenario], addresses: Addresses) -> Plan {
        let scenarios = scenarios.iter().copied();
        match self.adapter() {
            Some(adapter) => adapter.plan(scenarios, addresses),
            None => Plan::new(scenarios, addresses),
        }
    }

    /// What it can do and claims; no claim of its own unless its adapter has some.
    fn capabilities(&self) -> Cow<'_, Capabilities> {
        match self.adapter() {
            Some(adapter) => Cow::Borrowed(&adapter.capabilities),
            None => Cow::Owned(Capabilities::default()),
        }
    }

    /// Starts it, or reaches it where it runs already.
    ///
    /// # Errors
    /// It cannot be started, or nothing answers where it was said to be.
    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a>;
}

/// What reports call a gateway of which only the adapter is known, if that.
pub(crate) fn named(adapter: Option<&Adapter>) -> TargetName {
    TargetName {
        adapter: adapter.map(|adapter| adapter.id.clone()),
        ..TargetName::of(adapter.map_or("gateway", |adapter| &adapter.name))
    }
}

/// A target that is being started.
pub type Starting<'a> = BoxFuture<'a, Result<Box<dyn RunningTarget>, StartError>>;

/// What a target is started with.
pub struct Setup<'a> {
    /// What it is configured with.
    pub plan: &'a Plan,
    /// The scenarios that it is started for.
    pub scenarios: &'a [&'a Scenario],
}

/// A target at work.
pub trait RunningTarget: Send + Sync {
    /// The key that its clients give to it.
    fn gateway_key(&self) -> &str;

    /// How a client of this scenario speaks to it.
    fn client(&self, scenario: &Scenario) -> Cow<'_, GatewayClient>;

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

    /// How it ended by itself, where it has; its end is waited for at most so long.
    fn ended(&mut self, _within: Duration) -> BoxFuture<'_, Option<ExitStatus>> {
        future::ready(None).boxed()
    }

    /// Whether it takes another configuration while it runs.
    fn reloads(&self) -> bool {
        false
    }

    /// Gives it another configuration. Only what [reloads](Self::reloads) is asked to.
    fn reload(self: Box<Self>, _: Setup<'_>) -> Starting<'_> {
        unreachable!("it does not reload")
    }

    /// Ends what was started for it: politely until `hurry` is done, then not.
    fn stop(self: Box<Self>, _hurry: BoxFuture<'_, ()>) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }
}
