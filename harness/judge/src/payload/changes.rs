//! What an attempt adds, loses and changes: against what the client sent, and against what the first
//! attempt carried.

use fallproof_protocol::json::{Difference, DifferenceKind, Tree, differences};
use fallproof_suite::requirement::Code;

use super::brief;
use super::conversation::{RESPONSE, is_translated};
use super::defaults::is_default;
use crate::collector::Collector;
use crate::control;
use crate::excuse::Excuse;
use crate::observe::{Attempt, View};
use crate::violation::PayloadViolation::{Added, Changed, Lost, Respelled, UnlikeFirst};
use crate::violation::Unlike;

/// 01, 02, 03 and 07: nothing is added, lost, changed or respelled.
pub(super) fn since_the_client(
    found: &mut Collector<'_>,
    attempt: &Attempt<'_>,
    sent: &Tree,
    received: &Tree,
) {
    for Difference { pointer, kind } in compared(sent, received) {
        let (requirement, kind) = match kind {
            // What is for gateways and for no provider may end there.
            DifferenceKind::Removed(_) if control::is_for_gateways(&pointer) => continue,
            // Who gives answers names of its own must know them again.
            DifferenceKind::Changed(..)
                if pointer.strip_prefix('/') == Some(RESPONSE)
                    && is_translated(found.view, received) =>
            {
                continue;
            }
            DifferenceKind::Added(value) => (Code::Payload01, Added { value: brief(&value) }),
            DifferenceKind::Removed(value) => (Code::Payload02, Lost { value: brief(&value) }),
            DifferenceKind::Changed(from, to) => {
                (Code::Payload03, Changed { from: brief(&from), to: brief(&to) })
            }
            DifferenceKind::Respelled(from, to) => {
                (Code::Payload07, Respelled { from: brief(&from), to: brief(&to) })
            }
        };
        let excuse = adapted(found.view, attempt, &pointer);
        found.breach(requirement, kind).at(attempt).pointing(&pointer).excused(excuse);
    }
}

/// 05: a later attempt carries what the first one did.
pub(super) fn since_the_first(
    found: &mut Collector<'_>,
    attempt: &Attempt<'_>,
    first: &Tree,
    received: &Tree,
) {
    for Difference { pointer, kind } in compared(first, received) {
        let how = match kind {
            DifferenceKind::Added(_) => Unlike::Added,
            DifferenceKind::Removed(_) => Unlike::Lost,
            DifferenceKind::Changed(..) => Unlike::Changed,
            DifferenceKind::Respelled(..) => continue,
        };
        let excuse = adapted(found.view, attempt, &pointer);
        let violation = found.breach(Code::Payload05, UnlikeFirst { how });
        violation.at(attempt).pointing(&pointer).excused(excuse);
    }
}

/// Differences but for `model`, which each deployment has its own of, and for defaults written out,
/// which mean what their absence means.
fn compared(sent: &Tree, received: &Tree) -> impl Iterator<Item = Difference> {
    differences(sent, received)
        .into_iter()
        .filter(|difference| difference.pointer != "/model" && !is_default(difference))
}

/// Why a difference is meant, where the target declares that it is.
fn adapted(view: View<'_>, attempt: &Attempt<'_>, pointer: &str) -> Option<Excuse> {
    let endpoint = view.planned.send.endpoint;
    let reason = view.capabilities.rewrites(pointer, endpoint, attempt.deployment.surface())?;
    Some(Excuse::Rewrites(reason.to_owned()))
}
