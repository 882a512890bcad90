//! Attempts at the deployments of two groups.

use fallproof_suite::plan::{Addresses, Plan};
use rstest::rstest;

use super::*;
use crate::testing::{attempt, call, scenario};

/// The first step makes one call for `eu`. The second step makes two calls for `eu` and one for
/// `us`. `expected` is the index of the call in the second step, and whether the attempt is
/// misdirected; `None` if the attempt is dropped.
#[rstest]
#[case::by_its_token("eu-second", "call-2-02", Some((1, false)))]
#[case::by_its_group_without_a_token("eu-first", "", Some((0, false)))]
#[case::by_its_group_despite_the_token_of_another("us-first", "call-2-02", Some((2, false)))]
#[case::of_an_earlier_call("eu-first", "call-1-01", None)]
fn an_attempt_is_attributed_to_the_call_that_caused_it(
    #[case] deployment: &str,
    #[case] body: &str,
    #[case] expected: Option<(usize, bool)>,
) {
    let calls = [call("eu", 1, 0), call("eu", 1, 1), call("us", 1, 2)];
    assert_eq!(attributed(deployment, body, calls), expected);
}

#[test]
fn an_attempt_at_a_group_without_a_call_is_misdirected() {
    let calls = [call("eu", 1, 0), call("eu", 1, 1), call("eu", 1, 2)];
    assert_eq!(attributed("us-first", "call-2-02", calls), Some((0, true)));
}

/// Returns the index of the call that an attempt is attributed to, and whether it is misdirected.
fn attributed(deployment: &str, body: &str, mut calls: [CallEvidence; 3]) -> Option<(usize, bool)> {
    let scenario = scenario("routing/groups-are-apart");
    let plan = Plan::new([&scenario], &Addresses::stable(([127, 0, 0, 1], 9100).into()));
    let deployment =
        plan.groups.iter().find_map(|group| group.deployment(deployment)).expect("it is planned");
    let earlier = [call("eu", 0, 0)];
    attribute(vec![attempt(&deployment.prefix, body)], &plan.groups, &earlier, &mut calls);
    let index = calls.iter().position(|call| call.all_requests().count() == 1)?;
    Some((index, calls[index].requests.is_empty()))
}
