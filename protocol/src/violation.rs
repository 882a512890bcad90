//! What a provider would find wrong with a request.

use serde::{Deserialize, Serialize};

/// One thing that a provider would find wrong with a request, in its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
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

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Read in the provider's documents or SDK types, not backed by a recording: warns.
    Documented,
    /// Seen on the live provider: refuses.
    Observed,
}
