//! A scenario as its file spells it, before it is understood. The JSON Schema comes from here.

use fallproof_protocol::behaviour::Behaviour;
use fallproof_protocol::provider::Endpoint;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::body::Members;
use super::{ClientKey, Profile};
use crate::yaml::{At, Optional};
use fallproof_protocol::condition::Condition;

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
    /// The set of scenarios that a gateway is judged by together; `core` unless said.
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
    pub(super) upstreams: IndexMap<At<String>, UpstreamFile>,
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
#[schemars(rename = "Upstream")]
pub(super) struct UpstreamFile {
    /// Whose API it plays.
    pub(super) provider: Provider,
    /// Azure only: which of its two sets of paths; `v1` unless said.
    #[serde(default)]
    pub(super) surface: Optional<At<AzureSurface>>,
    /// The model that answers, e.g. `gpt-5`.
    pub(super) model: String,
    /// Azure only: the deployment's name; the model's unless said.
    #[serde(default)]
    pub(super) deployment: Optional<At<String>>,
    /// Azure legacy only: `2025-04-01-preview` unless said.
    #[serde(default)]
    pub(super) api_version: Optional<At<String>>,
    /// What it does at its first, second, … attempt.
    #[schemars(length(min = 1))]
    pub(super) script: At<Vec<At<Behaviour>>>,
    /// After its last behaviour the script repeats it; otherwise one more attempt is a failure.
    #[serde(default)]
    pub(super) repeat_last: bool,
}

/// A vendor whose API is played.
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
    /// The names of its upstreams, the first to be tried first.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) chain: At<Vec<At<String>>>,
    /// Who is asked instead, in order, when a request is too long.
    #[serde(default)]
    pub(super) on_context_length: Vec<At<String>>,
    /// Who is asked instead, in order, when a content filter refuses a request.
    #[serde(default)]
    pub(super) on_content_filter: Vec<At<String>>,
    /// How often the target tries an upstream again before it goes to the next.
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
    /// When an upstream that keeps failing is put aside; never unless said.
    #[serde(default)]
    pub(super) cooldown: Optional<CooldownFile>,
    /// The longest that an upstream is left alone because its 429 or 503 asks for it, in
    /// milliseconds; 0 leaves none alone.
    #[serde(default)]
    pub(super) max_retry_after_ms: Optional<u64>,
    /// Which failures lead on to the next upstream: `connection`, `timeout`, `invalid_response`,
    /// `error_in_success`, `4xx`, `5xx` or a status.
    #[serde(default)]
    pub(super) fallback_on: Optional<Vec<At<Condition>>>,
}

/// When an upstream is put aside, and for how long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cooldown")]
pub(super) struct CooldownFile {
    /// How many failures in a row it takes.
    #[schemars(range(min = 1))]
    pub(super) after_failures: At<u32>,
    /// How long it gets no calls, in milliseconds.
    #[schemars(range(min = 1))]
    pub(super) for_ms: At<u64>,
}

/// One thing that happens: a call, several at the same time, or a move of the clock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    rename = "Step",
    extend("oneOf" = [
        { "required": ["send"] }, { "required": ["together"] }, { "required": ["advance_ms"] }
    ])
)]
pub(super) struct StepFile {
    /// The call.
    #[serde(default)]
    pub(super) send: Optional<At<CallFile>>,
    /// What must happen, beyond the requirements that hold always.
    #[serde(default)]
    pub(super) expect: Optional<At<ExpectFile>>,
    /// So many of the call at the same time; each has another word for `{{call}}` in its body.
    #[serde(default)]
    #[schemars(range(min = 1, max = 64))]
    pub(super) copies: Optional<At<u32>>,
    /// Calls that are made at the same time.
    #[serde(default)]
    pub(super) together: Optional<At<Vec<PlannedFile>>>,
    /// Moves the clock on by so many milliseconds.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(super) advance_ms: Optional<At<u64>>,
}

/// One of several calls that are made at the same time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Planned")]
pub(super) struct PlannedFile {
    /// The call.
    pub(super) send: At<CallFile>,
    /// What must happen, beyond the requirements that hold always.
    #[serde(default)]
    pub(super) expect: ExpectFile,
}

/// One client call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Call", extend("oneOf" = [
    { "required": ["body"] }, { "required": ["body_json"] }, { "required": ["form"] }
]))]
pub(super) struct CallFile {
    /// The group that it asks for, where there are several.
    #[serde(default)]
    pub(super) to: Optional<At<String>>,
    /// Where it goes.
    pub(super) endpoint: Endpoint,
    /// What the client shows to be let in; the `right` key unless said.
    #[serde(default)]
    pub(super) key: ClientKey,
    /// Headers beside those that every call has.
    #[serde(default)]
    pub(super) headers: IndexMap<At<String>, At<String>>,
    /// The body without `model`, which is put first. Numbers must be written as JSON writes them.
    /// `{{response_id}}` in a text becomes the `id` of the answer to the call before.
    #[serde(default)]
    pub(super) body: Optional<At<Members>>,
    /// The body as JSON text, sent byte for byte; `"model": "{{model}}"` marks the group's place.
    #[serde(default)]
    pub(super) body_json: Optional<At<String>>,
    /// The body as a form without `model`, which is put first.
    #[serde(default)]
    pub(super) form: Optional<At<Vec<At<PartFile>>>>,
    /// When the client leaves without waiting for the end.
    #[serde(default)]
    pub(super) leave: Optional<At<LeaveFile>>,
    /// The client reads nothing of its answer until this upstream has sent all that it can.
    #[serde(default)]
    pub(super) read_once_sent: Optional<At<String>>,
}

/// One part of a form; it has a `value`, or is a sound file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Part", extend("oneOf" = [{ "required": ["value"] }, { "required": ["silence_ms"] }]))]
pub(super) struct PartFile {
    /// The field's name.
    pub(super) name: At<String>,
    /// The file's name, where it is a file.
    #[serde(default)]
    pub(super) filename: Optional<At<String>>,
    /// The whole value of its `content-disposition`, instead of one made of these two names.
    #[serde(default)]
    pub(super) disposition: Optional<At<String>>,
    /// The content type, where it says one.
    #[serde(default)]
    pub(super) content_type: Optional<At<String>>,
    /// What it holds, as text.
    #[serde(default)]
    pub(super) value: Optional<String>,
    /// It holds a WAV file of so many milliseconds of silence.
    #[serde(default)]
    #[schemars(range(max = 60_000))]
    pub(super) silence_ms: Optional<At<u32>>,
}

/// When a client leaves before its answer is through: one of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Leave", extend("oneOf" = [
    { "required": ["after_events"] }, { "required": ["once_asked"] }
]))]
pub(super) struct LeaveFile {
    /// Once so many events of a stream have reached it.
    #[serde(default)]
    pub(super) after_events: Optional<At<u32>>,
    /// Once this upstream has the request.
    #[serde(default)]
    pub(super) once_asked: Optional<At<String>>,
}

/// What must come of a call; what is left out is not looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Expect")]
pub(super) struct ExpectFile {
    /// The upstreams that see an attempt, in the order of arrival.
    #[serde(default)]
    pub(super) attempts: Optional<Vec<At<String>>>,
    /// The status that the client gets.
    #[serde(default)]
    #[schemars(range(min = 100, max = 599))]
    pub(super) status: Optional<At<u16>>,
    /// The upstream whose words the client gets.
    #[serde(default)]
    pub(super) answered_by: Optional<At<String>>,
    /// The error that the client gets, in the shape of OpenAI's.
    #[serde(default)]
    pub(super) error: Optional<ErrorFile>,
    /// Headers of the answer, with their values.
    #[serde(default)]
    pub(super) headers: IndexMap<String, String>,
}

/// Members of the error that the client gets; what is left out is not looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Error")]
pub(super) struct ErrorFile {
    /// `error.type`
    #[serde(default, rename = "type")]
    pub(super) kind: Optional<String>,
    /// `error.code`
    #[serde(default)]
    pub(super) code: Optional<String>,
    /// `error.param`
    #[serde(default)]
    pub(super) param: Optional<String>,
    /// Words within `error.message`.
    #[serde(default)]
    pub(super) message_contains: Optional<String>,
}
