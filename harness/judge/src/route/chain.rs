//! Chain indices of a group's deployments. The chain comes first, then the special fallbacks
//! (`on_context_length`, `on_content_filter`).

use std::ops::Range;

use crate::cooldown_state::CooldownState;
use crate::observe::{Attempt, Cause, View};

/// The indices of the list that contains `chain_index`: the chain, or one of the special fallbacks.
pub(super) fn list_of(view: View<'_>, chain_index: usize) -> Range<usize> {
    let group = view.group;
    let mut start = 0;
    for length in [group.chain.len(), group.on_context_length.len(), group.on_content_filter.len()]
    {
        if chain_index < start + length {
            return start..start + length;
        }
        start += length;
    }
    start..start
}

/// The indices of the special fallback for this cause.
pub(super) fn detour_for(view: View<'_>, cause: Cause) -> Range<usize> {
    let start = view.group.chain.len();
    let between = start + view.group.on_context_length.len();
    match cause {
        Cause::ContextLength => start..between,
        Cause::ContentFilter => between..between + view.group.on_content_filter.len(),
    }
}

/// The name of the deployment at this index.
pub(super) fn name(view: View<'_>, chain_index: usize) -> String {
    view.group
        .deployments()
        .nth(chain_index)
        .map_or("a deployment", |deployment| deployment.name.as_str())
        .to_owned()
}

/// The next index in the same list that could be tried after this attempt.
pub(super) fn next_after(view: View<'_>, last: &Attempt<'_>) -> Option<usize> {
    let end = list_of(view, last.chain_index).end;
    (last.chain_index + 1..end)
        .find(|&chain_index| could_be_asked(view, chain_index, last.number + 1))
}

/// Whether an attempt at this index would be observed, and the deployment is certainly not cooling
/// down before attempt number `before`. A deployment with a request on a stale connection has
/// already been tried.
pub(crate) fn could_be_asked(view: View<'_>, chain_index: usize, before: usize) -> bool {
    let index_of = |prefix: &str| Some(view.group.deployment_at(prefix)?.0);
    let is_stale = view.observed.stale.iter().any(|it| index_of(&it.prefix) == Some(chain_index));
    view.visible(chain_index)
        && !is_stale
        && CooldownState::of(view, chain_index, before).is_over(view.observed.at)
}
