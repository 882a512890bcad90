//! Configurations that each adapter renders from a small plan.

use std::fmt::Write as _;

use fallproof_runner::adapter::{self, Adapter};

use super::support::{MINIMAL, addresses, read, root, scenarios, site};

/// Chains over all surfaces, one with retries and a timeout, a form whose deployments have different
/// names, and a group with a single deployment.
const SMALL: [&str; 5] = [
    "auth/refused-key-is-not-shown",
    "chat/openai-to-azure-legacy",
    "payload/forms-as-sent@the-file-first",
    "responses-compact/openai-to-azure",
    "routing/retries-then-next",
];

fn rendered(adapter: &Adapter) -> String {
    let all = scenarios(&SMALL);
    let supported = || all.iter().filter(|it| adapter.capabilities.skip_reason(it).is_none());
    let batches = adapter.split(&adapter.plan(supported(), &addresses())).expect("it can be split");
    let mut shown = String::new();
    for batch in batches.batches {
        let chosen = all.iter().filter(|scenario| batch.scenarios.contains(&scenario.id));
        let plan = adapter.plan(chosen, &addresses());
        let configuration = adapter.render(&plan, &site()).expect("it can be rendered");
        let _ = writeln!(shown, "=== start: {}", configuration.command_line(&site()));
        for (name, text) in &configuration.files {
            let _ = writeln!(shown, "--- {name}\n{text}");
        }
        for group in &plan.groups {
            let style = configuration.style(&group.model).expect("it has each group");
            let _ = writeln!(shown, "--- a call for {}\nmodel: {}", group.model, style.model);
            for (name, value) in &style.headers {
                let _ = writeln!(shown, "{name}: {value}");
            }
        }
    }
    shown
}

#[test]
fn each_adapter_renders_a_small_plan_as_in_its_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/harness/adapters/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for adapter in adapter::all() {
            insta::assert_snapshot!(adapter.id.as_str(), rendered(adapter));
        }
    });
}

#[test]
fn an_undefined_name_is_reported_with_its_line_in_the_template() {
    let adapter = read(&format!("{MINIMAL}files: {{ a: \"one\\n{{{{ group.nme }}}}\" }}\n"))
        .expect("it is valid");
    let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
    let error = adapter.render(&plan, &site()).expect_err("it cannot be rendered").to_string();
    for fragment in ["`files.a` cannot be rendered at line 2", "mine.yaml:8"] {
        assert!(error.contains(fragment), "{error}");
    }
}

#[test]
fn a_gateway_that_cannot_rename_gets_deployments_named_like_their_group() {
    let adapter = read(&format!("{MINIMAL}renames: false\n")).expect("it is valid");
    let plan = adapter.plan(&scenarios(&["chat/openai-to-azure-legacy"]), &addresses());
    let names: Vec<_> =
        plan.groups[0].chain.iter().map(|deployment| deployment.deployment_name.as_str()).collect();
    assert_eq!(names, ["chat.openai-to-azure-legacy"; 2]);
}

#[test]
fn the_lines_of_a_header_are_joined() {
    let client = "client: { headers: { x-a: \"{\\n  1,\\n  2\\n}\\n\" } }\n";
    let adapter = read(&format!("{MINIMAL}{client}")).expect("it is valid");
    let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
    let configuration = adapter.render(&plan, &site()).expect("it can be rendered");
    let style = configuration.style(&plan.groups[0].model).expect("it has the group");
    assert_eq!(style.headers, [("x-a".to_owned(), "{ 1, 2 }".to_owned())]);
}
