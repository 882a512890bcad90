//! `POST /audio/transcriptions` and `POST /audio/translations`.

use serde_json::{Value, json};

use super::model_output::pieces;
use super::sse::Events;
use super::{Body, ReplyContext, pretty};

/// Duration that is reported for every file, whatever its content.
const SECONDS: f64 = 1.0;

/// Number of input tokens that is reported for every file, by models that count tokens.
const AUDIO_TOKENS: usize = 10;

pub(super) fn transcription(context: &ReplyContext<'_>) -> Body {
    let counts_tokens = !context.deployment.model.starts_with("whisper");
    if counts_tokens && context.is_streamed() {
        return stream(context).into();
    }
    let usage =
        if counts_tokens { tokens(context) } else { json!({ "type": "duration", "seconds": 1 }) };
    match format(context).as_str() {
        "verbose_json" => {
            let mut answer = verbose(context, "transcribe");
            answer["usage"] = usage;
            Body::json(answer.to_string())
        }
        "json" => Body::json(json!({ "text": text(context), "usage": usage }).to_string()),
        "diarized_json" => Body::json(diarized(context, &usage).to_string()),
        other => timed(context, other),
    }
}

pub(super) fn translation(context: &ReplyContext<'_>) -> Body {
    match format(context).as_str() {
        "verbose_json" => Body::json(verbose(context, "translate").to_string()),
        "json" => Body::json(pretty(&json!({ "text": text(context) }), "")),
        other => timed(context, other),
    }
}

fn format(context: &ReplyContext<'_>) -> String {
    context.members.get("response_format").unwrap_or_else(|| "json".to_owned())
}

fn text(context: &ReplyContext<'_>) -> String {
    context.sentence(0)
}

/// The body in a format that is not JSON.
fn timed(context: &ReplyContext<'_>, format: &str) -> Body {
    let text = text(context);
    Body::text(match format {
        "srt" => format!("1\n00:00:00,000 --> 00:00:01,000\n{text}\n\n\n"),
        "vtt" => format!("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{text}\n\n"),
        _ => format!("{text}\n"),
    })
}

fn verbose(context: &ReplyContext<'_>, task: &str) -> Value {
    let text = text(context);
    let granularities: Vec<String> =
        context.members.get("timestamp_granularities").unwrap_or_default();
    let mut answer = json!({
        "task": task,
        "language": "english",
        "duration": SECONDS,
        "text": text
    });
    if granularities.iter().any(|it| it == "word") {
        answer["words"] = text
            .split(' ')
            .map(|word| json!({ "word": word, "start": 0.0, "end": SECONDS }))
            .collect();
    }
    if granularities.is_empty() || granularities.iter().any(|it| it == "segment") {
        answer["segments"] = json!([{
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": SECONDS,
            "text": text,
            "tokens": [50364],
            "temperature": 0.0,
            "avg_logprob": -0.25,
            "compression_ratio": 1.0,
            "no_speech_prob": 0.0
        }]);
    }
    answer
}

/// The transcript with speakers. There is only one speaker.
fn diarized(context: &ReplyContext<'_>, usage: &Value) -> Value {
    let text = text(context);
    json!({
        "task": "transcribe",
        "duration": SECONDS,
        "text": text,
        "segments": [{
            "type": "transcript.text.segment",
            "id": "seg_0",
            "start": 0.0,
            "end": SECONDS,
            "text": text,
            "speaker": "A"
        }],
        "usage": usage
    })
}

fn stream(context: &ReplyContext<'_>) -> Events {
    let mut events = Events::default();
    let text = text(context);
    for piece in pieces(&text) {
        events.data(&json!({ "type": "transcript.text.delta", "delta": piece }));
    }
    events.data(&json!({ "type": "transcript.text.done", "text": text, "usage": tokens(context) }));
    events
}

fn tokens(context: &ReplyContext<'_>) -> Value {
    let output = pieces(&text(context)).len();
    json!({
        "type": "tokens",
        "total_tokens": AUDIO_TOKENS + output,
        "input_tokens": AUDIO_TOKENS,
        "input_token_details": { "text_tokens": 0, "audio_tokens": AUDIO_TOKENS },
        "output_tokens": output
    })
}
