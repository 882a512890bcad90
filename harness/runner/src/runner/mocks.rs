//! The mocks of a run: set up for its scenarios, and given their scripts.

use std::net::SocketAddr;

use fallproof_mocks::wire::{Upstream, Wire};
use fallproof_protocol::behaviour::Behaviour;
use fallproof_protocol::provider::{Deployment, Names};
use fallproof_suite::plan::{Addresses, Group, Hop, Plan};
use fallproof_suite::scenario::{self, DeadEnd, Scenario};

use crate::error::StartError;

pub(super) struct Mocks {
    pub(super) wire: Wire,
    pub(super) addresses: Addresses,
    /// Why there is no address that answers no connection, where a scenario needs one.
    no_silence: Option<String>,
}

impl Mocks {
    /// Listens there for the attempts of these scenarios.
    pub(super) async fn listen(
        at: SocketAddr,
        scenarios: &[&Scenario],
    ) -> Result<Self, StartError> {
        let wire = Wire::bind(at).await.map_err(|error| StartError::Upstreams(at, error))?;
        let is_needed = scenarios.iter().any(|scenario| needs_silence(scenario));
        let silent = if is_needed { wire.silent_addr() } else { Ok(wire.refusing_addr()) };
        let (silent, no_silence) = match silent {
            Ok(silent) => (silent, None),
            Err(error) => (wire.refusing_addr(), Some(error.to_string())),
        };
        let addresses = Addresses { wire: wire.addr(), refusing: wire.refusing_addr(), silent };
        Ok(Self { wire, addresses, no_silence })
    }

    /// What this scenario needs and is not there.
    pub(super) fn lack(&self, scenario: &Scenario) -> Option<&str> {
        self.no_silence.as_deref().filter(|_| needs_silence(scenario))
    }

    /// Gives the scenario's deployments their scripts, from the start.
    pub(super) fn script(&self, scenario: &Scenario, plan: &Plan) -> Result<(), StartError> {
        for hop in plan.groups_of(&scenario.id).iter().flat_map(Group::hops) {
            if let Some(described) = scenario.upstreams.get(&hop.upstream) {
                self.wire
                    .plug(mock(hop, described))
                    .map_err(|error| StartError::Script(scenario.id.clone(), error))?;
            }
        }
        Ok(())
    }

    /// Has this deployment answer whatever it is asked. `false` where it is no mock that could:
    /// connecting to it fails.
    pub(super) fn answer_all(&self, hop: &Hop, described: &scenario::Upstream) -> bool {
        let script = vec![Behaviour::named("ok")];
        let mock = Upstream { script, repeat_last: true, ..mock(hop, described) };
        described.dead_end().is_none() && self.wire.plug(mock).is_ok()
    }

    /// Forgets what reached these groups.
    pub(super) async fn forget(&self, groups: &[Group]) {
        for hop in groups.iter().flat_map(Group::hops) {
            self.wire.take(&hop.prefix).await;
        }
    }
}

/// Whether one of its deployments has the address that answers no connection.
fn needs_silence(scenario: &Scenario) -> bool {
    scenario.upstreams.values().any(|upstream| upstream.dead_end() == Some(DeadEnd::Silent))
}

/// What the mocks play for this deployment.
fn mock(hop: &Hop, described: &scenario::Upstream) -> Upstream {
    Upstream {
        prefix: hop.prefix.clone(),
        deployment: Deployment {
            surface: hop.surface(),
            model: hop.model.clone(),
            name: hop.deployment.clone(),
            key: hop.key.clone(),
        },
        names: Names::Own,
        script: described.script.clone(),
        repeat_last: described.repeat_last,
        marker: hop.marker(),
    }
}
