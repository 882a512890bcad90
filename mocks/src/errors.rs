//! The providers' error replies, byte for byte, from the data in `errors/`.
//!
//! A provider has several emitters with layouts and headers of their own, and which one speaks
//! depends on the endpoint: an unknown model is a 404 of `OpenAI`'s edge on chat and a 400 of its
//! application, in other words, on `/responses`. The data names the emitter of each reply, and who
//! saw it.
//!
//! Headers of a reply are those that say something; `content-length`, `date` and the like are left
//! to whoever sends it.

mod catalogue;

use std::time::{Duration, SystemTime};

use fallproof_strict::{Violation, ViolationKind};
use sha2::{Digest, Sha256};
use strum::IntoStaticStr;

use crate::Reply;
use crate::behavior::{self, WireFault};
use crate::provider::{Deployment, Endpoint, Surface};
use catalogue::{Part, Provider, Values};

/// How far ahead a `retry-after` is that is written as a date.
const COME_BACK_IN: Duration = Duration::from_secs(2);

/// What a provider's outer layers refuse before a model sees the request.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EdgeRefusal {
    /// The path is not one of the provider's.
    UnknownPath {
        /// The method as sent.
        method: String,
        /// The path as sent.
        path: String,
    },
    /// The path exists, the method does not fit.
    WrongMethod {
        /// The method as sent.
        method: String,
        /// The path as sent.
        path: String,
    },
    /// Azure: an `api-version` that does not exist.
    ApiVersion,
    /// Azure legacy: no `api-version`.
    MissingApiVersion,
    /// Azure legacy: an `api-version` from before the responses endpoints, there.
    ApiVersionTooOld,
    /// Azure legacy: an `api-version` from before chat took a `prediction`, with one.
    PredictionTooOld,
    /// No credential in the provider's form.
    MissingKey,
    /// A credential that is not the deployment's.
    WrongKey {
        /// The credential as sent. The reply shows it masked, as the provider does.
        key: String,
    },
    /// The model or deployment that is to answer is not there.
    UnknownModel {
        /// The name as sent.
        name: String,
    },
    /// The model that is asked about (`GET /models/{name}`) is not there.
    UnlistedModel {
        /// The name as sent.
        name: String,
    },
    /// The body is not JSON.
    InvalidJson,
}

/// The names of the behaviors that are a provider's own errors, `ok` first.
pub fn catalogue_names() -> impl Iterator<Item = &'static str> {
    let replies = behavior::behaviors().iter().filter(|entry| !entry.is_success);
    replies.map(|entry| entry.name.as_str())
}

/// The reply of this catalogue name as `deployment` gives it at `endpoint`, and what the wire does
/// to it (e.g. `connection_reset`); the reply is `None` where it is the success reply. `None` for
/// an unknown name. Each time the same, but for the date that `rate_limited_date` names.
///
/// `connection_refused` and `connect_timeout` give neither: no request can reach a wire that does
/// not take connections, so whoever sets the mock up gives it an address that does so.
pub fn behavior(
    name: &str,
    deployment: &Deployment,
    endpoint: Endpoint,
) -> Option<(Option<Reply>, WireFault)> {
    let named = behavior::find(name).filter(|entry| !entry.is_success)?;
    let Deployment { surface, model, name: asked, key } = deployment;
    let values = || {
        ids(&[name, surface.name(), endpoint.path(), asked])
            .text("model", model)
            .text("name", asked)
            .text("key", &masked(key))
            .text("endpoint", endpoint.path())
            .text("date", &come_back_at())
    };
    let reply = Provider::of(*surface).reply(Part::Behaviors, name, Some(endpoint), values);
    Some((reply, named.wire.clone()))
}

/// The time to come back at, rounded up to a whole second.
fn come_back_at() -> String {
    let time = SystemTime::now() + COME_BACK_IN + Duration::from_nanos(999_999_999);
    httpdate::fmt_http_date(time)
}

/// The provider's own reply to a body with this violation.
pub fn refusal(surface: Surface, endpoint: Endpoint, violation: &Violation) -> Reply {
    let Violation { kind, message, error_type, param, code, pointer, .. } = violation;
    let name = match kind {
        ViolationKind::InvalidJson => {
            return edge(surface, Some(endpoint), &EdgeRefusal::InvalidJson);
        }
        ViolationKind::NoModel => "no_model",
        _ => "violation",
    };
    let values = ids(&[name, surface.name(), endpoint.path(), message, pointer])
        .text("message", message)
        .text("type", error_type)
        .value("param", param.as_deref())
        .value("code", code.as_deref());
    Provider::of(surface)
        .reply(Part::Refusals, name, Some(endpoint), || values)
        .expect("each refusal has a reply for every endpoint, as a test shows")
}

/// The reply of the provider's outer layers. `endpoint` where the path told it.
pub fn edge(surface: Surface, endpoint: Option<Endpoint>, refusal: &EdgeRefusal) -> Reply {
    let (name, none): (&str, _) = (refusal.into(), Values::default());
    let values = match refusal {
        EdgeRefusal::UnknownPath { method, path } | EdgeRefusal::WrongMethod { method, path } => {
            none.text("method", method).text("path", path)
        }
        EdgeRefusal::WrongKey { key } => none.text("key", &masked(key)),
        EdgeRefusal::UnknownModel { name } => none.text("name", name).text("model", name),
        EdgeRefusal::UnlistedModel { name } => none.text("name", name),
        _ => none,
    };
    let path = endpoint.map_or("", Endpoint::path);
    let values = values.and(ids(&[name, surface.name(), path]));
    Provider::of(surface)
        .reply(Part::Doors, name, endpoint, || values)
        .expect("each edge has a reply for every endpoint and for none, as a test shows")
}

/// Request ids, the same in every run: `hex` (32 digits) and `uuid`.
fn ids(circumstances: &[&str]) -> Values {
    let digest = Sha256::digest(circumstances.join("\n"));
    let hex = hex::encode(&digest[..16]);
    let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    Values::default().text("hex", &hex).text("uuid", &uuid)
}

/// A key as `OpenAI` shows it: the first 8 and the last 4 characters, a star for each between them.
/// Recorded for 16 characters; shorter ones than 13 are shown whole, as `EMPTY` or `undefined` are.
fn masked(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    let shown = |(at, &c): (usize, &char)| if at < 8 || at + 4 >= chars.len() { c } else { '*' };
    chars.iter().enumerate().map(shown).collect()
}
