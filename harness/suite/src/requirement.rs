//! Requirements: the rules of a correct fallback, as data.

mod code;
mod failures;

use std::path::Path;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::VariantArray as _;

pub use self::code::Code;
pub use self::failures::{FAILURE_RULES, FailureRule};
use crate::profile::Profile;
use crate::yaml::{self, At, Diagnostic, Source};

static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    yaml::parse(Path::new("scenarios/requirements.yaml"), fallproof_scenarios::REQUIREMENTS)
        .unwrap_or_else(|error| panic!("the embedded requirements.yaml is invalid:\n{error}"))
});

/// One requirement: a normative sentence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The stable code.
    pub code: Code,
    /// The targets that the requirement applies to.
    pub level: Level,
    /// Whether a breach fails the case or only warns.
    pub severity: Severity,
    /// The profile that the requirement belongs to.
    #[serde(default)]
    pub profile: Profile,
    /// The sentence.
    pub sentence: String,
    /// Why the requirement matters to a user.
    pub why: String,
    /// Links to public reports and documents about the requirement.
    pub sources: Vec<String>,
    /// The saboteurs (deliberately broken routers) that prove that the requirement's check works.
    pub saboteurs: Vec<String>,
}

/// The targets that a requirement applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Applies to every gateway.
    Invariant,
    /// Applies unless the gateway waives it.
    Policy,
    /// Informational.
    Observation,
}

/// The effect of a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A breach fails the case.
    Must,
    /// A breach is a warning.
    Should,
}

/// All requirements, in the order of the document.
pub fn all() -> &'static [Requirement] {
    &REQUIREMENTS
}

/// The error for an unknown code.
pub fn unknown(code: &At<String>, source: &Source) -> Diagnostic {
    let message = format!("there is no requirement `{}`", code.value);
    let codes = Code::VARIANTS.iter().map(|code| code.as_str());
    source.error(&code.span, message).near(&code.value, codes)
}

/// Returns the requirement with this code.
pub fn find(code: &str) -> Option<&'static Requirement> {
    code.parse().ok().map(Code::requirement)
}

impl Code {
    /// The code as text, e.g. `FP-PAYLOAD-01`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The family of requirements that the code belongs to, e.g. `PAYLOAD`.
    pub fn family(self) -> &'static str {
        self.as_str().split('-').nth(1).expect("a code is `FP`, a family and a number")
    }

    /// The requirement itself.
    pub fn requirement(self) -> &'static Requirement {
        all()
            .iter()
            .find(|it| it.code == self)
            .expect("a test checks that every code has a requirement")
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        code.parse().map_err(|_| D::Error::custom(format!("there is no requirement `{code}`")))
    }
}

impl JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<_> = Code::VARIANTS.iter().map(|code| code.as_str()).collect();
        json_schema!({ "type": "string", "enum": codes })
    }
}

/// The schema of the codes at the policy level: the only ones that a target can waive.
#[derive(Debug, Clone, Copy)]
pub struct PolicyCode;

impl JsonSchema for PolicyCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PolicyCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let policies = all().iter().filter(|it| it.level == Level::Policy);
        let codes: Vec<_> = policies.map(|it| it.code.as_str()).collect();
        json_schema!({ "type": "string", "enum": codes })
    }
}
