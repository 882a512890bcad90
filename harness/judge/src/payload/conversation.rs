//! Requests that continue an earlier response.

use fallproof_protocol::json::Tree;

use crate::observe::View;

/// The member that holds the id of the earlier response.
pub(super) const RESPONSE: &str = "previous_response_id";

/// Whether the request holds the id that the provider gave to the earlier response.
pub(super) fn is_translated(view: View<'_>, received: &Tree) -> bool {
    let named = received.member(RESPONSE).and_then(Tree::as_str);
    view.conversation().is_some_and(|conversation| named.as_deref() == Some(&*conversation.id))
}
