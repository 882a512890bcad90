//! Repairs a body until every deployment of its chain accepts it.
//!
//! Surfaces accept different parameters, and models and parameters depend on each other. So members
//! that a provider would reject are removed one at a time until no provider rejects the body.

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::{self as strict, Violation};

use super::formatting::Formatting;
use super::paths;
use fallproof_protocol::json::Tree;

/// The validation rules of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acceptor {
    /// Surface whose schemas apply.
    pub surface: Surface,
    /// The model behind the deployment.
    pub model: String,
}

impl Acceptor {
    /// The first violation in this body, if any. Also checks rules that are documented but were not
    /// observed.
    pub fn violation(&self, endpoint: Endpoint, body: &str) -> Option<Violation> {
        strict::check(self.surface, endpoint, &self.model, body.as_bytes())
    }
}

/// A placeholder model name; some endpoints require one.
pub(super) const MODEL: &str = "m";

/// Maximum number of removals; a body that needs more is discarded.
const MOST_REMOVALS: usize = 60;

/// Removes every member that one of these deployments would reject. Returns `None` if the body
/// cannot be repaired.
pub fn repair(endpoint: Endpoint, acceptors: &[&Acceptor], mut body: Tree) -> Option<Tree> {
    let mut distinct = acceptors.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    for _ in 0..MOST_REMOVALS {
        let text = Formatting::default().text(&body, MODEL);
        let violation = distinct.iter().find_map(|acceptor| acceptor.violation(endpoint, &text));
        let Some(violation) = violation else { return Some(body) };
        // For a missing member, this is the path of the object that lacks it.
        let path = paths::of_pointer(&body, &violation.pointer);
        if path.is_empty() {
            return None;
        }
        paths::remove(&mut body, &path);
    }
    None
}
