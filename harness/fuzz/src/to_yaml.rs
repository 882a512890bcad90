//! Writes a scenario as a YAML file.

use std::fmt::Write as _;

use fallproof_protocol::behavior::{Behavior, WireFault};
use fallproof_protocol::provider::Surface;
use serde_json::{Value, json};

use fallproof_suite::scenario::{
    Body, Call, Cooldown, DEFAULT_API_VERSION, Deployment, Expect, Group, MODEL_PLACEHOLDER,
    Planned, Scenario, Step,
};
use fallproof_suite::yaml::quoted;

/// The YAML text of this scenario. Supports only what generated cases contain: one unnamed group,
/// sequential calls and JSON bodies.
pub(super) fn to_yaml(scenario: &Scenario) -> String {
    let mut out = "# yaml-language-server: $schema=../schema.json\n".to_owned();
    let _ = writeln!(out, "title: {}", quoted(&scenario.title));
    if let Some(why) = &scenario.why {
        let _ = writeln!(out, "why: {}", quoted(why));
    }
    let proves: Vec<_> = scenario.proves.iter().map(|code| code.as_str()).collect();
    let _ = writeln!(out, "proves: [{}]", proves.join(", "));
    let _ = writeln!(out, "tags: [{}]", scenario.tags.join(", "));
    if !scenario.up_to_target.is_empty() {
        let _ = writeln!(out, "up_to_target: {}", json!(scenario.up_to_target));
    }
    out.push_str("\ndeployments:\n");
    for (name, deployment) in &scenario.deployments {
        let _ = writeln!(out, "  {name}: {{ {} }}", of_deployment(deployment));
    }
    for group in scenario.groups.values() {
        let _ = writeln!(out, "\ngroup: {{ {} }}", of_group(group));
    }
    out.push_str("\nsteps:\n");
    for step in &scenario.steps {
        match step {
            Step::Advance(by) => drop(writeln!(out, "  - advance_ms: {}", by.as_millis())),
            Step::Calls(calls) => calls.iter().for_each(|planned| of_call(planned, &mut out)),
        }
    }
    out
}

fn of_deployment(deployment: &Deployment) -> String {
    let mut parts = vec![match deployment.surface {
        Surface::OpenAi => "provider: openai".to_owned(),
        Surface::AzureV1 => "provider: azure".to_owned(),
        Surface::AzureLegacy => "provider: azure, surface: legacy".to_owned(),
    }];
    parts.push(format!("model: {}", deployment.model));
    if deployment.deployment_name != deployment.model {
        parts.push(format!("deployment_name: {}", deployment.deployment_name));
    }
    if let Some(version) = deployment.api_version.as_deref().filter(|it| *it != DEFAULT_API_VERSION)
    {
        parts.push(format!("api_version: {}", quoted(version)));
    }
    let script: Vec<_> = deployment.script.iter().map(of_behavior).collect();
    parts.push(format!("script: [{}]", script.join(", ")));
    if deployment.repeat_last {
        parts.push("repeat_last: true".to_owned());
    }
    parts.join(", ")
}

fn of_behavior(behavior: &Behavior) -> String {
    if *behavior == Behavior::named(&behavior.reply) {
        return behavior.reply.clone();
    }
    let mut parts = vec![format!("reply: {}", behavior.reply)];
    parts.extend(behavior.status.map(|status| format!("status: {status}")));
    if !behavior.headers.is_empty() {
        parts.push(format!("headers: {}", json!(behavior.headers)));
    }
    parts.extend(behavior.body.as_ref().map(|body| format!("body: {}", quoted(body))));
    if behavior.count != 1 {
        parts.push(format!("count: {}", behavior.count));
    }
    if behavior.wire != WireFault::default() {
        parts.push(format!("wire: {}", json!(behavior.wire)));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn of_group(group: &Group) -> String {
    let mut parts = vec![format!("chain: [{}]", group.chain.join(", "))];
    parts.extend(group.retries.map(|retries| format!("retries: {retries}")));
    parts.extend(group.timeout.map(|timeout| format!("timeout_ms: {}", timeout.as_millis())));
    let total = group.total_timeout.map(|total| total.as_millis());
    parts.extend(total.map(|total| format!("total_timeout_ms: {total}")));
    parts.extend(group.cooldown.map(|Cooldown { after_failures, duration }| {
        let duration_ms = duration.as_millis();
        format!("cooldown: {{ after_failures: {after_failures}, duration_ms: {duration_ms} }}")
    }));
    let most = group.max_retry_after.map(|most| most.as_millis());
    parts.extend(most.map(|most| format!("max_retry_after_ms: {most}")));
    parts.join(", ")
}

fn of_call(planned: &Planned, out: &mut String) {
    let Planned { send: Call { endpoint, headers, body, .. }, expect } = planned;
    let _ = writeln!(out, "  - send:\n      endpoint: {}", endpoint.path());
    if !headers.is_empty() {
        let _ = writeln!(out, "      headers: {}", json!(headers));
    }
    let json = body.for_model(MODEL_PLACEHOLDER);
    match members(&json) {
        Some(members) => drop(writeln!(out, "      body: {members}")),
        None if is_printable(&json) => {
            let _ = writeln!(out, "      body_json: |-");
            for line in json.split('\n') {
                let _ = writeln!(out, "        {line}");
            }
        }
        None => drop(writeln!(out, "      body_json: {}", quoted(&json))),
    }
    let expected = of_expect(expect);
    if !expected.is_empty() {
        let _ = writeln!(out, "    expect: {{ {} }}", expected.join(", "));
    }
}

fn of_expect(expect: &Expect) -> Vec<String> {
    let Expect { attempts, status, answered_by, .. } = expect;
    let attempts = attempts.as_ref().map(|it| format!("attempts: [{}]", it.join(", ")));
    let status = status.map(|status| format!("status: {status}"));
    let answered_by = answered_by.as_ref().map(|name| format!("answered_by: {name}"));
    [attempts, status, answered_by].into_iter().flatten().collect()
}

/// The members other than `model`, as written in YAML. `None` if a scenario with these members
/// would not send exactly this text.
fn members(json: &str) -> Option<String> {
    let Value::Object(mut members) = serde_json::from_str(json).ok()? else { return None };
    members.shift_remove("model")?;
    let same = Body::Members(members.clone()).for_model(MODEL_PLACEHOLDER) == json;
    (same && is_printable(json)).then(|| Value::Object(members).to_string())
}

/// Whether this text can be written to a YAML block without escapes.
fn is_printable(text: &str) -> bool {
    let fits = |character| match character {
        '\n' => true,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\t' | '\r' => false,
        character => !character.is_control(),
    };
    let lines = text.split('\n');
    text.chars().all(fits)
        && { lines }.all(|line| !line.is_empty() && !line.ends_with(' '))
        && !text.starts_with([' ', '\n'])
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Scope, generate};
    use super::super::oracle;
    use super::super::random::case_rng;
    use super::*;
    use fallproof_suite::requirement::Code;

    #[test]
    fn every_generated_case_survives_a_round_trip() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("case.yaml");
        for number in 0..400 {
            let case = generate(&Scope::default(), &mut case_rng(9, number));
            let mut scenario = case.scenario("found/case", oracle::expect(&case));
            scenario.proves = vec![Code::Payload01];
            scenario.why = Some("Because: \"so\", it's said.\u{85}".to_owned());
            let yaml = to_yaml(&scenario);
            std::fs::write(&file, &yaml).expect("the file can be written");
            let read = fallproof_suite::scenario::load(&file, "found/case");
            let mut read = read.unwrap_or_else(|error| panic!("case {number}: {error}\n{yaml}"));
            // Normalize the body, which can be written in two ways.
            for read in read.iter_mut().flat_map(|it| &mut it.steps) {
                if let Step::Calls(calls) = read {
                    for Planned { send, .. } in calls {
                        send.body = Body::Text(send.body.for_model(MODEL_PLACEHOLDER));
                    }
                }
            }
            scenario.file.clone_from(&file);
            assert_eq!(read, [scenario], "case {number}\n{yaml}");
        }
    }
}
