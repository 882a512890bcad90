//! Violations: what a provider would report about an invalid request.

use serde::{Deserialize, Serialize};

/// One problem that a provider would report about a request, with the provider's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The kind of problem, independent of the wording.
    pub kind: ViolationKind,
    /// The provider's message, e.g. `Unknown parameter: 'metadata'.`
    pub message: String,
    /// The provider's `type`, e.g. `invalid_request_error`.
    pub error_type: String,
    /// The provider's `param`, e.g. `tools[0].name`.
    pub param: Option<String>,
    /// The provider's `code`, e.g. `unknown_parameter`.
    pub code: Option<String>,
    /// JSON pointer to the problem in the body.
    pub pointer: String,
    /// How certain it is that the live provider refuses such a request.
    pub strength: Strength,
}

impl Violation {
    /// A violation observed at a live provider with this message, without a parameter or code.
    pub fn observed(kind: ViolationKind, message: String) -> Self {
        Self {
            kind,
            message,
            error_type: "invalid_request_error".to_owned(),
            param: None,
            code: None,
            pointer: String::new(),
            strength: Strength::Observed,
        }
    }
}

/// The kind of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// The body is not JSON, or not an object.
    InvalidJson,
    /// The content type does not match the endpoint.
    ContentType,
    /// The body is not a valid form.
    InvalidForm,
    /// `model` is missing at an endpoint that checks `model` before anything else.
    NoModel,
    /// A required member is missing.
    Missing,
    /// A member unknown to the provider.
    Unknown,
    /// A parameter that belongs to another endpoint.
    Misplaced,
    /// A value of the wrong type.
    Type,
    /// A value that is not one of the allowed values.
    Choice,
    /// A number outside its range.
    Range,
    /// A string, array or object that is too short or too long.
    Length,
    /// A string that does not match its pattern.
    Pattern,
    /// A parameter that the model does not support.
    UnsupportedByModel,
    /// A parameter value that the model does not support.
    ValueUnsupportedByModel,
    /// A parameter that requires another parameter, which is missing or has the wrong value.
    Dependency,
    /// An object that repeats a key.
    DuplicateKey,
    /// A response id that the provider did not issue, or no longer stores.
    UnknownResponse,
}

/// How certain a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// From the provider's documentation or SDK types, but not observed at the live provider.
    /// Causes only a warning.
    Documented,
    /// Observed at the live provider. The request is refused.
    Observed,
}
