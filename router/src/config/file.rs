//! Parsing of the configuration from YAML. Every error names the file and, if known, the line.

use std::fs;
use std::io::Read as _;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::base_url::BaseUrl;
use super::condition::Condition;
use super::credential::Credential;
use super::error::{ConfigError, FileError, Problem};
use super::{Config, Cooldown, Deployment, Group, Surface};

/// Maximum size of a configuration file. The rest of a longer one is not read.
const MAX_BYTES: u64 = 16 << 20;

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or [`Config::from_yaml`] refuses it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let name = path.as_ref().display().to_string();
        let mut text = String::new();
        let read =
            fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        read.map_err(|source| FileError::Unreadable { file: name.clone(), source })?;
        Self::from_yaml(&text, &name)
    }

    /// Reads a configuration. `name` is the file name to use in errors.
    ///
    /// # Errors
    /// The text is not valid YAML, does not match the format, or defines a name twice; or a chain
    /// is empty, repeats a deployment, or names an unknown deployment.
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
    chain: ChainEntry,
    #[serde(default)]
    retries: u32,
    timeout_ms: Option<NonZeroU64>,
    stream_idle_timeout_ms: Option<NonZeroU64>,
    total_timeout_ms: Option<NonZeroU64>,
    fallback_on: Option<Vec<Condition>>,
    cooldown: Option<CooldownEntry>,
    max_retry_after_ms: Option<u64>,
    on_context_length: Option<ChainEntry>,
    on_content_filter: Option<ChainEntry>,
}

type ChainEntry = Spanned<Vec<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CooldownEntry {
    after_failures: NonZeroU32,
    duration_ms: NonZeroU64,
}

/// Headers that the router writes itself.
const RESERVED: [HeaderName; 6] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TRANSFER_ENCODING,
];

/// Flat, since tagged enums lose the positions of their contents.
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
    #[serde(default)]
    headers: IndexMap<String, Spanned<String>>,
    #[serde(default)]
    query: IndexMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Provider {
    OpenAi,
    Azure,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AzureSurface {
    V1,
    Legacy,
}

/// A problem with its position.
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
    let at = Some(entry.referenced);
    let DeploymentEntry { provider, surface, base_url, model, deployment, api_version, .. } =
        entry.value;
    let DeploymentEntry { key, headers, query, .. } = entry.value;
    let (surface, model) = match (provider, surface, model, deployment, api_version) {
        (Provider::OpenAi, None, Some(model), None, None) => (Surface::OpenAi, model),
        (Provider::OpenAi, ..) => return Err((at, Problem::OpenAiMembers)),
        (Provider::Azure, None | Some(AzureSurface::V1), None, Some(name), None) => {
            (Surface::AzureV1, name)
        }
        (Provider::Azure, None | Some(AzureSurface::V1), ..) => {
            return Err((at, Problem::AzureV1Members));
        }
        (Provider::Azure, Some(AzureSurface::Legacy), None, Some(name), Some(api_version)) => {
            (Surface::AzureLegacy { api_version }, name)
        }
        (Provider::Azure, Some(AzureSurface::Legacy), ..) => {
            return Err((at, Problem::AzureLegacyMembers));
        }
    };
    let (headers, query) = (deployment_headers(headers)?, query.into_iter().collect());
    Ok(Deployment { surface, base_url, model, credential: key, headers, query })
}

fn deployment_headers(entries: IndexMap<String, Spanned<String>>) -> Result<HeaderMap, Located> {
    let header = |(name, value): (String, Spanned<String>)| {
        let parsed = name.parse::<HeaderName>().ok().filter(|it| !RESERVED.contains(it));
        match (parsed, HeaderValue::from_str(&value.value)) {
            (Some(name), Ok(value)) => Ok((name, value)),
            _ => Err(Problem::Header(name).at(&value)),
        }
    };
    entries.into_iter().map(header).collect()
}

fn group(entry: GroupEntry, deployments: &IndexMap<String, Deployment>) -> Result<Group, Located> {
    let milliseconds = |number: NonZeroU64| Duration::from_millis(number.get());
    let chain = |names: &ChainEntry| chain(names, deployments);
    let optional = |names: Option<ChainEntry>| names.map_or(Ok(Vec::new()), |names| chain(&names));
    let mut in_order = chain(&entry.chain)?.into_iter();
    let default = Group::new(in_order.next().expect("a chain is not empty"));
    Ok(Group {
        fallbacks: in_order.collect(),
        retries: entry.retries,
        timeout: entry.timeout_ms.map_or(default.timeout, milliseconds),
        stream_idle_timeout: entry
            .stream_idle_timeout_ms
            .map_or(default.stream_idle_timeout, milliseconds),
        total_timeout: entry.total_timeout_ms.map(milliseconds),
        fallback_on: entry.fallback_on.unwrap_or(default.fallback_on),
        cooldown: entry.cooldown.map(|CooldownEntry { after_failures, duration_ms }| Cooldown {
            after_failures,
            duration: milliseconds(duration_ms),
        }),
        max_retry_after: entry
            .max_retry_after_ms
            .map_or(default.max_retry_after, Duration::from_millis),
        on_context_length: optional(entry.on_context_length)?,
        on_content_filter: optional(entry.on_content_filter)?,
        primary: default.primary,
    })
}

/// Looks up the deployments with these names. Fails if the list is empty, repeats a name, or
/// contains an unknown name.
fn chain(
    names: &ChainEntry,
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
