//! `FP-ROUTE-01`: deployments are tried in chain order. `FP-ROUTE-08`: a deployment is tried again
//! after its cooldown.

use std::ops::Range;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::chain::{could_be_asked, detour_for, list_of, name};
use super::own_cooldown_excuse;
use crate::collector::Collector;
use crate::cooldown_state::CooldownState;
use crate::observe::{Attempt, View};
use crate::violation::RouteViolation::{
    NoAttempt, NotForThis, PassedOver, StillCoolingDown, WentBack,
};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let giver = view.conversation().map(|it| it.chain_index);
    let mut next = 0;
    for attempt in attempts {
        let list = list_of(view, attempt.chain_index);
        // The first attempt in a list must go to the first deployment of the list. Whether the call
        // may enter the list is checked below.
        next = next.clamp(list.start, list.end);
        let went_back = attempt.chain_index + 1 < next;
        let affine = attempt.number == 1 && giver == Some(attempt.chain_index);
        let is_tried = |chain_index| {
            let mut before = attempts.iter().take_while(|it| it.number < attempt.number);
            before.any(|it| it.chain_index == chain_index)
        };
        let skipped = (next..attempt.chain_index).find(|&chain_index| {
            !affine && !is_tried(chain_index) && could_be_asked(view, chain_index, attempt.number)
        });
        if went_back {
            let after = name(view, next - 1);
            found.breach(Code::Route01, WentBack { after }).at(attempt);
        } else if let Some(chain_index) = skipped {
            passed_over(found, attempt, chain_index);
        } else if list.start > 0 && !called_for(view, attempt, &list) {
            found.breach(Code::Route01, NotForThis).at(attempt);
        }
        next = if affine { 0 } else { next.max(attempt.chain_index + 1) };
    }
    no_attempt(found, attempts);
}

/// Reports a deployment that was passed over. Either the order is wrong, or the cooldown of the
/// deployment does not end.
fn passed_over(found: &mut Collector<'_>, attempt: &Attempt<'_>, chain_index: usize) {
    let view = found.view;
    let deployment = name(view, chain_index);
    let (requirement, kind) = if CooldownState::of(view, chain_index, attempt.number).has_started()
    {
        (Code::Route08, StillCoolingDown { deployment })
    } else {
        (Code::Route01, PassedOver { deployment })
    };
    found.breach(requirement, kind).at(attempt).excused(own_cooldown_excuse(view));
}

/// Whether an earlier attempt was refused for the cause that this list handles.
fn called_for(view: View<'_>, attempt: &Attempt<'_>, list: &Range<usize>) -> bool {
    let mut before = view.attempts().take_while(|it| it.number < attempt.number);
    before.any(|it| it.cause().is_some_and(|cause| detour_for(view, cause) == *list))
}

/// Reports a call that made no attempt although the cooldown of a deployment is over.
fn no_attempt(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let answered = view.observed.exchange.ending == Ending::Complete;
    let back = (0..view.group.chain.len()).find(|&chain_index| {
        CooldownState::of(view, chain_index, 1).has_started()
            && could_be_asked(view, chain_index, 1)
    });
    if let (true, true, Some(chain_index)) = (attempts.is_empty(), answered, back) {
        found.breach(Code::Route08, NoAttempt { though: name(view, chain_index) });
    }
}
