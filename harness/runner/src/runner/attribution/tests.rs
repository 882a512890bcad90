//! Attempts at the deployments of two groups.

use fallproof_suite::plan::{Addresses, Plan};
use rstest::rstest;

use super::*;
use crate::testing::{attempt, call, scenario};

/// Where the attempt at this deployment, with this body, is filed: the call's place in its step, or
/// misdirected, or nowhere. Two calls for `eu` and one for `us` are made in the second step; before it
/// there was one for `eu`.
#[rstest]
#[case::by_its_word("eu-second", "call-2-02", Some((1, false)))]
#[case::by_its_group_where_it_lost_the_word("eu-first", "", Some((0, false)))]
#[case::by_its_group_and_not_by_the_word_of_another("us-first", "call-2-02", Some((2, false)))]
#[case::of_an_earlier_call("eu-first", "call-1-01", None)]
fn an_attempt_is_filed_under_the_call_that_led_to_it(
    #[case] deployment: &str,
    #[case] body: &str,
    #[case] expected: Option<(usize, bool)>,
) {
    let calls = [call("eu", 1, 0), call("eu", 1, 1), call("us", 1, 2)];
    assert_eq!(filed(deployment, body, calls), expected);
}

#[test]
fn what_reaches_a_group_that_nobody_asked_for_went_astray() {
    let calls = [call("eu", 1, 0), call("eu", 1, 1), call("eu", 1, 2)];
    assert_eq!(filed("us-first", "call-2-02", calls), Some((0, true)));
}

/// The index of the call that it is filed under, and whether it was misdirected there.
fn filed(deployment: &str, body: &str, mut calls: [CallEvidence; 3]) -> Option<(usize, bool)> {
    let scenario = scenario("routing/groups-are-apart");
    let plan = Plan::new([&scenario], Addresses::stable(([127, 0, 0, 1], 9100).into()));
    let deployment =
        plan.groups.iter().find_map(|group| group.deployment(deployment)).expect("it is planned");
    let earlier = [call("eu", 0, 0)];
    attribute(vec![attempt(&deployment.prefix, body)], &plan.groups, &earlier, &mut calls);
    let index = calls.iter().position(|call| call.all_requests().count() == 1)?;
    Some((index, calls[index].requests.is_empty()))
}
