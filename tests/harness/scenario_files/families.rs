//! Families of scenarios: their expansion, and the errors in them.

use std::collections::BTreeSet;

use fallproof_mocks::behavior::Behavior;
use fallproof_mocks::provider::Surface;
use fallproof_suite::scenario::Level;
use proptest::prelude::*;

use super::support::{assert_text_refused, call, load_all};

const FAMILY: &str = r#"
title: A {failure} at {surface}
proves: [FP-ROUTE-01]
matrix:
  failure: [server_error, bad_gateway]
  surface:
    openai: { deployment: { provider: openai }, retries: 1 }
    azure: { deployment: { provider: azure, surface: legacy }, retries: 0 }
except:
  - { failure: bad_gateway, surface: [azure], reason: It is one too many. }
deployments:
  primary: { extends: surface.deployment, model: "for-{surface}", script: ["{failure}", ok] }
group: { chain: [primary], retries: "{surface.retries}" }
steps:
  - send: { endpoint: responses, body: { input: "{{model}} {failure} {", n: 1.5 } }
"#;

/// Asserts that `FAMILY`, with one change, is refused at the position marked with `«`, with a
/// message that contains all of `words`.
#[track_caller]
fn assert_family_refused(from: &str, to_marked: &str, words: &[&str]) {
    assert!(FAMILY.contains(from), "{from} is not in the text");
    assert_text_refused(FAMILY.replacen(from, to_marked, 1), words);
}

#[test]
fn a_family_has_a_case_for_each_combination_except_the_excluded_ones() {
    let cases = load_all(FAMILY).expect("a valid family");
    let ids: Vec<_> = cases.iter().map(|case| &*case.id).collect();
    let expected =
        ["case@server-error.openai", "case@server-error.azure", "case@bad-gateway.openai"];
    assert_eq!(ids, expected);
    assert!(cases.iter().all(|case| case.family() == "case"));
    let title = |case: usize| &*cases[case].title;
    assert_eq!((title(1), title(2)), ("A server_error at azure", "A bad_gateway at openai"));
    let primary = |case: usize| &cases[case].deployments["primary"];
    assert_eq!((primary(0).surface, primary(1).surface), (Surface::OpenAi, Surface::AzureLegacy));
    assert_eq!((&*primary(0).model, &*primary(1).model), ("for-openai", "for-azure"));
    assert_eq!(primary(2).script, [Behavior::named("bad_gateway"), Behavior::named("ok")]);
    assert_eq!(
        (cases[0].groups["main"].retries, cases[1].groups["main"].retries),
        (Some(1), Some(0))
    );
    let body = call(&cases[2], 0).send.body.for_model("g");
    assert_eq!(body, r#"{"model":"g","input":"{{model}} bad_gateway {","n":1.5}"#);
}

#[test]
fn a_case_can_be_of_robustness() {
    let entry =
        |of: &str| format!("robustness:\n  - {{ {of}, reason: Nobody sends it. }}\nexcept:");
    let levels = |text: String| {
        let cases = load_all(text).expect("a valid family");
        cases.iter().map(|case| case.level).collect::<Vec<_>>()
    };
    let (usual, robust) = (Level::Conformance, Level::Robustness);
    assert_eq!(levels(FAMILY.to_owned()), [usual; 3]);
    let of_one = FAMILY.replace("except:", &entry("surface: azure"));
    assert_eq!(levels(of_one), [usual, robust, usual]);
    let of_all = FAMILY.replace("matrix:", "level: robustness\nmatrix:");
    assert_eq!(levels(of_all), [robust; 3]);
    let refused = |of: &str, words: &[&str]| {
        assert_family_refused("except:", &entry(of).replace("- {", "- «{"), words);
    };
    refused("failure: bad_gateway, surface: azure", &["this entry is about no case"]);
}

#[test]
fn a_mapping_can_extend_several_values() {
    let text = FAMILY.replace("{ failure: bad_gateway", "{ failure: server_error");
    let text =
        text.replace("[server_error, bad_gateway]", "{ server_error: { temperature: 1.5 } }");
    let text = text.replace("retries: 1 }", "retries: 1, member: { store: true } }");
    let text = text.replace("n: 1.5", "extends: [failure, surface.member]");
    let cases = load_all(text).expect("a valid family");
    let body = call(&cases[0], 0).send.body.for_model("g");
    assert!(body.ends_with(r#""temperature":1.5,"store":true}"#), "{body}");
}

#[test]
fn an_invalid_axis_is_refused() {
    for (from, to_marked, words) in [
        ("failure: [server_error, bad_gateway]", "failure: «[]", &["an axis is a list"][..]),
        ("failure: [server_error, bad_gateway]", "failure: «server_error", &["an axis is a list"]),
        ("  failure: [", "  «Failure: [", &["the name of an axis has", "`reason` is reserved"]),
        ("[server_error, bad_gateway]", "[a_b, «a-b]", &["would have `a-b` in their id"]),
        ("[server_error, bad_gateway]", "[server_error, «it's]", &["a value has only"]),
        ("azure: {", "other: «1\n    azure: {", &["must be a mapping"]),
        ("  failure: [", "  «more: [a]\n  failure: [", &["the axis `more` makes no difference"]),
    ] {
        assert_family_refused(from, to_marked, words);
    }
    let text = FAMILY.replace("[server_error, bad_gateway]", "[server_error]");
    let text =
        text.replace("script: [\"{failure}\", ok]", "script: [ok]").replace("{failure} {", "");
    let error = load_all(text).expect_err("the title alone makes no difference");
    assert!(error.contains("the axis `failure` makes no difference"), "{error}");
    let many: Vec<_> = (0..251).map(|word| format!("w{word}")).collect();
    let text = FAMILY.replace("[server_error, bad_gateway]", &format!("[{}]", many.join(", ")));
    let error = load_all(text).expect_err("too many cases");
    assert!(error.contains("the matrix has 502 cases; the maximum is 500"), "{error}");
    let matrix = FAMILY.find("matrix:").expect("a matrix")..FAMILY.find("except:").expect("one");
    let text = FAMILY.replace(&FAMILY[matrix], "matrix: {}\n");
    let error = load_all(text).expect_err("no axis");
    assert!(error.contains("a matrix has at least one axis"), "{error}");
}

#[test]
fn an_unresolvable_reference_is_refused() {
    for (from, to_marked, words) in [
        ("\"{failure}\", ok", "«\"{failrue}\", ok", &["unknown axis", "`failure`?"][..]),
        ("\"{failure}\", ok", "«\"{ failure }\", ok", &["with spaces", "write `{failure}`"]),
        ("\"for-{surface}", "«\"for-{ surface.x }", &["with spaces", "write `{surface.x}`"]),
        (
            "extends: surface.deployment",
            "extends: «surfaces",
            &["unknown axis `surfaces`", "`surface`?"],
        ),
        (
            "extends: surface.deployment",
            "extends: [surface.deployment, «other]",
            &["unknown axis `other`"],
        ),
        (
            "extends: surface.deployment",
            "extends: «surface.lost",
            &["`openai` of `surface` has no key `lost`"],
        ),
        ("extends: surface.deployment", "extends: «failure", &["not a mapping if `failure` is"]),
        (
            "extends: surface.deployment",
            "extends: «surface.retries",
            &["`surface.retries` is not a mapping"],
        ),
        (
            "model: \"for",
            "model: «\"for-{surface.deployment}",
            &["`surface.deployment` is not text"],
        ),
        ("extends: surface", "provider: azure, «extends: surface", &["`provider` is given twice"]),
    ] {
        assert_family_refused(from, to_marked, words);
    }
}

#[test]
fn an_exception_that_excludes_no_case_or_every_case_is_refused() {
    let entry = "- { failure: bad_gateway, surface: [azure], reason: It is one too many. }";
    let more = |more: &str| format!("{entry}\n  - {more}");
    for (marked, words) in [
        ("«{ failure: bad_gateway }".to_owned(), &["needs a reason", "add `reason: …`"][..]),
        ("{ «falure: bad_gateway, reason: a }".to_owned(), &["unknown axis `falure`"]),
        ("{ failure: «bad, reason: a }".to_owned(), &["`bad` is not a value of `failure`"]),
        (
            more("«{ failure: bad_gateway, surface: azure, reason: a }")[2..].to_owned(),
            &["this exception excludes no case"],
        ),
    ] {
        assert_family_refused(entry, &format!("- {marked}"), words);
    }
    let error = load_all(FAMILY.replace(entry, "- { reason: a }")).expect_err("no case");
    assert!(error.contains("the exceptions exclude every case"), "{error}");
}

#[test]
fn an_axis_with_an_unresolvable_reference_is_not_reported_as_unused() {
    let typo = FAMILY.replace("[\"{failure}\", ok]", "[\"{failrue}\"]").replace(" {failure} {", "");
    let none_left = "  - { surface: [openai, azure], reason: a }\ndeployments";
    for text in [typo, FAMILY.replace("deployments", none_left)] {
        let error = load_all(text).expect_err("a wrong family");
        assert_eq!(error.matches("error: ").count(), 1, "{error}");
    }
}

#[test]
fn an_error_in_a_case_is_reported_once_and_at_its_position() {
    for (from, to_marked, words) in [
        ("[server_error, bad", "[«sever_error, bad", &["unknown behavior", "`server_error`?"][..]),
        ("surface: legacy", "«surfac: legacy", &["unknown key `surfac`"]),
        ("title:", "«titel: a\ntitle:", &["unknown key `titel`"]),
        ("n: 1.5", "n: «1e0", &["`1e0` would be sent as `1.0`"]),
        ("retries: 1 }", "retries: «-1 }", &["expected a whole number from 0"]),
    ] {
        assert_family_refused(from, to_marked, words);
    }
    let error =
        load_all(FAMILY.replace("chain: [primary]", "chain: [other]")).expect_err("no case");
    assert_eq!(error.matches("unknown deployment `other`").count(), 1, "{error}");
}

#[test]
fn an_error_within_a_text_of_a_case_is_shown_at_its_position() {
    let from = r#"{ endpoint: responses, body: { input: "{{model}} {failure} {", n: 1.5 } }"#;
    let json = r#"
      endpoint: responses
      body_json: |
        {"model": "{{model}}",
         "a": n«il}"#;
    assert_family_refused(from, json, &["not JSON: expected ident"]);
}

#[test]
fn an_invalid_header_is_shown_at_its_position_in_the_axis() {
    let text =
        FAMILY.replace("retries: 1 }", "retries: 1, fault: { headers: { «x-a: \"b\\nc\" } } }");
    let text = text.replace("retries: 0 }", "retries: 0, fault: { status: 503 } }");
    let text = text.replace(
        "script: [\"{failure}\", ok]",
        "script: [\"{failure}\", { extends: surface.fault }]",
    );
    assert_text_refused(text, &["x-a"]);
}

/// A scenario with `MEMBERS` as a placeholder.
const ONE: &str = r#"
title: A title
proves: [FP-ROUTE-01]
tags: ["{word}"]
deployments:
  primary: { provider: openai, model: "{with}-{word}", script: [ok], MEMBERS }
group: { chain: [primary], MEMBERS }
steps:
  - send:
      endpoint: responses
      headers: { x-a: "{word}" }
      body: { input: "a {word} b", MEMBERS }
    expect: { answered_by: primary, MEMBERS }
"#;

/// Pairs of a text in [`ONE`] and its replacement, which contains `VALUE`.
const POSITIONS: [(&str, &str); 20] = [
    ("title: A title", "title: VALUE"),
    ("A title", "A title\nwhy: VALUE"),
    ("[FP-ROUTE-01]", "VALUE"),
    ("A title", "A title\nprofile: VALUE"),
    ("[\"{word}\"]", "[\"{word}\", VALUE]"),
    ("openai, model", "VALUE, model"),
    ("\"{with}-{word}\"", "VALUE"),
    ("[ok]", "VALUE"),
    ("[ok]", "[VALUE]"),
    ("[ok]", "[{ status: VALUE }]"),
    ("[ok]", "[{ wire: { write: VALUE } }]"),
    ("[ok]", "[ok], repeat_last: VALUE"),
    ("[primary]", "VALUE"),
    ("[primary]", "[primary], retries: VALUE"),
    ("[primary]", "[primary], fallback_on: [VALUE]"),
    ("endpoint: responses", "endpoint: VALUE"),
    ("x-a: \"{word}\"", "x-a: VALUE"),
    ("\"a {word} b\"", "[VALUE, { n: VALUE }]"),
    ("answered_by: primary", "status: VALUE"),
    ("answered_by: primary", "error: VALUE"),
];

const VALUES: [&str; 22] = [
    "1",
    "-1",
    "503",
    "1.5",
    "1e0",
    "010",
    "0x10",
    "+5",
    "1_000",
    "18446744073709551616",
    "true",
    "yes",
    "~",
    "ok",
    "openai",
    "\"two words\"",
    "'5'",
    "[]",
    "[primary]",
    "[[ok]]",
    "{ bytes: 7 }",
    "{ status: 503 }",
];

const MEMBERS: [&str; 8] = [
    "retries: 1",
    "retries: -1",
    "repeat_last: true",
    "status: 200",
    "n: 1e0",
    "model: m",
    "wrong: { a: [1] }",
    "answered_by: primary",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_case_of_a_family_is_loaded_like_a_file_of_its_own(
        position in prop::sample::select(&POSITIONS[..]),
        value in prop::sample::select(&VALUES[..]),
        members in prop::sample::select(&MEMBERS[..]),
        put in 0..12_usize,
    ) {
        // Puts the members at one of the four positions, or at none.
        let mut text = ONE.replacen(position.0, position.1, 1);
        for position in 0..4 {
            text = text.replacen(", MEMBERS", if position == put { ", MEMBER" } else { "" }, 1);
        }
        let matrix = format!(
            "matrix:\n  word: [one, \"2\"]\n  with: {{ it: {{ value: {value}, members: {{ {members} }} }} }}\n"
        );
        let family = text.replace("VALUE", "\"{with.value}\"").replace("MEMBER", "extends: with.members");
        let text = text.replace("VALUE", value).replace("MEMBER", members);
        let alone = |word| load_all(text.replace("{word}", word).replace("{with}", "it"));
        let alone = ["one", "2"].map(alone);
        match load_all(family + &matrix) {
            Ok(cases) => {
                for (mut case, alone) in cases.into_iter().zip(alone) {
                    let alone = alone.map_err(TestCaseError::fail)?.remove(0);
                    (case.id, case.file) = (alone.id.clone(), alone.file.clone());
                    prop_assert_eq!(case, alone);
                }
            }
            Err(error) => {
                let expected: BTreeSet<_> =
                    alone.iter().flat_map(|one| messages(one.as_ref().err())).collect();
                prop_assert_eq!(messages(Some(&error)), expected, "{}", error);
            }
        }
    }
}

/// The errors and the help, without positions.
fn messages(error: Option<&String>) -> BTreeSet<String> {
    let lines = error.into_iter().flat_map(|error| error.lines());
    let shown = lines.filter(|line| line.starts_with("error: ") || line.contains("= help: "));
    shown.map(|line| line.trim().to_owned()).collect()
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
}
