//! The interface between the runner and its target.

use std::borrow::Cow;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;
use std::time::Duration;

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::plan::{Addresses, MockAddress, Plan};
use fallproof_suite::record::TargetName;
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use crate::adapter::{Adapter, GatewayClient, Site};
use crate::error::StartError;

/// The target of a run: a router in this process, a running gateway, or a gateway that Fallproof
/// starts.
pub trait Target: Send + Sync {
    /// Identity for reports. By default, the name of the target's adapter.
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        future::ready(named(self.adapter())).boxed()
    }

    /// The target's adapter, if there is one.
    fn adapter(&self) -> Option<&Adapter> {
        None
    }

    /// Location of the process, if Fallproof starts one.
    fn site(&self) -> Option<&Site> {
        None
    }

    /// Where the mock providers listen, and how the target reaches them. By default, the system
    /// chooses their ports on loopback.
    fn mocks(&self) -> MockAddress {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()
    }

    /// Returns the plan from which the target must be configured for these scenarios.
    fn plan(&self, scenarios: &[&Scenario], addresses: &Addresses) -> Plan {
        let scenarios = scenarios.iter().copied();
        match self.adapter() {
            Some(adapter) => adapter.plan(scenarios, addresses),
            None => Plan::new(scenarios, addresses),
        }
    }

    /// The target's capabilities. By default, those of its adapter or, without an adapter, the
    /// default capabilities.
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

/// The identity of a gateway, taken from its adapter. Without an adapter, the name is `gateway`.
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
    /// The plan from which to configure the target.
    pub plan: &'a Plan,
    /// The scenarios for which the target is started.
    pub scenarios: &'a [&'a Scenario],
}

/// A running target.
pub trait RunningTarget: Send + Sync {
    /// API key that clients send to the target.
    fn gateway_key(&self) -> &str;

    /// Returns how clients call the target in this scenario.
    fn client(&self, scenario: &Scenario) -> Cow<'_, GatewayClient>;

    /// Prepares for a case of this scenario.
    ///
    /// # Errors
    /// The target cannot be called. This is a fault of the machine, not of the target.
    fn case_starts(&self, _: &Scenario) -> io::Result<()> {
        Ok(())
    }

    /// Releases what only a case of this scenario needed. No more calls follow.
    fn case_ended(&self, _: &Scenario) {}

    /// Advances the target's simulated clock for this scenario. Returns `false` if the target uses
    /// real time: the runner then has to wait.
    fn advance(&self, _: &Scenario, _: Duration) -> bool {
        false
    }

    /// Whether the target has a simulated clock, which [`advance`](Self::advance) moves.
    fn has_own_clock(&self) -> bool {
        false
    }

    /// Whether a preflight must check that the target's groups reach the mocks. This is necessary
    /// if the target was configured outside Fallproof's control.
    fn needs_preflight(&self) -> bool {
        true
    }

    /// Waits at most `within` for the process to exit. Returns its exit status if it has exited.
    fn ended(&mut self, _within: Duration) -> BoxFuture<'_, Option<ExitStatus>> {
        future::ready(None).boxed()
    }

    /// Whether the target can reload its configuration.
    fn reloads(&self) -> bool {
        false
    }

    /// Reloads the target with a new configuration. Only called if the target
    /// [reloads](Self::reloads).
    fn reload(self: Box<Self>, _: Setup<'_>) -> Starting<'_> {
        unreachable!("it does not reload")
    }

    /// Stops the target, if Fallproof started it. Kills it after a grace period, or when `hurry`
    /// completes.
    fn stop(self: Box<Self>, _hurry: BoxFuture<'_, ()>) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }
}
