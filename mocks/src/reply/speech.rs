//! `POST /audio/speech`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::sse::Events;
use super::{Body, ReplyContext, audio};

/// Number of output tokens that is reported for the silence.
const OUTPUT_TOKENS: usize = 1;

pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    let title = context.marker.token();
    let format: String = context.members.get("response_format").unwrap_or_default();
    let (content_type, bytes) = match format.as_str() {
        "opus" => ("audio/opus", audio::opus(title)),
        "aac" => ("audio/aac", audio::aac(title)),
        "flac" => ("audio/flac", audio::flac(title)),
        "wav" => ("audio/wav", audio::wav(title)),
        "pcm" => ("audio/pcm", audio::pcm(title)),
        _ => ("audio/mpeg", audio::mp3(title)),
    };
    if context.members.get::<String>("stream_format").as_deref() == Some("sse") {
        return stream(context, &bytes).into();
    }
    Body { content_type, bytes }
}

fn stream(context: &ReplyContext<'_>, bytes: &[u8]) -> Events {
    let mut events = Events::default();
    let audio = STANDARD.encode(bytes);
    events.data(&json!({ "type": "speech.audio.delta", "audio": audio }));
    let input = context.members.tokens("input");
    events.data(&json!({
        "type": "speech.audio.done",
        "usage": {
            "input_tokens": input,
            "output_tokens": OUTPUT_TOKENS,
            "total_tokens": input + OUTPUT_TOKENS
        }
    }));
    events
}
