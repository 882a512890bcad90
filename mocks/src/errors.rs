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

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::behaviour::WirePlan;
use crate::provider::{Deployment, Endpoint, Surface};
use crate::strict::{self, Violation};
use catalogue::{Catalogue, Values, find};

/// A reply as a provider sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names and values in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What a provider's outer layers refuse before a model sees the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorRefusal {
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
    /// Azure legacy: no `api-version`, or one that does not exist.
    ApiVersion,
    /// No credential in the provider's form.
    MissingKey,
    /// A credential that is not the deployment's.
    WrongKey {
        /// The credential as sent. The reply shows it masked, as the provider does.
        key: String,
    },
    /// The model or deployment named is not there.
    UnknownModel {
        /// The name as sent.
        name: String,
    },
    /// The body is not JSON.
    InvalidJson,
}

/// Every name that a script may use, `ok` among them, in the catalogue's order.
pub fn catalogue_names() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    let entries = Catalogue::of(Surface::OpenAi).behaviours.iter();
    // The entries of one name follow each other.
    entries.map(|entry| entry.name.as_str()).filter(move |name| {
        let is_new = *name != last;
        last = name;
        is_new
    })
}

/// The reply of this catalogue name as `deployment` gives it at `endpoint`, and what the wire does
/// to it (e.g. `connection_reset`); the reply is `None` where it is the success reply. `None` for
/// an unknown name.
///
/// `connection_refused` gives neither: no request can reach a wire that refuses, so whoever sets
/// the upstream up gives it a port that does.
pub fn behaviour(
    name: &str,
    deployment: &Deployment,
    endpoint: Endpoint,
) -> Option<(Option<Reply>, WirePlan)> {
    let Deployment { surface, model, name: asked, key } = deployment;
    let catalogue = Catalogue::of(*surface);
    let entry = find(&catalogue.behaviours, name, Some(endpoint))?;
    let values = ids(&[name, surface.name(), endpoint.path(), asked])
        .text("model", model)
        .text("name", asked)
        .text("key", &masked(key));
    Some((catalogue.reply(entry, &values), entry.wire.clone()))
}

/// The provider's own reply to a body with this violation.
pub fn refusal(surface: Surface, endpoint: Endpoint, violation: &Violation) -> Reply {
    let name = match violation.message.as_str() {
        strict::INVALID_JSON => return door(surface, Some(endpoint), &DoorRefusal::InvalidJson),
        strict::NO_MODEL => "no_model",
        _ => "violation",
    };
    let Violation { message, error_type, param, code, pointer, .. } = violation;
    let values = ids(&[name, surface.name(), endpoint.path(), message, pointer])
        .text("message", message)
        .text("type", error_type)
        .value("param", param.as_deref())
        .value("code", code.as_deref());
    let catalogue = Catalogue::of(surface);
    find(&catalogue.refusals, name, Some(endpoint))
        .and_then(|entry| catalogue.reply(entry, &values))
        .expect("each refusal has a reply for every endpoint, as a test shows")
}

/// The reply of the provider's outer layers. `endpoint` where the path told it.
pub fn door(surface: Surface, endpoint: Option<Endpoint>, refusal: &DoorRefusal) -> Reply {
    let none = Values::default;
    let (name, values) = match refusal {
        DoorRefusal::UnknownPath { method, path } => {
            ("unknown_path", none().text("method", method).text("path", path))
        }
        DoorRefusal::WrongMethod { method, path } => {
            ("wrong_method", none().text("method", method).text("path", path))
        }
        DoorRefusal::ApiVersion => ("api_version", none()),
        DoorRefusal::MissingKey => ("missing_key", none()),
        DoorRefusal::WrongKey { key } => ("wrong_key", none().text("key", &masked(key))),
        DoorRefusal::UnknownModel { name } => {
            ("unknown_model", none().text("name", name).text("model", name))
        }
        DoorRefusal::InvalidJson => ("invalid_json", none()),
    };
    let path = endpoint.map_or("", Endpoint::path);
    let values = values.and(ids(&[name, surface.name(), path]));
    let catalogue = Catalogue::of(surface);
    find(&catalogue.doors, name, endpoint)
        .and_then(|entry| catalogue.reply(entry, &values))
        .expect("each door has a reply for every endpoint and for none, as a test shows")
}

/// Request ids, the same in every run: `hex` (32 digits) and `uuid`.
fn ids(circumstances: &[&str]) -> Values {
    let digest = Sha256::digest(circumstances.join("\n"));
    let hex = digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all");
        hex
    });
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
