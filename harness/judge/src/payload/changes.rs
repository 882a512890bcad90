//! Members that an attempt adds, loses or changes, compared with the client's request and with the
//! first attempt.

use fallproof_protocol::json::{Difference, DifferenceKind, Tree, differences};
use fallproof_suite::capabilities::Change;
use fallproof_suite::requirement::Code;

use super::conversation::{RESPONSE, is_translated};
use super::defaults::is_default;
use super::{body, brief};
use crate::collector::Collector;
use crate::control;
use crate::excuse::Excuse;
use crate::observe::{Attempt, View};
use crate::violation::PayloadViolation::{
    Added, AddedSince, Changed, ChangedBytes, ChangedSince, ItemsMoved, ItemsMovedSince, Lost,
    LostSince, Respelled,
};

/// `FP-PAYLOAD-01`, `02`, `03` and `07`: nothing is added, lost, changed or respelled.
pub(super) fn since_the_client(
    found: &mut Collector<'_>,
    attempt: &Attempt<'_>,
    sent: &Tree,
    received: &Tree,
) {
    for Difference { pointer, kind } in compared(sent, received) {
        let (requirement, kind) = match kind {
            // Members that are meant for gateways need not reach a provider.
            DifferenceKind::Removed(_) if control::is_for_gateways(&pointer) => continue,
            // A gateway that assigns ids of its own to responses must translate them back.
            DifferenceKind::Changed(..)
                if pointer.strip_prefix('/') == Some(RESPONSE)
                    && is_translated(found.view, received) =>
            {
                continue;
            }
            DifferenceKind::Added(value) => (Code::Payload01, Added { value: brief(&value) }),
            DifferenceKind::Removed(value) => (Code::Payload02, Lost { value: brief(&value) }),
            DifferenceKind::Changed(from, to) => {
                let changed = || Changed { from: brief(&from), to: brief(&to) };
                let offset = body::differs_at(found.view, attempt, &pointer);
                let kind = offset.map_or_else(changed, |offset| ChangedBytes { offset });
                (Code::Payload03, kind)
            }
            DifferenceKind::Reordered => (Code::Payload03, ItemsMoved),
            DifferenceKind::Respelled(from, to) => {
                (Code::Payload07, Respelled { from: brief(&from), to: brief(&to) })
            }
        };
        let change = if kind == ItemsMoved { Change::Order } else { Change::Any };
        let excuse = adapted(found.view, attempt, &pointer, change).or_else(|| match kind {
            Lost { .. } => ignored(found.view, &pointer),
            _ => None,
        });
        found.breach(requirement, kind).at(attempt).pointing(&pointer).excused(excuse);
    }
}

/// `FP-PAYLOAD-05`: a later attempt carries the same body as the first one. `first` is the first
/// attempt's number and body.
pub(super) fn since_the_first(
    found: &mut Collector<'_>,
    attempt: &Attempt<'_>,
    (first, sent): (usize, &Tree),
    received: &Tree,
) {
    for Difference { pointer, kind } in compared(sent, received) {
        let kind = match kind {
            DifferenceKind::Added(_) => AddedSince { first },
            DifferenceKind::Removed(_) => LostSince { first },
            DifferenceKind::Changed(..) => ChangedSince { first },
            DifferenceKind::Reordered => ItemsMovedSince { first },
            DifferenceKind::Respelled(..) => continue,
        };
        let change = if kind == (ItemsMovedSince { first }) { Change::Order } else { Change::Any };
        let excuse = adapted(found.view, attempt, &pointer, change).or_else(|| match kind {
            LostSince { .. } => ignored(found.view, &pointer),
            _ => None,
        });
        let violation = found.breach(Code::Payload05, kind);
        violation.at(attempt).pointing(&pointer).excused(excuse);
    }
}

/// Returns all differences except `model`, which depends on the deployment, and defaults that are
/// spelled out or omitted.
fn compared(sent: &Tree, received: &Tree) -> impl Iterator<Item = Difference> {
    differences(sent, received)
        .into_iter()
        .filter(|difference| difference.pointer != "/model" && !is_default(difference))
}

/// The declared reason for a difference, if there is one.
fn adapted(view: View<'_>, attempt: &Attempt<'_>, pointer: &str, change: Change) -> Option<Excuse> {
    let route = (view.planned.send.endpoint, attempt.deployment.surface());
    let reason = view.capabilities.rewrites(pointer, change, route)?;
    Some(Excuse::Rewrites(reason.to_owned()))
}

/// The declared reason for dropping a field, if there is one.
pub(crate) fn ignored(view: View<'_>, pointer: &str) -> Option<Excuse> {
    let reason = view.capabilities.ignores(pointer, view.planned.send.endpoint)?;
    Some(Excuse::Ignores(reason.to_owned()))
}
