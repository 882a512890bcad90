//! The providers' error replies, byte for byte, from the data in `errors/`.
//!
//! Errors come from several layers of a provider, and each layer has its own layout and headers.
//! Which layer answers depends on the endpoint. For example, an unknown model on chat gets a 404
//! from `OpenAI`'s edge; on `/responses`, it gets a 400 with a different message, which comes from
//! the application. For each reply, the data states which layer sends it, and the source that
//! documents it.
//!
//! The replies in this module lack headers such as `content-length` and `date`, which the server
//! adds.

mod catalogue;

use std::time::{Duration, SystemTime};

use fallproof_strict::{Violation, ViolationKind};
use sha2::{Digest, Sha256};
use strum::IntoStaticStr;

use crate::Reply;
use crate::behavior::{self, WireFault};
use crate::provider::{Deployment, Endpoint, Surface};
use catalogue::{Part, Provider, Values};

/// Interval between the time of a reply and the date in its `retry-after` header.
const COME_BACK_IN: Duration = Duration::from_secs(2);

/// Refusal by a provider's outer layers, before a model sees the request.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EdgeRefusal {
    /// The provider does not have this path.
    UnknownPath {
        /// The method as sent.
        method: String,
        /// The path as sent.
        path: String,
    },
    /// The path exists, but not for this method.
    WrongMethod {
        /// The method as sent.
        method: String,
        /// The path as sent.
        path: String,
    },
    /// The `api-version` does not exist. Azure only.
    ApiVersion,
    /// The `api-version` is missing. Azure's legacy surface only.
    MissingApiVersion,
    /// The `api-version` predates the responses endpoints. Azure's legacy surface only.
    ApiVersionTooOld,
    /// The `api-version` predates the chat parameter `prediction`. Azure's legacy surface only.
    PredictionTooOld,
    /// The credential is missing.
    MissingKey,
    /// The credential is not the deployment's credential.
    WrongKey {
        /// The credential as sent. The reply contains it in masked form, as the provider's reply
        /// does.
        key: String,
    },
    /// The requested model or deployment does not exist.
    UnknownModel {
        /// The name as sent.
        name: String,
    },
    /// The model in `GET /models/{name}` does not exist.
    UnlistedModel {
        /// The name as sent.
        name: String,
    },
    /// The body is not JSON.
    InvalidJson,
}

/// Names of all behaviors except the variants of the success reply, in catalogue order. `ok` comes
/// first.
pub fn catalogue_names() -> impl Iterator<Item = &'static str> {
    let replies = behavior::behaviors().iter().filter(|entry| !entry.is_success);
    replies.map(|entry| entry.name.as_str())
}

/// The error reply and the transport fault (e.g. a reset) of the behavior with this name, for
/// `deployment` at `endpoint`. The reply is `None` if the behavior sends the success reply. Returns
/// `None` for an unknown name. The result is always the same, except for the date in
/// `rate_limited_date`.
///
/// `connection_refused` and `connect_timeout` have neither an error reply nor a fault, because with
/// them a request never reaches a server. To play them, point the client at an address that does
/// not accept connections.
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

/// The `retry-after` date, rounded up to a whole second.
fn come_back_at() -> String {
    let time = SystemTime::now() + COME_BACK_IN + Duration::from_nanos(999_999_999);
    httpdate::fmt_http_date(time)
}

/// The provider's reply to a request body with this violation.
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
        .expect("a test checks that each refusal has a reply for every endpoint")
}

/// The reply with which the provider's outer layers refuse a request. `endpoint` is `None` if the
/// path does not identify an endpoint.
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
        .reply(Part::Edge, name, endpoint, || values)
        .expect("a test checks that each edge refusal has a reply for every endpoint and for none")
}

/// Placeholder values for request ids: `hex` (32 digits) and `uuid`. The same circumstances always
/// give the same ids.
fn ids(circumstances: &[&str]) -> Values {
    let digest = Sha256::digest(circumstances.join("\n"));
    let hex = hex::encode(&digest[..16]);
    let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    Values::default().text("hex", &hex).text("uuid", &uuid)
}

/// Masks an API key as `OpenAI` does: the first 8 and the last 4 characters are shown, and a star
/// replaces each character between them. This was recorded for keys of 16 characters. Keys of up to
/// 12 characters, such as `EMPTY` or `undefined`, are shown in full.
fn masked(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    let shown = |(at, &c): (usize, &char)| if at < 8 || at + 4 >= chars.len() { c } else { '*' };
    chars.iter().enumerate().map(shown).collect()
}
