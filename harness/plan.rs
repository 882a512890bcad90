//! The plan: what a target must be configured with, for the scenarios of a run.
//!
//! It is deterministic: the same scenarios and the same addresses give the same plan, so that a
//! gateway configured from it stays configured until the scenarios change.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use fallproof_mocks::marker::Marker;
use fallproof_mocks::provider::{Deployment, Endpoint, Names, Surface};
use fallproof_mocks::wire::Upstream;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::scenario::{self, DeadEnd, Scenario};

/// How long one attempt may take where a scenario does not say, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: u64 = 30_000;

/// Where the upstreams of a run listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// The wire's listener, which serves every upstream by its path prefix.
    pub wire: SocketAddr,
    /// The port that refuses every connection.
    pub refusing: SocketAddr,
    /// The port that answers no connection.
    pub silent: SocketAddr,
}

impl Addresses {
    /// The stable addresses of a run against an external target: the refusing port is the next one,
    /// the silent one that after it.
    pub fn stable(wire: SocketAddr) -> Self {
        let further = |ports| SocketAddr::new(wire.ip(), wire.port().wrapping_add(ports));
        Self { wire, refusing: further(1), silent: further(2) }
    }
}

/// What a target must be configured with.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// `sha256:` over everything below; it changes when a configured gateway is out of date.
    pub fingerprint: String,
    /// The address that all upstreams share.
    pub upstreams: String,
    /// One private model group for each scenario.
    pub groups: Vec<Group>,
}

/// One model group: the name that clients ask for, and its fallback chain.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// The id of the scenario that it is for.
    pub scenario: String,
    /// The model name that the client sends.
    pub group: String,
    /// The endpoints that the scenario calls.
    pub endpoints: Vec<Endpoint>,
    /// How the group must behave.
    pub policy: Policy,
    /// The deployments in the order they are to be asked.
    pub chain: Vec<Hop>,
}

/// How a group must behave.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Policy {
    /// Further attempts at the same deployment before the next one is asked.
    pub retries: u32,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

/// One deployment of a chain.
#[derive(Debug, Clone, Serialize)]
pub struct Hop {
    /// The upstream's name in the scenario.
    pub upstream: String,
    /// `openai` or `azure`.
    pub provider: &'static str,
    /// `openai`, or for Azure `v1` or `legacy`.
    pub surface: &'static str,
    /// The model that it runs.
    pub model: String,
    /// The name that requests must use: the model on OpenAI, the deployment's name on Azure.
    pub deployment: String,
    /// Scheme, address and path prefix; never a trailing slash.
    pub host: String,
    /// `host` with the version path that SDKs call base URL.
    pub base_url: String,
    /// The `api-version` of Azure's legacy surface.
    pub api_version: Option<String>,
    /// Its credential: made up, the same in each run.
    pub key: String,
    /// The prefix that tells it apart on the wire.
    #[serde(skip)]
    pub prefix: String,
    #[serde(skip)]
    surface_kind: Surface,
}

impl Plan {
    /// Plans these scenarios, in their order.
    pub fn new<'a>(
        scenarios: impl IntoIterator<Item = &'a Scenario>,
        addresses: Addresses,
    ) -> Self {
        let groups: Vec<_> =
            scenarios.into_iter().map(|scenario| Group::new(scenario, addresses)).collect();
        let upstreams = format!("http://{}", addresses.wire);
        let text = serde_json::to_string(&(&upstreams, &groups))
            .expect("a plan holds only strings and numbers");
        Self { fingerprint: format!("sha256:{}", hex(&Sha256::digest(text))), upstreams, groups }
    }

    /// The group of a scenario.
    pub fn group(&self, scenario: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.scenario == scenario)
    }

    /// The plan in words, for somebody who configures a gateway by hand.
    pub fn to_text(&self) -> String {
        let mut text = format!("# {}\n", self.fingerprint);
        for group in &self.groups {
            let endpoints: Vec<_> = group.endpoints.iter().map(|it| it.path()).collect();
            let Policy { retries, timeout_ms } = group.policy;
            let _ = write!(
                text,
                "\n{}\n  scenario   {}\n  endpoints  {}\n  policy     retries {retries}, timeout {timeout_ms} ms\n",
                group.group,
                group.scenario,
                endpoints.join(", "),
            );
            for (position, hop) in group.chain.iter().enumerate() {
                let version = hop.api_version.as_deref().map_or_else(String::new, |version| {
                    format!("\n               api-version {version}")
                });
                let _ = write!(
                    text,
                    "  {}. {}\n               {}, deployment {}\n               base URL    {}{version}\n               key         {}\n",
                    position + 1,
                    hop.upstream,
                    hop.vendor(),
                    hop.deployment,
                    hop.base_url,
                    hop.key,
                );
            }
        }
        text
    }
}

impl Group {
    fn new(scenario: &Scenario, addresses: Addresses) -> Self {
        let mut endpoints: Vec<_> = scenario.steps.iter().map(|step| step.send.endpoint).collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        let chain = scenario
            .group
            .chain
            .iter()
            .filter_map(|name| scenario.upstreams.get(name).map(|upstream| (name, upstream)))
            .map(|(name, upstream)| Hop::new(scenario, name, upstream, addresses))
            .collect();
        Self {
            scenario: scenario.id.clone(),
            group: scenario.slug(),
            endpoints,
            policy: Policy {
                retries: scenario.group.retries.unwrap_or(0),
                timeout_ms: scenario.group.timeout.map_or(DEFAULT_TIMEOUT_MS, millis),
            },
            chain,
        }
    }

    /// The deployment with this upstream name.
    pub fn hop(&self, upstream: &str) -> Option<&Hop> {
        self.chain.iter().find(|hop| hop.upstream == upstream)
    }

    /// The deployment with this prefix, and its place in the chain, from 0.
    pub fn hop_at(&self, prefix: &str) -> Option<(usize, &Hop)> {
        self.chain.iter().enumerate().find(|(_, hop)| hop.prefix == prefix)
    }
}

impl Hop {
    fn new(
        scenario: &Scenario,
        name: &str,
        upstream: &scenario::Upstream,
        addresses: Addresses,
    ) -> Self {
        let prefix = format!("/{}/{name}", scenario.slug());
        let address = match upstream.dead_end() {
            Some(DeadEnd::Refusing) => addresses.refusing,
            Some(DeadEnd::Silent) => addresses.silent,
            None => addresses.wire,
        };
        let host = format!("http://{address}{prefix}");
        let surface_kind = upstream.surface;
        let (provider, surface, base_url) = match surface_kind {
            Surface::OpenAi => ("openai", "openai", format!("{host}/v1")),
            Surface::AzureV1 => ("azure", "v1", format!("{host}/openai/v1")),
            Surface::AzureLegacy => ("azure", "legacy", host.clone()),
        };
        Self {
            upstream: name.to_owned(),
            provider,
            surface,
            model: upstream.model.clone(),
            deployment: upstream.deployment.clone(),
            host,
            base_url,
            api_version: upstream.api_version.clone(),
            key: key(surface_kind, &prefix),
            prefix,
            surface_kind,
        }
    }

    /// Provider and surface in words: `openai`, `azure v1`, `azure legacy`.
    pub fn vendor(&self) -> String {
        match self.surface_kind {
            Surface::OpenAi => self.provider.to_owned(),
            Surface::AzureV1 | Surface::AzureLegacy => {
                format!("{} {}", self.provider, self.surface)
            }
        }
    }

    /// Which paths, credential form and schemas apply.
    pub fn surface(&self) -> Surface {
        self.surface_kind
    }

    /// What the mocks play for this deployment.
    pub fn upstream(&self, described: &scenario::Upstream) -> Upstream {
        Upstream {
            prefix: self.prefix.clone(),
            deployment: Deployment {
                surface: self.surface_kind,
                model: self.model.clone(),
                name: self.deployment.clone(),
                key: self.key.clone(),
            },
            names: Names::Own,
            script: described.script.clone(),
            repeat_last: described.repeat_last,
            marker: self.marker(),
        }
    }

    /// The token in this deployment's answers.
    pub fn marker(&self) -> Marker {
        Marker::new(&self.prefix)
    }
}

/// A credential that looks like the provider's own, different for each deployment.
fn key(surface: Surface, prefix: &str) -> String {
    let digest = hex(&Sha256::digest(prefix));
    match surface {
        Surface::OpenAi => format!("sk-fallproof-{}", &digest[..24]),
        Surface::AzureV1 | Surface::AzureLegacy => digest[..32].to_owned(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
