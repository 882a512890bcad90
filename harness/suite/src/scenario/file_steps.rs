//! The format of a scenario's steps, before validation.

use fallproof_protocol::coding::Coding;
use fallproof_protocol::provider::Endpoint;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ClientKey, body};
use crate::yaml::{At, Members, Optional};

/// One step: a call, several parallel calls, or an advance of the clock.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    rename = "Step",
    extend("oneOf" = [
        { "required": ["send"] }, { "required": ["parallel"] }, { "required": ["advance_ms"] }
    ])
)]
pub(super) struct StepFile {
    /// The call.
    pub(super) send: Optional<At<CallFile>>,
    /// Expectations, in addition to the requirements that always apply.
    pub(super) expect: Optional<At<ExpectFile>>,
    /// Makes this many copies of the call in parallel. `{{call}}` in the body has a different value
    /// in each copy.
    #[schemars(range(min = 1, max = 64))]
    pub(super) repeat: Optional<At<u32>>,
    /// Calls that are made in parallel.
    pub(super) parallel: Optional<At<Vec<PlannedFile>>>,
    /// Advances the clock by this many milliseconds.
    #[schemars(range(min = 1))]
    pub(super) advance_ms: Optional<At<u64>>,
}

/// One of several parallel calls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Planned")]
pub(super) struct PlannedFile {
    /// The call.
    pub(super) send: At<CallFile>,
    /// Expectations, in addition to the requirements that always apply.
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
    /// The group that the call asks for, if the scenario has several.
    #[serde(default)]
    pub(super) to: Optional<At<String>>,
    /// The endpoint to call.
    pub(super) endpoint: Endpoint,
    /// The API key that the client sends; the `right` key by default.
    #[serde(default)]
    pub(super) key: ClientKey,
    /// Headers in addition to those that every call has.
    #[serde(default)]
    pub(super) headers: IndexMap<At<String>, At<String>>,
    /// The body. Omit `model`: it is added as the first member. Numbers must be spelled as in JSON.
    /// `{{response_id}}` in a string is replaced with the `id` of the response to the previous
    /// call.
    #[serde(default)]
    #[schemars(schema_with = "body::schema")]
    pub(super) body: Optional<At<Members>>,
    /// JSON text that is sent as `model` in a `body`, instead of the group's name. If it is empty,
    /// `model` is left out.
    #[serde(default)]
    pub(super) model_json: Optional<At<String>>,
    /// The body as JSON text, sent byte for byte. `{{model}}` in `"model": "{{model}}"` is replaced
    /// with the group's name.
    #[serde(default)]
    pub(super) body_json: Optional<At<String>>,
    /// The body as a form. Omit `model`: it is added as the first field.
    #[serde(default)]
    pub(super) form: Optional<At<Vec<At<PartFile>>>>,
    /// Sends the body in this content coding.
    #[serde(default)]
    pub(super) encoding: Optional<Coding>,
    /// The point at which the client disconnects before the response is complete.
    #[serde(default)]
    pub(super) disconnect: Optional<At<DisconnectFile>>,
    /// Delays reading the response until this deployment has sent as much as it can.
    #[serde(default)]
    pub(super) delay_read_until_sent_by: Optional<At<String>>,
}

/// One part of a form: a `value` or an audio file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Part", extend("oneOf" = [{ "required": ["value"] }, { "required": ["audio_silence_ms"] }]))]
pub(super) struct PartFile {
    /// The field's name.
    pub(super) name: At<String>,
    /// The file name, if the part is a file.
    #[serde(default)]
    pub(super) filename: Optional<At<String>>,
    /// The complete value of `content-disposition`, instead of a value built from `name` and
    /// `filename`.
    #[serde(default)]
    pub(super) disposition: Optional<At<String>>,
    /// The content type, if the part has one.
    #[serde(default)]
    pub(super) content_type: Optional<At<String>>,
    /// The content, as text.
    #[serde(default)]
    pub(super) value: Optional<String>,
    /// The content is a WAV file with this many milliseconds of silence.
    #[serde(default)]
    #[schemars(range(max = 60_000))]
    pub(super) audio_silence_ms: Optional<At<u32>>,
}

/// The point at which a client disconnects before its response is complete: one of these two.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Disconnect", extend("oneOf" = [
    { "required": ["after_events"] }, { "required": ["after_request_to"] }
]))]
pub(super) struct DisconnectFile {
    /// After the client got this many events of a stream.
    pub(super) after_events: Optional<At<u32>>,
    /// After this deployment got the request.
    pub(super) after_request_to: Optional<At<String>>,
}

/// Expectations of a call. Omitted values are not checked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Expect")]
pub(super) struct ExpectFile {
    /// The deployments that get an attempt, in order of arrival.
    pub(super) attempts: Optional<Vec<At<String>>>,
    /// The status that the client gets.
    #[schemars(range(min = 100, max = 599))]
    pub(super) status: Optional<At<u16>>,
    /// The deployment whose answer the client gets.
    pub(super) answered_by: Optional<At<String>>,
    /// The error that the client gets, in OpenAI's format.
    pub(super) error: Optional<ErrorFile>,
    /// Headers of the response, with their values.
    pub(super) headers: IndexMap<String, String>,
    /// Headers and strings that no attempt may carry.
    pub(super) no_attempt_carries: CarriesFile,
}

/// Headers and strings to look for in an attempt.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Carries")]
pub(super) struct CarriesFile {
    /// Names of headers.
    pub(super) headers: Vec<At<String>>,
    /// Strings to look for in the request target, the headers and the body.
    pub(super) text: Vec<At<String>>,
}

/// Members of the error that the client gets. Omitted members are not checked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Error")]
pub(super) struct ErrorFile {
    /// `error.type`
    #[serde(rename = "type")]
    pub(super) kind: Optional<String>,
    /// `error.code`
    pub(super) code: Optional<String>,
    /// `error.param`
    pub(super) param: Optional<String>,
    /// A string that `error.message` must contain.
    pub(super) message_contains: Optional<String>,
}
