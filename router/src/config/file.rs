//! The configuration as YAML, with file and line in every error.

use std::fs;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::base_url::BaseUrl;
use super::condition::Condition;
use super::credential::Credential;
use super::error::{ConfigError, FileError, Problem};
use super::{Config, Cooldown, Deployment, Group, Surface};

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or [`Config::from_yaml`] refuses it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let name = path.as_ref().display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|source| FileError::Unreadable { file: name.clone(), source })?;
        Self::from_yaml(&text, &name)
    }

    /// Reads a configuration; `name` is what errors call it.
    ///
    /// # Errors
    /// The text is not YAML, does not have the shape of a configuration, repeats a name, or a
    /// chain is empty, names a deployment twice or names one that does not exist.
    pub fn from_yaml(text: &str, name: &str) -> Result<Self, ConfigError> {
        read(text).map_err(|(at, problem)| {
            let at = match at {
                Some(at) => format!("{name}:{}:{}", at.line(), at.column()),
                None => name.to_owned(),
            };
            FileError::Unusable { at, problem }.into()
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    client_keys: Option<Spanned<Vec<Credential>>>,
    body_limit_bytes: Option<usize>,
    groups: IndexMap<String, GroupEntry>,
    deployments: IndexMap<String, Spanned<DeploymentEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    chain: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    retries: u32,
    timeout_ms: Option<NonZeroU64>,
    stream_idle_timeout_ms: Option<NonZeroU64>,
    total_timeout_ms: Option<NonZeroU64>,
    fallback_on: Option<Vec<Condition>>,
    cooldown: Option<CooldownEntry>,
    max_retry_after_ms: Option<u64>,
    on_context_length: Option<Spanned<Vec<Spanned<String>>>>,
    on_content_filter: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CooldownEntry {
    after_failures: NonZeroU32,
    for_ms: NonZeroU64,
}

/// Flat, since tagged enums lose the positions of what is inside them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeploymentEntry {
    provider: Provider,
    surface: Option<AzureSurface>,
    base_url: BaseUrl,
    model: Option<String>,
    deployment: Option<String>,
    api_version: Option<String>,
    key: Credential,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Provider {
    OpenAi,
    Azure,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AzureSurface {
    #[default]
    V1,
    Legacy,
}

/// A problem where it stands.
type Located = (Option<Location>, Problem);

impl Problem {
    fn at<T>(self, node: &Spanned<T>) -> Located {
        (Some(node.referenced), self)
    }
}

fn read(text: &str) -> Result<Config, Located> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| {
        let message = UserMessageFormatter.format_message(error.without_snippet());
        (error.location(), Problem::Unread(message.into_owned()))
    })?;

    let client_keys = match file.client_keys {
        Some(keys) if keys.value.is_empty() => return Err(Problem::NoClientKey.at(&keys)),
        keys => keys.map(|keys| keys.value),
    };
    let mut deployments = IndexMap::new();
    for (name, entry) in file.deployments {
        deployments.insert(name, deployment(entry)?);
    }
    let mut groups = IndexMap::new();
    for (name, entry) in file.groups {
        groups.insert(name, group(entry, &deployments)?);
    }
    let body_limit = file.body_limit_bytes.unwrap_or(Config::DEFAULT_BODY_LIMIT);
    Ok(Config { client_keys, body_limit, groups })
}

fn deployment(entry: Spanned<DeploymentEntry>) -> Result<Deployment, Located> {
    let (surface, model) = surface(&entry.value).map_err(|problem| problem.at(&entry))?;
    let DeploymentEntry { base_url, key: credential, .. } = entry.value;
    Ok(Deployment { surface, base_url, model, credential })
}

/// The surface of a deployment, and the name that requests carry there; or the rule it breaks.
fn surface(entry: &DeploymentEntry) -> Result<(Surface, String), Problem> {
    let DeploymentEntry { provider, surface, model, deployment, api_version, .. } = entry;
    match (provider, surface.unwrap_or_default()) {
        (Provider::OpenAi, _) => match (surface, model, deployment, api_version) {
            (None, Some(model), None, None) => Ok((Surface::OpenAi, model.clone())),
            _ => Err(Problem::OpenAiMembers),
        },
        (Provider::Azure, AzureSurface::V1) => match (model, deployment, api_version) {
            (None, Some(deployment), None) => Ok((Surface::AzureV1, deployment.clone())),
            _ => Err(Problem::AzureV1Members),
        },
        (Provider::Azure, AzureSurface::Legacy) => match (model, deployment, api_version) {
            (None, Some(deployment), Some(api_version)) => {
                let api_version = api_version.clone();
                Ok((Surface::AzureLegacy { api_version }, deployment.clone()))
            }
            _ => Err(Problem::AzureLegacyMembers),
        },
    }
}

fn group(entry: GroupEntry, deployments: &IndexMap<String, Deployment>) -> Result<Group, Located> {
    let milliseconds = |number: NonZeroU64| Duration::from_millis(number.get());
    let mut chain = chain(&entry.chain, deployments)?.into_iter();
    let primary = chain.next().expect("a chain is not empty");
    let mut group = Group::new(primary);
    group.fallbacks = chain.collect();
    group.retries = entry.retries;
    if let Some(timeout) = entry.timeout_ms {
        group.timeout = milliseconds(timeout);
    }
    if let Some(timeout) = entry.stream_idle_timeout_ms {
        group.stream_idle_timeout = milliseconds(timeout);
    }
    group.total_timeout = entry.total_timeout_ms.map(milliseconds);
    if let Some(conditions) = entry.fallback_on {
        group.fallback_on = conditions;
    }
    group.cooldown = entry.cooldown.map(|CooldownEntry { after_failures, for_ms }| Cooldown {
        after_failures,
        rest: milliseconds(for_ms),
    });
    if let Some(limit) = entry.max_retry_after_ms {
        group.max_retry_after = Duration::from_millis(limit);
    }
    if let Some(names) = entry.on_context_length {
        group.on_context_length = self::chain(&names, deployments)?;
    }
    if let Some(names) = entry.on_content_filter {
        group.on_content_filter = self::chain(&names, deployments)?;
    }
    Ok(group)
}

/// The deployments of these names: at least one, and none twice.
fn chain(
    names: &Spanned<Vec<Spanned<String>>>,
    deployments: &IndexMap<String, Deployment>,
) -> Result<Vec<Deployment>, Located> {
    let mut chain = IndexMap::new();
    for name in &names.value {
        let deployment = deployments
            .get(&name.value)
            .ok_or_else(|| Problem::UnknownDeployment(name.value.clone()).at(name))?;
        if chain.insert(&name.value, deployment.clone()).is_some() {
            return Err(Problem::RepeatedDeployment(name.value.clone()).at(name));
        }
    }
    if chain.is_empty() {
        return Err(Problem::EmptyChain.at(names));
    }
    Ok(chain.into_values().collect())
}
