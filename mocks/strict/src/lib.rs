//! Strict validation: would the provider accept this request body?
//!
//! A body is checked against the request schema of its surface and endpoint (`spec/`). The result
//! is the error that the provider would report, in the provider's wording. A reply reports only one
//! error, so the order of the checks matters:
//!
//! 1. The body is JSON, and it is an object. (A form is converted to an object; see [`FormField`].)
//! 2. First, no parameter belongs to another endpoint. Second, no required parameter is missing.
//!    Third, no parameter is unknown (in body order).
//! 3. The model supports every parameter in the body, and its value. These rules depend on the
//!    model and are checked in schema order.
//! 4. All values are valid. They are checked in body order, and each value is checked completely
//!    before the next one. In a union, the order is: discriminator, type, allowed values, range or
//!    length. In an object: missing members, unknown members, the number of members, their values.
//!    In an array: its length, its items.
//! 5. If a parameter requires other parameters, they are present (rules across parameters).
//! 6. No key occurs twice. The providers accept such bodies, so this is only a warning, in
//!    Fallproof's own wording. The last value counts, as in most JSON parsers.
//!
//! The following is known about the order in the live APIs. On `/responses`, `messages` is reported
//! even if `input` is missing. Missing parameters are reported before unknown ones, both are
//! reported before all other errors, and an unsupported parameter is reported before a value
//! outside its range ([recorded][chat-bad-request]). If several values are invalid, which one
//! `OpenAI` reports is fixed for each endpoint but mostly unknown, so no verdict should depend on
//! it. This crate reports an observed violation before any documented one. Among violations of the
//! same strength, it uses the order above.
//!
//! The schema can state the strength of a violation. Where it does not, unknown and missing
//! parameters, wrong types and values that are not allowed count as observed at the top level of
//! the body and as documented below it, and violations of ranges and lengths count as documented.
//! Each rule states its own strength.
//!
//! The wording depends on the back end. Some endpoints and models use legacy back ends, whose
//! errors have neither `param` nor `code` and list all unknown parameters at once. Audio endpoints
//! print the errors of a Python library.
//!
//! Whether a number is an integer depends on its spelling: `1` is an integer. `1.0` and `1e0` are
//! integers in JSON Schema, but decimals here, because a live API [refused such a value][decimal]
//! where it expected an integer. Integers may have any size. For bounds, only the value matters.
//!
//! Two rules are not from the providers. A body that is JSON but not an object gets the message for
//! invalid JSON. Unpaired surrogates and nesting deeper than 127 levels count as invalid JSON.
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

/// An ordered map with a fast hash. It is not protected against hash flooding, which does not
/// matter in a mock.
pub(crate) type Map<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;

/// The JSON Schema that [`check`] applies, for tools that generate requests. `spec/README.md`
/// describes its subset of JSON Schema and its annotations.
pub fn schema_text(surface: Surface, endpoint: Endpoint) -> &'static str {
    schema::Embedded::of(surface, endpoint).text
}

/// The violation that the provider would report for this body, if any: the first observed violation
/// or, if there is none, the first documented one. `model` is the model of the deployment.
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
