//! Configuration batches. One process of a gateway can serve groups whose global settings are
//! equal.

use std::num::NonZeroUsize;

use serde_json::{Map, Value};

use super::context;
use super::file::{Adapter, Reset};
use super::fill::RenderError;
use super::site::Site;
use fallproof_suite::plan::{Addresses, Deployment, Group, Plan};
use fallproof_suite::scenario::Scenario;

/// A plan, split into batches for one gateway.
#[derive(Debug)]
pub struct ConfigBatches {
    /// The batches, in the order of their first groups. The gateway is started once for each batch.
    pub batches: Vec<ConfigBatch>,
    /// The groups that cannot be configured in the gateway.
    pub unfit: Vec<Unsupported>,
}

/// Scenarios that one start of the gateway can serve.
#[derive(Debug, PartialEq)]
pub struct ConfigBatch {
    /// Values of the gateway's global settings.
    pub settings: Map<String, Value>,
    /// Ids of the scenarios, in plan order.
    pub scenarios: Vec<String>,
    /// Number of groups in these scenarios.
    pub groups: usize,
    /// Names of the settings whose values differ between the batches.
    varying: Vec<String>,
}

impl ConfigBatches {
    /// Records in each batch which settings differ between the batches.
    fn find_varying(&mut self) {
        let Some(first) = self.batches.first().map(|batch| batch.settings.clone()) else { return };
        let differs =
            |name: &str| self.batches.iter().any(|batch| batch.settings[name] != first[name]);
        let varying: Vec<_> = first.keys().filter(|name| differs(name)).cloned().collect();
        for batch in &mut self.batches {
            batch.varying.clone_from(&varying);
        }
    }
}

impl ConfigBatch {
    fn of(settings: Map<String, Value>) -> Self {
        Self { settings, scenarios: Vec::new(), groups: 0, varying: Vec::new() }
    }

    /// Describes the settings that differ between batches, e.g. `retries 1`. Empty if none do.
    pub fn in_words(&self) -> String {
        let settings = self.settings.iter().filter(|(name, _)| self.varying.contains(name));
        let settings: Vec<_> = settings.map(|(name, value)| format!("{name} {value}")).collect();
        settings.join(", ")
    }

    /// Whether the batch has room for this many more groups.
    fn has_room(&self, groups: usize, limit: Option<NonZeroUsize>) -> bool {
        limit.is_none_or(|limit| self.groups + groups <= limit.get())
    }
}

/// A group that cannot be configured in a gateway.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Id of the group's scenario.
    pub scenario: String,
    /// Reason, for the user.
    pub reason: String,
}

impl Adapter {
    /// Returns the plan from which the gateway must be configured for these scenarios.
    pub fn plan<'a>(
        &self,
        scenarios: impl IntoIterator<Item = &'a Scenario>,
        addresses: &Addresses,
    ) -> Plan {
        let plan = Plan::new(scenarios, addresses);
        if self.renames { plan } else { plan.without_renaming() }
    }

    /// Splits a plan into batches that one process of the gateway can serve.
    ///
    /// # Errors
    /// An expression of the adapter cannot be applied to a group.
    pub fn split(&self, plan: &Plan) -> Result<ConfigBatches, RenderError> {
        let mut split = ConfigBatches { batches: Vec::new(), unfit: Vec::new() };
        for groups in plan.groups.chunk_by(|one, next| one.scenario == next.scenario) {
            let scenario = groups[0].scenario.clone();
            let settings = match common_settings(self, groups)? {
                Ok(settings) => settings,
                Err(reason) => {
                    split.unfit.push(Unsupported { scenario, reason });
                    continue;
                }
            };
            let shares = |batch: &ConfigBatch| {
                self.state.reset == Reset::None
                    && batch.settings == settings
                    && batch.has_room(groups.len(), self.groups_per_start)
            };
            let index = split.batches.iter().position(shares).unwrap_or_else(|| {
                split.batches.push(ConfigBatch::of(settings));
                split.batches.len() - 1
            });
            split.batches[index].scenarios.push(scenario);
            split.batches[index].groups += groups.len();
        }
        split.find_varying();
        Ok(split)
    }

    /// Checks that every template can be rendered for the scenarios that the adapter supports.
    ///
    /// # Errors
    /// The first template that cannot be rendered.
    pub fn check(
        &self,
        scenarios: &[Scenario],
        addresses: &Addresses,
        site: &Site,
    ) -> Result<ConfigBatches, RenderError> {
        let supported = scenarios.iter().filter(|it| self.capabilities.skip_reason(it).is_none());
        let batches = self.split(&self.plan(supported, addresses))?;
        for batch in &batches.batches {
            let chosen = scenarios.iter().filter(|it| batch.scenarios.contains(&it.id));
            self.render(&self.plan(chosen, addresses), site)?;
        }
        for version in self.versions() {
            self.install_lines(version)?;
        }
        Ok(batches)
    }
}

/// Returns the settings of a gateway that serves all groups of a scenario, or the reason why no
/// gateway can.
fn common_settings(
    adapter: &Adapter,
    groups: &[Group],
) -> Result<Result<Map<String, Value>, String>, RenderError> {
    let mut common = None;
    if !adapter.renames && shared(groups) {
        let reason =
            "each deployment has the name of its group, so two groups cannot share a deployment";
        return Ok(Err(reason.to_owned()));
    }
    for group in groups {
        if let Some(reason) = unsupported(adapter, group)? {
            return Ok(Err(reason));
        }
        let settings = adapter.settings_for(group)?;
        let common = common.get_or_insert_with(|| settings.clone());
        if *common != settings {
            let differing = settings.keys().filter(|name| common[*name] != settings[*name]);
            let names: Vec<_> = differing.map(String::as_str).collect();
            let names = names.join(", ");
            return Ok(Err(format!(
                "its groups need different values of a global setting: {names}"
            )));
        }
    }
    Ok(Ok(common.unwrap_or_default()))
}

/// Whether two of these groups have a deployment in common.
fn shared(groups: &[Group]) -> bool {
    let is_in =
        |deployment: &Deployment, group: &Group| group.deployment_at(&deployment.prefix).is_some();
    groups.iter().enumerate().any(|(index, group)| {
        groups[index + 1..]
            .iter()
            .any(|other| group.deployments().any(|deployment| is_in(deployment, other)))
    })
}

/// Returns the reason of the first `cannot` that applies to the group.
fn unsupported(adapter: &Adapter, group: &Group) -> Result<Option<String>, RenderError> {
    let context = context::of_planned(group);
    for cannot in &adapter.cannot {
        let applies = cannot
            .when
            .eval(&context)
            .map_err(|error| adapter.eval_error(cannot.when.span(), "cannot.when", &error))?;
        if applies.is_true() {
            return Ok(Some(cannot.reason.clone()));
        }
    }
    Ok(None)
}
