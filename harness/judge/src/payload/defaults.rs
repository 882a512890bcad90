//! Default values, which may be spelled out or omitted without a change of meaning.

use fallproof_protocol::json::{Difference, DifferenceKind};

/// Whether the difference only adds or omits a parameter's default value. Omitting a null counts,
/// too. Adding a null does not, because providers may refuse it.
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

/// The defaults in `OpenAI`'s API reference, for all endpoints:
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
