//! `POST /embeddings`.

use serde_json::{Value, json};

use super::{Body, ReplyContext, pretty};
use crate::marker::base64_of_f32;

/// Maximum number of dimensions, which is more than any model has.
const MOST_DIMENSIONS: usize = 4096;

const MOST_INPUTS: usize = 2048;

pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    Body::json(pretty(&list(context), if context.is_azure() { "\n" } else { "" }))
}

fn list(context: &ReplyContext<'_>) -> Value {
    let dimensions = context.members.get::<usize>("dimensions").map_or_else(
        || if context.deployment.model.ends_with("-3-large") { 3072 } else { 1536 },
        |dimensions| dimensions.clamp(1, MOST_DIMENSIONS),
    );
    let base64 = context.members.get::<String>("encoding_format").as_deref() == Some("base64");
    let data: Vec<_> = (0..inputs(context))
        .map(|index| {
            let vector = vector(context, index, dimensions);
            let embedding =
                if base64 { json!(base64_of_f32(&vector)) } else { json!(spelled(&vector)) };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let tokens = context.members.tokens("input");
    json!({
        "object": "list",
        "data": data,
        "model": context.deployment.model,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens }
    })
}

/// The numbers as the provider prints them, with the precision of `f32`.
fn spelled(vector: &[f32]) -> Vec<f64> {
    let spelled =
        |number: &f32| number.to_string().parse().expect("a printed number can be parsed");
    vector.iter().map(spelled).collect()
}

/// Number of inputs. The `input` is a string, a list of tokens, or a list of strings or of token
/// lists.
fn inputs(context: &ReplyContext<'_>) -> usize {
    match context.members.get::<Vec<Value>>("input") {
        Some(items) if !items.first().is_some_and(Value::is_number) => items.len().min(MOST_INPUTS),
        _ => 1,
    }
}

/// The marker's numbers, followed by small numbers that differ between inputs. `f32` represents all
/// these numbers exactly, and they have so few digits that all serializers print them alike.
fn vector(context: &ReplyContext<'_>, input: usize, dimensions: usize) -> Vec<f32> {
    let filler = (0_usize..).map(|position| {
        let step = (position * 37 + input * 11) % 129;
        let step = i16::try_from(step).expect("below 129") - 64;
        f32::from(step) / 256.0
    });
    context.marker.numbers().into_iter().chain(filler).take(dimensions).collect()
}
