//! The plan: the configuration that a target needs for the scenarios of a run.
//!
//! Plans are deterministic: the same scenarios and addresses give the same plan. So a gateway that
//! was configured from a plan remains up to date until the scenarios change.

mod addresses;
mod written;

use std::fmt::Write as _;
use std::time::Duration;

use fallproof_protocol::marker::Marker;
use fallproof_protocol::provider::{Endpoint, Surface};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::addresses::{Addresses, Advertised, MockAddress};
use crate::scenario::{self, DeadEnd, Scenario, Settings};
use fallproof_protocol::condition::Condition;

/// Default timeout of one attempt, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: u64 = 30_000;

/// The configuration that a target needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `sha256:` and the hash of all other fields. If it changes, a configured gateway is out of
    /// date.
    pub fingerprint: String,
    /// The address of the mock server, which all deployments share.
    pub mocks: String,
    /// The model groups of all scenarios, usually one per scenario.
    pub groups: Vec<Group>,
}

/// One model group: the name that clients ask for, and its fallback chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Group {
    /// The id of its scenario.
    pub scenario: String,
    /// Its name within the scenario.
    #[serde(skip)]
    pub name: String,
    /// The model name that the client sends.
    pub model: String,
    /// The endpoints that the scenario calls.
    pub endpoints: Vec<Endpoint>,
    /// The policy of the group.
    pub policy: Policy,
    /// The deployments, in the order in which to try them.
    pub chain: Vec<Deployment>,
    /// Deployments to try instead, in order, if a request is too long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_context_length: Vec<Deployment>,
    /// Deployments to try instead, in order, if a content filter refuses a request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_content_filter: Vec<Deployment>,
}

/// The policy of a group. The target chooses the values that are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Number of retries at a deployment before the next one is tried.
    pub retries: u32,
    /// Timeout of one attempt, in milliseconds.
    pub timeout_ms: u64,
    /// Timeout of one call with all its attempts, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_timeout_ms: Option<u64>,
    /// Cooldown after repeated failures; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// Limit on the wait that a deployment requests with a 429 or 503 response, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retry_after_ms: Option<u64>,
    /// The failures that cause a fallback to the next deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_on: Option<Vec<Condition>>,
}

/// When a deployment's cooldown starts, and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooldown {
    /// Number of consecutive failures that start the cooldown.
    pub after_failures: u32,
    /// How long the cooldown lasts, in milliseconds. During this time, the deployment gets no
    /// attempts.
    pub duration_ms: u64,
}

/// One deployment of a chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deployment {
    /// The deployment's name in the scenario.
    pub name: String,
    /// `openai` or `azure`.
    pub provider: &'static str,
    /// `openai`, or `v1` or `legacy` for Azure.
    pub surface: &'static str,
    /// The model that it serves.
    pub model: String,
    /// The name that requests must include: the model on OpenAI, the deployment's name on Azure.
    pub deployment_name: String,
    /// Scheme, address and path prefix, without a trailing slash.
    pub host: String,
    /// `host` with the version path: the base URL for SDKs.
    pub base_url: String,
    /// The `api-version` of Azure's legacy surface.
    pub api_version: Option<String>,
    /// What the gateway sends to it in addition to its credential.
    #[serde(flatten)]
    pub settings: Settings,
    /// Its credential, which is generated and the same in each run.
    pub key: String,
    /// The path prefix that identifies it at the mock server.
    #[serde(skip)]
    pub prefix: String,
    #[serde(skip)]
    surface_kind: Surface,
}

impl Plan {
    /// Creates the plan for these scenarios, in order.
    pub fn new<'a>(
        scenarios: impl IntoIterator<Item = &'a Scenario>,
        addresses: &Addresses,
    ) -> Self {
        let of_scenario = |scenario: &'a Scenario| {
            let groups = scenario.groups.iter();
            groups.map(move |(name, group)| Group::new(scenario, name, group, addresses))
        };
        let groups: Vec<_> = scenarios.into_iter().flat_map(of_scenario).collect();
        Self::of(format!("http://{}", addresses.wire), groups)
    }

    fn of(mocks: String, groups: Vec<Group>) -> Self {
        let text = serde_json::to_string(&(&mocks, &groups))
            .expect("a plan holds only strings and numbers");
        Self { fingerprint: format!("sha256:{}", hex::encode(Sha256::digest(text))), mocks, groups }
    }

    /// The plan for a target that cannot rename models: each deployment has its group's name.
    #[must_use]
    pub fn without_renaming(mut self) -> Self {
        for group in &mut self.groups {
            let special = group.on_context_length.iter_mut().chain(&mut group.on_content_filter);
            for deployment in group.chain.iter_mut().chain(special) {
                deployment.deployment_name.clone_from(&group.model);
            }
        }
        Self::of(self.mocks, self.groups)
    }

    /// The groups of a scenario, in the order of its file.
    pub fn groups_of(&self, scenario: &str) -> &[Group] {
        let Some(first) = self.groups.iter().position(|group| group.scenario == scenario) else {
            return &[];
        };
        let rest = &self.groups[first..];
        let end = rest.iter().position(|group| group.scenario != scenario).unwrap_or(rest.len());
        &rest[..end]
    }

    /// The plan as text, for configuring a gateway by hand.
    pub fn to_text(&self) -> String {
        let mut text = format!("# {}\n", self.fingerprint);
        for group in &self.groups {
            let endpoints: Vec<_> = group.endpoints.iter().map(|it| it.path()).collect();
            let _ = write!(
                text,
                "\n{}\n  scenario   {}\n  endpoints  {}\n  policy     {}\n",
                group.model,
                group.scenario,
                endpoints.join(", "),
                group.policy.describe(),
            );
            let chains = [
                ("", &group.chain),
                ("  if a request is too long\n", &group.on_context_length),
                ("  if a content filter refuses a request\n", &group.on_content_filter),
            ];
            for (when, deployments) in
                chains.into_iter().filter(|(_, deployments)| !deployments.is_empty())
            {
                text.push_str(when);
                for (position, deployment) in deployments.iter().enumerate() {
                    deployment.write(&mut text, &format!("{}.", position + 1));
                }
            }
        }
        text
    }
}

impl Policy {
    fn new(group: &scenario::Group) -> Self {
        Self {
            retries: group.retries.unwrap_or(0),
            timeout_ms: group.timeout.map_or(DEFAULT_TIMEOUT_MS, millis),
            total_timeout_ms: group.total_timeout.map(millis),
            cooldown: group.cooldown.map(|cooldown| Cooldown {
                after_failures: cooldown.after_failures,
                duration_ms: millis(cooldown.duration),
            }),
            max_retry_after_ms: group.max_retry_after.map(millis),
            fallback_on: group.fallback_on.clone(),
        }
    }

    fn describe(&self) -> String {
        let mut parts = vec![format!("retries {}, timeout {} ms", self.retries, self.timeout_ms)];
        parts.extend(self.total_timeout_ms.map(|ms| format!("total timeout {ms} ms")));
        parts.extend(self.cooldown.map(|Cooldown { after_failures, duration_ms }| {
            format!("cooldown of {duration_ms} ms after {after_failures} failures")
        }));
        parts.extend(self.max_retry_after_ms.map(|ms| format!("Retry-After up to {ms} ms")));
        parts.extend(self.fallback_on.as_ref().map(|conditions| {
            let conditions: Vec<_> = conditions.iter().map(ToString::to_string).collect();
            format!("fallback on {}", conditions.join(" "))
        }));
        parts.join(", ")
    }
}

impl Group {
    fn new(
        scenario: &Scenario,
        name: &str,
        described: &scenario::Group,
        addresses: &Addresses,
    ) -> Self {
        let calls = scenario.calls().filter(|planned| planned.send.group == name);
        let mut endpoints: Vec<_> = calls.map(|planned| planned.send.endpoint).collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        let deployments = |names: &[String]| {
            let deployments = names.iter().filter_map(|it| scenario.deployments.get_key_value(it));
            deployments.map(|(name, it)| Deployment::new(scenario, name, it, addresses)).collect()
        };
        Self {
            scenario: scenario.id.clone(),
            name: name.to_owned(),
            model: match name {
                scenario::ONLY_GROUP => scenario.slug(),
                name => format!("{}.{name}", scenario.slug()),
            },
            endpoints,
            policy: Policy::new(described),
            chain: deployments(&described.chain),
            on_context_length: deployments(&described.on_context_length),
            on_content_filter: deployments(&described.on_content_filter),
        }
    }

    /// Every deployment: first the chain, then the special fallbacks.
    pub fn deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.chain.iter().chain(&self.on_context_length).chain(&self.on_content_filter)
    }

    /// The deployment with this name.
    pub fn deployment(&self, name: &str) -> Option<&Deployment> {
        self.deployments().find(|deployment| deployment.name == name)
    }

    /// The deployment with this prefix, and its index in [`deployments`](Self::deployments), from
    /// 0.
    pub fn deployment_at(&self, prefix: &str) -> Option<(usize, &Deployment)> {
        self.deployments().enumerate().find(|(_, deployment)| deployment.prefix == prefix)
    }
}

impl Deployment {
    fn new(
        scenario: &Scenario,
        name: &str,
        deployment: &scenario::Deployment,
        addresses: &Addresses,
    ) -> Self {
        let prefix = format!("/{}/{name}", scenario.slug());
        let address = match deployment.dead_end() {
            Some(DeadEnd::Refusing) => &addresses.refusing,
            Some(DeadEnd::Silent) => &addresses.silent,
            None => &addresses.wire,
        };
        let host = format!("http://{address}{prefix}");
        let surface_kind = deployment.surface;
        let (provider, surface) = names(surface_kind);
        let base_url = match surface_kind {
            Surface::OpenAi => format!("{host}/v1"),
            Surface::AzureV1 => format!("{host}/openai/v1"),
            Surface::AzureLegacy => host.clone(),
        };
        Self {
            name: name.to_owned(),
            provider,
            surface,
            model: deployment.model.clone(),
            deployment_name: deployment.deployment_name.clone(),
            host,
            base_url,
            api_version: deployment.api_version.clone(),
            settings: deployment.settings.clone(),
            key: key(surface_kind, &prefix),
            prefix,
            surface_kind,
        }
    }

    fn write(&self, text: &mut String, number: &str) {
        let version = self
            .api_version
            .as_deref()
            .map_or_else(String::new, |version| format!("\n               api-version {version}"));
        let _ = write!(
            text,
            "  {number} {}\n               {}, deployment {}\n               base URL    {}{version}\n               key         {}\n",
            self.name,
            self.surface_label(),
            self.deployment_name,
            self.base_url,
            self.key,
        );
        for (name, value) in self.settings.all_headers() {
            let _ = writeln!(text, "               header      {name}: {value}");
        }
        for (name, value) in &self.settings.query {
            let _ = writeln!(text, "               query       {name}={value}");
        }
    }

    /// A label for provider and surface: `openai`, `azure v1` or `azure legacy`.
    pub fn surface_label(&self) -> String {
        match self.surface_kind {
            Surface::OpenAi => self.provider.to_owned(),
            Surface::AzureV1 | Surface::AzureLegacy => {
                format!("{} {}", self.provider, self.surface)
            }
        }
    }

    /// The surface, which determines the paths, the form of the credential, and the schemas.
    pub fn surface(&self) -> Surface {
        self.surface_kind
    }

    /// The marker that identifies this deployment's answers.
    pub fn marker(&self) -> Marker {
        Marker::new(&self.prefix)
    }
}

/// The names of the provider and the surface in a plan.
fn names(surface: Surface) -> (&'static str, &'static str) {
    match surface {
        Surface::OpenAi => ("openai", "openai"),
        Surface::AzureV1 => ("azure", "v1"),
        Surface::AzureLegacy => ("azure", "legacy"),
    }
}

/// A credential in the provider's format, different for each deployment.
fn key(surface: Surface, prefix: &str) -> String {
    let digest = hex::encode(Sha256::digest(prefix));
    match surface {
        Surface::OpenAi => format!("sk-fallproof-{}", &digest[..24]),
        Surface::AzureV1 | Surface::AzureLegacy => digest[..32].to_owned(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
