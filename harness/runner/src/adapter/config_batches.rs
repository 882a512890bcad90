//! What one process of a gateway can serve at once: groups that agree in all that is global to it.

use serde_json::{Map, Value};

use super::context;
use super::file::{Adapter, Reset};
use super::fill::RenderError;
use super::site::Site;
use fallproof_suite::plan::{Addresses, Deployment, Group, Plan};
use fallproof_suite::scenario::Scenario;

/// A plan split for one gateway.
#[derive(Debug)]
pub struct ConfigBatches {
    /// One start of the gateway each, in the order of their first groups; at least one where any
    /// group fits.
    pub batches: Vec<ConfigBatch>,
    /// The groups that it cannot be configured for.
    pub unfit: Vec<Unsupported>,
}

/// One start of a gateway, and what it is started for.
#[derive(Debug, PartialEq)]
pub struct ConfigBatch {
    /// The values of what is global to the gateway.
    pub settings: Map<String, Value>,
    /// The ids of the scenarios, in the order of the plan.
    pub scenarios: Vec<String>,
}

impl ConfigBatch {
    /// Its settings in words, e.g. `retries 1`; empty where nothing is global.
    pub fn in_words(&self) -> String {
        let told: Vec<_> =
            self.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
        told.join(", ")
    }
}

/// A group that a gateway cannot be configured for.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The id of its scenario.
    pub scenario: String,
    /// Why not, in words.
    pub reason: String,
}

impl Adapter {
    /// What this gateway must be configured with for these scenarios.
    pub fn plan<'a>(
        &self,
        scenarios: impl IntoIterator<Item = &'a Scenario>,
        addresses: Addresses,
    ) -> Plan {
        let plan = Plan::new(scenarios, addresses);
        if self.renames { plan } else { plan.without_renaming() }
    }

    /// Splits a plan into what one process of the gateway can serve at once.
    ///
    /// # Errors
    /// An expression of the adapter that cannot be applied to a group.
    pub fn split(&self, plan: &Plan) -> Result<ConfigBatches, RenderError> {
        let mut split = ConfigBatches { batches: Vec::new(), unfit: Vec::new() };
        for groups in plan.groups.chunk_by(|one, next| one.scenario == next.scenario) {
            let scenario = groups[0].scenario.clone();
            let settings = match fitting(self, groups)? {
                Ok(settings) => settings,
                Err(reason) => {
                    split.unfit.push(Unsupported { scenario, reason });
                    continue;
                }
            };
            let shares = |batch: &&mut ConfigBatch| {
                self.state.reset == Reset::None && batch.settings == settings
            };
            match split.batches.iter_mut().find(shares) {
                Some(batch) => batch.scenarios.push(scenario),
                None => split.batches.push(ConfigBatch { settings, scenarios: vec![scenario] }),
            }
        }
        Ok(split)
    }

    /// Puts these scenarios, as far as it can take them, into every template.
    ///
    /// # Errors
    /// The first template that they cannot be put into.
    pub fn check(
        &self,
        scenarios: &[Scenario],
        addresses: Addresses,
        site: &Site,
    ) -> Result<ConfigBatches, RenderError> {
        let able = scenarios.iter().filter(|it| self.capabilities.skip_reason(it).is_none());
        let batches = self.split(&self.plan(able, addresses))?;
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

/// What must be set for a gateway that serves all groups of a scenario; else why none can.
fn fitting(
    adapter: &Adapter,
    groups: &[Group],
) -> Result<Result<Map<String, Value>, String>, RenderError> {
    let mut common = None;
    if !adapter.renames && shared(groups) {
        let reason = "a deployment goes by its group's name, so two groups cannot share one";
        return Ok(Err(reason.to_owned()));
    }
    for group in groups {
        if let Some(reason) = hindrance(adapter, group)? {
            return Ok(Err(reason));
        }
        let settings = adapter.settings_for(group)?;
        if common.get_or_insert_with(|| settings.clone()) != &settings {
            let names: Vec<_> = settings.keys().map(String::as_str).collect();
            let names = names.join(", ");
            return Ok(Err(format!("its groups differ in what is one for all: {names}")));
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

fn hindrance(adapter: &Adapter, group: &Group) -> Result<Option<String>, RenderError> {
    let context = context::of_planned(group);
    for cannot in &adapter.cannot {
        let applies = cannot
            .when
            .eval(&context)
            .map_err(|error| adapter.render_error(cannot.when.span(), "cannot.when", &error))?;
        if applies.is_true() {
            return Ok(Some(cannot.reason.clone()));
        }
    }
    Ok(None)
}
