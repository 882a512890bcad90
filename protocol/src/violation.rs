//! What a provider would find wrong with a request.

use serde::{Deserialize, Serialize};

/// One thing that a provider would find wrong with a request, in its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What it is about, whatever the words.
    pub kind: ViolationKind,
    /// The provider's sentence, e.g. `Unknown parameter: 'metadata'.`
    pub message: String,
    /// The provider's `type`, e.g. `invalid_request_error`.
    pub error_type: String,
    /// The provider's `param`, e.g. `tools[0].name`.
    pub param: Option<String>,
    /// The provider's `code`, e.g. `unknown_parameter`.
    pub code: Option<String>,
    /// Where in the body, as a JSON pointer.
    pub pointer: String,
    /// How sure it is that the live provider refuses this.
    pub strength: Strength,
}

impl Violation {
    /// One that was seen at a live provider, in these words; they name neither parameter nor code.
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

/// What a violation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// The body is not JSON, or not an object.
    InvalidJson,
    /// The content type is not the endpoint's.
    ContentType,
    /// The body is not a readable form.
    InvalidForm,
    /// `model` is missing where the provider looks at it before the rest.
    NoModel,
    /// A required member is missing.
    Missing,
    /// A member that the provider does not know.
    Unknown,
    /// A parameter of another endpoint.
    Misplaced,
    /// A value of the wrong type.
    Type,
    /// A value that is none of those listed.
    Choice,
    /// A number out of its range.
    Range,
    /// A string, array or object that is too short or too long.
    Length,
    /// A string of another form.
    Pattern,
    /// A parameter that the model does not take.
    UnsupportedByModel,
    /// A value that the model does not take.
    ValueUnsupportedByModel,
    /// A parameter that needs another one.
    Dependency,
    /// A key that is there twice.
    DuplicateKey,
    /// A response that the provider has not given, or no longer has.
    UnknownResponse,
}

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Read in the provider's documents or SDK types, not backed by a recording: warns.
    Documented,
    /// Seen on the live provider: refuses.
    Observed,
}
