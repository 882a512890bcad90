//! `FP-ROUTE-10`: a request that is too long goes to the `on_context_length` fallback.
//! `FP-ROUTE-11`: a filtered request goes to the `on_content_filter` fallback.

use fallproof_suite::requirement::Code;

use super::chain::{could_be_asked, detour_for, name};
use crate::choice;
use crate::collector::Collector;
use crate::observe::{Attempt, Cause};
use crate::violation::RouteViolation::{NoContentFilterFallback, NoContextLengthFallback};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    for attempt in attempts {
        let Some(cause) = attempt.cause() else { continue };
        let detour = detour_for(view, cause);
        let taken = attempts.iter().any(|it| detour.contains(&it.chain_index));
        let Some(first) =
            detour.clone().find(|&chain_index| could_be_asked(view, chain_index, usize::MAX))
        else {
            continue;
        };
        if !taken {
            let next = name(view, first);
            let (requirement, kind) = match cause {
                Cause::ContextLength => (Code::Route10, NoContextLengthFallback { next }),
                Cause::ContentFilter => (Code::Route11, NoContentFilterFallback { next }),
            };
            let excuse = choice::goes_by_status(view, attempt);
            found.breach(requirement, kind).at(attempt).excused(excuse);
            return;
        }
    }
}
