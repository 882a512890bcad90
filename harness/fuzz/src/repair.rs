//! Repairs a body until every deployment of its chain accepts it.
//!
//! The surfaces differ in what they know, and models and parameters depend on each other. So what a
//! provider would complain of is taken out, piece by piece, until none complains.

use fallproof_mocks::strict::{self, Violation};
use fallproof_protocol::provider::{Endpoint, Surface};

use super::formatting::Formatting;
use fallproof_protocol::json::Tree;

/// Who must accept a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acceptor {
    /// Which schemas apply.
    pub surface: Surface,
    /// The model behind the deployment.
    pub model: String,
}

impl Acceptor {
    /// What it finds wrong with this body, if anything, whether that was observed or documented.
    pub fn violation(&self, endpoint: Endpoint, body: &str) -> Option<Violation> {
        strict::check(self.surface, endpoint, &self.model, body.as_bytes())
    }
}

/// A model's name, which some endpoints require.
pub(super) const MODEL: &str = "m";

/// So many pieces are taken out at most; a body that needs more is not worth it.
const MOST_REMOVALS: usize = 60;

/// The body without what any of these would refuse; `None` where nothing is left to send.
pub fn repair(endpoint: Endpoint, acceptors: &[&Acceptor], mut body: Tree) -> Option<Tree> {
    let mut distinct = acceptors.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    for _ in 0..MOST_REMOVALS {
        let text = Formatting::default().text(&body, MODEL);
        let violation = distinct.iter().find_map(|acceptor| acceptor.violation(endpoint, &text));
        let Some(violation) = violation else { return Some(body) };
        if !remove(&mut body, &violation.pointer) {
            return None;
        }
    }
    None
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
