//! ROUTE: which deployments are asked, in what order, how often, how long, and when it ends.
//!
//! | code | where |
//! |---|---|
//! | `FP-ROUTE-01`, `08` | [`order`]; `08` is a cooldown that does not end |
//! | `FP-ROUTE-02`, `04` | [`ended`]: after a success, after a refusal |
//! | `FP-ROUTE-03` | [`hand_over`] |
//! | `FP-ROUTE-05`, `15` | [`retries`] |
//! | `FP-ROUTE-06`, `07` | [`cooldown`] |
//! | `FP-ROUTE-09`, `14` | [`affinity`]: the own group, the deployment that gave a response |
//! | `FP-ROUTE-10`, `11` | [`detour`] |
//! | `FP-ROUTE-12`, `13` | [`timeout`] |
//! | `FP-ROUTE-16`, `17` | [`path`] |

mod affinity;
mod cooldown;
mod detour;
mod ended;
mod hand_over;
mod order;
mod path;
mod places;
mod retries;
#[cfg(test)]
mod tests;
mod timeout;

pub(super) use self::cooldown::may_rest;
pub(super) use self::hand_over::{leads_on, passes_on_at_once};
pub(super) use self::places::could_be_asked;
use super::collector::Collector;

pub(super) fn check(found: &mut Collector<'_>) {
    let attempts: Vec<_> = found.view.attempts().collect();
    affinity::check(found, &attempts);
    order::check(found, &attempts);
    cooldown::check(found, &attempts);
    ended::check(found, &attempts);
    hand_over::check(found, &attempts);
    detour::check(found, &attempts);
    retries::check(found, &attempts);
    timeout::check(found, &attempts);
    path::check(found, &attempts);
}
