//! Requirements: what a correct fallback is, as data.

use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::profile::Profile;
use crate::yaml::{self, At, Diagnostic, Source};

static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    yaml::parse(Path::new("scenarios/requirements.yaml"), fallproof_scenarios::REQUIREMENTS)
        .unwrap_or_else(|error| panic!("the embedded requirements are checked by a test:\n{error}"))
});

/// One normative sentence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The stable code, e.g. `FP-PAYLOAD-01`.
    pub code: String,
    /// Whom it binds.
    pub level: Level,
    /// How hard it binds.
    pub severity: Severity,
    /// The set of requirements that it belongs to.
    #[serde(default)]
    pub profile: Profile,
    /// The sentence.
    pub sentence: String,
    /// Why it matters to a user.
    pub why: String,
    /// Public reports and documents behind it.
    pub sources: Vec<String>,
    /// The routers broken on purpose that prove its check.
    pub saboteurs: Vec<String>,
}

/// Whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every gateway.
    Invariant,
    /// A gateway that claims it.
    Policy,
    /// Nobody: it is noted.
    Observation,
}

/// How hard a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Breaking it fails.
    Must,
    /// Breaking it warns.
    Should,
}

/// All requirements, in the order of the document.
pub fn all() -> &'static [Requirement] {
    &REQUIREMENTS
}

/// What is wrong with a code that no requirement has.
pub fn unknown(code: &At<String>, source: &Source) -> Diagnostic {
    let message = format!("there is no requirement `{}`", code.value);
    let codes = all().iter().map(|requirement| requirement.code.as_str());
    source.error(&code.span, message).near(&code.value, codes)
}

/// The requirement with this code.
pub fn find(code: &str) -> Option<&'static Requirement> {
    all().iter().find(|requirement| requirement.code == code)
}
