//! Strictness: is this body one that the provider would accept?
//!
//! A body is held against the request schema of its surface and endpoint (`spec/`), and the one
//! error that the provider would report comes back in its words. A provider reports one error per
//! answer, so the order of checks shows. This is ours:
//!
//! 1. The body is JSON, and an object. (A form is read as one: [`FormField`].)
//! 2. A parameter belongs to another endpoint, then: a required parameter is missing, then: a name
//!    is unknown (in the order of the body).
//! 3. The model does not take a parameter or its value (rules of the model, in the schema's order).
//! 4. The values, in the order of the body, each one whole before the next: in a union first the
//!    discriminator, then the type, the listed values, range or length; in an object missing
//!    members, unknown members, their number, then their values; in an array its length, then
//!    its items.
//! 5. A parameter needs another one (rules across parameters).
//! 6. A key is there twice. Of two values the last one counts, as in most JSON readers. The
//!    providers say nothing to repeated keys; the words are ours, and it is only a warning.
//!
//! What is known of the live order: `messages` on `/responses` comes even where `input` is missing,
//! missing before unknown, unknown before all else, and the unsupported parameter before ranges
//! ([recorded][chat-bad-request]). Which of several bad values is named first is fixed per endpoint
//! at `OpenAI` and unknown in general, so no verdict should hang on it. Observed violations come before documented ones, each in this order.
//!
//! A violation is observed where the schema says so, and for unknown, missing, mistyped and
//! unlisted parameters of the body itself unless the schema says otherwise; deeper ones, ranges and
//! lengths are documented unless the schema says that they were seen. A rule says it itself.
//!
//! Who says a thing decides how it is said: older back ends, by endpoint and by the model that runs
//! there, name neither parameter nor code and list all unknown names at once; audio prints the
//! errors of its Python library.
//!
//! How we read numbers: `1` is an integer; `1.0` and `1e0` are decimals, because a live API
//! [refused such a value][decimal] where an integer was expected. JSON Schema calls them integers.
//! Integers of any size are integers. Bounds are compared by value.
//!
//! Ours, not the provider's: the words for a body that is JSON but no object are those for no JSON;
//! lone surrogates and nesting deeper than 127 levels count as no JSON.
//!
//! [chat-bad-request]: https://github.com/envoyproxy/ai-gateway/blob/c217da8a539570ba3f6014a60c2687c29a945f1f/tests/internal/testopenai/cassettes/chat-bad-request.yaml
//! [decimal]: https://github.com/Jeffser/Alpaca/issues/904

mod body;
mod finding;
mod form;
mod interpret;
mod path;
mod rules;
mod schema;
mod wording;

use fallproof_protocol::provider::{Endpoint, Surface};

pub use fallproof_protocol::multipart::FormField;
pub use fallproof_protocol::violation::{Strength, Violation, ViolationKind};

/// Members in their order. Nobody floods a mock, so it hashes fast.
pub(crate) type Map<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;

/// What [`check`] holds a body against: the text of a JSON Schema, in the subset and with the
/// annotations that `spec/README.md` describes. For whoever makes requests instead of judging them.
pub fn schema_text(surface: Surface, endpoint: Endpoint) -> &'static str {
    schema::Embedded::of(surface, endpoint).text
}

/// The one violation that the provider would report for this body, if any: the first observed
/// one, else the first documented one. `model` is the model that the deployment runs.
pub fn check(surface: Surface, endpoint: Endpoint, model: &str, body: &[u8]) -> Option<Violation> {
    let Some(body @ body::Value::Object(_)) = body::read(body) else {
        return Some(wording::invalid_json());
    };
    let schema = schema::Schema::of(surface, endpoint);
    interpret::first_finding(schema, model, &body)
        .map(|finding| wording::say(&finding, schema, endpoint, model))
}

/// Like [`check`], for an endpoint whose request is `multipart/form-data`
/// ([`Endpoint::is_multipart`]); taking the body apart is the caller's business.
pub fn check_form(
    surface: Surface,
    endpoint: Endpoint,
    model: &str,
    fields: &[FormField<'_>],
) -> Option<Violation> {
    let schema = schema::Schema::of(surface, endpoint);
    let form = form::read(schema, fields);
    interpret::first_finding(schema, model, &form)
        .map(|finding| wording::say(&finding, schema, endpoint, model))
}

/// The examples of the manual run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
