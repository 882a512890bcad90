//! Tests each PAYLOAD requirement, with hand-made evidence.

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::violation::Strength;
use fallproof_suite::capabilities::{Change, Ignored, Rewrite, Translation};
use rstest::rstest;

use crate::testing::Case;

const BODY: &str = r#"{"model":"{{model}}","messages":[{"role":"user","content":"Hi"}],"temperature":0.5,"seed":7}"#;

fn sent() -> Case {
    Case::with_body(BODY).attempt("primary")
}

#[test]
fn an_unaltered_body_violates_nothing() {
    let case = Case::with_body(BODY).attempt("primary").failing(500, None).attempt("backup");
    assert_eq!(case.found("PAYLOAD"), [""; 0]);
}

#[rstest]
#[case::added(r#""seed":7"#, r#""seed":7,"user":"x""#, "01 attempt 1 added /user: \"x\"")]
#[case::lost(r#","seed":7"#, "", "02 attempt 1 lost /seed: 7")]
#[case::lost_inside(r#""role":"user","#, "", "02 attempt 1 lost /messages/0/role: \"user\"")]
#[case::changed("0.5", "0.50001", "03 attempt 1 changed /temperature: 0.5 became 0.50001")]
#[case::other_type(
    "\"Hi\"",
    "[\"Hi\"]",
    "03 attempt 1 changed /messages/0/content: \"Hi\" became [\"Hi\"]"
)]
#[case::respelled("0.5", "5e-1", "07 (warns) attempt 1 respelled /temperature: 0.5 became 5e-1")]
#[case::reordered(
    r#""temperature":0.5,"seed":7"#,
    r#""seed":7,"temperature":0.5"#,
    "08 (informational) attempt 1 has its members in another order"
)]
#[case::default_added(
    r#""seed":7"#,
    r#""seed":7,"n":1"#,
    "09 (informational) attempt 1 spells out the default of /n"
)]
#[case::not_json("}", "]", "03 attempt 1 carries a body that is not JSON")]
fn a_difference_is_reported_with_its_requirement(
    #[case] from: &str,
    #[case] to: &str,
    #[case] wanted: &str,
) {
    assert_eq!(sent().with_instead(from, to).found("PAYLOAD"), [format!("FP-PAYLOAD-{wanted}")]);
}

#[test]
fn a_changed_file_is_told_by_its_first_changed_byte() {
    let text = "
deployments: { primary: { provider: openai, model: whisper-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: audio/transcriptions, form: [{ name: file, filename: a.wav, audio_silence_ms: 10 }] }
";
    let case = Case::of(text).attempt("primary").with_byte_changed(b"RIFF", 2);
    let wanted = "FP-PAYLOAD-03 attempt 1 changed the part `file`: its bytes differ at offset 2";
    assert_eq!(case.found("PAYLOAD"), [wanted]);
}

#[test]
fn a_long_value_is_truncated() {
    let long = "x".repeat(100);
    let case = sent().with_instead(r#""seed":7"#, &format!(r#""seed":7,"user":"{long}""#));
    let wanted = format!("FP-PAYLOAD-01 attempt 1 added /user: \"{}… (102 bytes)", "x".repeat(79));
    assert_eq!(case.found("PAYLOAD"), [wanted]);
}

#[test]
fn members_for_gateways_may_be_removed() {
    let body = BODY.replace(r#""seed""#, r#""api_base":"http://a.example","seed""#);
    let case = Case::with_body(&body).attempt("primary");
    assert_eq!(
        case.with_instead(r#""api_base":"http://a.example","#, "").found("PAYLOAD"),
        [""; 0]
    );
}

#[rstest]
#[case::lost(r#","seed":7"#, "", "02 (exempt: it warns) attempt 1 lost /seed: 7")]
#[case::known(r#","temperature":0.5"#, "", "02 attempt 1 lost /temperature: 0.5")]
#[case::within_a_known_one(r#""role":"user","#, "", "02 attempt 1 lost /messages/0/role: \"user\"")]
#[case::changed("7", "8", "03 attempt 1 changed /seed: 7 became 8")]
fn a_field_that_the_target_declares_to_ignore_may_be_lost(
    #[case] from: &str,
    #[case] to: &str,
    #[case] wanted: &str,
) {
    let other_than = ["messages", "temperature"].map(str::to_owned).to_vec();
    let ignored = Ignored { other_than, endpoint: None, reason: "it warns".to_owned() };
    let case = sent().with_instead(from, to).declaring(|it| it.ignores.push(ignored));
    assert_eq!(case.found("PAYLOAD"), [format!("FP-PAYLOAD-{wanted}")]);
}

#[test]
fn a_declared_rewrite_is_exempt() {
    let adapting = |case: Case| {
        case.declaring(|it| {
            it.rewrites.push(Rewrite {
                pointer: "/seed".to_owned(),
                change: Change::Any,
                endpoint: None,
                surface: Some(Surface::OpenAi),
                reason: "it has no seeds".to_owned(),
            });
        })
    };
    let lost = |case: Case| case.with_instead(r#","seed":7"#, "");
    let wanted = adapting(lost(sent())).found("PAYLOAD");
    assert_eq!(wanted, ["FP-PAYLOAD-02 (exempt: it has no seeds) attempt 1 lost /seed: 7"]);
    let on_azure = adapting(lost(Case::with_body(BODY).attempt("backup"))).found("PAYLOAD");
    assert_eq!(on_azure, ["FP-PAYLOAD-02 attempt 1 lost /seed: 7"]);
}

#[rstest]
#[case::order(Change::Order, MOVED, "03 (exempt: it sorts) attempt 1 moved items of /stop")]
#[case::anything(Change::Any, MOVED, "03 (exempt: it sorts) attempt 1 moved items of /stop")]
#[case::another_item(
    Change::Order,
    r#"["b","c"]"#,
    "03 attempt 1 changed /stop/0: \"a\" became \"b\", 03 attempt 1 changed /stop/1: \"b\" became \"c\""
)]
fn a_rewrite_of_the_order_exempts_nothing_else(
    #[case] change: Change,
    #[case] carried: &str,
    #[case] wanted: &str,
) {
    let body = BODY.replace("\"seed\":7", r#""stop":["a","b"]"#);
    let rewrite = Rewrite {
        pointer: "/stop".to_owned(),
        change,
        endpoint: None,
        surface: None,
        reason: "it sorts".to_owned(),
    };
    let case = Case::with_body(&body).attempt("primary").with_instead(r#"["a","b"]"#, carried);
    let found = case.declaring(|it| it.rewrites.push(rewrite)).found("PAYLOAD").join(", ");
    assert_eq!(found.replace("FP-PAYLOAD-", ""), wanted);
}

const MOVED: &str = r#"["b","a"]"#;

#[test]
fn items_moved_since_the_first_attempt_are_one_difference() {
    let body = BODY.replace("\"seed\":7", r#""stop":["a","b"]"#);
    let case = Case::with_body(&body).attempt("primary").failing(500, None);
    let case = case.attempt("backup").with_instead(r#"["a","b"]"#, MOVED);
    let wanted = [
        "FP-PAYLOAD-03 attempt 2 moved items of /stop",
        "FP-PAYLOAD-05 attempt 2 has the items of /stop in another order than attempt 1",
    ];
    assert_eq!(case.found("PAYLOAD"), wanted);
}

#[test]
fn a_declared_translation_is_exempt_and_not_compared() {
    let case = sent().carrying(r#"{"model": "gpt-4o", "input": "Hi"}"#);
    let case = case.asking_for("/v1/responses", Some((Surface::OpenAi, Endpoint::Responses)));
    let case = case.declaring(|it| {
        it.translates.push(Translation {
            from: Endpoint::ChatCompletions,
            to: Endpoint::Responses,
            surface: None,
            reason: "it speaks only responses".to_owned(),
        });
    });
    let wanted =
        "FP-PAYLOAD-03 (exempt: it speaks only responses) attempt 1 was sent to another endpoint";
    assert_eq!(case.found("PAYLOAD"), [wanted]);
}

#[test]
fn truncated_records_are_not_compared() {
    assert_eq!(sent().carrying("{").recorded_in_part().found("PAYLOAD"), [""; 0]);
}

#[rstest]
#[case::own("gpt-4o", None)]
#[case::groups("by.hand", Some(r#"names the model "by.hand"; its deployment requires "gpt-4o""#))]
#[case::others(
    "backup-4o",
    Some(r#"names the model "backup-4o"; its deployment requires "gpt-4o""#)
)]
fn an_attempt_names_its_deployments_model(#[case] named: &str, #[case] wanted: Option<&str>) {
    let case = sent().with_instead(r#""model":"gpt-4o""#, &format!(r#""model":"{named}""#));
    let wanted: Vec<_> = wanted.iter().map(|it| format!("FP-PAYLOAD-04 attempt 1 {it}")).collect();
    assert_eq!(case.found("PAYLOAD"), wanted);
}

#[test]
fn an_azure_request_may_name_its_deployment_only_in_the_path() {
    let route = Some((Surface::AzureLegacy, Endpoint::ChatCompletions));
    let path = "/openai/deployments/backup-4o/chat/completions?api-version=2024-10-21";
    let without_model = |case: Case| case.with_instead(r#""model":"backup-4o","#, "");
    let in_path = Case::with_body(BODY).attempt("backup").asking_for(path, route);
    assert_eq!(without_model(in_path).found("PAYLOAD"), [""; 0]);
    let nowhere = without_model(Case::with_body(BODY).attempt("backup")).found("PAYLOAD");
    let wanted = r#"attempt 1 names the model nothing; its deployment requires "backup-4o""#;
    assert_eq!(nowhere, [format!("FP-PAYLOAD-04 {wanted}")]);
}

#[rstest]
#[case::lost(r#","seed":7"#, "", &["02 attempt 2 lost /seed: 7", "05 attempt 2 lacks /seed, attempt 1 had it"])]
#[case::added(r#""seed":7"#, r#""seed":7,"top_k":1"#, &["01 attempt 2 added /top_k: 1", "05 attempt 2 has /top_k, attempt 1 did not"])]
#[case::changed(r#""seed":7"#, r#""seed":8"#, &["03 attempt 2 changed /seed: 7 became 8", "05 attempt 2 has another value at /seed than attempt 1"])]
#[case::respelled("0.5", "0.50", &["07 (warns) attempt 2 respelled /temperature: 0.5 became 0.50"])]
fn a_later_attempt_is_compared_with_the_first(
    #[case] from: &str,
    #[case] to: &str,
    #[case] wanted: &[&str],
) {
    let case = sent().failing(500, None).attempt("backup").with_instead(from, to);
    let wanted: Vec<_> = wanted.iter().map(|it| format!("FP-PAYLOAD-{it}")).collect();
    assert_eq!(case.found("PAYLOAD"), wanted);
}

#[test]
fn what_all_attempts_lost_is_not_a_difference_between_them() {
    let lost = |case: Case| case.with_instead(r#","seed":7"#, "");
    let case = lost(lost(sent().failing(500, None)).attempt("backup"));
    let wanted = ["FP-PAYLOAD-02 attempt 1 lost /seed: 7", "FP-PAYLOAD-02 attempt 2 lost /seed: 7"];
    assert_eq!(case.found("PAYLOAD"), wanted);
}

#[rstest]
#[case::observed(Strength::Observed, "")]
#[case::documented(Strength::Documented, " (warns)")]
fn the_strength_of_a_complaint_decides_its_severity(
    #[case] strength: Strength,
    #[case] weight: &str,
) {
    let case = sent().complained_of(strength, "/user", "Unknown parameter: 'user'.");
    let wanted = "attempt 1 is not valid for openai: Unknown parameter: 'user'.";
    assert_eq!(case.found("PAYLOAD"), [format!("FP-PAYLOAD-06{weight} {wanted}")]);
}

#[test]
fn a_complaint_about_the_clients_own_body_is_no_breach() {
    let body = r#"{"model": "{{model}}", "messages": "Hi"}"#;
    let case = Case::with_body(body).attempt("primary");
    let case = case.complained_of(Strength::Observed, "/messages", "Invalid type.");
    assert_eq!(case.found("PAYLOAD"), [""; 0]);
}

#[rstest]
#[case::as_sent("de", &[])]
#[case::changed("fr", &["03 attempt 1 changed /language: \"de\" became \"fr\""])]
fn the_parts_of_a_form_are_compared_like_members(#[case] language: &str, #[case] wanted: &[&str]) {
    let case = Case::of(
        "deployments: { primary: { provider: openai, model: whisper-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send:
      endpoint: audio/transcriptions
      form:
        - { name: file, filename: talk.wav, audio_silence_ms: 10 }
        - { name: language, value: de }
",
    );
    let case = case.attempt("primary").with_instead("\r\n\r\nde", &format!("\r\n\r\n{language}"));
    let wanted: Vec<_> = wanted.iter().map(|it| format!("FP-PAYLOAD-{it}")).collect();
    assert_eq!(case.found("PAYLOAD"), wanted);
}

// Conversations

/// A call that continues `gw_1`, which is the gateway's id for the provider's response `resp_own`.
fn goes_on() -> Case {
    let steps = "
deployments: { primary: { provider: openai, model: gpt-5, script: [ok], repeat_last: true } }
group: { chain: [primary] }
steps:
  - send: { endpoint: responses, body: { input: Hi } }
  - send: { endpoint: responses, body: { input: Hi, previous_response_id: gw_1 } }
";
    let first = Case::of(steps).attempt("primary");
    let first = first.answered(200, r#"{"id":"resp_own","object":"response"}"#);
    first.got(200, r#"{"id":"gw_1","object":"response"}"#).next_call().attempt("primary")
}

#[test]
fn a_gateway_may_translate_response_ids() {
    goes_on().with_instead("gw_1", "resp_own").assert_found("PAYLOAD", &[]);
    let wanted = "03 attempt 1 changed /previous_response_id: \"gw_1\" became \"resp_other\"";
    goes_on().with_instead("gw_1", "resp_other").assert_found("PAYLOAD", &[wanted]);
}
