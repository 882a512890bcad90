//! Configurations that each adapter renders from a small plan.

use std::fmt::Write as _;

use fallproof_runner::adapter::{self, Adapter};
use rstest::rstest;

use super::support::{MINIMAL, addresses, file, read, root, scenarios, site};

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

/// The error of an adapter with these lines, which cannot be rendered for a small plan.
fn error(lines: &str) -> String {
    let adapter = read(&format!("{MINIMAL}{lines}")).expect("it is valid");
    let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
    adapter.render(&plan, &site()).expect_err("it cannot be rendered").to_string()
}

#[test]
fn an_undefined_name_is_reported_with_its_line_in_the_template() {
    let error = error("files: { a: \"one\\n{{ group.nme }}\" }\n");
    for fragment in ["`files.a` cannot be rendered (line 2 of the template): `group", "mine.yaml:8"]
    {
        assert!(error.contains(fragment), "{error}");
    }
}

#[test]
fn an_undefined_name_in_a_block_is_reported_at_its_line_of_the_file() {
    let error = error(
        "files:\n  a: |\n    {% for group in groups %}\n\n    - {{ group.name }}: {{ group.nme }}\n    {% endfor %}\n",
    );
    for fragment in ["`files.a` cannot be rendered: `group.nme` is undefined", "mine.yaml:12:28"] {
        assert!(error.contains(fragment), "{error}");
    }
}

#[rstest]
#[case::value("gateway.kee | tojson", "`gateway.kee` is undefined")]
#[case::in_a_list("[gateway.kee] | tojson", "`gateway.kee` is undefined")]
#[case::in_a_mapping("{'a': gateway.kee} | tojson", "`gateway.kee` is undefined")]
#[case::indented("gateway.kee | tojson(indent=2)", "`gateway.kee` is undefined")]
#[case::attribute("groups | map(attribute='nme') | list | tojson", "map(attribute='nme')")]
#[case::selected("groups | selectattr('nme') | list", "the attribute `nme` is undefined")]
#[case::rejected("groups | rejectattr('policy.nme') | list", "`policy.nme` is undefined")]
#[case::none("gateway.kee is not none", "`gateway.kee` is undefined")]
#[case::length("gateway.kee | length", "`gateway.kee` is undefined")]
#[case::items("gateway.kee | items | list", "`gateway.kee` is undefined")]
fn no_filter_hides_an_undefined_name(#[case] expression: &str, #[case] fragment: &str) {
    let error = error(&format!("files:\n  a: |\n    {{{{ {expression} }}}}\n"));
    assert!(error.contains(fragment) && error.contains("mine.yaml:10"), "{error}");
}

#[rstest]
#[case("gateway.key | tojson", "\"sk-fallproof-client\"")]
#[case("groups[0].policy.cooldown | tojson", "null")]
#[case("gateway.kee | default('a') | tojson", "\"a\"")]
#[case("gateway.kee is defined", "False")]
#[case("groups[0].policy.cooldown is none", "True")]
#[case("groups | selectattr('kee', 'defined') | list | length", "0")]
#[case("groups | map(attribute='kee', default='a') | list | tojson", "[\"a\"]")]
#[case("('a' if gateway.port == 1) | tojson", "null")]
fn an_undefined_name_can_be_handled(#[case] expression: &str, #[case] expected: &str) {
    let file = format!("files:\n  a: |\n    {{{{ {expression} }}}}\n");
    let adapter = read(&format!("{MINIMAL}{file}")).expect("it is valid");
    let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
    let configuration = adapter.render(&plan, &site()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(configuration.files[0].1.trim(), expected);
}

#[test]
fn a_template_can_name_the_folder_of_its_adapter() {
    let (folder, file) = file(&format!(
        "{MINIMAL}settings: {{ a: \"1\" }}\nfiles: {{ a: '{{{{ adapter.folder }}}}' }}\n\
         variants: {{ other: {{ about: A., settings: {{ a: \"2\" }} }} }}\n"
    ));
    let adapter = adapter::read(&file).expect("it is valid");
    let variant = adapter.variant("other").expect("it has it");
    for adapter in [adapter, variant] {
        let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
        let configuration = adapter.render(&plan, &site()).expect("it can be rendered");
        assert_eq!(configuration.files[0].1, folder.path().to_string_lossy());
    }
}

#[test]
fn an_undefined_name_in_a_setting_is_an_error() {
    let error = error("settings: { retries: group.policy.retires }\n");
    let fragment = "`settings` cannot be evaluated: `group.policy.retires` is undefined";
    assert!(error.contains(fragment) && error.contains("mine.yaml:8"), "{error}");
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
