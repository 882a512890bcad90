//! Campaigns against test gateways that each have one habit.

use fallproof_protocol::provider::Endpoint;
use fallproof_runner::Runner;
use fallproof_suite::requirement::Code;

use super::*;
use crate::executor::fixed_groups;
use crate::testing::{Habit, PATIENCE};

/// Runs this many cases. Each batch gets a fresh gateway.
fn fresh(habit: Habit, cases: u64) -> Stats {
    let executor = Executor::Fresh { target: Box::new(habit), timeout: PATIENCE };
    // Small requests.
    let endpoints = vec![Endpoint::Moderations];
    run(&executor, Scope { endpoints, slow: 0, over_time: 0, ..Scope::default() }, cases)
}

fn run(executor: &Executor, scope: Scope, cases: u64) -> Stats {
    let campaign = Campaign { scope, seed: 6, cases: Some(cases), until: None, threads: 1 };
    let (stats, never) = (Mutex::default(), watch::channel(false).1);
    campaign.run(executor, &stats, &never).expect("the runner starts");
    stats.into_inner()
}

/// Whether a finding blames a header.
fn blames_a_header(stats: &Stats) -> bool {
    stats.failures.keys().any(|symptom| symptom.requirement == Some(Code::Control02))
}

#[test]
fn a_header_is_blamed_only_if_the_call_goes_another_way_without_it() {
    assert!(blames_a_header(&fresh(Habit::SteeredBy("x-litellm-disable-fallbacks"), 640)));
    let stats = fresh(Habit::TriesTheLast, 640);
    assert!(!blames_a_header(&stats), "{:?}", stats.failures.keys());
    let is_order = |symptom: &Symptom| symptom.requirement == Some(Code::Route01);
    assert!(stats.failures.keys().any(is_order), "{:?}", stats.failures.keys());
}

#[test]
fn an_error_of_the_gateway_itself_is_a_finding() {
    let groups = fixed_groups(&Scope::default(), true);
    let scenarios: Vec<_> = groups.iter().map(FuzzCase::plan_scenario).collect();
    let runtime = Runtime::new().expect("a runtime can be built");
    let chosen: Vec<_> = scenarios.iter().collect();
    let runner = Runner::start(&chosen, &Habit::FailsByItself, PATIENCE);
    let executor = Executor::fixed(runtime.block_on(runner).expect("the runner starts"));
    let stats = run(&executor, Scope { groups, ..Scope::default() }, 20);
    let symptoms: Vec<_> = stats.failures.keys().map(ToString::to_string).collect();
    assert_eq!(symptoms, ["expectation failed-by-itself"]);
    assert_eq!((stats.failures.values().next().map(|it| it.count), stats.flaky), (Some(20), 0));
}
