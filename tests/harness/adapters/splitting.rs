//! Splitting of groups into batches that one process of a gateway can serve.

use fallproof_runner::adapter::ConfigBatches;

use super::support::{MINIMAL, addresses, read, scenarios};

const ONE: &str = "auth/refused-key-is-not-shown";
const RETRIED: &str = "routing/retries-then-next";

fn split(lines: &str) -> ConfigBatches {
    let adapter = read(&format!("{MINIMAL}{lines}\n")).expect("it is valid");
    let plan =
        adapter.plan(&scenarios(&[ONE, RETRIED, "auth/azure-key-to-openai-key"]), &addresses());
    adapter.split(&plan).expect("it can be split")
}

fn scenarios_of(batches: &ConfigBatches) -> Vec<&[String]> {
    batches.batches.iter().map(|batch| batch.scenarios.as_slice()).collect()
}

#[test]
fn groups_with_equal_settings_share_a_batch() {
    let batches = split("settings: { retries: group.policy.retries }");
    assert_eq!(scenarios_of(&batches), [vec!["auth/azure-key-to-openai-key", ONE], vec![RETRIED]]);
    assert_eq!(batches.batches[1].in_words(), "retries 2");
}

#[test]
fn more_groups_than_one_start_serves_well_are_split() {
    let batches = split("settings: { retries: group.policy.retries }\ngroups_per_start: 1");
    let expected = [["auth/azure-key-to-openai-key"], [ONE], [RETRIED]];
    assert_eq!(scenarios_of(&batches), expected);
    assert!(batches.batches.iter().all(|batch| batch.groups == 1));
    assert_eq!(split("groups_per_start: 2").batches.len(), 2);
    assert_eq!(split("groups_per_start: 3").batches.len(), 1);
}

#[test]
fn a_heading_names_only_the_settings_that_differ() {
    let batches = split("settings: { retries: group.policy.retries, color: \"'red'\" }");
    assert_eq!(batches.batches[0].in_words(), "retries 0");
    assert_eq!(split("settings: { color: \"'red'\" }").batches[0].in_words(), "");
}

#[test]
fn a_gateway_that_needs_a_restart_to_reset_has_a_batch_for_each_scenario() {
    let batches = split("state: { keeps: cooldowns, reset: restart }");
    assert_eq!(batches.batches.len(), 3);
}

#[test]
fn groups_that_need_different_settings_are_left_out_with_those_names() {
    let lines = "settings: { chain: group.chain | length, color: \"'red'\" }";
    let adapter = read(&format!("{MINIMAL}{lines}\n")).expect("it is valid");
    let plan = adapter.plan(&scenarios(&["groups/**"]), &addresses());
    let unfit = adapter.split(&plan).expect("it can be split").unfit;
    let reason = "its groups need different values of a global setting: chain";
    assert!(unfit.iter().any(|it| it.reason == reason), "{unfit:?}");
}

#[test]
fn an_unsupported_group_has_the_reason() {
    let batches = split("cannot: [{ when: group.policy.retries > 0, reason: it asks once }]");
    let unsupported: Vec<_> = batches.unfit.iter().map(|it| (&*it.scenario, &*it.reason)).collect();
    assert_eq!(unsupported, [(RETRIED, "it asks once")]);
    assert_eq!(batches.batches.len(), 1);
}

#[test]
fn an_expression_that_fails_for_a_group_is_reported_with_its_position() {
    let adapter = read(&format!("{MINIMAL}cannot: [{{ when: group.a.b, reason: c }}]\n"));
    let adapter = adapter.expect("it is an expression");
    let plan = adapter.plan(&scenarios(&[ONE]), &addresses());
    let error = adapter.split(&plan).expect_err("it cannot be split").to_string();
    assert!(error.contains("`cannot.when`") && error.contains("mine.yaml:8"), "{error}");
}

#[test]
fn a_scenario_that_tests_only_waived_requirements_is_skipped_with_the_reason() {
    let skip_reason = |waived: &str| {
        let lines = format!("{MINIMAL}capabilities: {{ waived: {{ {waived} }} }}\n");
        let adapter = read(&lines).expect("it is valid");
        let scenario = &scenarios(&["retry-after/each-time-anew"])[0];
        adapter.capabilities.skip_reason(scenario).map(|reason| reason.to_string())
    };
    let both = skip_reason("FP-ROUTE-06: it forgets, FP-ROUTE-08: it forgets");
    assert_eq!(both.as_deref(), Some("not-applicable: FP-ROUTE-06 is waived (it forgets)"));
    assert_eq!(skip_reason("FP-ROUTE-08: it forgets"), None);
}
