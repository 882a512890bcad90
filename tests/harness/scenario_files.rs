//! What scenario files mean, and what is refused in them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fallproof::scenario::{self, Planned, Profile, Scenario, Step};
use fallproof_mocks::behaviour::{Behaviour, CutEnd};
use fallproof_mocks::provider::{Endpoint, Surface};
use proptest::prelude::*;
use tempfile::TempDir;

const VALID: &str = r#"# yaml-language-server: $schema=../schema.json
title: A compact call goes to Azure when OpenAI fails
proves: [FP-ROUTE-01]
upstreams:
  primary: { provider: openai, model: gpt-5, script: [server_error] }
  backup: { provider: azure, model: gpt-5, script: [ok] }
group: { chain: [primary, backup] }
steps:
  - send:
      endpoint: responses/compact
      body: { input: "Hello" }
    expect:
      attempts: [primary, backup]
      answered_by: backup
"#;

const EVERY_KEY: &str = r#"
title: A call
why: Because.
links: [https://example.com/a]
profile: responses
proves: [FP-PAYLOAD-01, FP-ROUTE-02]
tags: [founding, slow-2]
upstreams:
  one:
    provider: azure
    surface: legacy
    model: gpt-5
    deployment: prod
    api_version: 2024-10-21
    script: [{ status: 503, wire: { cut: { at: { body_bytes: 5 }, end: reset } } }, ok]
    repeat_last: true
  two: { provider: azure, surface: legacy, model: gpt-5, script: [ok] }
group: { chain: [two, one], retries: 0, timeout_ms: 1500 }
steps:
  - send:
      endpoint: chat/completions
      headers: { x-trace: "1", X-Other: b c }
      body_json: |
        {"temperature": 1e0, "model": "{{model}}"}
    expect:
      status: 503
      error: { type: server_error, code: a, param: b, message_contains: try again }
  - send: { endpoint: embeddings, body: { input: [1, 2.5, null, true, { z: "1", a: no }] } }
"#;

/// The only call of this step.
fn call(scenario: &Scenario, step: usize) -> &Planned {
    match &scenario.steps[step] {
        Step::Calls(calls) if calls.len() == 1 => &calls[0],
        other => panic!("not one call: {other:?}"),
    }
}

fn load(text: impl AsRef<[u8]>) -> Result<Scenario, String> {
    load_all(text).map(|mut scenarios| scenarios.pop().expect("a file has a scenario"))
}

fn load_all(text: impl AsRef<[u8]>) -> Result<Vec<Scenario>, String> {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("case.yaml");
    fs::write(&file, text).expect("a file in a temporary folder");
    scenario::load(&file, "case").map_err(|error| error.to_string())
}

/// `VALID` with one thing changed.
fn valid_but(from: &str, to: &str) -> String {
    assert!(VALID.contains(from), "{from} is not in the text");
    VALID.replacen(from, to, 1)
}

/// `VALID` with one thing changed is refused at the place marked with `«`, with all of these words.
#[track_caller]
fn assert_refused(from: &str, to_marked: &str, words: &[&str]) {
    assert_text_refused(valid_but(from, to_marked), words);
}

/// The text is refused at the place marked with `«`, with all of these words.
#[track_caller]
fn assert_text_refused(marked: impl AsRef<str>, words: &[&str]) {
    let (before, after) = marked.as_ref().split_once('«').expect("a marked place");
    let line_before = before.trim_start_matches('\u{feff}').rsplit('\n').next().unwrap_or_default();
    let (line, column) = (before.matches('\n').count() + 1, line_before.chars().count() + 1);
    let error = load([before, after].concat()).expect_err("it must be refused");
    assert!(error.contains(&format!("case.yaml:{line}:{column}\n")), "{line}:{column}?\n{error}");
    for word in words {
        assert!(error.contains(word), "{word} is missing:\n{error}");
    }
}

// What files mean.

#[test]
fn what_has_a_sensible_default_need_not_be_said() {
    let scenario = load(VALID).expect("a valid scenario");
    assert_eq!(scenario.profile, Profile::Core);
    let backup = &scenario.upstreams["backup"];
    assert_eq!(backup.surface, Surface::AzureV1);
    assert_eq!(backup.deployment, "gpt-5");
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
    assert_eq!(scenario.proves, ["FP-PAYLOAD-01", "FP-ROUTE-02"]);
    assert_eq!(scenario.tags, ["founding", "slow-2"]);

    let one = &scenario.upstreams["one"];
    assert_eq!(one.surface, Surface::AzureLegacy);
    assert_eq!((&*one.deployment, one.api_version.as_deref()), ("prod", Some("2024-10-21")));
    assert_eq!(one.script[0].status, Some(503));
    assert_eq!(one.script[0].wire.cut.as_ref().map(|cut| cut.end), Some(CutEnd::Reset));
    assert_eq!(one.script[1], Behaviour::named("ok"));
    assert!(one.repeat_last);
    assert_eq!(scenario.upstreams["two"].api_version.as_deref(), Some("2025-04-01-preview"));

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
fn json_text_is_sent_as_it_is_spelled() {
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
fn a_byte_order_mark_is_passed_over() {
    assert!(load(format!("\u{feff}{VALID}")).is_ok());
    assert_text_refused(format!("\u{feff}{}", valid_but("title", "«titel")), &["titel"]);
}

// What is refused, and where the error points.

#[test]
fn an_error_shows_file_line_caret_and_the_right_word() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("case.yaml");
    fs::write(&file, valid_but("endpoint", "endpiont")).expect("a file");
    let error = scenario::load(&file, "case").expect_err("it must be refused");
    let expected = "\
error: unknown key `endpiont`
  --> FILE:10:7
   |
10 |       endpiont: responses/compact
   |       ^^^^^^^^ did you mean `endpoint`?
   |
   = help: one of: to, endpoint, key, headers, body, body_json, form, leave, read_once_sent";
    assert_eq!(error.to_string().replace(&*file.to_string_lossy(), "FILE"), expected);
    assert_eq!(error.diagnostics[0].line_and_column(), Some((10, 7)));
    assert!(error.styled().contains("\u{1b}["), "the styled text has no colours");
}

#[test]
fn all_that_is_wrong_with_a_file_is_told_at_once() {
    let text = valid_but("[server_error]", "[]")
        .replacen("FP-ROUTE-01", "ROUTE", 1)
        .replacen("answered_by: backup", "answered_by: bakcup", 1)
        .replacen("{ input: \"Hello\" }", "{ input: 1e0, seed: 010 }", 1);
    let error = load(text).expect_err("it must be refused");
    assert_eq!(error.matches("error: ").count(), 5, "{error}");
}

#[test]
fn an_unknown_key_is_refused_at_every_depth() {
    assert_refused("title", "«titel", &["unknown key `titel`", "did you mean `title`?"]);
    assert_refused("model", "«modle", &["unknown key `modle`", "did you mean `model`?"]);
    assert_refused("chain:", "«chian:", &["did you mean `chain`?"]);
    assert_refused("[server_error]", "[{ «statsu: 503 }]", &["did you mean `status`?"]);
}

#[test]
fn a_key_given_twice_is_refused_also_within_a_body() {
    assert_refused("proves:", "«title: Another\nproves:", &["the key `title` is given twice"]);
    let body = "{ a: 1, b: { c: 1, «c: 1 } }";
    assert_refused("\"Hello\"", body, &["the key `c` is given twice"]);
    assert_refused("  backup:", "  «primary:", &["the key `primary` is given twice"]);
}

#[test]
fn a_missing_key_is_named() {
    assert_refused("{ chain: [primary, backup] }", "«{}", &["the key `chain` is missing"]);
    let (title, rest) = VALID.split_at(VALID.find("proves").expect("the key after the title"));
    assert!(title.contains("title"));
    let text = rest.replacen("steps", "«steps", 1);
    assert_text_refused(text, &["the key `title` is missing", "it belongs here"]);
}

#[test]
fn a_wrong_type_is_refused() {
    assert_refused("title: A", "title: «[a] #", &["expected text"]);
    assert_refused("title: A", "title: «5 #", &["expected text, found `5`", "quote it"]);
    assert_refused("[FP-ROUTE-01]", "«FP-ROUTE-01", &["expected a list"]);
    assert_refused("[server_error]", "[«[ok]]", &["expected a behaviour"]);
    assert_refused("answered_by: backup", "status: «ok", &["a whole number from 0 to 65535"]);
    assert_refused("backup] }", "backup], retries: «-1 }", &["expected a whole number from 0"]);
    assert_text_refused("«- title", &["expected a mapping"]);
}

#[test]
fn a_key_without_a_value_is_not_taken_for_left_out() {
    assert_refused("answered_by: backup", "status«:", &["expected a whole number"]);
    assert_refused("answered_by: backup", "error«:", &["expected a mapping"]);
    assert_refused("proves", "why«:\nproves", &["a value is missing"]);
}

#[test]
fn only_true_and_false_are_booleans() {
    assert_refused("script: [ok]", "script: [ok], repeat_last: «yes", &["`true` or `false`"]);
}

#[test]
fn an_unknown_word_is_refused_with_the_nearest_right_one() {
    let words = ["unknown word `opanai`", "did you mean `openai`?", "one of: openai, azure"];
    assert_refused("provider: openai", "provider: «opanai", &words);
    let text = "provider: azure, surface: «v2";
    assert_refused("provider: azure", text, &["unknown word `v2`", "one of: v1, legacy"]);
    assert_refused("responses/compact", "«responses/compct", &["mean `responses/compact`?"]);
    assert_refused("proves", "profile: «cor\nproves", &["did you mean `core`?"]);
    let words = ["unknown behaviour `server_eror`", "did you mean `server_error`?"];
    assert_refused("server_error", "«server_eror", &words);
}

#[test]
fn an_unknown_upstream_is_refused_wherever_it_is_named() {
    let words = ["unknown upstream `bakcup`", "did you mean `backup`?"];
    assert_refused("backup] }", "backup, «bakcup] }", &words);
    assert_refused("attempts: [primary, backup", "attempts: [«bakcup", &words);
    assert_refused("answered_by: backup", "answered_by: «bakcup", &words);
}

#[test]
fn chain_and_upstreams_name_each_other_once() {
    let text = valid_but("chain: [primary, backup]", "chain: [primary]");
    let text = text.replacen("  backup:", "  «backup:", 1);
    assert_text_refused(text, &["the upstream `backup` is not in the chain"]);
    assert_refused("backup] }", "backup, «primary] }", &["`primary` is in the chain twice"]);
    assert_refused("  backup:", "  «Backup:", &["lower-case letters"]);
}

#[test]
fn what_must_hold_something_is_not_empty() {
    assert_refused("chain: [primary, backup]", "chain: «[]", &["at least one upstream"]);
    assert_refused("[FP-ROUTE-01]", "«[]", &["at least one requirement"]);
    assert_refused("[ok]", "«[]", &["at least one behaviour"]);
    let (before, _) = VALID.split_once("steps:").expect("the last key");
    assert_text_refused(format!("{before}steps: «[]"), &["at least one step"]);
}

#[test]
fn codes_and_tags_have_their_shape() {
    for code in ["FP-ROUTE-1", "FP-Route-01", "FP--01", "ROUTE-01", "FP-ROUTE-001", "FP-A-B-01"] {
        assert_refused("FP-ROUTE-01", &format!("«{code}"), &["reads like `FP-PAYLOAD-01`"]);
    }
    assert_refused("proves", "tags: [«Founding]\nproves", &["a tag is made of"]);
}

#[test]
fn keys_of_azure_are_refused_where_they_mean_nothing() {
    for key in ["surface: «v1", "deployment: «a", "api_version: «a"] {
        assert_refused("provider: openai", &format!("provider: openai, {key}"), &["only Azure"]);
    }
    let text = "provider: azure, api_version: «a";
    assert_refused("provider: azure", text, &["only Azure with `surface: legacy`"]);
}

#[test]
fn an_upstream_that_refuses_connections_does_and_shows_nothing_else() {
    let refusing = valid_but("[server_error]", "[connection_refused]");
    let text = refusing.replacen("attempts: [", "attempts: [«", 1);
    assert_text_refused(text, &["`primary` refuses connections"]);
    let text = refusing.replacen("answered_by: backup", "answered_by: «primary", 1);
    assert_text_refused(text, &["it can't answer"]);
    assert_refused("[ok]", "[ok, «connection_refused]", &["stands alone"]);
    assert_refused("[ok]", "[«{ reply: connection_refused, times: 2 }]", &["stands alone"]);
}

#[test]
fn numbers_without_a_meaning_are_refused() {
    assert_refused("answered_by: backup", "status: «42", &["from 100 to 599"]);
    assert_refused("[ok]", "[«{ status: 100 }]", &["from 200 to 599"]);
    assert_refused("[ok]", "[«{ times: 0 }]", &["at least once"]);
    assert_refused("backup] }", "backup], timeout_ms: «0 }", &["at least 1 ms"]);
}

#[test]
fn headers_that_http_cannot_carry_are_refused() {
    let name = "      headers: { «\"a b\": c }\n      body";
    assert_refused("      body", name, &["can't be the name of a header"]);
    let value = "      headers: { a: «\"b\\nc\" }\n      body";
    assert_refused("      body", value, &["can't be the value of a header"]);
}

#[test]
fn a_call_has_one_body() {
    let text = valid_but("      body: { input: \"Hello\" }\n", "");
    let text = text.replacen("endpoint", "«endpoint", 1);
    assert_text_refused(text, &["`body`, `body_json` or `form` is missing"]);
    let both = valid_but("    expect", "      body_json: '{\"model\": \"{{model}}\"}'\n    expect");
    let both = both.replacen("endpoint", "«endpoint", 1);
    assert_text_refused(both, &["one of `body`, `body_json` and `form`, not more"]);
    assert_refused("{ input: \"Hello\" }", "«[1]", &["expected a mapping"]);
}

#[test]
fn a_call_goes_on_from_the_answer_to_an_earlier_one() {
    let going_on = "{ input: \"Hello\", previous_response_id: \"{{response_id}}\" }";
    let first = "  - «send:\n      endpoint: responses/compact\n      body: { input: \"Hello\" }";
    let steps = first.replace("{ input: \"Hello\" }", going_on);
    assert_refused(&first.replace('«', ""), &steps, &["no answer before this", "{{response_id}}"]);
    let earlier = "  - send: { endpoint: responses, body: { input: Hello } }\n";
    let scenario = load(
        VALID
            .replace("  - send:\n", &format!("{earlier}  - send:\n"))
            .replace("{ input: \"Hello\" }", going_on),
    )
    .expect("a valid scenario");
    let rendered = call(&scenario, 1).send.body.rendered("g", "").going_on_from("resp_1");
    let body = String::from_utf8(rendered.bytes).expect("JSON");
    assert_eq!(body, r#"{"model":"g","input":"Hello","previous_response_id":"resp_1"}"#);
}

#[test]
fn the_model_is_put_into_a_body_by_the_harness() {
    let words = ["`model` is not part of the body", "the name of the model group is put there"];
    assert_refused("input: \"Hello\"", "input: a, «model: gpt-5", &words);
    for json in [
        "{}",
        "[]",
        r#"{"model": "gpt-5"}"#,
        r#"{"model": "{{model}}", "b": "{{model}}"}"#,
        r#"{"model": "{{mod\u0065l}}"}"#,
        r#"{"b": {"model": "{{model}}"}}"#,
    ] {
        let text = format!("body_json: «'{json}'");
        assert_refused("body: { input: \"Hello\" }", &text, &["must be `{{model}}`"]);
    }
}

#[test]
fn what_yaml_would_respell_in_a_body_is_refused() {
    for (written, sent) in [
        ("«1e0", "1.0"),
        ("«010", "10.0"),
        ("«1_000", "1000"),
        ("«0x1F", "31"),
        ("«1.10", "1.1"),
        ("«-0", "0"),
        ("«+1", "1"),
        ("«12345678901234567890123", "1.2345678901234568e+22"),
        ("«True", "true"),
        ("«~", "null"),
        ("!!int «\"5\"", "5"),
        ("[{ a: «1e0 }]", "1.0"),
    ] {
        assert_refused("\"Hello\"", written, &[&format!("would be sent as `{sent}`")]);
    }
    assert_refused("{ input: \"Hello\" }", "\n        input«:", &["YAML reads `null`"]);
    assert_refused("\"Hello\"", "«.inf", &["not a finite number"]);
    assert_refused("input:", "«1:", &["expected text, found `1`"]);
}

#[test]
fn json_text_that_is_not_json_is_refused_at_its_place_in_the_file() {
    for marked in [
        "{\"a\": 1,\n  \"b\": «x }",
        "{\"a\": 1 «2}",
        "\n{\"a\": «x}",
        "{\"model\": {«{model}}}",
        "{\"model\": \"{{model}}\",«\n",
    ] {
        let indented = marked.replace('\n', "\n        ");
        let text = format!("body_json: |\n        {indented}");
        assert_refused("body: { input: \"Hello\" }", &text, &["not JSON: "]);
    }
}

#[test]
fn yaml_that_cannot_be_read_is_refused_where_it_breaks() {
    assert_refused("  backup", "\t«backup", &["a tab is used", "indent with blanks"]);
    assert_refused("\"Hello\"", "«\"Hello", &["unclosed quote"]);
    assert_refused("[primary, backup] }", "«[primary }", &["mismatched bracket"]);
    assert_refused("title:", "«title", &["expected a mapping (`key: value`)"]);
    assert_text_refused(format!("{VALID}---\n«title: Another\n"), &["a file holds one document"]);
    assert_refused("A compact", "!secret «A compact", &["unsupported tag"]);
}

#[test]
fn anchors_that_never_end_or_multiply_are_refused() {
    assert_refused("\"Hello\"", "&a [«*a]", &["the anchor contains itself"]);
    let times_thirty = |of: &str| format!("[{}]", [of; 30].join(", "));
    let (b, c, d) = (times_thirty("*a"), times_thirty("*b"), times_thirty("*c"));
    let bomb = format!("&a «[1], b: &b {b}, c: &c {c}, d: {d}");
    assert_refused("\"Hello\"", &bomb, &["once its anchors are expanded"]);
    assert_refused("\"Hello\"", "«*b", &["no anchor of this name"]);
    assert_refused("input: \"Hello\"", "«<<: {}", &["merge keys are not supported"]);
}

#[test]
fn a_file_that_is_no_text_of_a_scenario_is_refused() {
    assert_text_refused("«", &["the file is empty"]);
    assert_text_refused("«# only this\n", &["the file is empty"]);
    let error = load(b"title: a\nwhy: \xff\n").expect_err("not UTF-8");
    assert!(error.contains("the file is not UTF-8") && error.contains("case.yaml:2:6"), "{error}");
    let error = load(vec![b' '; 1024 * 1024 + 1]).expect_err("too large");
    assert!(error.contains("larger than 1 MiB") && error.ends_with("case.yaml"), "{error}");
    let error = scenario::load(Path::new("no/such/case.yaml"), "case").expect_err("no file");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

// Families.

const FAMILY: &str = r#"
title: A {failure} at {surface}
proves: [FP-ROUTE-01]
matrix:
  failure: [server_error, bad_gateway]
  surface:
    openai: { upstream: { provider: openai }, retries: 1 }
    azure: { upstream: { provider: azure, surface: legacy }, retries: 0 }
except:
  - { failure: bad_gateway, surface: [azure], because: It is one too many. }
upstreams:
  primary: { use: surface.upstream, model: "for-{surface}", script: ["{failure}", ok] }
group: { chain: [primary], retries: "{surface.retries}" }
steps:
  - send: { endpoint: responses, body: { input: "{{model}} {failure} {", n: 1.5 } }
"#;

/// `FAMILY` with one thing changed is refused at the place marked with `«`, with all of these words.
#[track_caller]
fn assert_family_refused(from: &str, to_marked: &str, words: &[&str]) {
    assert!(FAMILY.contains(from), "{from} is not in the text");
    assert_text_refused(FAMILY.replacen(from, to_marked, 1), words);
}

#[test]
fn a_family_has_a_case_for_each_combination_but_the_exceptions() {
    let cases = load_all(FAMILY).expect("a valid family");
    let ids: Vec<_> = cases.iter().map(|case| &*case.id).collect();
    let expected =
        ["case@server-error.openai", "case@server-error.azure", "case@bad-gateway.openai"];
    assert_eq!(ids, expected);
    assert!(cases.iter().all(|case| case.family() == "case" && case.family_slug() == "case"));
    let title = |case: usize| &*cases[case].title;
    assert_eq!((title(1), title(2)), ("A server_error at azure", "A bad_gateway at openai"));
    let primary = |case: usize| &cases[case].upstreams["primary"];
    assert_eq!((primary(0).surface, primary(1).surface), (Surface::OpenAi, Surface::AzureLegacy));
    assert_eq!((&*primary(0).model, &*primary(1).model), ("for-openai", "for-azure"));
    assert_eq!(primary(2).script, [Behaviour::named("bad_gateway"), Behaviour::named("ok")]);
    assert_eq!(
        (cases[0].groups["main"].retries, cases[1].groups["main"].retries),
        (Some(1), Some(0))
    );
    let body = call(&cases[2], 0).send.body.for_model("g");
    assert_eq!(body, r#"{"model":"g","input":"{{model}} bad_gateway {","n":1.5}"#);
}

#[test]
fn a_mapping_can_use_what_several_words_bring_along() {
    let text = FAMILY.replace("{ failure: bad_gateway", "{ failure: server_error");
    let text =
        text.replace("[server_error, bad_gateway]", "{ server_error: { temperature: 1.5 } }");
    let text = text.replace("retries: 1 }", "retries: 1, member: { store: true } }");
    let text = text.replace("n: 1.5", "use: [failure, surface.member]");
    let cases = load_all(text).expect("a valid family");
    let body = call(&cases[0], 0).send.body.for_model("g");
    assert!(body.ends_with(r#""temperature":1.5,"store":true}"#), "{body}");
}

#[test]
fn an_axis_that_is_wrong_is_refused() {
    for (from, to_marked, words) in [
        ("failure: [server_error, bad_gateway]", "failure: «[]", &["an axis is a list"][..]),
        ("failure: [server_error, bad_gateway]", "failure: «server_error", &["an axis is a list"]),
        ("  failure: [", "  «Failure: [", &["an axis is named with", "`because` is taken"]),
        ("[server_error, bad_gateway]", "[a_b, «a-b]", &["would have `a-b` in their id"]),
        ("[server_error, bad_gateway]", "[server_error, «it's]", &["a word is made of"]),
        ("azure: {", "other: «1\n    azure: {", &["brings along is a mapping"]),
        ("  failure: [", "  «more: [a]\n  failure: [", &["no case differs by the axis `more`"]),
    ] {
        assert_family_refused(from, to_marked, words);
    }
    let text = FAMILY.replace("[server_error, bad_gateway]", "[server_error]");
    let text =
        text.replace("script: [\"{failure}\", ok]", "script: [ok]").replace("{failure} {", "");
    let error = load_all(text).expect_err("the title alone makes no difference");
    assert!(error.contains("no case differs by the axis `failure`"), "{error}");
    let many: Vec<_> = (0..251).map(|word| format!("w{word}")).collect();
    let text = FAMILY.replace("[server_error, bad_gateway]", &format!("[{}]", many.join(", ")));
    let error = load_all(text).expect_err("too many cases");
    assert!(error.contains("a matrix of 502 cases; 500 is the most"), "{error}");
    let matrix = FAMILY.find("matrix:").expect("a matrix")..FAMILY.find("except:").expect("one");
    let text = FAMILY.replace(&FAMILY[matrix], "matrix: {}\n");
    let error = load_all(text).expect_err("no axis");
    assert!(error.contains("a matrix has at least one axis"), "{error}");
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    for (from, to_marked, words) in [
        ("\"{failure}\", ok", "«\"{failrue}\", ok", &["unknown axis", "`failure`?"][..]),
        ("use: surface.upstream", "use: «surfaces", &["unknown axis `surfaces`", "`surface`?"]),
        ("use: surface.upstream", "use: [surface.upstream, «other]", &["unknown axis `other`"]),
        ("use: surface.upstream", "use: «surface.hop", &["`openai` of `surface` brings no `hop`"]),
        ("use: surface.upstream", "use: «failure", &["no mapping where `failure` is"]),
        ("use: surface.upstream", "use: «surface.retries", &["`surface.retries` is no mapping"]),
        ("model: \"for", "model: «\"for-{surface.upstream}", &["`surface.upstream` is not text"]),
        ("use: surface", "provider: azure, «use: surface", &["`provider` is given twice"]),
    ] {
        assert_family_refused(from, to_marked, words);
    }
}

#[test]
fn an_exception_that_leaves_out_nothing_or_all_is_refused() {
    let entry = "- { failure: bad_gateway, surface: [azure], because: It is one too many. }";
    let more = |more: &str| format!("{entry}\n  - {more}");
    for (marked, words) in [
        ("«{ failure: bad_gateway }".to_owned(), &["tells its reason", "add `because: …`"][..]),
        ("{ «falure: bad_gateway, because: a }".to_owned(), &["unknown axis `falure`"]),
        ("{ failure: «bad, because: a }".to_owned(), &["`bad` is no word of `failure`"]),
        (
            more("«{ failure: bad_gateway, surface: azure, because: a }")[2..].to_owned(),
            &["no case is left out by this"],
        ),
    ] {
        assert_family_refused(entry, &format!("- {marked}"), words);
    }
    let error = load_all(FAMILY.replace(entry, "- { because: a }")).expect_err("no case");
    assert!(error.contains("no case is left to run"), "{error}");
}

#[test]
fn what_is_wrong_in_a_case_is_told_once_and_where_it_is_written() {
    for (from, to_marked, words) in [
        ("[server_error, bad", "[«sever_error, bad", &["unknown behaviour", "`server_error`?"][..]),
        ("surface: legacy", "«surfac: legacy", &["unknown key `surfac`"]),
        ("title:", "«titel: a\ntitle:", &["unknown key `titel`"]),
        ("n: 1.5", "n: «1e0", &["`1e0` would be sent as `1.0`"]),
        ("retries: 1 }", "retries: «-1 }", &["expected a whole number from 0"]),
    ] {
        assert_family_refused(from, to_marked, words);
    }
    let error =
        load_all(FAMILY.replace("chain: [primary]", "chain: [other]")).expect_err("no case");
    assert_eq!(error.matches("unknown upstream `other`").count(), 1, "{error}");
}

proptest! {
    #[test]
    fn no_text_of_a_family_makes_the_loader_panic(
        start in 0..FAMILY.len(),
        length in 0..40_usize,
        put in "[ \t\n:{}\\[\\]&*!|>'\"#a-zü0-9.-]{0,12}",
    ) {
        let end = (start + length).min(FAMILY.len());
        let text = [&FAMILY.as_bytes()[..start], put.as_bytes(), &FAMILY.as_bytes()[end..]];
        if let Err(error) = load_all(text.concat()) {
            prop_assert!(error.starts_with("error: "), "{}", error);
        }
    }

    #[test]
    fn no_text_makes_the_loader_panic(
        start in 0..EVERY_KEY.len(),
        length in 0..40_usize,
        put in "[ \t\n:{}\\[\\]&*!|>'\"#a-zü0-9-]{0,12}",
    ) {
        let end = (start + length).min(EVERY_KEY.len());
        let text = [&EVERY_KEY.as_bytes()[..start], put.as_bytes(), &EVERY_KEY.as_bytes()[end..]];
        if let Err(error) = load(text.concat()) {
            prop_assert!(error.starts_with("error: "), "{}", error);
        }
    }
}

#[test]
fn the_json_schema_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/schema.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, scenario::schema()).expect("scenarios/ can be written to");
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stored == scenario::schema(),
        "scenarios/schema.json is stale; refresh it: UPDATE=1 cargo test --test harness scenario_files"
    );
}

#[test]
fn the_json_schema_has_all_that_it_refers_to() {
    let schema: serde_json::Value = serde_json::from_str(&scenario::schema()).expect("JSON");
    let text = schema.to_string();
    let named = text.split("\"#/$defs/").skip(1).filter_map(|rest| rest.split('"').next());
    for name in named {
        assert!(schema["$defs"][name].is_object(), "{name} is missing");
    }
}
