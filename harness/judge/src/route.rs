//! ROUTE: which deployments get an attempt, in what order, how often, for how long, and when to
//! stop.
//!
//! | code | where |
//! |---|---|
//! | `FP-ROUTE-01`, `08` | [`order`]; `08` covers a cooldown that does not end |
//! | `FP-ROUTE-02`, `04` | [`further_attempt`]: after a success, after a refusal |
//! | `FP-ROUTE-03` | [`fallback`] |
//! | `FP-ROUTE-05`, `15` | [`retries`] |
//! | `FP-ROUTE-06`, `07` | [`cooldown`] |
//! | `FP-ROUTE-09`, `14` | [`affinity`]: to the call's group, to the deployment of a conversation |
//! | `FP-ROUTE-10`, `11` | [`detour`] |
//! | `FP-ROUTE-12`, `13` | [`timeout`] |
//! | `FP-ROUTE-16`, `17` | [`path`] |
//! | `FP-ROUTE-18` | [`stale`] |

mod affinity;
mod chain;
mod cooldown;
mod detour;
mod fallback;
mod further_attempt;
mod order;
mod path;
mod retries;
mod stale;
#[cfg(test)]
mod tests;
mod timeout;

pub(super) use self::chain::could_be_asked;
pub(super) use self::cooldown::own_cooldown_excuse;
pub(super) use self::fallback::{required_fallback, unbuffered_excuse};
use super::collector::Collector;

pub(super) fn check(found: &mut Collector<'_>) {
    let attempts: Vec<_> = found.view.attempts().collect();
    affinity::check(found, &attempts);
    order::check(found, &attempts);
    cooldown::check(found, &attempts);
    further_attempt::check(found, &attempts);
    fallback::check(found, &attempts);
    detour::check(found, &attempts);
    retries::check(found, &attempts);
    timeout::check(found, &attempts);
    path::check(found, &attempts);
    stale::check(found);
}
