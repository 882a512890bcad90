//! Repairs a body until every deployment of its chain accepts it.
//!
//! The surfaces differ in what they know, and models and parameters depend on each other. So what a
//! provider would complain of is taken out, piece by piece, until none complains.

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::{self as strict, Violation};

use super::formatting::Formatting;
use super::paths;
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
        // What is missing is missing in what the pointer leads to last.
        let path = paths::of_pointer(&body, &violation.pointer);
        if path.is_empty() {
            return None;
        }
        paths::remove(&mut body, &path);
    }
    None
}
