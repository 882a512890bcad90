//! A request that goes on from a response that the target gave, by whatever name.

use fallproof_protocol::json::Tree;

use crate::observe::View;

/// The member that names the response.
pub(super) const RESPONSE: &str = "previous_response_id";

/// Whether the response that the request goes on from has the name that its provider gave it.
pub(super) fn is_translated(view: View<'_>, received: &Tree) -> bool {
    let named = received.member(RESPONSE).and_then(Tree::as_str);
    view.conversation().is_some_and(|conversation| named.as_deref() == Some(&*conversation.id))
}
