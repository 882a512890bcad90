//! Makes a body one that every deployment of its chain takes.
//!
//! The surfaces differ in what they know, and models and parameters depend on each other. So what a
//! provider would complain of is taken out, piece by piece, until none complains.

use fallproof_mocks::strict::{self, Violation};
use fallproof_protocol::provider::{Endpoint, Surface};

use fallproof_protocol::json::Tree;

/// Who must take a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taker {
    /// Which schemas apply.
    pub surface: Surface,
    /// The model behind the deployment.
    pub model: String,
}

impl Taker {
    /// What it would complain of, if anything, proven or not.
    pub fn complaint(&self, endpoint: Endpoint, body: &str) -> Option<Violation> {
        strict::check(self.surface, endpoint, &self.model, body.as_bytes())
    }
}

/// So many pieces are taken out at most; a body that needs more is not worth it.
const MOST_REMOVALS: usize = 60;

/// The body without what any of these would complain of; `None` where nothing is left to send.
pub fn fit(endpoint: Endpoint, takers: &[Taker], mut body: Tree) -> Option<Tree> {
    for _ in 0..MOST_REMOVALS {
        let text = with_model(&body);
        let complaint = takers.iter().find_map(|taker| taker.complaint(endpoint, &text));
        let Some(complaint) = complaint else { return Some(body) };
        if !remove(&mut body, &complaint.pointer) {
            return None;
        }
    }
    None
}

/// The body as JSON text with a model's name, which some endpoints require.
pub(super) fn with_model(body: &Tree) -> String {
    let text = body.compact();
    match text.strip_prefix('{') {
        Some("}") => r#"{"model":"m"}"#.to_owned(),
        Some(members) => format!(r#"{{"model":"m",{members}"#),
        None => text,
    }
}

/// Takes out what this pointer leads to; what it is missing in, where it leads to nothing. False
/// where that would be the whole body.
fn remove(body: &mut Tree, pointer: &str) -> bool {
    let path: Vec<_> =
        pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    (1..=path.len()).rev().any(|length| take(body, &path[..length]))
}

fn take(value: &mut Tree, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let place = match value {
        Tree::Object(members) => members.iter().position(|(name, _)| name == first),
        Tree::Array(items) => first.parse().ok().filter(|&at: &usize| at < items.len()),
        Tree::Scalar(_) => None,
    };
    let Some(place) = place else { return false };
    match value {
        Tree::Object(members) if rest.is_empty() => drop(members.remove(place)),
        Tree::Array(items) if rest.is_empty() => drop(items.remove(place)),
        Tree::Object(members) => return take(&mut members[place].1, rest),
        Tree::Array(items) => return take(&mut items[place], rest),
        Tree::Scalar(_) => return false,
    }
    true
}
