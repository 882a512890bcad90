//! The steps of a scenario as its file spells them, before they are understood.

use fallproof_protocol::provider::Endpoint;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ClientKey, body};
use crate::yaml::{At, Members, Optional};

/// One thing that happens: a call, several at the same time, or a move of the clock.
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
    /// What must happen, beyond the requirements that hold always.
    pub(super) expect: Optional<At<ExpectFile>>,
    /// So many of the call at the same time; each has another word for `{{call}}` in its body.
    #[schemars(range(min = 1, max = 64))]
    pub(super) repeat: Optional<At<u32>>,
    /// Calls that are made at the same time.
    pub(super) parallel: Optional<At<Vec<PlannedFile>>>,
    /// Moves the clock on by so many milliseconds.
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
    /// What the client shows to be let in; the `right` key by default.
    #[serde(default)]
    pub(super) key: ClientKey,
    /// Headers beside those that every call has.
    #[serde(default)]
    pub(super) headers: IndexMap<At<String>, At<String>>,
    /// The body without `model`, which is put first. Numbers must be written as JSON writes them.
    /// `{{response_id}}` in a text becomes the `id` of the answer to the call before.
    #[serde(default)]
    #[schemars(schema_with = "body::schema")]
    pub(super) body: Optional<At<Members>>,
    /// The body as JSON text, sent byte for byte; `"model": "{{model}}"` marks the group's place.
    #[serde(default)]
    pub(super) body_json: Optional<At<String>>,
    /// The body as a form without `model`, which is put first.
    #[serde(default)]
    pub(super) form: Optional<At<Vec<At<PartFile>>>>,
    /// When the client leaves without waiting for the end.
    #[serde(default)]
    pub(super) disconnect: Optional<At<DisconnectFile>>,
    /// The client reads nothing of its answer until this deployment has sent all that it can.
    #[serde(default)]
    pub(super) delay_read_until_sent_by: Optional<At<String>>,
}

/// One part of a form; it has a `value`, or is a sound file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Part", extend("oneOf" = [{ "required": ["value"] }, { "required": ["audio_silence_ms"] }]))]
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
    pub(super) audio_silence_ms: Optional<At<u32>>,
}

/// When a client leaves before its answer is through: one of these.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Disconnect", extend("oneOf" = [
    { "required": ["after_events"] }, { "required": ["after_request_to"] }
]))]
pub(super) struct DisconnectFile {
    /// Once so many events of a stream have reached it.
    pub(super) after_events: Optional<At<u32>>,
    /// Once this deployment has the request.
    pub(super) after_request_to: Optional<At<String>>,
}

/// What must come of a call; what is left out is not looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Expect")]
pub(super) struct ExpectFile {
    /// The deployments that see an attempt, in the order of arrival.
    pub(super) attempts: Optional<Vec<At<String>>>,
    /// The status that the client gets.
    #[schemars(range(min = 100, max = 599))]
    pub(super) status: Optional<At<u16>>,
    /// The deployment whose words the client gets.
    pub(super) answered_by: Optional<At<String>>,
    /// The error that the client gets, in the shape of OpenAI's.
    pub(super) error: Optional<ErrorFile>,
    /// Headers of the answer, with their values.
    pub(super) headers: IndexMap<String, String>,
}

/// Members of the error that the client gets; what is left out is not looked at.
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
    /// Words within `error.message`.
    pub(super) message_contains: Optional<String>,
}
