//! The mocks of a run. They listen, and hold the scripts of the run's scenarios.

use fallproof_mocks::server::{MockDeployment, MockServer, is_out_of_descriptors};
use fallproof_protocol::behavior::Behavior;
use fallproof_protocol::limits::MOST_BODY_BYTES;
use fallproof_protocol::provider::{self, Names};
use fallproof_protocol::request_log::Limits;
use fallproof_suite::plan::{Addresses, Deployment, Group, MockAddress, Plan};
use fallproof_suite::scenario::{self, DeadEnd, Scenario};

use crate::error::StartError;

/// Limits of the request log. Each case takes its requests out of the log, so this is for the cases
/// that run at the same time, and for what a target sends that belongs to no case.
const LIMITS: Limits = Limits { requests: 10_000, bytes: 64 << 20, body: MOST_BODY_BYTES };

pub(super) struct Mocks {
    pub(super) wire: MockServer,
    pub(super) addresses: Addresses,
    /// Reason why the unresponsive address could not be set up. `None` if it is set up or not
    /// needed.
    no_silent_address: Option<String>,
}

impl Mocks {
    /// Starts listening at this address for the attempts of these scenarios.
    pub(super) async fn listen(
        at: &MockAddress,
        scenarios: &[&Scenario],
    ) -> Result<Self, StartError> {
        let wire = MockServer::bind_with(at.listen, LIMITS).await;
        let wire = wire.map_err(|error| StartError::Deployments(at.listen, error))?;
        let is_needed = scenarios.iter().any(|scenario| needs_silence(scenario));
        let silent = if is_needed { wire.silent_addr() } else { Ok(wire.refusing_addr()) };
        let (silent, no_silent_address) = match silent {
            Ok(silent) => (silent, None),
            Err(error) if is_out_of_descriptors(&error) => {
                return Err(StartError::Deployments(at.listen, error));
            }
            Err(error) => (wire.refusing_addr(), Some(error.to_string())),
        };
        let ports = [wire.addr(), wire.refusing_addr(), silent].map(|address| address.port());
        let addresses = at.told(ports);
        Ok(Self { wire, addresses, no_silent_address })
    }

    /// Reason why the unresponsive address is missing, if this scenario needs it.
    pub(super) fn missing(&self, scenario: &Scenario) -> Option<&str> {
        self.no_silent_address.as_deref().filter(|_| needs_silence(scenario))
    }

    /// Loads the scripts of the scenario's deployments. Each one starts at its first behavior.
    pub(super) fn script(&self, scenario: &Scenario, plan: &Plan) -> Result<(), StartError> {
        for deployment in plan.groups_of(&scenario.id).iter().flat_map(Group::deployments) {
            if let Some(described) = scenario.deployments.get(&deployment.name) {
                self.wire
                    .mount(of_scenario(deployment, described))
                    .map_err(|error| StartError::Script(scenario.id.clone(), error))?;
            }
        }
        Ok(())
    }

    /// Makes this deployment accept every request. Returns `false` if this is impossible because
    /// connecting to the deployment always fails.
    pub(super) fn answer_all(
        &self,
        deployment: &Deployment,
        described: &scenario::Deployment,
    ) -> bool {
        let mock = mock_deployment(deployment, vec![Behavior::named("ok")], true);
        described.dead_end().is_none() && self.wire.mount(mock).is_ok()
    }

    /// Clears the request logs of these groups.
    pub(super) async fn forget(&self, groups: &[Group]) {
        for deployment in groups.iter().flat_map(Group::deployments) {
            self.wire.take(&deployment.prefix).await;
        }
    }
}

/// Whether one of the scenario's deployments has the unresponsive address.
fn needs_silence(scenario: &Scenario) -> bool {
    scenario.deployments.values().any(|deployment| deployment.dead_end() == Some(DeadEnd::Silent))
}

/// The mock of a deployment that follows its script in the scenario.
fn of_scenario(deployment: &Deployment, described: &scenario::Deployment) -> MockDeployment {
    mock_deployment(deployment, described.script.clone(), described.repeat_last)
}

/// The mock of a deployment that follows this script.
pub fn mock_deployment(
    deployment: &Deployment,
    script: Vec<Behavior>,
    repeat_last: bool,
) -> MockDeployment {
    MockDeployment {
        prefix: deployment.prefix.clone(),
        deployment: provider::Deployment {
            surface: deployment.surface(),
            model: deployment.model.clone(),
            name: deployment.deployment_name.clone(),
            key: deployment.key.clone(),
        },
        names: Names::Own,
        script,
        repeat_last,
        marker: deployment.marker(),
    }
}
