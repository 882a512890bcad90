//! Errors in scenario files, and the positions that they point at.

use std::fs;
use std::path::Path;

use fallproof_suite::scenario;
use proptest::prelude::*;
use tempfile::TempDir;

use super::support::{
    EVERY_KEY, VALID, assert_refused, assert_text_refused, call, load, valid_but,
};

#[test]
fn an_error_shows_file_line_caret_and_suggestion() {
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
   = help: one of: to, endpoint, key, headers, body, model_json, body_json, form, encoding, disconnect, delay_read_until_sent_by";
    assert_eq!(error.to_string().replace(&*file.to_string_lossy(), "FILE"), expected);
    assert_eq!(error.diagnostics[0].line_and_column(), Some((10, 7)));
    assert!(error.styled().contains("\u{1b}["), "the styled text has no colors");
}

#[test]
fn all_errors_of_a_file_are_reported_at_once() {
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
fn the_model_of_a_body_is_json() {
    assert_refused("body:", "model_json: «7x\n      body:", &["not JSON: trailing characters"]);
    let json = "model_json: «\"7\"\n      body_json: '{ \"model\": \"{{model}}\" }'";
    assert_refused("body: { input: \"Hello\" }", json, &["`model_json` requires `body`"]);
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
fn an_empty_title_is_refused() {
    assert_refused("title: A", "title: «' ' #", &["a title must say in one sentence"]);
}

#[test]
fn a_wrong_type_is_refused() {
    assert_refused("title: A", "title: «[a] #", &["expected a single value"]);
    assert_refused("title: A", "title: «5 #", &["expected text, found `5`", "quote it"]);
    assert_refused("[FP-ROUTE-01]", "«FP-ROUTE-01", &["expected a list"]);
    assert_refused("[server_error]", "[«[ok]]", &["expected a behavior"]);
    assert_refused("answered_by: backup", "status: «ok", &["a whole number from 0 to 65535"]);
    assert_refused("backup] }", "backup], retries: «-1 }", &["expected a whole number from 0"]);
    assert_text_refused("«- title", &["expected a mapping"]);
}

#[test]
fn a_key_without_a_value_is_not_treated_as_omitted() {
    assert_refused("answered_by: backup", "status«:", &["expected a whole number"]);
    assert_refused("answered_by: backup", "error«:", &["expected a mapping"]);
    assert_refused("proves", "why«:\nproves", &["a value is missing"]);
    assert_refused("endpoint: responses/compact", "endpoint«:", &["a value is missing"]);
}

#[test]
fn only_true_and_false_are_booleans() {
    assert_refused("script: [ok]", "script: [ok], repeat_last: «yes", &["`true` or `false`"]);
}

#[test]
fn an_unknown_value_is_refused_with_a_suggestion() {
    let words = ["unknown value `opanai`", "did you mean `openai`?", "one of: openai, azure"];
    assert_refused("provider: openai", "provider: «opanai", &words);
    let text = "provider: azure, surface: «v2";
    assert_refused("provider: azure", text, &["unknown value `v2`", "one of: v1, legacy"]);
    assert_refused("responses/compact", "«responses/compct", &["mean `responses/compact`?"]);
    assert_refused("proves", "profile: «cor\nproves", &["did you mean `core`?"]);
    let words = ["unknown behavior `server_eror`", "did you mean `server_error`?"];
    assert_refused("server_error", "«server_eror", &words);
}

#[test]
fn an_unknown_deployment_is_refused_wherever_it_is_named() {
    let words = ["unknown deployment `bakcup`", "did you mean `backup`?"];
    assert_refused("backup] }", "backup, «bakcup] }", &words);
    assert_refused("attempts: [primary, backup", "attempts: [«bakcup", &words);
    assert_refused("answered_by: backup", "answered_by: «bakcup", &words);
}

#[test]
fn each_deployment_is_in_one_chain_once() {
    let text = valid_but("chain: [primary, backup]", "chain: [primary]");
    let text = text.replacen("  backup:", "  «backup:", 1);
    assert_text_refused(text, &["the deployment `backup` is not in a chain"]);
    assert_refused("backup] }", "backup, «primary] }", &["`primary` is named twice"]);
    assert_refused("  backup:", "  «Backup:", &["lower-case letters"]);
}

#[test]
fn a_missing_group_is_the_only_error_and_is_reported_where_it_belongs() {
    let group = "group: { chain: [primary, backup] }\n";
    let words = ["the key `group` (or `groups`) is missing", "it belongs here"];
    assert_refused(&format!("{group}steps"), "«steps", &words);
    let both = format!("{group}groups: {{ other: {{ chain: [primary] }} }}\n");
    for text in ["", &both, "group: { chain: [] }\n"] {
        let error = load(valid_but(group, text)).expect_err("no group");
        assert_eq!(error.matches("error: ").count(), 1, "{error}");
    }
}

#[test]
fn a_call_can_select_only_a_named_group() {
    let words = ["`to` requires `groups`", "remove it"];
    assert_refused("endpoint", "to: «c\n      endpoint", &words);
    let named = valid_but("group: {", "groups: { some: {").replace("backup] }", "backup] } }");
    let words = ["unknown group `sone`", "did you mean `some`?"];
    assert_text_refused(named.replace("endpoint", "to: «sone\n      endpoint"), &words);
}

#[test]
fn required_lists_are_not_empty() {
    assert_refused("chain: [primary, backup]", "chain: «[]", &["at least one deployment"]);
    assert_refused("[FP-ROUTE-01]", "«[]", &["at least one requirement"]);
    assert_refused("[ok]", "«[]", &["at least one behavior"]);
    let (before, _) = VALID.split_once("steps:").expect("the last key");
    assert_text_refused(format!("{before}steps: «[]"), &["at least one step"]);
}

#[test]
fn an_unknown_requirement_is_refused_with_a_suggestion() {
    for code in ["FP-ROUTE-1", "FP-Route-01", "ROUTE-01", "FP-ROUTE-001"] {
        let words = [&*format!("there is no requirement `{code}`"), "did you mean `FP-ROUTE-0"];
        assert_refused("FP-ROUTE-01", &format!("«{code}"), &words);
    }
    assert_refused("FP-ROUTE-01", "«FP-ROUTE-99", &["`fallproof list requirements`"]);
}

#[test]
fn the_letters_of_a_body_are_within_the_limit_of_the_mocks() {
    let letters = |count: &str| {
        valid_but("Hello", &"{{letters:16000000}}".repeat(2).replacen("16000000", count, 1))
    };
    assert!(load(letters("16000000")).is_ok());
    let error = load(letters("16000001")).expect_err("no mock takes them");
    assert!(error.contains("more than 32000000"), "{error}");
}

#[test]
fn an_invalid_tag_is_refused() {
    assert_refused("proves", "tags: [«Founding]\nproves", &["a tag has only"]);
}

#[test]
fn keys_of_azure_are_refused_elsewhere() {
    for key in ["surface: «v1", "deployment_name: «a", "api_version: «a"] {
        assert_refused("provider: openai", &format!("provider: openai, {key}"), &["only Azure"]);
    }
    let text = "provider: azure, api_version: «a";
    assert_refused("provider: azure", text, &["only Azure with `surface: legacy`"]);
}

#[test]
fn a_deployment_that_refuses_connections_has_no_other_behavior_or_attempts() {
    let refusing = valid_but("[server_error]", "[connection_refused]");
    let text = refusing.replacen("attempts: [", "attempts: [«", 1);
    assert_text_refused(text, &["`primary` refuses connections"]);
    let text = refusing.replacen("answered_by: backup", "answered_by: «primary", 1);
    assert_text_refused(text, &["it cannot answer"]);
    assert_refused("[ok]", "[ok, «connection_refused]", &["must be the only behavior"]);
    assert_refused(
        "[ok]",
        "[«{ reply: connection_refused, count: 2 }]",
        &["must be the only behavior"],
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    assert_refused("answered_by: backup", "status: «42", &["from 100 to 599"]);
    assert_refused("[ok]", "[«{ status: 100 }]", &["from 200 to 599"]);
    assert_refused("[ok]", "[«{ count: 0 }]", &["`count` must be at least 1"]);
    assert_refused("backup] }", "backup], timeout_ms: «0 }", &["at least 1 ms"]);
}

#[test]
fn invalid_http_headers_are_refused() {
    let name = "      headers: { «\"a b\": c }\n      body";
    assert_refused("      body", name, &["not a valid name of a header"]);
    let value = "      headers: { a: «\"b\\nc\" }\n      body";
    assert_refused("      body", value, &["not a valid value of a header"]);
}

#[test]
fn a_scenario_that_proves_nothing_is_refused() {
    let (before, _) = VALID.split_once("steps:").expect("the last key");
    let advance = format!("{before}steps: «[{{ advance_ms: 100 }}]");
    assert_text_refused(advance, &["a scenario needs at least one call"]);
    let leave = "disconnect: «{ after_events: 2 }\n      body:";
    let words = ["the client never disconnects", "add `stream: true` to the body"];
    assert_refused("body:", leave, &words);
    let json = "disconnect: «{ after_events: 2 }\n      body_json: '{ \"model\": \"{{model}}\" }'";
    assert_refused("body: { input: \"Hello\" }", json, &words);
    let streamed = valid_but(
        "body: { input",
        "disconnect: { after_events: 2 }\n      body: { stream: true, input",
    );
    load(streamed).expect("a client that disconnects");
    let other = "[«{ reply: connection_reset, wire: { cut: { at: after_head, end: close } } }]";
    assert_refused("[ok]", other, &["`connection_reset` already has a different `cut`"]);
}

#[test]
fn invalid_headers_of_a_script_are_refused_at_their_position() {
    for (marked, words) in [
        ("\"«retry after\": \"20\"", "`retry after: 20` is not a valid header"),
        ("a: b, «x-b: \"c\\nd\"", "is not a valid header"),
        ("«Content-Length: \"5\"", "is written by the server; use `wire` to make it invalid"),
    ] {
        assert_refused("[ok]", &format!("[ok, {{ headers: {{ {marked} }} }}]"), &[words]);
    }
}

#[test]
fn headers_that_fallproof_sets_are_refused_in_a_call() {
    for name in ["Content-Length", "transfer-encoding", "content-type"] {
        let headers = format!("headers: {{ «{name}: a }}\n      body:");
        assert_refused("body:", &headers, &[&format!("`{name}` is set by Fallproof")]);
    }
}

#[test]
fn a_call_has_one_body() {
    let text = valid_but("      body: { input: \"Hello\" }\n", "");
    let text = text.replacen("endpoint", "«endpoint", 1);
    assert_text_refused(text, &["`body`, `body_json` or `form` is missing"]);
    let both = valid_but("    expect", "      body_json: '{\"model\": \"{{model}}\"}'\n    expect");
    let both = both.replacen("'{", "«'{", 1);
    assert_text_refused(both, &["`body`, `body_json` and `form` exclude each other"]);
    assert_refused("{ input: \"Hello\" }", "«[1]", &["expected a mapping"]);
}

#[test]
fn an_endpoint_takes_either_a_form_or_json() {
    let body = "body: { input: \"Hello\" }";
    assert_refused(body, "form: «[{ name: a, value: b }]", &["responses/compact takes a `body:`"]);
    for endpoint in ["audio/transcriptions", "audio/translations"] {
        let words = [&*format!("{endpoint} takes a `form:`")];
        let to_form = valid_but("responses/compact", endpoint);
        assert_text_refused(to_form.replace("{ input", "«{ input"), &words);
        let json = "body_json: «'{ \"model\": \"{{model}}\" }'";
        assert_text_refused(to_form.replace(body, json), &words);
    }
}

#[test]
fn a_call_can_continue_only_an_earlier_response() {
    let going_on = "{ input: \"Hello\", previous_response_id: \"{{response_id}}\" }";
    let first = "  - «send:\n      endpoint: responses/compact\n      body: { input: \"Hello\" }";
    let steps = first.replace("{ input: \"Hello\" }", going_on);
    assert_refused(
        &first.replace('«', ""),
        &steps,
        &["no response before this", "{{response_id}}"],
    );
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
fn the_model_of_a_body_is_inserted_by_fallproof() {
    let words = ["`model` is not part of the body", "the name of the model group is inserted"];
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
fn values_that_yaml_would_respell_are_refused_in_a_body() {
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
    assert_refused("\"Hello\"", "«007", &["write `7`"]);
    assert_refused("\"Hello\"", "«-010", &["write `-10`"]);
    assert_refused("{ input: \"Hello\" }", "\n        input«:", &["YAML reads `null`"]);
    assert_refused("\"Hello\"", "«.inf", &["not a finite number"]);
    assert_refused("input:", "«1:", &["expected text, found `1`"]);
}

#[test]
fn invalid_json_text_is_refused_at_its_position_in_the_file() {
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
fn invalid_yaml_is_refused_at_its_position() {
    assert_refused("  backup", "\t«backup", &["a tab is used", "indent with spaces"]);
    assert_refused("\"Hello\"", "«\"Hello", &["unclosed quote"]);
    assert_refused("[primary, backup] }", "«[primary }", &["mismatched bracket"]);
    assert_refused("title:", "«title", &["expected a mapping (`key: value`)"]);
    assert_text_refused(format!("{VALID}---\n«title: Another\n"), &["a file holds one document"]);
    assert_refused("A compact", "!secret «A compact", &["unsupported tag"]);
}

#[test]
fn recursive_or_exploding_anchors_are_refused() {
    assert_refused("\"Hello\"", "&a [«*a]", &["the anchor contains itself"]);
    let times_thirty = |of: &str| format!("[{}]", [of; 30].join(", "));
    let (b, c, d) = (times_thirty("*a"), times_thirty("*b"), times_thirty("*c"));
    let bomb = format!("&a «[1], b: &b {b}, c: &c {c}, d: {d}");
    assert_refused("\"Hello\"", &bomb, &["once its anchors are expanded"]);
    assert_refused("\"Hello\"", "«*b", &["no earlier anchor of this name"]);
    assert_refused("input: \"Hello\"", "«<<: {}", &["merge keys are not supported"]);
}

#[test]
fn a_file_that_is_not_a_text_file_is_refused() {
    assert_text_refused("«", &["the file is empty"]);
    assert_text_refused("«# only this\n", &["the file is empty"]);
    let error = load(b"title: a\nwhy: \xff\n").expect_err("not UTF-8");
    assert!(error.contains("the file is not UTF-8") && error.contains("case.yaml:2:6"), "{error}");
    let error = load(vec![b' '; 1024 * 1024 + 1]).expect_err("too large");
    assert!(error.contains("larger than 1 MiB") && error.ends_with("case.yaml"), "{error}");
    let error = scenario::load(Path::new("no/such/case.yaml"), "case").expect_err("no file");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

proptest! {
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
fn settings_of_a_deployment_must_fit_it() {
    let azure = "provider: azure, organization: «org-1";
    assert_refused("provider: azure", azure, &["only OpenAI has an `organization`"]);
    assert_refused("provider: azure", "provider: azure, project: «p", &["has a `project`"]);
    let header = "provider: azure, headers: { «a b: c }";
    assert_refused("provider: azure", header, &["not a valid name of a header"]);
    let query = "provider: azure, query: { region: «eu/1 }";
    assert_refused("provider: azure", query, &["only ASCII letters, digits"]);
    let openai = "provider: openai, organization: org-1, project: p, query: { region: eu-1 }";
    assert!(load(valid_but("provider: openai", openai)).is_ok());
}

#[test]
fn what_no_attempt_carries_must_be_possible() {
    let with = |carries: &str| format!("no_attempt_carries: {carries}\n      answered_by");
    let text = with("{ text: [«''] }");
    assert_refused("answered_by", &text, &["every attempt carries an empty text"]);
    let text = with("{ headers: [«a b] }");
    assert_refused("answered_by", &text, &["not a valid name of a header"]);
}
