//! Strict validation: would the provider accept this request body?
//!
//! A body is checked against the request schema of its surface and endpoint (`spec/`). The result
//! is the one error that the provider would report, in the provider's wording. Since a provider
//! reports one error per reply, the order of the checks matters. This crate checks in this order:
//!
//! 1. The body is JSON, and an object. (A form is read as an object: [`FormField`].)
//! 2. No parameter belongs to another endpoint; then, no required parameter is missing; then, no
//!    name is unknown (in body order).
//! 3. The model supports all parameters and their values (model rules, in schema order).
//! 4. All values are valid. They are checked in body order, and each value is checked completely
//!    before the next one. The order within a union: discriminator, type, allowed values, then
//!    range or length. Within an object: missing members, unknown members, the number of members,
//!    then their values. Within an array: its length, then its items.
//! 5. If a parameter requires others, these are present (rules across parameters).
//! 6. No key is a duplicate. Of duplicates, the last value counts, as in most JSON parsers. The
//!    providers ignore duplicates, so this is only a warning, in our own wording.
//!
//! What is known about the order of the live APIs: on `/responses`, `messages` is reported even if
//! `input` is missing. Missing names are reported before unknown names, unknown names before
//! everything else, and an unsupported parameter before ranges ([recorded][chat-bad-request]).
//! `OpenAI` has a fixed order of invalid values for each endpoint, but this order is mostly
//! unknown, so no verdict should depend on it. This crate reports observed violations before
//! documented ones, and uses the order above within each group.
//!
//! A violation is observed if the schema says so. Without such a mark, unknown and missing
//! parameters, wrong types and values that are not allowed are observed at the top level of the
//! body, and documented below the top level. Ranges and lengths are then documented. Each rule
//! states its own strength.
//!
//! The wording depends on the back end. Legacy back ends, which certain endpoints and models use,
//! report neither parameter nor code, and list all unknown names in one error. Audio endpoints
//! print the errors of a Python library.
//!
//! Numbers: `1` is an integer. `1.0` and `1e0` are integers in JSON Schema, but decimals here,
//! because a live API [refused such a value][decimal] where an integer was expected. Integers may
//! have any size. Bounds are compared by value.
//!
//! Two choices are our own. A body that is JSON but not an object gets the message for invalid
//! JSON. Unpaired surrogates and nesting deeper than 127 levels count as invalid JSON.
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

/// An ordered map with a fast hash. The mocks need no protection from hash flooding.
pub(crate) type Map<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;

/// The JSON Schema that [`check`] applies, for tools that generate requests. `spec/README.md`
/// describes its subset of JSON Schema and its annotations.
pub fn schema_text(surface: Surface, endpoint: Endpoint) -> &'static str {
    schema::Embedded::of(surface, endpoint).text
}

/// The violation in this body that the provider would report, if any: the first observed violation,
/// otherwise the first documented one. `model` is the model of the deployment.
pub fn check(surface: Surface, endpoint: Endpoint, model: &str, body: &[u8]) -> Option<Violation> {
    let Some(body @ body::Value::Object(_)) = body::read(body) else {
        return Some(wording::invalid_json());
    };
    let schema = schema::Schema::of(surface, endpoint);
    interpret::first_finding(schema, model, &body)
        .map(|finding| wording::say(&finding, schema, endpoint, model))
}

/// Like [`check`], for an endpoint with `multipart/form-data` requests
/// ([`Endpoint::is_multipart`]). The caller parses the form.
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

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
