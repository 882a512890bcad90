//! The format of a scenario file, before validation. The JSON Schema is generated from these types.

use fallproof_protocol::behavior::Behavior;
use fallproof_protocol::condition::Condition;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::file_steps::StepFile;
use super::{Freedom, Level};
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
    /// One sentence that describes what happens.
    #[schemars(regex(pattern = r"\S"))]
    pub(super) title: At<String>,
    /// Why the case matters.
    #[serde(default)]
    pub(super) why: Optional<String>,
    /// Links to reports or documents about the case.
    #[serde(default)]
    pub(super) links: Vec<String>,
    /// The profile that the scenario belongs to; `core` by default.
    #[serde(default)]
    pub(super) profile: Optional<Profile>,
    /// `robustness` if no provider or client is known to send this; violations then do not change
    /// the verdict. `conformance` by default.
    #[serde(default)]
    pub(super) level: Optional<Level>,
    /// Expectations that bind only the reference router. Other targets may choose the number of
    /// `attempts` within the retries, an error `status` of the same kind, the `error_wording`, or
    /// the handling of an `unseen_break`; their deviations are informational.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub(super) up_to_target: Vec<Freedom>,
    /// The codes of the requirements that the scenario tests.
    #[schemars(length(min = 1), inner(regex(pattern = "^FP-[A-Z]+-[0-9]{2}$")))]
    pub(super) proves: At<Vec<At<String>>>,
    /// Tags for selecting scenarios.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^[a-z0-9-]+$")))]
    pub(super) tags: Vec<At<String>>,
    /// The mock deployments by name.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9-]+$" }))]
    pub(super) deployments: IndexMap<At<String>, DeploymentFile>,
    /// The model group that the client asks for.
    #[serde(default)]
    pub(super) group: Optional<At<GroupFile>>,
    /// Several model groups by name, instead of `group`; a call selects one with `to`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9-]+$" }))]
    pub(super) groups: IndexMap<At<String>, At<GroupFile>>,
    /// The steps, in order.
    #[schemars(length(min = 1))]
    pub(super) steps: At<Vec<At<StepFile>>>,
}

/// One mock deployment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Deployment")]
pub(super) struct DeploymentFile {
    /// The provider whose API the deployment mocks.
    pub(super) provider: Provider,
    /// Azure only: the set of paths; `v1` by default.
    #[serde(default)]
    pub(super) surface: Optional<At<AzureSurface>>,
    /// The model that answers, e.g. `gpt-5`.
    pub(super) model: String,
    /// Azure only: the deployment's name; the model's name by default.
    #[serde(default)]
    pub(super) deployment_name: Optional<At<String>>,
    /// Azure legacy only: the API version; `2025-04-01-preview` by default.
    #[serde(default)]
    pub(super) api_version: Optional<At<String>>,
    /// OpenAI only: the organization that its requests belong to.
    #[serde(default)]
    pub(super) organization: Optional<At<String>>,
    /// OpenAI only: the project that its requests belong to.
    #[serde(default)]
    pub(super) project: Optional<At<String>>,
    /// Additional headers that the gateway is configured to send to it.
    #[serde(default)]
    pub(super) headers: IndexMap<At<String>, At<String>>,
    /// Additional query parameters that the gateway is configured to send to it.
    #[serde(default)]
    pub(super) query: IndexMap<At<String>, At<String>>,
    /// Its behaviors at the first attempt, the second, and so on.
    #[schemars(length(min = 1))]
    pub(super) script: At<Vec<At<Behavior>>>,
    /// Whether the last behavior of the script repeats. If not, the mock rejects attempts after the
    /// end of the script.
    #[serde(default)]
    pub(super) repeat_last: bool,
}

/// A provider whose API is mocked.
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

/// A model group and its policy. If a value is omitted, the target chooses it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(super) struct GroupFile {
    /// The names of its deployments, in the order in which to try them.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) chain: At<Vec<At<String>>>,
    /// Deployments to try instead, in order, if a request is too long.
    #[serde(default)]
    pub(super) on_context_length: Vec<At<String>>,
    /// Deployments to try instead, in order, if a content filter refuses a request.
    #[serde(default)]
    pub(super) on_content_filter: Vec<At<String>>,
    /// Number of retries at a deployment before the next one is tried.
    #[serde(default)]
    pub(super) retries: Optional<u32>,
    /// Timeout of one attempt, in milliseconds.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(super) timeout_ms: Optional<At<u64>>,
    /// Timeout of one call with all its attempts, in milliseconds.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(super) total_timeout_ms: Optional<At<u64>>,
    /// Cooldown after repeated failures; none by default.
    #[serde(default)]
    pub(super) cooldown: Optional<CooldownFile>,
    /// Limit on the wait that a deployment requests with a 429 or 503 response, in milliseconds.
    /// With 0, requested waits are ignored.
    #[serde(default)]
    pub(super) max_retry_after_ms: Optional<u64>,
    /// The failures that cause a fallback to the next deployment: `connection`, `timeout`,
    /// `invalid_response`, `error_in_success`, `4xx`, `5xx` or a status.
    #[serde(default)]
    pub(super) fallback_on: Optional<Vec<At<Condition>>>,
}

/// When a deployment's cooldown starts, and how long it lasts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cooldown")]
pub(super) struct CooldownFile {
    /// Number of consecutive failures that start the cooldown.
    #[schemars(range(min = 1))]
    pub(super) after_failures: At<u32>,
    /// How long the cooldown lasts, in milliseconds. During this time, the deployment gets no
    /// attempts.
    #[schemars(range(min = 1))]
    pub(super) duration_ms: At<u64>,
}
