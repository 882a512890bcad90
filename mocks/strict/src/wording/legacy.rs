//! The wording of legacy back ends. They use it for unknown parameters on completions and on chat
//! with older models, and for most findings on embeddings.

use fallproof_protocol::provider::Endpoint;

use super::values::{printed, python};
use crate::body::{Kind, Object, Value};
use crate::finding::{Fault, Finding, Side};
use crate::path::{Step, dotted};
use crate::schema::{Node, Schema};

/// The message for a missing `model`, from <https://github.com/danielmiessler/Fabric/issues/239>.
/// It was not seen on completions, but is assumed there.
const NO_MODEL: &str = "you must provide a model parameter";

/// The message for an embeddings `input` with a wrong shape or length, from
/// <https://github.com/embeddings-benchmark/mteb/issues/1200>.
const BAD_INPUT: &str = "'$.input' is invalid. Please check the API reference: \
    https://platform.openai.com/docs/api-reference.";

/// Whether the finding is that `model` is missing, on a back end that checks `model` first.
pub(super) fn is_no_model(finding: &Finding<'_>, endpoint: Endpoint) -> bool {
    matches!(
        (endpoint, &finding.path[..], &finding.fault),
        (
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings,
            [Step::Key("model")],
            Fault::Missing,
        )
    )
}

/// The message for this finding; `None` if legacy back ends do not have their own message for it.
pub(super) fn say(
    finding: &Finding<'_>,
    schema: &Schema,
    endpoint: Endpoint,
    model: &str,
) -> Option<String> {
    if is_no_model(finding, endpoint) {
        return Some(NO_MODEL.to_owned());
    }
    let legacy = &schema.legacy_wording;
    match (endpoint, &finding.path[..], &finding.fault) {
        (_, [_], Fault::Unknown { of, object }) if legacy.names.include(model) => {
            let names = names_where(object, |name| {
                !of.properties.contains_key(name)
                    && of.strength_of_unknown(name) == finding.strength
            });
            let s = if names.len() == 1 { "" } else { "s" };
            Some(format!("Unrecognized request argument{s} supplied: {}", names.join(", ")))
        }
        (_, [above @ .., _], Fault::Unknown { of, object })
            if matches!(above, [Step::Key("messages"), Step::Index(_)])
                && legacy.members.include(model) =>
        {
            let names = names_where(object, |name| {
                !of.properties.contains_key(name) || legacy.lack(model, name)
            });
            let were = if names.len() == 1 { "was" } else { "were" };
            let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
            Some(format!(
                "Additional properties are not allowed ({} {were} unexpected) - '{}'",
                names.join(", "),
                dotted(above)
            ))
        }
        (Endpoint::Embeddings, path, fault) => embeddings(path, fault),
        _ => None,
    }
}

/// All names in the object that satisfy the predicate, in alphabetical order.
fn names_where<'a>(object: &'a Object<'_>, predicate: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let names = object.members.keys().map(AsRef::as_ref);
    let mut names: Vec<_> = names.filter(|name| predicate(name)).collect();
    names.sort_unstable();
    names
}

/// The message for a finding on embeddings, in the wording of Python's JSON Schema validator.
fn embeddings(path: &[Step<'_>], fault: &Fault<'_>) -> Option<String> {
    let at = dotted(path);
    Some(match (path, fault) {
        ([Step::Key("input"), ..], Fault::Type { .. } | Fault::Size { .. }) => BAD_INPUT.to_owned(),
        // From https://github.com/agentcoinorg/evo.ninja/pull/381
        (_, Fault::Type { expected, got }) => {
            format!("{} is not of type '{}' - '{at}'", python(got), json_type(expected))
        }
        // From https://github.com/lm-sys/FastChat/pull/2281
        (_, Fault::Choice { choices, got: Value::String(got) }) => {
            let choices = printed(choices).join(", ");
            format!("Invalid value for '{at}' = {got}. Supported values: [{choices}].")
        }
        // From the recording embeddings-bad-request in https://github.com/envoyproxy/ai-gateway
        (_, Fault::Range { side: Side::Below, limit, got, .. }) => {
            format!("{got} is less than the minimum of {limit} - '{at}'")
        }
        (_, Fault::Range { side: Side::Above, limit, got, .. }) => {
            format!("{got} is greater than the maximum of {limit} - '{at}'")
        }
        _ => return None,
    })
}

/// The JSON Schema name of the type that a node allows.
fn json_type(node: &Node) -> &'static str {
    let names = [
        (Kind::String, "string"),
        (Kind::Decimal, "number"),
        (Kind::Integer, "integer"),
        (Kind::Bool, "boolean"),
        (Kind::Array, "array"),
        (Kind::Object, "object"),
    ];
    names.into_iter().find(|(kind, _)| node.kinds.has(*kind)).map_or("null", |(_, name)| name)
}
