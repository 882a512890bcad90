//! Verdicts on small hand-written scenarios.

use std::fs;

use tempfile::TempDir;

use crate::shell::{fallproof, told};

/// Runs a scenario with these deployments and steps against the reference router, or a saboteur.
/// Returns the exit code and the output.
fn run(
    deployments: &str,
    group: &str,
    steps: &str,
    saboteur: Option<&str>,
) -> (Option<i32>, String) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("scenarios/case.yaml");
    fs::create_dir(folder.path().join("scenarios")).expect("a folder");
    let text = format!(
        "title: A call\nproves: [FP-ROUTE-03]\ndeployments:\n{deployments}group: {{ {group} }}\nsteps:\n{steps}"
    );
    fs::write(file, text).expect("a file");
    let mut arguments = vec!["run", "--scenarios", "scenarios"];
    arguments.extend(saboteur.iter().flat_map(|name| ["--saboteur", name]));
    let output = fallproof(folder.path(), &arguments);
    (output.status.code(), told(&output))
}

const FAILS_THEN_WORKS: &str =
    "  primary: { provider: openai, model: gpt-5, script: [server_error] }
  backup: { provider: azure, model: gpt-5, script: [ok] }
";

fn call(more: &str) -> String {
    format!(
        "  - send: {{ endpoint: chat/completions, body: {{ messages: [{{ role: user, content: Hi }}]{more} }} }}\n"
    )
}

#[test]
fn a_policy_that_ends_the_chain_is_not_control_by_the_client() {
    let group = "chain: [primary, backup], fallback_on: [429]";
    let member = call(", store: true, metadata: { model_group: a }");
    let header = call("").replace("send: {", "send: { headers: { x-litellm-tags: a },");
    for steps in [member, header] {
        let (code, told) = run(FAILS_THEN_WORKS, group, &steps, None);
        assert_eq!(code, Some(0), "{told}");
    }
}

#[test]
fn an_attempt_after_the_end_of_a_script_fails_the_scenario() {
    let steps = call("").repeat(2);
    let (code, told) = run(FAILS_THEN_WORKS, "chain: [primary, backup]", &steps, None);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("unexpected attempt 1 at `primary`: its script was exhausted"), "{told}");
}

#[test]
fn a_cut_after_the_last_byte_has_no_effect() {
    for end in ["close", "stall"] {
        let deployments = format!(
            "  primary: {{ provider: openai, model: gpt-5, script: [{{ wire: {{ cut: {{ at: {{ events: 1 }}, end: {end} }} }} }}] }}\n"
        );
        let (code, told) = run(&deployments, "chain: [primary]", &call(""), None);
        assert_eq!(code, Some(0), "{told}");
    }
}

#[test]
fn an_error_is_judged_even_if_a_stream_was_requested() {
    let deployments = "  primary: { provider: openai, model: gpt-5, script: [server_error] }\n";
    let steps = call(", stream: true");
    let (code, told) = run(deployments, "chain: [primary]", &steps, Some("plain-text-errors"));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("FP-CLIENT-05"), "{told}");
}

#[test]
fn a_router_that_gives_up_is_caught_at_each_failure_that_requires_a_fallback() {
    for failure in
        ["status: 408", "status: 429", "status: 500", "status: 599", "reply: connection_reset"]
    {
        let deployments = FAILS_THEN_WORKS.replace("server_error", &format!("{{ {failure} }}"));
        let (code, told) =
            run(&deployments, "chain: [primary, backup]", &call(""), Some("gives-up"));
        assert_eq!(code, Some(1), "{failure}: {told}");
        assert!(told.contains("FP-ROUTE-03"), "{failure}: {told}");
    }
}
