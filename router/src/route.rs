//! A group at work: its policy, its deployments, and what is known of them.

use std::iter;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Deployment, Group};
use crate::health::Health;
use crate::issued::Issued;
use crate::words::Cause;

/// A group with its state. Nothing of it is shared with another group.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) group: Group,
    /// Each deployment once, in the order of their first mention.
    hops: Vec<Hop>,
    /// Places in `hops`.
    chain: Vec<usize>,
    on_context_length: Vec<usize>,
    on_content_filter: Vec<usize>,
    pub(crate) issued: Issued,
}

/// A deployment, and how it has been doing.
#[derive(Debug)]
pub(crate) struct Hop {
    pub(crate) deployment: Deployment,
    pub(crate) health: Arc<Health>,
}

impl Route {
    pub(crate) fn new(group: Group, clock: &Clock) -> Self {
        let mut hops = Vec::new();
        let mut place = |deployment: &Deployment| {
            let known = hops.iter().position(|hop: &Hop| is_same(&hop.deployment, deployment));
            known.unwrap_or_else(|| {
                let health = Arc::new(Health::new(&group, clock.clone()));
                hops.push(Hop { deployment: deployment.clone(), health });
                hops.len() - 1
            })
        };
        let chain = iter::once(&group.primary).chain(&group.fallbacks).map(&mut place).collect();
        let on_context_length = group.on_context_length.iter().map(&mut place).collect();
        let on_content_filter = group.on_content_filter.iter().map(&mut place).collect();
        let issued = Issued::default();
        Self { group, hops, chain, on_context_length, on_content_filter, issued }
    }

    pub(crate) fn hop(&self, place: usize) -> &Hop {
        &self.hops[place]
    }

    /// The places of the chain in their order; first of all the one that knows the response which
    /// the call goes on from.
    pub(crate) fn chain(&self, previous_response_id: Option<&str>) -> Vec<usize> {
        let first = previous_response_id.and_then(|id| self.issued.place_of(id));
        let others = self.chain.iter().copied().filter(|place| Some(*place) != first);
        first.into_iter().chain(others).collect()
    }

    /// The places to go to after a refusal for this cause; none where the group has no such chain.
    pub(crate) fn detour(&self, cause: Cause) -> &[usize] {
        match cause {
            Cause::ContextLength => &self.on_context_length,
            Cause::ContentFilter => &self.on_content_filter,
        }
    }
}

/// Whether they are the same one, whatever key is used.
fn is_same(one: &Deployment, other: &Deployment) -> bool {
    (&one.surface, &one.base_url, &one.model) == (&other.surface, &other.base_url, &other.model)
}
