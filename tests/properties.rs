//! Properties over generated requests: what goes in at the client comes out at both hops, and the
//! strict mock takes it.

use std::path::Path;
use std::time::Duration;

use fallproof::drive::{Outcome, Rig, Target};
use fallproof::scenario::{Body, Scenario, Step, Suite};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

const BASE: &str = "responses-compact/openai-to-azure";

fn base() -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let suite = Suite::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    suite.scenarios.into_iter().find(|scenario| scenario.id == BASE).expect("the base is there")
}

/// A JSON string in one of several spellings: plain, escaped, beyond the BMP, like an internal.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        "[a-z ]{0,40}".prop_map(|text| format!("\"{text}\"")),
        Just(r#""\u0065\ud83d\ude80\/""#.to_owned()),
        Just(r#""metadata""#.to_owned()),
        Just(r#""🚀 한국어 e\u0301""#.to_owned()),
    ]
}

fn input() -> impl Strategy<Value = String> {
    let message = ("user|assistant|system|developer", text())
        .prop_map(|(role, text)| format!(r#"{{"role": "{role}", "content":{text}}}"#));
    prop_oneof![
        text(),
        prop::collection::vec(message, 1..4).prop_map(|items| format!("[{}]", items.join(" , "))),
    ]
}

/// Every optional parameter of the endpoint that both surfaces of the chain know. A response of
/// before is known only to the upstream that gave it, so none is named here.
fn parameters() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let one_of = |words: &'static [&'static str]| {
        prop::sample::select(words).prop_map(|word| format!("\"{word}\""))
    };
    let instructions = prop_oneof![text(), Just("null".to_owned())];
    let optional = (
        prop::option::of(instructions.prop_map(|value| ("instructions", value))),
        prop::option::of(Just(("previous_response_id", "null".to_owned()))),
        prop::option::of(
            "[a-z0-9]{1,40}".prop_map(|key| ("prompt_cache_key", format!("\"{key}\""))),
        ),
        prop::option::of(
            one_of(&["in_memory", "24h"]).prop_map(|it| ("prompt_cache_retention", it)),
        ),
        prop::option::of(
            one_of(&["auto", "default", "flex", "priority"]).prop_map(|it| ("service_tier", it)),
        ),
    );
    (input(), optional)
        .prop_map(|(input, (a, b, c, d, e))| {
            [Some(("input", input)), a, b, c, d, e].into_iter().flatten().collect::<Vec<_>>()
        })
        .prop_shuffle()
}

/// The members as JSON text, with white space of its own and `model` at a place of its own.
fn body() -> impl Strategy<Value = String> {
    (parameters(), any::<prop::sample::Index>(), prop::sample::select(vec!["", " ", "\n  "]))
        .prop_map(|(mut members, place, blank)| {
            members.insert(place.index(members.len() + 1), ("model", "\"{{model}}\"".to_owned()));
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{blank}\"{name}\":{blank}{value}"))
                .collect();
            format!("{{{}{blank}}}", members.join(","))
        })
}

#[test]
fn a_compact_call_reaches_both_hops_as_it_was_sent_and_the_strict_mock_takes_it() {
    let scenario = base();
    let runtime = Runtime::new().expect("a runtime can be had");
    let rig = runtime
        .block_on(Rig::start(&[&scenario], &Target::Reference(None), Duration::from_secs(60)))
        .expect("the rig listens on ports that the system chooses");
    // Failing cases are printed whole, with their seed: nothing to look up in a file.
    let config = Config { cases: 128, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&body(), |body| {
            let mut scenario = scenario.clone();
            let Step::Calls(calls) = &mut scenario.steps[0] else { unreachable!("it sends") };
            calls[0].send.body = Body::Text(body);
            let case = runtime.block_on(rig.run(&scenario));
            prop_assert_eq!(&case.outcome, &Outcome::Pass, "{:#?}", case.findings);
            let [first, second] = &case.steps[0].hits[..] else {
                return Err(TestCaseError::fail("not two attempts"));
            };
            // Both deployments go by the same name, so even `model` is the same.
            prop_assert_eq!(&first.body, &second.body);
            prop_assert_eq!(second.status, Some(200));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
