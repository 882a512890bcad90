//! Checks by the providers' outer layers: paths, api-versions and credentials.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::Request;
use crate::errors::EdgeRefusal;
use crate::provider::{Deployment, Endpoint, Surface};

/// Path and query of a request, below the deployment's prefix.
pub(super) struct Target<'a> {
    /// The path as sent.
    pub(super) raw_path: &'a str,
    /// The path after percent-decoding. Repeated slashes are merged, since some gateways join URLs
    /// carelessly, but an empty deployment segment is preserved.
    pub(super) path: Cow<'a, str>,
    query: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(target: &'a str) -> Self {
        let (raw_path, query) = target.split_once('?').unwrap_or((target, ""));
        let plain = unescaped(raw_path);
        let path = match plain.split_once("/deployments//") {
            Some((before, after)) => {
                let (before, after) = (single_slashes(before.into()), single_slashes(after.into()));
                let before = before.trim_end_matches('/');
                format!("{before}/deployments//{}", after.trim_start_matches('/')).into()
            }
            None => single_slashes(plain),
        };
        Self { raw_path, path, query }
    }

    fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut pairs = self.query.split('&');
        pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(unescaped)
    }
}

fn single_slashes(mut path: Cow<'_, str>) -> Cow<'_, str> {
    while path.contains("//") {
        path = path.replace("//", "/").into();
    }
    path
}

/// Decodes percent escapes. Returns `text` unchanged if the result would not be UTF-8, or if it
/// would contain an additional slash: an escaped slash is part of a name and not a separator.
fn unescaped(text: &str) -> Cow<'_, str> {
    let slashes = |text: &str| text.matches('/').count();
    match percent_decode_str(text).decode_utf8() {
        Ok(plain) if slashes(&plain) == slashes(text) => plain,
        _ => Cow::Borrowed(text),
    }
}

/// The surface, the endpoint and the deployment that a path identifies.
pub(super) struct Route<'a> {
    pub(super) surface: Surface,
    pub(super) endpoint: Endpoint,
    /// The deployment named in the path, on Azure's legacy surface.
    pub(super) deployment: Option<&'a str>,
}

impl Route<'_> {
    pub(super) fn has_responses(&self) -> bool {
        matches!(self.endpoint, Endpoint::Responses | Endpoint::ResponsesCompact)
    }
}

/// The surface that a path belongs to, and the remaining path. `surface` is any surface of the
/// provider that got the request.
pub(super) fn entered(surface: Surface, path: &str) -> Option<(Surface, &str)> {
    match surface {
        Surface::OpenAi => Some((Surface::OpenAi, path.strip_prefix("/v1/")?)),
        Surface::AzureV1 | Surface::AzureLegacy => match path.strip_prefix("/openai/v1/") {
            Some(path) => Some((Surface::AzureV1, path)),
            None => Some((Surface::AzureLegacy, path.strip_prefix("/openai/")?)),
        },
    }
}

/// Parses a path. Returns `None` if the provider has no such path. `surface` is any surface of that
/// provider.
pub(super) fn locate(surface: Surface, path: &str) -> Option<Route<'_>> {
    match entered(surface, path)? {
        (Surface::AzureLegacy, path) => legacy(path),
        (surface, path) => unnamed(surface, path),
    }
}

fn unnamed(surface: Surface, path: &str) -> Option<Route<'_>> {
    let endpoint = Endpoint::from_path(path).filter(|endpoint| endpoint.is_on(surface))?;
    Some(Route { surface, endpoint, deployment: None })
}

fn legacy(path: &str) -> Option<Route<'_>> {
    let route = match path.strip_prefix("deployments/") {
        Some(path) => {
            let (deployment, path) = path.split_once('/')?;
            Route { deployment: Some(deployment), ..unnamed(Surface::AzureLegacy, path)? }
        }
        None => unnamed(Surface::AzureLegacy, path)?,
    };
    (route.has_responses() != route.deployment.is_some()).then_some(route)
}

/// Versions with this date or a later one have the responses endpoints
/// (<https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>).
const RESPONSES_SINCE: &str = "2025-03-01";

/// Checks Azure's `api-version`: it must be present where it is required, and it must have a valid
/// format. The date in it matters only for the responses endpoints, since the live service does not
/// select its schemas by version either.
pub(super) fn api_version(
    surface: Surface,
    has_responses: bool,
    target: &Target<'_>,
) -> Result<(), EdgeRefusal> {
    match (surface, target.parameter("api-version").as_deref()) {
        (Surface::OpenAi, _) | (Surface::AzureV1, None | Some("preview" | "v1" | "latest")) => {
            Ok(())
        }
        (Surface::AzureLegacy, None | Some("")) => Err(EdgeRefusal::MissingApiVersion),
        (Surface::AzureLegacy, Some(version)) if is_dated(version) => {
            // Dates in this format sort alphabetically.
            if has_responses && version < RESPONSES_SINCE {
                Err(EdgeRefusal::ApiVersionTooOld)
            } else {
                Ok(())
            }
        }
        (Surface::AzureV1 | Surface::AzureLegacy, Some(_)) => Err(EdgeRefusal::ApiVersion),
    }
}

/// A chat member that Azure's legacy surface accepts only from a certain `api-version` on.
pub(super) struct Dated {
    pub(super) member: &'static str,
    /// Versions with this date or a later one have the member.
    since: &'static str,
    /// Name prefixes of the models for which the refusal was seen. Newer models were seen to accept
    /// parameters that are not part of the `api-version`.
    models: &'static [&'static str],
}

pub(super) const PREDICTION: Dated =
    Dated { member: "prediction", since: "2025-01-01", models: &[""] };

/// This member was refused for gpt-4o with 2024-08-01-preview
/// (<https://github.com/openai/openai-python/issues/1724>,
/// <https://github.com/BerriAI/litellm/issues/8638>). Later versions are assumed to accept it.
pub(super) const MAX_COMPLETION_TOKENS: Dated = Dated {
    member: "max_completion_tokens",
    since: "2024-08-02",
    models: &["gpt-3.5", "gpt-35", "gpt-4"],
};

impl Dated {
    /// Whether the member is too new for the request. This is so if the request is a chat on the
    /// legacy surface, its `api-version` predates the member, and the refusal was seen for the
    /// model.
    pub(super) fn is_ahead_of(&self, route: &Route<'_>, target: &Target<'_>, model: &str) -> bool {
        (route.surface, route.endpoint) == (Surface::AzureLegacy, Endpoint::ChatCompletions)
            && target.parameter("api-version").is_some_and(|version| *version < *self.since)
            && self.models.iter().any(|prefix| model.starts_with(prefix))
    }
}

/// Whether the version is `YYYY-MM-DD`, optionally with `-preview`.
fn is_dated(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let parts: Vec<_> = date.split('-').collect();
    let number = |text: &str, length, most| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number))
    };
    matches!(parts[..], [year, month, day]
        if number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31))
}

/// Checks that the request contains the deployment's API key in a form that the surface accepts.
pub(super) fn credential(
    surface: Surface,
    deployment: &Deployment,
    request: &Request<'_>,
) -> Result<(), EdgeRefusal> {
    let authorization = request.header("authorization");
    let given_by = |scheme: &str| {
        let (given, key) = authorization.as_deref()?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| key.trim().to_owned())
    };
    let bearer = given_by("bearer");
    let given = match surface {
        // Basic authentication is accepted, too, because OpenAI's error for a missing API key
        // mentions it.
        Surface::OpenAi => bearer.or_else(|| password(&given_by("basic")?)),
        Surface::AzureV1 => request.header("api-key").or(bearer),
        Surface::AzureLegacy => match (request.header("api-key"), bearer) {
            (Some(key), _) => Some(key),
            // Here, the provider accepts only tokens from Azure's identity service, which the mocks
            // do not issue.
            (None, Some(key)) => return Err(EdgeRefusal::WrongKey { key }),
            (None, None) => None,
        },
    };
    match given {
        Some(key) if key == deployment.key => Ok(()),
        Some(key) => Err(EdgeRefusal::WrongKey { key }),
        None => Err(EdgeRefusal::MissingKey),
    }
}

/// The password of a basic credential with an empty user name.
fn password(credentials: &str) -> Option<String> {
    let plain = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    plain.strip_prefix(':').map(str::to_owned)
}
