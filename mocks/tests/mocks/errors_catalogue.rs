//! Compares the bytes of every error reply with what is known about the live replies.

use fallproof_mocks::Reply;
use fallproof_mocks::behavior::{CutEnd, CutPoint, Entry, WireFault, behaviors};
use fallproof_mocks::errors::{EdgeRefusal, behavior, catalogue_names, edge, refusal};
use fallproof_mocks::provider::Deployment;
use fallproof_mocks::provider::Endpoint::{
    self, ChatCompletions as Chat, Embeddings, Responses, ResponsesCompact as Compact,
};
use fallproof_mocks::provider::Surface::{self, AzureLegacy, AzureV1, OpenAi};
use fallproof_strict::{Strength, Violation, ViolationKind, check};
use rstest::rstest;
use serde_json::Value;

fn deployment(surface: Surface) -> Deployment {
    let name = if surface == OpenAi { "gpt-4.1" } else { "my-deployment" };
    Deployment {
        surface,
        model: "gpt-4.1".to_owned(),
        name: name.to_owned(),
        key: "sk-wrong-api-key".to_owned(),
    }
}

fn scripted(surface: Surface, endpoint: Endpoint, name: &str) -> Reply {
    let (reply, _) = behavior(name, &deployment(surface), endpoint).expect("a known name");
    reply.expect("not the success reply")
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).expect("UTF-8")
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn every_door() -> Vec<EdgeRefusal> {
    let (method, path) = ("POST".to_owned(), "/v1/ask_url".to_owned());
    vec![
        EdgeRefusal::UnknownPath { method: method.clone(), path: path.clone() },
        EdgeRefusal::WrongMethod { method, path },
        EdgeRefusal::ApiVersion,
        EdgeRefusal::MissingApiVersion,
        EdgeRefusal::ApiVersionTooOld,
        EdgeRefusal::PredictionTooOld,
        EdgeRefusal::MissingKey,
        EdgeRefusal::WrongKey { key: "sk-wrong-api-key".to_owned() },
        EdgeRefusal::UnknownModel { name: "gpt-none".to_owned() },
        EdgeRefusal::UnlistedModel { name: "gpt-none".to_owned() },
        EdgeRefusal::InvalidJson,
    ]
}

#[test]
fn the_names_of_the_catalogue_never_change() {
    let names: Vec<_> = catalogue_names().collect();
    assert_eq!(
        names,
        [
            "ok",
            "server_error",
            "bad_gateway",
            "overloaded",
            "gateway_timeout",
            "timeout_408",
            "high_demand",
            "rate_limited",
            "rate_limited_date",
            "rate_limited_no_hint",
            "request_exceeds_rate_limit",
            "quota_exceeded",
            "unauthorized",
            "missing_scope",
            "forbidden",
            "model_not_found",
            "deployment_not_found",
            "model_deprecated",
            "operation_not_supported",
            "bad_request",
            "context_length_exceeded",
            "content_filter",
            "conflict",
            "payload_too_large",
            "unprocessable",
            "ok_with_error",
            "empty_body",
            "truncated_json",
            "wrong_content_type",
            "connection_refused",
            "connect_timeout",
            "connection_reset",
            "connection_closed",
            "connection_stalled",
            "truncated_body",
        ]
    );
}

#[test]
fn every_name_of_the_catalogue_is_explained_in_one_line() {
    for Entry { name, what, .. } in behaviors() {
        assert!(what.ends_with('.') && !what.contains('\n') && what.len() <= 96, "{name}: {what}");
    }
}

fn everywhere() -> impl Iterator<Item = (Surface, Endpoint)> {
    Surface::ALL.into_iter().flat_map(|surface| Endpoint::ALL.map(|endpoint| (surface, endpoint)))
}

#[test]
fn every_scripted_reply_is_complete_on_every_surface_and_endpoint() {
    for (surface, endpoint) in everywhere() {
        for name in catalogue_names() {
            let (reply, _) = behavior(name, &deployment(surface), endpoint).expect("a known name");
            let Some(reply) = reply else { continue };
            assert!((400..600).contains(&reply.status) || promises_success(name), "{name}");
            assert!(header(&reply, "content-type").is_some(), "{name}");
            assert_filled(&reply);
            match name {
                "empty_body" => assert!(reply.body.is_empty()),
                "truncated_json" => assert!(is_truncated(&reply.body), "{}", text(&reply)),
                _ if is_page(&reply) => assert!(text(&reply).ends_with("</html>\r\n")),
                "wrong_content_type" => assert!(text(&reply).starts_with("<!DOCTYPE html>")),
                _ => assert_error_object(&reply),
            }
        }
    }
}

fn promises_success(name: &str) -> bool {
    ["ok_with_error", "empty_body", "truncated_json", "wrong_content_type"].contains(&name)
}

fn is_page(reply: &Reply) -> bool {
    header(reply, "content-type") == Some("text/html") && reply.status != 200
}

fn is_truncated(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_err_and(|error| error.is_eof())
}

fn assert_filled(reply: &Reply) {
    for value in reply.headers.iter().map(|(_, value)| value.as_str()).chain([text(reply)]) {
        assert!(!has_placeholder(value), "{value}");
    }
}

fn assert_error_object(reply: &Reply) {
    let body: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
    assert!(body["error"]["message"].is_string(), "{body}");
}

fn has_placeholder(text: &str) -> bool {
    text.split('{').skip(1).any(|after| {
        let name = after.split('}').next().unwrap_or_default();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

#[test]
fn every_edge_and_body_refusal_has_a_reply_on_every_surface_and_endpoint() {
    for (surface, endpoint) in everywhere() {
        let edges = every_door().into_iter().map(|refusal| edge(surface, Some(endpoint), &refusal));
        let kinds = [ViolationKind::Unknown, ViolationKind::NoModel, ViolationKind::InvalidJson];
        let refused = kinds.map(|kind| refusal(surface, endpoint, &violation(kind)));
        for reply in edges.chain(refused) {
            assert!((400..500).contains(&reply.status));
            assert_filled(&reply);
            assert_error_object(&reply);
        }
    }
}

fn violation(kind: ViolationKind) -> Violation {
    Violation {
        kind,
        message: "Unknown parameter: 'zzz'.".to_owned(),
        error_type: "invalid_request_error".to_owned(),
        param: None,
        code: None,
        pointer: String::new(),
        strength: Strength::Observed,
    }
}

#[test]
fn an_edge_refusal_has_a_reply_without_an_endpoint() {
    for (surface, refusal) in
        Surface::ALL.into_iter().flat_map(|s| every_door().into_iter().map(move |d| (s, d)))
    {
        assert_error_object(&edge(surface, None, &refusal));
    }
}

fn wrong_key(key: &str) -> EdgeRefusal {
    EdgeRefusal::WrongKey { key: key.to_owned() }
}

fn unknown_model(name: &str) -> EdgeRefusal {
    EdgeRefusal::UnknownModel { name: name.to_owned() }
}

fn unknown_path() -> EdgeRefusal {
    EdgeRefusal::UnknownPath { method: "POST".to_owned(), path: "/openai".to_owned() }
}

fn refused(endpoint: Endpoint, model: &str, body: &str) -> Reply {
    let violation = check(OpenAi, endpoint, model, body.as_bytes()).expect("refused");
    refusal(OpenAi, endpoint, &violation)
}

#[rstest]
// OpenAI's layers: the edge, without and with a quota that is reached; the application, without and
// with rate-limit headers; the older resources; an internal failure; and the network in front.
// Azure's layers: the edge, the layer behind it, and the model.
#[case(edge(OpenAi, Some(Chat), &unknown_model("x")), "content-type vary x-content-type-options \
    strict-transport-security x-envoy-upstream-service-time x-openai-proxy-wasm x-request-id")]
#[case(
    scripted(OpenAi, Chat, "rate_limited"),
    "content-type vary x-content-type-options \
    strict-transport-security x-envoy-upstream-service-time x-openai-proxy-wasm x-request-id \
    retry-after retry-after-ms x-ratelimit-limit-requests x-ratelimit-limit-tokens \
    x-ratelimit-remaining-requests x-ratelimit-remaining-tokens x-ratelimit-reset-requests \
    x-ratelimit-reset-tokens"
)]
#[case(
    scripted(OpenAi, Compact, "unauthorized"),
    "content-type x-content-type-options \
    openai-processing-ms openai-version strict-transport-security x-request-id www-authenticate"
)]
#[case(
    scripted(OpenAi, Embeddings, "context_length_exceeded"),
    "content-type \
    x-content-type-options access-control-expose-headers openai-processing-ms openai-version \
    strict-transport-security x-ratelimit-limit-requests x-ratelimit-limit-tokens \
    x-ratelimit-remaining-requests x-ratelimit-remaining-tokens x-ratelimit-reset-requests \
    x-ratelimit-reset-tokens x-envoy-upstream-service-time x-openai-proxy-wasm x-request-id"
)]
#[case(edge(OpenAi, None, &EdgeRefusal::UnlistedModel { name: "x".to_owned() }), "content-type \
    access-control-allow-origin openai-version openai-processing-ms strict-transport-security \
    x-content-type-options x-request-id")]
#[case(
    scripted(OpenAi, Chat, "server_error"),
    "content-type x-request-id openai-processing-ms \
    strict-transport-security x-content-type-options"
)]
#[case(scripted(OpenAi, Chat, "bad_gateway"), "content-type server")]
#[case(edge(AzureV1, None, &unknown_path()), "content-type apim-request-id \
    strict-transport-security x-content-type-options")]
#[case(edge(AzureLegacy, Some(Chat), &unknown_model("x")), "content-type apim-request-id \
    strict-transport-security x-content-type-options x-ms-region")]
#[case(
    scripted(AzureV1, Responses, "server_error"),
    "content-type apim-request-id x-request-id \
    x-ms-region strict-transport-security x-content-type-options"
)]
fn a_layer_has_its_own_headers(#[case] reply: Reply, #[case] expected: &str) {
    let names: Vec<_> = reply.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.join(" "), expected);
}

#[rstest]
#[case(OpenAi, Chat, Some("30000"), Some("application/json"))]
#[case(OpenAi, Compact, None, Some("application/json"))]
#[case(AzureV1, Chat, None, Some("application/json"))]
fn the_reply_to_an_invalid_body_has_the_layout_of_the_application(
    #[case] surface: Surface,
    #[case] endpoint: Endpoint,
    #[case] limit: Option<&str>,
    #[case] content_type: Option<&str>,
) {
    let body = br#"{"model":"m","messages":[{"role":"user","content":""}],"input":"","zzz\"\n":1}"#;
    let mut body = String::from_utf8(body.to_vec()).expect("UTF-8");
    body = if endpoint == Chat {
        body.replace(r#""input":"","#, "")
    } else {
        body.replace(r#""messages":[{"role":"user","content":""}],"#, "")
    };
    let violation = check(surface, endpoint, "m", body.as_bytes()).expect("refused");
    let reply = refusal(surface, endpoint, &violation);
    let expected = r#"{
  "error": {
    "message": "Unknown parameter: 'zzz\"\n'.",
    "type": "invalid_request_error",
    "param": "zzz\"\n",
    "code": "unknown_parameter"
  }
}"#;
    assert_eq!((reply.status, text(&reply)), (400, expected));
    assert_eq!(header(&reply, "x-ratelimit-limit-requests"), limit);
    assert_eq!(header(&reply, "content-type"), content_type);
}

#[test]
fn null_param_and_code_stay_null_and_the_edge_requires_a_model() {
    let reply = refused(Chat, "m", r#"{"messages":[]}"#);
    let expected = r#"{
    "error": {
        "message": "you must provide a model parameter",
        "type": "invalid_request_error",
        "param": null,
        "code": null
    }
}
"#;
    assert_eq!(text(&reply), expected);
}

#[test]
fn invalid_json_gets_the_reply_of_the_edge() {
    let violation = check(OpenAi, Responses, "m", b"{").expect("refused");
    assert_eq!(
        refusal(OpenAi, Responses, &violation),
        edge(OpenAi, Some(Responses), &EdgeRefusal::InvalidJson)
    );
}

#[rstest]
#[case(OpenAi, "rate_limited", Some("1"), Some("494"))]
#[case(OpenAi, "rate_limited_no_hint", None, None)]
#[case(OpenAi, "request_exceeds_rate_limit", None, None)]
#[case(OpenAi, "quota_exceeded", None, None)]
#[case(OpenAi, "high_demand", None, None)]
#[case(AzureLegacy, "rate_limited", Some("2"), Some("2000"))]
#[case(AzureLegacy, "rate_limited_no_hint", None, None)]
#[case(AzureLegacy, "quota_exceeded", Some("86400"), None)]
#[case(AzureLegacy, "high_demand", Some("20"), None)]
fn a_429_says_when_to_come_back_where_its_provider_does(
    #[case] surface: Surface,
    #[case] name: &str,
    #[case] seconds: Option<&str>,
    #[case] milliseconds: Option<&str>,
) {
    let reply = scripted(surface, Chat, name);
    assert_eq!(reply.status, 429);
    let hints = (header(&reply, "retry-after"), header(&reply, "retry-after-ms"));
    assert_eq!(hints, (seconds, milliseconds));
    assert!(seconds.is_some() || !text(&reply).contains("ry again in"), "{}", text(&reply));
}

#[test]
fn a_rate_limit_can_have_a_date() {
    for surface in Surface::ALL {
        let reply = scripted(surface, Chat, "rate_limited_date");
        let date = header(&reply, "retry-after").expect("a header");
        // The date must be an IMF-fixdate, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`.
        let shape: String =
            date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).skip(3).collect();
        assert!(shape.starts_with(", 00 ") && shape.ends_with(" 0000 00:00:00 GMT"), "{date}");
        assert_eq!(header(&reply, "retry-after-ms"), None);
    }
}

#[rstest]
#[case("bad_gateway", "502 Bad Gateway")]
#[case("gateway_timeout", "504 Gateway Time-out")]
#[case("payload_too_large", "413 Request Entity Too Large")]
fn the_edge_replies_with_an_html_page(#[case] name: &str, #[case] title: &str) {
    for (surface, server) in
        [(OpenAi, "cloudflare"), (AzureV1, "Microsoft-Azure-Application-Gateway/v2")]
    {
        let reply = scripted(surface, Chat, name);
        assert_eq!(header(&reply, "content-type"), Some("text/html"));
        assert!(title.starts_with(&reply.status.to_string()));
        let (head, body) = text(&reply).split_once("<body>").expect("a page");
        assert_eq!(head, format!("<html>\r\n<head><title>{title}</title></head>\r\n"));
        assert!(
            body.ends_with(&format!("<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"))
        );
    }
}

#[test]
fn deployment_not_found_equals_model_not_found() {
    for (surface, endpoint) in everywhere() {
        let [model, deployment] = ["model_not_found", "deployment_not_found"]
            .map(|name| scripted(surface, endpoint, name));
        assert_eq!((model.status, model.body), (deployment.status, deployment.body));
    }
}

#[test]
fn an_unknown_model_has_the_same_reply_from_a_script_and_at_the_edge() {
    for (surface, endpoint) in everywhere() {
        let known =
            Deployment { model: "x".to_owned(), name: "x".to_owned(), ..deployment(surface) };
        let (reply, _) = behavior("model_not_found", &known, endpoint).expect("a known name");
        let scripted = reply.expect("an error");
        let refused = edge(surface, Some(endpoint), &unknown_model("x"));
        assert_eq!((scripted.status, scripted.body), (refused.status, refused.body));
    }
}

#[test]
fn azures_content_filter_reports_its_results() {
    let reply = scripted(AzureLegacy, Chat, "content_filter");
    let body: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
    let keys: Vec<_> = body["error"].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["message", "type", "param", "code", "status", "innererror"]);
    assert_eq!(body["error"]["innererror"]["content_filter_result"]["violence"]["filtered"], true);
    assert!(!text(&reply).contains('\n'));
}

#[test]
fn an_unknown_model_is_named_as_requested_and_masked_keys_show_their_ends() {
    let reply = scripted(AzureV1, Responses, "model_not_found");
    assert!(
        text(&reply)
            .contains("The requested model 'gpt-4.1' with deployment name my-deployment does")
    );
    let reply = edge(OpenAi, Some(Chat), &unknown_model("a\"b\\{key}"));
    assert!(text(&reply).contains(r#"The model `a\"b\\{key}` does not exist"#));
    let shown = |key| {
        let reply = edge(OpenAi, Some(Chat), &wrong_key(key));
        let (_, rest) = text(&reply).split_once("provided: ").expect("the sentence");
        rest.split(". You").next().map(str::to_owned)
    };
    assert_eq!(shown("sk-wrong-api-key").as_deref(), Some("sk-wrong****-key"));
    assert_eq!(shown("EMPTY").as_deref(), Some("EMPTY"));
    assert_eq!(shown("").as_deref(), Some(""));
}

#[test]
fn request_ids_are_the_same_in_every_run_and_differ_between_requests() {
    let id = |endpoint| {
        header(&scripted(OpenAi, endpoint, "server_error"), "x-request-id").map(str::to_owned)
    };
    let one = id(Chat).expect("an id");
    assert_eq!(id(Chat).as_ref(), Some(&one));
    assert_ne!(id(Embeddings).as_ref(), Some(&one));
    let hex = one.strip_prefix("req_").expect("OpenAI's format");
    assert!(hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");

    let azure = scripted(AzureV1, Chat, "server_error");
    let uuid = header(&azure, "apim-request-id").expect("an id");
    assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
}

#[rstest]
#[case("ok", None)]
#[case("connection_refused", None)]
#[case("connect_timeout", None)]
#[case("connection_reset", Some((CutPoint::BeforeHead, CutEnd::Reset)))]
#[case("connection_closed", Some((CutPoint::BeforeHead, CutEnd::Close)))]
#[case("connection_stalled", Some((CutPoint::BeforeHead, CutEnd::Stall)))]
#[case("truncated_body", Some((CutPoint::BodyBytes(20), CutEnd::Close)))]
fn a_connection_fault_cuts_the_success_reply(
    #[case] name: &str,
    #[case] cut: Option<(CutPoint, CutEnd)>,
) {
    for surface in Surface::ALL {
        let (reply, WireFault { cut: planned, delay_ms, .. }) =
            behavior(name, &deployment(surface), Chat).expect("a known name");
        assert_eq!((reply, delay_ms), (None, None));
        assert_eq!(planned.map(|cut| (cut.at, cut.end)), cut);
    }
}

#[test]
fn an_unknown_name_is_not_a_behavior() {
    assert_eq!(behavior("sever_error", &deployment(OpenAi), Chat), None);
}
