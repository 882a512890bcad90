//! The configuration file, and the errors in it.

use std::num::NonZeroU32;
use std::time::Duration;

use fallproof_router::{Condition, Config, Cooldown, Deployment, Surface};
use rstest::rstest;

const COMPLETE: &str = "\
client_keys: [sk-client-1, sk-client-2]
body_limit_bytes: 1000
groups:
  summaries:
    chain: [primary, backup, old]
    retries: 2
    timeout_ms: 30000
    fallback_on: [timeout, 429, '503', 5xx]
  plain:
    chain: [backup]
  careful:
    chain: [primary]
    stream_idle_timeout_ms: 4000
    total_timeout_ms: 90000
    cooldown: { after_failures: 3, duration_ms: 5000 }
    max_retry_after_ms: 0
    on_context_length: [backup, primary]
    on_content_filter: [old]
deployments:
  primary: { provider: openai, base_url: 'http://127.0.0.1:9100/x/v1', model: gpt-5, key: sk-primary }
  backup: { provider: azure, base_url: 'http://127.0.0.1/openai/v1', deployment: five, key: 1234567890 }
  old:
    provider: azure
    surface: legacy
    base_url: http://127.0.0.1
    api_version: 2025-04-01-preview
    deployment: old-five
    key: abcdefgh
";

#[test]
fn a_complete_file_is_read() {
    let config = Config::from_yaml(COMPLETE, "router.yaml").expect("a valid file");
    assert_eq!(config.client_keys.map(|keys| keys.len()), Some(2));
    assert_eq!(config.body_limit, 1000);
    assert_eq!(config.groups.keys().collect::<Vec<_>>(), ["summaries", "plain", "careful"]);

    let summaries = &config.groups["summaries"];
    assert_eq!((summaries.retries, summaries.timeout), (2, Duration::from_secs(30)));
    assert_eq!(
        summaries.fallback_on,
        [Condition::Timeout, Condition::Status(429), Condition::Status(503), Condition::Any5xx]
    );
    assert_eq!(
        (&summaries.primary.surface, &*summaries.primary.model),
        (&Surface::OpenAi, "gpt-5")
    );
    let [backup, old] = &summaries.fallbacks[..] else { panic!("two fallbacks: {summaries:?}") };
    assert_eq!((&backup.surface, &*backup.model), (&Surface::AzureV1, "five"));
    let legacy = Surface::AzureLegacy { api_version: "2025-04-01-preview".to_owned() };
    assert_eq!((&old.surface, &*old.model), (&legacy, "old-five"));

    let careful = &config.groups["careful"];
    assert_eq!(careful.stream_idle_timeout, Duration::from_secs(4));
    assert_eq!(careful.total_timeout, Some(Duration::from_secs(90)));
    let after_failures = NonZeroU32::new(3).expect("three");
    let duration = Duration::from_secs(5);
    assert_eq!(careful.cooldown, Some(Cooldown { after_failures, duration }));
    assert_eq!(careful.max_retry_after, Duration::ZERO);
    let names = |chain: &[Deployment]| chain.iter().map(|it| it.model.clone()).collect::<Vec<_>>();
    assert_eq!(names(&careful.on_context_length), ["five", "gpt-5"]);
    assert_eq!(names(&careful.on_content_filter), ["old-five"]);
}

#[test]
fn omitted_settings_have_their_defaults() {
    let text =
        COMPLETE.replace("client_keys: [sk-client-1, sk-client-2]\nbody_limit_bytes: 1000\n", "");
    let config = Config::from_yaml(&text, "router.yaml").expect("a valid file");
    assert!(config.client_keys.is_none());
    assert_eq!(config.body_limit, 64 * 1024 * 1024);
    let plain = &config.groups["plain"];
    assert_eq!((plain.retries, plain.timeout), (0, Duration::from_secs(120)));
    assert_eq!(plain.fallback_on, Condition::RECOMMENDED);
    assert!(plain.fallbacks.is_empty());
    assert_eq!((plain.stream_idle_timeout, plain.total_timeout), (Duration::from_secs(120), None));
    assert_eq!((plain.cooldown, plain.max_retry_after), (None, Duration::from_secs(60)));
    assert!(plain.on_context_length.is_empty() && plain.on_content_filter.is_empty());
}

#[rstest]
#[case::unknown_field("retries: 2", "retires: 2", "6:5: unknown field `retires`")]
#[case::unknown_deployment(
    "[primary, backup, old]",
    "[primary, bakcup]",
    "5:22: `bakcup` is not in `deployments`"
)]
#[case::empty_chain("[primary, backup, old]", "[]", "5:12: a chain needs at least one deployment")]
#[case::repeated_in_chain(
    "[primary, backup, old]",
    "[old, old]",
    "5:18: `old` is already in this chain"
)]
#[case::repeated_group("  plain:", "  summaries:", "9:3: duplicate mapping key `summaries`")]
#[case::repeated_deployment("  backup: {", "  primary: {", "21:3: duplicate mapping key `primary`")]
#[case::no_keys("[sk-client-1, sk-client-2]", "[]", "1:14: `client_keys` is empty")]
#[case::unknown_condition("429", "3xx", "8:28: `3xx` is not a condition")]
#[case::no_cooldown_time(
    "duration_ms: 5000",
    "duration_ms: 0",
    "15:36: invalid value: integer `0`"
)]
#[case::half_a_cooldown(", duration_ms: 5000", "", "15:17: missing field `duration_ms`")]
#[case::unknown_large_one(
    "[backup, primary]",
    "[bakcup]",
    "17:25: `bakcup` is not in `deployments`"
)]
#[case::empty_special_chain("[old]", "[]", "18:24: a chain needs at least one deployment")]
#[case::no_time("30000", "0", "7:5: invalid value: integer `0`")]
#[case::negative_retries("retries: 2", "retries: -1", "6:14: invalid u32")]
#[case::not_http(
    "http://127.0.0.1\n",
    "ftp://127.0.0.1\n",
    "25:15: the base URL `ftp://127.0.0.1` must start"
)]
#[case::not_a_url("http://127.0.0.1\n", "nowhere\n", "25:15: the base URL `nowhere` is not a URL")]
#[case::no_version(
    "    api_version: 2025-04-01-preview\n",
    "",
    "23:5: an azure deployment on the legacy surface"
)]
#[case::model_on_azure(
    "deployment: five",
    "model: five",
    "21:11: an azure deployment on the v1 surface"
)]
#[case::surface_on_openai(
    "openai, base",
    "openai, surface: v1, base",
    "20:12: an openai deployment"
)]
#[case::unknown_provider("openai, base", "open-ai, base", "20:24: unknown variant `open-ai`")]
fn an_error_has_its_position(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    assert_eq!(COMPLETE.matches(right).count(), 1, "`{right}` occurs once in the file");
    let error =
        Config::from_yaml(&COMPLETE.replace(right, wrong), "router.yaml").expect_err("refused");
    let message = error.to_string();
    assert!(message.starts_with(&format!("router.yaml:{expected}")), "{message}");
}

#[rstest]
#[case::too_short("abcdefgh", "hunter2", "28:10: a key needs at least 8 characters")]
#[case::blanks("abcdefgh", "hunter2 hunter2", "28:10: a key must be visible ASCII")]
#[case::not_a_string("abcdefgh", "[hunter2]", "28:10: expected string scalar")]
#[case::broken_line("abcdefgh", "'hunter2\n", "")]
#[case::key_in_the_url(
    "http://127.0.0.1\n",
    "http://me:hunter2@127.0.0.1\n",
    "25:15: a base URL must not contain a user"
)]
fn no_key_is_ever_quoted(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    let error =
        Config::from_yaml(&COMPLETE.replace(right, wrong), "router.yaml").expect_err("refused");
    let message = error.to_string();
    assert!(message.starts_with(&format!("router.yaml:{expected}")), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load("/nowhere/router.yaml").expect_err("refused");
    assert!(error.to_string().starts_with("/nowhere/router.yaml: cannot read: "), "{error}");
}

#[test]
fn the_example_in_the_readme_is_valid() {
    let readme = include_str!("../../README.md");
    let (_, example) = readme.split_once("```yaml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("an end of the example");
    let config = Config::from_yaml(example, "README.md").expect("a valid example");
    assert!(!config.groups.is_empty());
}

#[rstest]
#[case("{ x-team: a, openai-organization: b }", None)]
#[case("{ authorization: a }", Some("`authorization` is not a header that a deployment can have"))]
#[case("{ 'a b': a }", Some("`a b` is not a header that a deployment can have"))]
#[case("{ x-team: \"a\\nb\" }", Some("`x-team` is not a header that a deployment can have"))]
fn a_deployment_can_have_headers(#[case] headers: &str, #[case] problem: Option<&str>) {
    let more = format!("key: sk-primary, headers: {headers}, query: {{ region: eu }} }}");
    let text = COMPLETE.replacen("key: sk-primary }", &more, 1);
    match (Config::from_yaml(&text, "router.yaml"), problem) {
        (Ok(config), None) => {
            let primary = &config.groups["summaries"].primary;
            assert_eq!(primary.headers.len(), 2);
            assert_eq!(primary.query, [("region".to_owned(), "eu".to_owned())]);
        }
        (Err(error), Some(problem)) => {
            let message = error.to_string();
            assert!(message.contains(problem), "{message}");
        }
        (result, _) => panic!("{result:?}"),
    }
}
