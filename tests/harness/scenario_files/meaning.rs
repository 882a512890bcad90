//! The model that scenario files are loaded into.

use std::time::Duration;

use fallproof_mocks::behavior::{Behavior, CutEnd};
use fallproof_mocks::provider::{Endpoint, Surface};
use fallproof_suite::profile::Profile;
use fallproof_suite::requirement::Code;

use super::support::{EVERY_KEY, VALID, assert_text_refused, call, load, valid_but};

#[test]
fn keys_with_a_default_are_optional() {
    let scenario = load(VALID).expect("a valid scenario");
    assert_eq!(scenario.profile, Profile::Core);
    let backup = &scenario.deployments["backup"];
    assert_eq!(backup.surface, Surface::AzureV1);
    assert_eq!(backup.deployment_name, "gpt-5");
    assert_eq!(backup.api_version, None);
    assert!(!backup.repeat_last);
    assert_eq!(scenario.groups["main"].retries, None);
    assert_eq!(call(&scenario, 0).expect.status, None);
    assert_eq!(call(&scenario, 0).send.body.for_model("g"), r#"{"model":"g","input":"Hello"}"#);
}

#[test]
fn every_key_reaches_the_model() {
    let scenario = load(EVERY_KEY).expect("a valid scenario");
    assert_eq!(scenario.why.as_deref(), Some("Because."));
    assert_eq!(scenario.profile, Profile::Responses);
    assert_eq!(scenario.proves, [Code::Payload01, Code::Route02]);
    assert_eq!(scenario.tags, ["founding", "slow-2"]);

    let one = &scenario.deployments["one"];
    assert_eq!(one.surface, Surface::AzureLegacy);
    assert_eq!((&*one.deployment_name, one.api_version.as_deref()), ("prod", Some("2024-10-21")));
    assert_eq!(one.script[0].status, Some(503));
    assert_eq!(one.script[0].wire.cut.as_ref().map(|cut| cut.end), Some(CutEnd::Reset));
    assert_eq!(one.script[1], Behavior::named("ok"));
    assert!(one.repeat_last);
    assert_eq!(one.settings.all_headers().collect::<Vec<_>>(), [("X-Team", "a b")]);
    assert_eq!(one.settings.query["region"], "eu-1");
    assert_eq!(scenario.deployments["two"].api_version.as_deref(), Some("2025-04-01-preview"));

    assert_eq!(scenario.groups["main"].chain, ["two", "one"]);
    assert_eq!(scenario.groups["main"].retries, Some(0));
    assert_eq!(scenario.groups["main"].timeout, Some(Duration::from_millis(1500)));

    let first = call(&scenario, 0);
    assert_eq!(first.send.endpoint, Endpoint::ChatCompletions);
    assert_eq!(first.send.headers["X-Other"], "b c");
    assert_eq!(first.expect.status, Some(503));
    let error = first.expect.error.as_ref().expect("an expected error");
    assert_eq!(error.kind.as_deref(), Some("server_error"));
    assert_eq!(error.message_contains.as_deref(), Some("try again"));
    let carries = &first.expect.no_attempt_carries;
    assert_eq!(
        (&carries.headers[..], &carries.text[..]),
        (&["x-trace".to_owned()][..], &["secret".to_owned()][..])
    );
}

#[test]
fn a_body_keeps_its_order_and_its_types() {
    let scenario = load(EVERY_KEY).expect("a valid scenario");
    assert_eq!(
        call(&scenario, 1).send.body.for_model("g"),
        r#"{"model":"g","input":[1,2.5,null,true,{"z":"1","a":"no"}]}"#
    );
}

#[test]
fn a_body_may_have_another_model_than_its_group_or_none() {
    for (written, sent) in [
        ("", r#"{"input":"Hello"}"#),
        ("7", r#"{"model":7,"input":"Hello"}"#),
        ("[null]", r#"{"model":[null],"input":"Hello"}"#),
    ] {
        let scenario = load(valid_but("body:", &format!("model_json: '{written}'\n      body:")));
        let scenario = scenario.expect("a valid scenario");
        let body = &call(&scenario, 0).send.body;
        assert_eq!((&*body.for_model("g"), body.names_a_group()), (sent, false));
        assert!(scenario.needs().iter().any(|need| need.to_string() == "model-routing"));
    }
    let needs = load(EVERY_KEY).expect("a valid scenario").needs();
    assert!(!needs.iter().any(|need| need.to_string() == "model-routing"));
}

#[test]
fn json_text_is_sent_verbatim() {
    let scenario = load(EVERY_KEY).expect("a valid scenario");
    assert_eq!(
        call(&scenario, 0).send.body.for_model(r#"a"b"#),
        "{\"temperature\": 1e0, \"model\": \"a\\\"b\"}\n"
    );
}

#[test]
fn a_value_can_be_repeated_with_an_anchor() {
    let text = valid_but("attempts: [primary, backup]", "attempts: *chain").replacen(
        "chain: [",
        "chain: &chain [",
        1,
    );
    let scenario = load(text).expect("a valid scenario");
    assert_eq!(call(&scenario, 0).expect.attempts, Some(scenario.groups["main"].chain.clone()));
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert!(load(format!("\u{feff}{VALID}")).is_ok());
    assert_text_refused(format!("\u{feff}{}", valid_but("title", "«titel")), &["titel"]);
}
