//! `POST /completions`.

use serde_json::{Map, Value, json};

use super::logprobs::likeliest;
use super::model_output::ModelOutput;
use super::sse::{self, Events};
use super::{Body, ReplyContext, filter, pretty, tokens_in};
use crate::provider::Endpoint;

/// Maximum number of choices for one prompt. The same number also limits the choices for all
/// prompts together.
const MOST_CHOICES: usize = 128;

pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    let choices = choices(context);
    if context.is_streamed() {
        let events = Body::from(stream(context, &choices));
        let content_type =
            if context.is_azure() { events.content_type } else { sse::BARE_CONTENT_TYPE };
        return Body { content_type, ..events };
    }
    let listed: Vec<_> = choices
        .iter()
        .enumerate()
        .map(|(index, it)| choice(context, index, &it.pieces, Some(it.finish_reason)))
        .collect();
    let mut completion = json!({
        "id": id(context),
        "object": "text_completion",
        "created": context.created(),
        "model": context.deployment.model,
        "choices": listed,
        "usage": usage(context, &choices)
    });
    if context.is_azure() {
        completion["prompt_filter_results"] = Value::Null;
        completion.sort_all_objects();
        completion["prompt_filter_results"] = filter::prompts();
        return Body::json(format!("{completion}\n"));
    }
    Body::json(pretty(&completion, "\n"))
}

struct Choice {
    /// The prompt if it is echoed, as one piece, then the pieces of the generated text.
    pieces: Vec<String>,
    /// Number of pieces without the prompt.
    generated: usize,
    finish_reason: &'static str,
}

/// All choices: `n` for each prompt.
fn choices(context: &ReplyContext<'_>) -> Vec<Choice> {
    let echo = context.members.get("echo") == Some(true);
    let mut choices = Vec::new();
    for prompt in prompts(context) {
        for _ in 0..context.count() {
            if choices.len() == MOST_CHOICES {
                return choices;
            }
            let sentence = context.sentence(u64::try_from(choices.len()).expect("at most 128"));
            let ModelOutput { mut pieces, finish_reason, .. } = context.limited(&sentence);
            let generated = pieces.len();
            if echo && !prompt.is_empty() {
                pieces.insert(0, prompt.clone());
            }
            choices.push(Choice { pieces, generated, finish_reason });
        }
    }
    choices
}

/// The prompts as strings. A prompt that is a list of tokens becomes an empty string, since its
/// text is unknown.
fn prompts(context: &ReplyContext<'_>) -> Vec<String> {
    match context.members.value("prompt") {
        Value::String(prompt) => vec![prompt],
        Value::Array(prompts) if !prompts.first().is_some_and(Value::is_number) => {
            prompts.iter().map(|prompt| prompt.as_str().unwrap_or_default().to_owned()).collect()
        }
        _ => vec![String::new()],
    }
}

fn stream(context: &ReplyContext<'_>, choices: &[Choice]) -> Events {
    let choices_at = |step| {
        let sent = |(index, it): (usize, &Choice)| {
            let sent = it.pieces.get(step..=step).unwrap_or_default();
            let finish_reason = (step == it.pieces.len()).then_some(it.finish_reason);
            (step <= it.pieces.len()).then(|| choice(context, index, sent, finish_reason))
        };
        choices.iter().enumerate().filter_map(sent).collect()
    };
    let steps = choices.iter().map(|it| it.pieces.len() + 1).max().unwrap_or(0);
    let (events, usage) = (Events::default(), usage(context, choices));
    context.stream_choices(events, Endpoint::Completions, [steps, 1], choices_at, chunk, &usage)
}

fn chunk(context: &ReplyContext<'_>, _: usize, choices: &Value, usage: &Value) -> Value {
    let mut chunk = json!({
        "id": id(context),
        "object": "text_completion",
        "created": context.created(),
        "choices": choices,
        "model": context.deployment.model
    });
    if context.includes_usage() {
        chunk["usage"] = usage.clone();
    }
    if context.is_azure() {
        chunk.sort_all_objects();
    }
    chunk
}

fn choice(
    context: &ReplyContext<'_>,
    index: usize,
    pieces: &[String],
    finish_reason: Option<&str>,
) -> Value {
    let mut choice = json!({
        "text": pieces.concat(),
        "index": index,
        "logprobs": logprobs(context, pieces),
        "finish_reason": finish_reason
    });
    if context.is_azure() {
        choice["content_filter_results"] = filter::answer();
    }
    choice
}

/// The log probabilities of the pieces. `top_logprobs` always contains the piece itself, even if no
/// alternatives are requested.
fn logprobs(context: &ReplyContext<'_>, pieces: &[String]) -> Value {
    let Some(count) = context.members.get::<usize>("logprobs").filter(|_| !pieces.is_empty())
    else {
        return Value::Null;
    };
    let offsets: Vec<usize> = pieces
        .iter()
        .scan(0, |next, piece| {
            let offset = *next;
            *next += piece.chars().count();
            Some(offset)
        })
        .collect();
    let top: Vec<_> = pieces
        .iter()
        .map(|piece| likeliest(piece, count.max(1)))
        .map(|likeliest| likeliest.map(|(token, it)| (token, it.into())).collect::<Map<_, _>>())
        .collect();
    json!({
        "tokens": pieces,
        "token_logprobs": vec![0.0; pieces.len()],
        "top_logprobs": top,
        "text_offset": offsets
    })
}

fn id(context: &ReplyContext<'_>) -> String {
    format!("cmpl-{}", context.digits("completion", 29))
}

/// The usage. It includes the candidates that were generated because of `best_of` but not returned.
fn usage(context: &ReplyContext<'_>, choices: &[Choice]) -> Value {
    let prompt: usize = prompts(context).iter().map(|prompt| tokens_in(prompt)).sum();
    let shown: usize = choices.iter().map(|it| it.generated).sum();
    let made = context.members.get::<usize>("best_of").unwrap_or(1).clamp(1, MOST_CHOICES);
    let count = usize::try_from(context.count()).expect("at most 128");
    let completion = shown * made.max(count) / count;
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion
    })
}
