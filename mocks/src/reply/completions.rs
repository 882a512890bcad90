//! `POST /completions`.

use serde_json::{Map, Value, json};

use super::logprobs::likeliest;
use super::said::Said;
use super::sse::{self, Events};
use super::{Body, Order, filter, pretty, tokens_in};
use crate::provider::Endpoint;

/// The most choices over all prompts: as many as one prompt may have.
const MOST_CHOICES: usize = 128;

pub(super) fn body(order: &Order<'_>) -> Body {
    let choices = choices(order);
    if order.is_streamed() {
        let events = Body::from(stream(order, &choices));
        let content_type =
            if order.is_azure() { events.content_type } else { sse::BARE_CONTENT_TYPE };
        return Body { content_type, ..events };
    }
    let listed: Vec<_> = choices
        .iter()
        .enumerate()
        .map(|(index, it)| choice(order, index, &it.pieces, Some(it.finish_reason)))
        .collect();
    let mut completion = json!({
        "id": id(order),
        "object": "text_completion",
        "created": order.created(),
        "model": order.deployment.model,
        "choices": listed,
        "usage": usage(order, &choices)
    });
    if order.is_azure() {
        completion["prompt_filter_results"] = Value::Null;
        completion.sort_all_objects();
        completion["prompt_filter_results"] = filter::prompts();
        return Body::json(format!("{completion}\n"));
    }
    Body::json(pretty(&completion, "\n"))
}

struct Choice {
    /// The prompt, if it is to be repeated, and what was said.
    pieces: Vec<String>,
    /// How many of them were said.
    said: usize,
    finish_reason: &'static str,
}

/// `n` for each prompt.
fn choices(order: &Order<'_>) -> Vec<Choice> {
    let echo = order.members.get("echo") == Some(true);
    let mut choices = Vec::new();
    for prompt in prompts(order) {
        for _ in 0..order.count() {
            if choices.len() == MOST_CHOICES {
                return choices;
            }
            let words = order.words(u64::try_from(choices.len()).expect("at most 128"));
            let Said { mut pieces, finish_reason, .. } = order.limited(&words);
            let said = pieces.len();
            if echo && !prompt.is_empty() {
                pieces.insert(0, prompt.clone());
            }
            choices.push(Choice { pieces, said, finish_reason });
        }
    }
    choices
}

/// The texts to go on from. Of tokens nobody here knows the text.
fn prompts(order: &Order<'_>) -> Vec<String> {
    match order.members.value("prompt") {
        Value::String(prompt) => vec![prompt],
        Value::Array(prompts) if !prompts.first().is_some_and(Value::is_number) => {
            prompts.iter().map(|prompt| prompt.as_str().unwrap_or_default().to_owned()).collect()
        }
        _ => vec![String::new()],
    }
}

fn stream(order: &Order<'_>, choices: &[Choice]) -> Events {
    let choices_at = |step| {
        let sent = |(index, it): (usize, &Choice)| {
            let sent = it.pieces.get(step..=step).unwrap_or_default();
            let finish_reason = (step == it.pieces.len()).then_some(it.finish_reason);
            (step <= it.pieces.len()).then(|| choice(order, index, sent, finish_reason))
        };
        choices.iter().enumerate().filter_map(sent).collect()
    };
    let steps = choices.iter().map(|it| it.pieces.len() + 1).max().unwrap_or(0);
    let (events, usage) = (Events::default(), usage(order, choices));
    order.stream_choices(events, Endpoint::Completions, [steps, 1], choices_at, chunk, &usage)
}

fn chunk(order: &Order<'_>, _: usize, choices: &Value, usage: &Value) -> Value {
    let mut chunk = json!({
        "id": id(order),
        "object": "text_completion",
        "created": order.created(),
        "choices": choices,
        "model": order.deployment.model
    });
    if order.includes_usage() {
        chunk["usage"] = usage.clone();
    }
    if order.is_azure() {
        chunk.sort_all_objects();
    }
    chunk
}

fn choice(
    order: &Order<'_>,
    index: usize,
    pieces: &[String],
    finish_reason: Option<&str>,
) -> Value {
    let mut choice = json!({
        "text": pieces.concat(),
        "index": index,
        "logprobs": logprobs(order, pieces),
        "finish_reason": finish_reason
    });
    if order.is_azure() {
        choice["content_filter_results"] = filter::answer();
    }
    choice
}

/// The piece itself is always among the likeliest, also where none are asked for.
fn logprobs(order: &Order<'_>, pieces: &[String]) -> Value {
    let Some(count) = order.members.get::<usize>("logprobs").filter(|_| !pieces.is_empty()) else {
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

fn id(order: &Order<'_>) -> String {
    format!("cmpl-{}", order.digits("completion", 29))
}

/// What `best_of` made beyond the choices is counted too.
fn usage(order: &Order<'_>, choices: &[Choice]) -> Value {
    let prompt: usize = prompts(order).iter().map(|prompt| tokens_in(prompt)).sum();
    let shown: usize = choices.iter().map(|it| it.said).sum();
    let made = order.members.get::<usize>("best_of").unwrap_or(1).clamp(1, MOST_CHOICES);
    let count = usize::try_from(order.count()).expect("at most 128");
    let completion = shown * made.max(count) / count;
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion
    })
}
