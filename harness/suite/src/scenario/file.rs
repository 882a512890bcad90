//! A scenario as its file spells it, before it is understood. The JSON Schema comes from here.

use fallproof_protocol::behavior::Behavior;
use fallproof_protocol::condition::Condition;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::file_steps::StepFile;
use crate::profile::Profile;
use crate::yaml::{At, Optional};

/// One declarative case of the conformance suite.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "Fallproof scenario",
    extend("oneOf" = [{ "required": ["group"] }, { "required": ["groups"] }])
)]
pub(super) struct ScenarioFile {
    /// What happens, in one sentence.
    #[schemars(regex(pattern = r"\S"))]
    pub(super) title: At<String>,
    /// Why it is worth a case.
    #[serde(default)]
    pub(super) why: Optional<String>,
    /// Where it was met or is told of.
    #[serde(default)]
    pub(super) links: Vec<String>,
    /// The set of scenarios that a gateway is judged by together; `core` by default.
    #[serde(default)]
    pub(super) profile: Optional<Profile>,
    /// The codes of the requirements that it was written for.
    #[schemars(length(min = 1), inner(regex(pattern = "^FP-[A-Z]+-[0-9]{2}$")))]
    pub(super) proves: At<Vec<At<String>>>,
    /// Words to choose scenarios by.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^[a-z0-9-]+$")))]
    pub(super) tags: Vec<At<String>>,
    /// The mock providers by name.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9-]+$" }))]
    pub(super) deployments: IndexMap<At<String>, DeploymentFile>,
    /// The model group that the client asks for.
    #[serde(default)]
    pub(super) group: Optional<At<GroupFile>>,
    /// Several model groups by name, instead of `group`; a call says which it asks for with `to`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9-]+$" }))]
    pub(super) groups: IndexMap<At<String>, At<GroupFile>>,
    /// What happens, in order.
    #[schemars(length(min = 1))]
    pub(super) steps: At<Vec<At<StepFile>>>,
}

/// A mock provider that stands for one deployment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Deployment")]
pub(super) struct DeploymentFile {
    /// Whose API it plays.
    pub(super) provider: Provider,
    /// Azure only: which of its two sets of paths; `v1` by default.
    #[serde(default)]
    pub(super) surface: Optional<At<AzureSurface>>,
    /// The model that answers, e.g. `gpt-5`.
    pub(super) model: String,
    /// Azure only: the deployment's name; the model's by default.
    #[serde(default)]
    pub(super) deployment_name: Optional<At<String>>,
    /// Azure legacy only: `2025-04-01-preview` by default.
    #[serde(default)]
    pub(super) api_version: Optional<At<String>>,
    /// What it does at its first, second, … attempt.
    #[schemars(length(min = 1))]
    pub(super) script: At<Vec<At<Behavior>>>,
    /// After its last behavior the script repeats it; otherwise one more attempt is a failure.
    #[serde(default)]
    pub(super) repeat_last: bool,
}

/// A provider whose API is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Provider {
    /// `api.openai.com`
    OpenAi,
    /// Azure OpenAI
    Azure,
}

/// One of Azure's two sets of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AzureSurface {
    /// `/openai/v1/…`
    V1,
    /// `/openai/deployments/{deployment}/…?api-version=`
    Legacy,
}

/// A model group and what is set for it; what is left out is left to the target.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(super) struct GroupFile {
    /// The names of its deployments, the first to be tried first.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) chain: At<Vec<At<String>>>,
    /// Who is asked instead, in order, when a request is too long.
    #[serde(default)]
    pub(super) on_context_length: Vec<At<String>>,
    /// Who is asked instead, in order, when a content filter refuses a request.
    #[serde(default)]
    pub(super) on_content_filter: Vec<At<String>>,
    /// How often the target tries a deployment again before it goes to the next.
    #[serde(default)]
    pub(super) retries: Optional<u32>,
    /// How long the target waits for one attempt, in milliseconds.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(super) timeout_ms: Optional<At<u64>>,
    /// How long the target takes for one call over all its attempts, in milliseconds.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(super) total_timeout_ms: Optional<At<u64>>,
    /// When a deployment that keeps failing is put aside; never by default.
    #[serde(default)]
    pub(super) cooldown: Optional<CooldownFile>,
    /// The longest that a deployment is left alone because its 429 or 503 asks for it, in
    /// milliseconds; 0 leaves none alone.
    #[serde(default)]
    pub(super) max_retry_after_ms: Optional<u64>,
    /// Which failures lead on to the next deployment: `connection`, `timeout`, `invalid_response`,
    /// `error_in_success`, `4xx`, `5xx` or a status.
    #[serde(default)]
    pub(super) fallback_on: Optional<Vec<At<Condition>>>,
}

/// When a deployment is put aside, and for how long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cooldown")]
pub(super) struct CooldownFile {
    /// How many failures in a row it takes.
    #[schemars(range(min = 1))]
    pub(super) after_failures: At<u32>,
    /// How long it gets no calls, in milliseconds.
    #[schemars(range(min = 1))]
    pub(super) duration_ms: At<u64>,
}
