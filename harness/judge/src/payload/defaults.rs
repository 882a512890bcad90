//! Defaults that are written out, or left out: they mean what their absence means.

use fallproof_protocol::json::{Difference, DifferenceKind};

/// Whether this adds or leaves out the value that the providers' APIs give a parameter by
/// themselves. A null that is left out is one, too; one that is added may be refused.
pub(super) fn is_default(difference: &Difference) -> bool {
    let Difference { pointer, kind } = difference;
    let is_top = pointer.matches('/').count() == 1;
    match kind {
        DifferenceKind::Removed(value) if value == "null" => is_top,
        DifferenceKind::Added(value) | DifferenceKind::Removed(value) => {
            DEFAULTS.contains(&(pointer.as_str(), value.as_str()))
        }
        _ => false,
    }
}

/// What `OpenAI`'s reference gives as the default of a parameter, on whichever endpoint has it:
/// <https://platform.openai.com/docs/api-reference>.
const DEFAULTS: [(&str, &str); 13] = [
    ("/encoding_format", "\"float\""),
    ("/frequency_penalty", "0"),
    ("/logprobs", "false"),
    ("/n", "1"),
    ("/parallel_tool_calls", "true"),
    ("/presence_penalty", "0"),
    ("/response_format", "\"mp3\""),
    ("/stream", "false"),
    ("/style", "\"vivid\""),
    ("/temperature", "1"),
    ("/tool_choice", "\"auto\""),
    ("/top_p", "1"),
    ("/truncation", "\"disabled\""),
];
