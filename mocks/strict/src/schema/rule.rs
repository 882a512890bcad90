//! Rules that involve several parameters or depend on the model.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::Strength;
use crate::body::Value;

/// A rule that involves several parameters or depends on the model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[expect(dead_code, reason = "for readers of the file")]
    id: String,
    pub(crate) kind: RuleKind,
    /// The parameter that the rule applies to. `a[].b` stands for the member `b` of each item in
    /// `a`.
    pub(crate) param: String,
    /// Other parameters, and the values that they must have.
    #[serde(default)]
    pub(crate) requires: IndexMap<String, Json>,
    /// Other parameters that must be present and not null.
    #[serde(default)]
    pub(crate) requires_present: Vec<String>,
    /// Name prefixes of the models that the rule applies to.
    #[serde(default)]
    models: Vec<String>,
    /// Name prefixes of models that the rule does not apply to.
    #[serde(default)]
    except: Vec<String>,
    /// The only values that these models support.
    #[serde(default)]
    pub(crate) allowed: Option<Vec<Json>>,
    /// Values that these models do not support.
    #[serde(default)]
    pub(crate) refused: Option<Vec<Json>>,
    /// The provider's message, with the placeholders `{path}`, `{value}` and `{model}`.
    pub(crate) message: String,
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) error_param: ErrorParam,
    pub(crate) strength: Strength,
    #[expect(dead_code, reason = "for readers of the file")]
    evidence: String,
    #[expect(dead_code, reason = "for readers of the file")]
    date: String,
}

/// The `param` in the error that a rule causes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub(crate) enum ErrorParam {
    /// The path of the value.
    #[default]
    Path,
    /// A fixed value, or null.
    Fixed(Option<String>),
}

impl From<Option<String>> for ErrorParam {
    fn from(param: Option<String>) -> Self {
        Self::Fixed(param)
    }
}

/// What a [`Rule`] checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleKind {
    /// The parameter belongs to another endpoint.
    Moved,
    /// The parameter requires another parameter.
    Requires,
    /// The models do not support the parameter.
    UnsupportedForModel,
    /// The models do not support this value of the parameter.
    UnsupportedValueForModel,
}

impl Rule {
    pub(crate) fn is_for(&self, model: &str) -> bool {
        is_among(model, &self.models, &self.except)
    }

    pub(crate) fn takes(&self, value: &Value<'_>) -> bool {
        let among = |values: &[Json]| values.iter().any(|one| value.equals(one));
        match (&self.allowed, &self.refused) {
            (Some(allowed), _) => among(allowed),
            (None, Some(refused)) => !among(refused),
            (None, None) => false,
        }
    }
}

/// A set of models, given by prefixes of their names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Models {
    models: Vec<String>,
    except: Vec<String>,
}

impl Models {
    pub(crate) fn include(&self, model: &str) -> bool {
        is_among(model, &self.models, &self.except)
    }
}

fn is_among(model: &str, models: &[String], except: &[String]) -> bool {
    let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| model.starts_with(prefix));
    begins(models) && !begins(except)
}

/// The models whose back ends use legacy wording, with neither `param` nor `code`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LegacyWording {
    /// Models that answer unknown parameters with `Unrecognized request argument supplied: …`.
    pub(crate) names: Models,
    /// Models that answer unknown members of a message with `Additional properties are not allowed
    /// …`.
    pub(crate) members: Models,
    /// Members of a message that the schema defines, but that the back ends of `members` do not
    /// know.
    newer_members: Vec<String>,
}

impl LegacyWording {
    /// Whether the back end of this model does not know this member of a message, although the
    /// schema defines the member.
    pub(crate) fn lack(&self, model: &str, member: &str) -> bool {
        self.newer_members.iter().any(|one| one == member) && self.members.include(model)
    }
}
