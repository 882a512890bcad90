//! Token probabilities. Each piece has probability 1; its alternatives are less and less likely.

use serde_json::{Value, json};

use super::ReplyContext;

/// Maximum number of likeliest tokens for a piece.
const MOST: usize = 20;

/// The likeliest tokens at the position of a piece, with their log probabilities. The piece itself
/// comes first.
pub(super) fn likeliest(piece: &str, count: usize) -> impl Iterator<Item = (String, f64)> {
    let others = (0_u8..).map(|number| number.to_string()).filter(move |other| other != piece);
    let tokens = std::iter::once(piece.to_owned()).chain(others);
    let logprobs = std::iter::once(0.0).chain((17_u8..).map(|rank| -f64::from(rank)));
    tokens.zip(logprobs).take(count.min(MOST))
}

/// The entry for a piece in chat and responses replies. The request's `top_logprobs` says how many
/// likeliest tokens the entry has.
pub(super) fn entry(context: &ReplyContext<'_>, piece: &str) -> Value {
    let token_entry = |token: &str, logprob: f64| json!({ "token": token, "logprob": logprob, "bytes": token.as_bytes() });
    let count = context.members.get::<usize>("top_logprobs").unwrap_or(0);
    let top: Vec<_> = likeliest(piece, count).map(|(token, it)| token_entry(&token, it)).collect();
    let mut entry = token_entry(piece, 0.0);
    entry["top_logprobs"] = top.into();
    entry
}
