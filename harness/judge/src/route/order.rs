//! 01: the chain is asked in its order. 08: who was put aside gets calls again when that is over.

use std::ops::Range;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::may_rest;
use super::places::{could_be_asked, detour_for, list_of, name};
use crate::collector::Collector;
use crate::cooldown_state::CooldownState;
use crate::observe::{Attempt, View};
use crate::violation::RouteViolation::{
    NobodyAsked, NotForThis, PassedOver, StillPutAside, WentBack,
};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let giver = view.conversation().map(|it| it.chain_index);
    let mut next = 0;
    for attempt in attempts {
        let list = list_of(view, attempt.chain_index);
        // A list that is entered begins at its start; whether it was right to enter it is below.
        next = next.clamp(list.start, list.end);
        let went_back = attempt.chain_index + 1 < next;
        let affine = attempt.number == 1 && giver == Some(attempt.chain_index);
        let skipped = (next..attempt.chain_index)
            .find(|&chain_index| !affine && could_be_asked(view, chain_index, attempt.number));
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
    nobody_asked(found, attempts);
}

/// A place that was passed over: wrong order, or a cooldown that does not end.
fn passed_over(found: &mut Collector<'_>, attempt: &Attempt<'_>, chain_index: usize) {
    let view = found.view;
    let deployment = name(view, chain_index);
    let (requirement, kind) = if CooldownState::of(view, chain_index, attempt.number).has_been() {
        (Code::Route08, StillPutAside { deployment })
    } else {
        (Code::Route01, PassedOver { deployment })
    };
    found.breach(requirement, kind).at(attempt).excused(may_rest(view));
}

/// Whether an attempt before this one was refused for the cause that this list is for.
fn called_for(view: View<'_>, attempt: &Attempt<'_>, list: &Range<usize>) -> bool {
    let mut before = view.attempts().take_while(|it| it.number < attempt.number);
    before.any(|it| it.cause().is_some_and(|cause| detour_for(view, cause) == *list))
}

/// Whoever has failed before and may be asked again must be, where nobody else is.
fn nobody_asked(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let answered = view.step.exchange.ending == Ending::Complete;
    let back = (0..view.group.chain.len()).find(|&chain_index| {
        CooldownState::of(view, chain_index, 1).has_been() && could_be_asked(view, chain_index, 1)
    });
    if let (true, true, Some(chain_index)) = (attempts.is_empty(), answered, back) {
        found.breach(Code::Route08, NobodyAsked { though: name(view, chain_index) });
    }
}
