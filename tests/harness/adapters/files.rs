//! Adapter files: the built-in ones, and errors in a user's files.

use std::fs;

use fallproof_runner::adapter;
use fallproof_suite::feature::Feature;
use fallproof_suite::yaml;
use rstest::rstest;
use serde_json::Value;

use crate::common::{SUITE, assert_up_to_date};

use super::support::{MINIMAL, addresses, read, root, scenarios, site};

#[test]
fn every_file_in_the_folder_is_a_built_in_adapter() {
    let folder = fs::read_dir(root().join("harness/runner/adapters")).expect("the folder is there");
    let names = folder.map(|entry| entry.expect("it can be listed").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let mut yaml: Vec<_> =
        names.filter_map(|it| Some(it.strip_suffix(".yaml")?.to_owned())).collect();
    yaml.sort();
    let built_in: Vec<_> = adapter::all().iter().map(|adapter| adapter.id.clone()).collect();
    assert_eq!(
        built_in, yaml,
        "to build in a new file: touch harness/runner/src/adapter/catalogue.rs"
    );
}

#[test]
fn every_adapter_is_valid_by_the_json_schema() {
    let schema: Value = serde_json::from_str(&adapter::schema()).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is valid");
    let mut files: Vec<_> = adapter::all()
        .iter()
        .map(|adapter| root().join(format!("harness/runner/adapters/{}.yaml", adapter.id)))
        .collect();
    files.push(root().join("tests/harness/adapters/reference.yaml"));
    for file in files {
        let text = fs::read_to_string(&file).expect("it is there");
        let value: Value = yaml::parse(&file, &text).expect("it is YAML");
        let errors: Vec<_> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", file.display());
        assert!(text.starts_with("# yaml-language-server: $schema="), "{}", file.display());
    }
}

#[test]
fn the_json_schema_is_up_to_date() {
    assert_up_to_date("harness/runner/adapters/schema.json", &adapter::schema(), "adapters");
}

#[test]
fn every_adapter_can_be_rendered_with_the_complete_suite() {
    // One case of each family is enough: its cases need the same configuration.
    let mut families = SUITE.scenarios.clone();
    families.dedup_by_key(|scenario| scenario.family().to_owned());
    for adapter in adapter::all() {
        let batches = adapter.check(&families, &addresses(), &site());
        let batches = batches.unwrap_or_else(|error| panic!("{error}"));
        assert!(!batches.batches.is_empty(), "{} supports nothing", adapter.id);
    }
}

#[test]
fn every_adapter_uses_the_variables_of_the_features_that_it_claims() {
    let own = root().join("tests/harness/adapters/reference.yaml");
    let own = adapter::read(&own).expect("it is valid");
    for adapter in adapter::all().iter().map(AsRef::as_ref).chain([&own]) {
        assert_eq!(adapter.unused(&SUITE.scenarios), [], "{}", adapter.id);
        for name in adapter.variants.keys() {
            let variant = adapter.variant(name).expect("it is listed");
            assert_eq!(variant.unused(&SUITE.scenarios), [], "{} {name}", adapter.id);
        }
    }
}

#[rstest]
#[case::unused("files: { a: 'cooldown {{ gateway.key }}' }", true)]
#[case::declared("capabilities: { unsupported: { cooldown: it has none } }", false)]
#[case::used("files: { a: '{% for it in groups %}{{ it.policy.cooldown }}{% endfor %}' }", false)]
#[case::used_in_a_setting("settings: { a: group.policy.cooldown }", false)]
#[case::excluded("cannot: [{ when: group.policy.cooldown is not none, reason: a }]", false)]
fn a_feature_that_no_template_uses_is_found(#[case] line: &str, #[case] is_found: bool) {
    let adapter = read(&format!("{MINIMAL}{line}\n")).expect("it is valid");
    let unused = adapter.unused(&scenarios(&["cooldown/**"]));
    let unused: Vec<_> = unused.iter().map(ToString::to_string).collect();
    let is_about_cooldowns = |it: &String| {
        it.starts_with("no template uses `group.policy.cooldown`, which ")
            && it.ends_with(" scenarios need: use it, or declare `unsupported: cooldown`")
    };
    assert_eq!(unused.iter().any(is_about_cooldowns), is_found, "{unused:?}");
}

#[test]
fn a_template_can_use_the_variables_of_each_feature() {
    for variable in Feature::all().flat_map(Feature::variables) {
        let tag = format!("{{{{ {variable} | tojson }}}}");
        let groups = "{% for group in groups %}{% for deployment in group.chain %}";
        let ends = "{% endfor %}{% endfor %}";
        let adapter = read(&format!("{MINIMAL}files: {{ a: '{groups}{tag}{ends}' }}\n"));
        let adapter = adapter.expect("it is valid");
        let plan = adapter.plan(&scenarios(&["auth/refused-key-is-not-shown"]), &addresses());
        adapter.render(&plan, &site()).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[rstest]
#[case::unknown_key("stat: {}", "unknown key `stat`")]
#[case::template("files: { a: '{{ open' }", "`files.a` is not a valid template")]
#[case::block("files: { a: '{% for x in y %}' }", "`files.a` is not a valid template")]
#[case::expression("cannot: [{ when: 'a ==', reason: b }]", "not a valid expression")]
#[case::setting("settings: { a: '1 +' }", "not a valid expression")]
#[case::endpoint("client: { paths: { chat: /chat } }", "chat/completions")]
#[case::outside("files: { ../a: b }", "the file `../a` is outside")]
#[case::invariant(
    "capabilities: { waived: { FP-PAYLOAD-01: why } }",
    "`FP-PAYLOAD-01` is an invariant, which applies to every gateway; only requirements of the policy level can be waived"
)]
#[case::observation(
    "capabilities: { waived: { FP-PAYLOAD-08: why } }",
    "`FP-PAYLOAD-08` is an observation"
)]
#[case::invariant_of_a_variant(
    "variants: { a: { about: b, capabilities: { waived: { FP-ROUTE-02: why } } } }",
    "`FP-ROUTE-02` is an invariant"
)]
#[case::absolute("files: { /etc/a: b }", "the file `/etc/a` is outside")]
fn an_error_is_reported_with_its_position(#[case] line: &str, #[case] fragment: &str) {
    let error = read(&format!("{MINIMAL}{line}\n")).expect_err("it must be rejected");
    assert!(error.contains(fragment) && error.contains("mine.yaml:8"), "{error}");
}

#[test]
fn an_adapter_without_a_version_is_rejected() {
    let text =
        MINIMAL.replace(r#"[{ version: 1.0.0, install: ["install into {{ home }}"] }]"#, "[]");
    let error = read(&text).expect_err("it must be rejected");
    assert!(error.contains("the list of versions is empty"), "{error}");
}

#[test]
fn an_adapter_with_reload_needs_a_text_to_expect() {
    let text = MINIMAL.replace("program: fictional,", "program: fictional, reload: HUP,");
    let error = read(&text).expect_err("it must be rejected");
    assert!(error.contains("`reload` needs `ready.contains`"), "{error}");
}

#[test]
fn an_adapter_with_a_text_to_expect_needs_a_path() {
    let text = MINIMAL.replace("ready: {", "ready: { contains: it is up,");
    let error = read(&text).expect_err("it must be rejected");
    assert!(error.contains("`contains` has no effect without `path`"), "{error}");
    assert!(error.contains("mine.yaml:7"), "{error}");
}

#[test]
fn a_misspelled_name_gets_a_suggestion() {
    let error = adapter::find("litelm").expect_err("it does not exist").to_string();
    assert!(error.contains("did you mean `litellm`?"), "{error}");
}
