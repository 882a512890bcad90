//! Formats findings in the providers' wording.
//!
//! There are three styles. Most endpoints and models use the [`modern`] wording. Legacy back ends
//! use the [`legacy`] wording for some findings, and audio endpoints use the wording of
//! [`pydantic`]. Errors in these two styles have neither `param` nor `code`.

mod expected;
mod legacy;
mod modern;
mod pydantic;
mod values;

use fallproof_protocol::provider::Endpoint;

use crate::finding::{Fault, Finding};
use crate::path::pointer;
use crate::schema::{RuleKind, Schema};
use crate::{Violation, ViolationKind};

/// The message for a body that is not JSON, from
/// <https://github.com/ChatGPTNextWeb/NextChat/issues/4064>.
const INVALID_JSON: &str = "We could not parse the JSON body of your request. (HINT: \
    This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON \
    payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix \
    this, please contact us through our help center at help.openai.com.)";

/// The violation for a body that is not JSON.
pub(super) fn invalid_json() -> Violation {
    Violation::observed(ViolationKind::InvalidJson, INVALID_JSON.to_owned())
}

/// The finding in the wording of the endpoint's provider.
pub(super) fn say(
    finding: &Finding<'_>,
    schema: &Schema,
    endpoint: Endpoint,
    model: &str,
) -> Violation {
    let nameless = match endpoint {
        Endpoint::AudioSpeech | Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => {
            pydantic::say(finding, schema)
        }
        _ => legacy::say(finding, schema, endpoint, model),
    };
    let Sentence { message, param, code } =
        nameless.map_or_else(|| modern::say(finding, schema, endpoint, model), Sentence::nameless);
    let (pointer, strength) = (pointer(&finding.path), finding.strength);
    let violation = Violation::observed(kind(finding, endpoint), message);
    Violation { param, code, pointer, strength, ..violation }
}

fn kind(finding: &Finding<'_>, endpoint: Endpoint) -> ViolationKind {
    match &finding.fault {
        Fault::Missing if legacy::is_no_model(finding, endpoint) => ViolationKind::NoModel,
        Fault::Missing => ViolationKind::Missing,
        Fault::Unknown { .. } => ViolationKind::Unknown,
        Fault::Type { .. } | Fault::TagType { .. } => ViolationKind::Type,
        Fault::Choice { .. } => ViolationKind::Choice,
        Fault::Range { .. } => ViolationKind::Range,
        Fault::Size { .. } => ViolationKind::Length,
        Fault::Pattern { .. } => ViolationKind::Pattern,
        Fault::Rule { rule, .. } => match rule.kind {
            RuleKind::Moved => ViolationKind::Misplaced,
            RuleKind::Requires => ViolationKind::Dependency,
            RuleKind::UnsupportedForModel => ViolationKind::UnsupportedByModel,
            RuleKind::UnsupportedValueForModel => ViolationKind::ValueUnsupportedByModel,
        },
        Fault::Repeated => ViolationKind::DuplicateKey,
    }
}

struct Sentence {
    message: String,
    param: Option<String>,
    code: Option<String>,
}

impl Sentence {
    fn nameless(message: String) -> Self {
        Self { message, param: None, code: None }
    }
}
