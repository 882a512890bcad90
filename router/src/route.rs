//! A group at run time: its configuration, its deployments and their state.

use std::iter;
use std::sync::Arc;

use crate::affinity::Affinity;
use crate::clock::Clock;
use crate::config::{Deployment, Group};
use crate::health::Health;
use crate::provider_error::RefusalReason;

/// A group with its state. Groups do not share any state.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) group: Group,
    /// All deployments in the group's chains, each once, in the order of their first occurrence.
    candidates: Vec<Candidate>,
    /// Indexes into `candidates`.
    chain: Vec<usize>,
    on_context_length: Vec<usize>,
    on_content_filter: Vec<usize>,
    pub(crate) affinity: Affinity,
}

/// A deployment and its health.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) deployment: Deployment,
    pub(crate) health: Arc<Health>,
}

impl Route {
    pub(crate) fn new(group: Group, clock: &Clock) -> Self {
        let mut candidates = Vec::new();
        let mut index = |deployment: &Deployment| {
            let known = candidates
                .iter()
                .position(|candidate: &Candidate| is_same(&candidate.deployment, deployment));
            known.unwrap_or_else(|| {
                let health = Arc::new(Health::new(&group, clock.clone()));
                candidates.push(Candidate { deployment: deployment.clone(), health });
                candidates.len() - 1
            })
        };
        let chain = iter::once(&group.primary).chain(&group.fallbacks).map(&mut index).collect();
        let on_context_length = group.on_context_length.iter().map(&mut index).collect();
        let on_content_filter = group.on_content_filter.iter().map(&mut index).collect();
        let affinity = Affinity::default();
        Self { group, candidates, chain, on_context_length, on_content_filter, affinity }
    }

    pub(crate) fn candidate(&self, index: usize) -> &Candidate {
        &self.candidates[index]
    }

    /// The deployments to try, in order. If the call continues a response, the deployment that
    /// created this response comes first.
    pub(crate) fn chain(&self, previous_response_id: Option<&str>) -> Vec<usize> {
        let first = previous_response_id.and_then(|id| self.affinity.deployment_of(id));
        let others = self.chain.iter().copied().filter(|index| Some(*index) != first);
        first.into_iter().chain(others).collect()
    }

    /// The special chain for this reason; empty if the group has none.
    pub(crate) fn special_chain(&self, reason: RefusalReason) -> &[usize] {
        match reason {
            RefusalReason::ContextLength => &self.on_context_length,
            RefusalReason::ContentFilter => &self.on_content_filter,
        }
    }
}

/// Whether two deployments are the same. Their API keys may differ.
fn is_same(one: &Deployment, other: &Deployment) -> bool {
    let parts = |it: &Deployment| {
        (it.surface.clone(), it.base_url.clone(), it.model.clone(), it.headers.clone())
    };
    parts(one) == parts(other) && one.query == other.query
}
