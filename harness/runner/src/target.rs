//! The target as the runner sees it.

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

/// What is under test: a router in this process, a running gateway, or a gateway that Fallproof
/// starts.
pub trait Target: Send + Sync {
    /// Identity for reports. By default, the name of its adapter.
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        future::ready(named(self.adapter())).boxed()
    }

    /// Its adapter, if there is one.
    fn adapter(&self) -> Option<&Adapter> {
        None
    }

    /// Location of the process, if Fallproof starts one.
    fn site(&self) -> Option<&Site> {
        None
    }

    /// Address at which it expects the mock providers. The system chooses the port if it is 0.
    fn mocks_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    /// Returns the plan that it must be configured with for these scenarios.
    fn plan(&self, scenarios: &[&Scenario], addresses: Addresses) -> Plan {
        let scenarios = scenarios.iter().copied();
        match self.adapter() {
            Some(adapter) => adapter.plan(scenarios, addresses),
            None => Plan::new(scenarios, addresses),
        }
    }

    /// Its capabilities. By default, those of its adapter, or else the default ones.
    fn capabilities(&self) -> Cow<'_, Capabilities> {
        match self.adapter() {
            Some(adapter) => Cow::Borrowed(&adapter.capabilities),
            None => Cow::Owned(Capabilities::default()),
        }
    }

    /// Starts the target, or connects to it if it is already running.
    ///
    /// # Errors
    /// The target cannot be started, or nothing listens at its URL.
    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a>;
}

/// Identity of a gateway of which at most the adapter is known.
pub(crate) fn named(adapter: Option<&Adapter>) -> TargetName {
    TargetName {
        adapter: adapter.map(|adapter| adapter.id.clone()),
        variant: adapter.and_then(|adapter| adapter.chosen.clone()),
        ..TargetName::of(adapter.map_or("gateway", |adapter| &adapter.name))
    }
}

/// A target that is being started.
pub type Starting<'a> = BoxFuture<'a, Result<Box<dyn RunningTarget>, StartError>>;

/// Input for starting a target.
pub struct Setup<'a> {
    /// The plan to configure it with.
    pub plan: &'a Plan,
    /// The scenarios to start it for.
    pub scenarios: &'a [&'a Scenario],
}

/// A running target.
pub trait RunningTarget: Send + Sync {
    /// Key that clients send to it.
    fn gateway_key(&self) -> &str;

    /// Returns how clients of this scenario call it.
    fn client(&self, scenario: &Scenario) -> Cow<'_, GatewayClient>;

    /// Advances its simulated clock for this scenario. Returns `false` if it uses real time, so
    /// that the runner has to wait.
    fn advance(&self, _: &Scenario, _: Duration) -> bool {
        false
    }

    /// Whether it has a simulated clock, moved by [`advance`](Self::advance).
    fn has_own_clock(&self) -> bool {
        false
    }

    /// Whether a preflight must check that its groups reach the mocks, because it was configured
    /// outside Fallproof's control.
    fn needs_preflight(&self) -> bool {
        true
    }

    /// Returns the exit status if the process has exited, after waiting at most `within`.
    fn ended(&mut self, _within: Duration) -> BoxFuture<'_, Option<ExitStatus>> {
        future::ready(None).boxed()
    }

    /// Whether it can reload its configuration.
    fn reloads(&self) -> bool {
        false
    }

    /// Reloads it with a new configuration. Only called if it [reloads](Self::reloads).
    fn reload(self: Box<Self>, _: Setup<'_>) -> Starting<'_> {
        unreachable!("it does not reload")
    }

    /// Stops it, if it was started by Fallproof. Kills it after a grace period, or when `hurry`
    /// completes.
    fn stop(self: Box<Self>, _hurry: BoxFuture<'_, ()>) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }
}
