//! The bytes of every error reply, against what is known of the live ones.

use fallproof_mocks::behaviour::{CutEnd, CutPoint, WirePlan};
use fallproof_mocks::errors::{DoorRefusal, Reply, behaviour, catalogue_names, door, refusal};
use fallproof_mocks::provider::Deployment;
use fallproof_mocks::provider::Endpoint::{
    self, ChatCompletions as Chat, Embeddings, Responses, ResponsesCompact as Compact,
};
use fallproof_mocks::provider::Surface::{self, AzureLegacy, AzureV1, OpenAi};
use fallproof_mocks::strict::check;
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
    let (reply, _) = behaviour(name, &deployment(surface), endpoint).expect("a known name");
    reply.expect("not the success reply")
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).expect("UTF-8")
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn every_door() -> Vec<DoorRefusal> {
    let (method, path) = ("POST".to_owned(), "/v1/ask_url".to_owned());
    vec![
        DoorRefusal::UnknownPath { method: method.clone(), path: path.clone() },
        DoorRefusal::WrongMethod { method, path },
        DoorRefusal::ApiVersion,
        DoorRefusal::MissingKey,
        DoorRefusal::WrongKey { key: "sk-wrong-api-key".to_owned() },
        DoorRefusal::UnknownModel { name: "gpt-none".to_owned() },
        DoorRefusal::InvalidJson,
    ]
}

#[test]
fn the_catalogue_holds_each_name_once_and_ok_first() {
    let names: Vec<_> = catalogue_names().collect();
    assert_eq!(
        names,
        [
            "ok",
            "server_error",
            "bad_gateway",
            "overloaded",
            "rate_limited",
            "quota_exceeded",
            "unauthorized",
            "forbidden",
            "model_not_found",
            "context_length_exceeded",
            "content_filter",
            "timeout_408",
            "bad_request",
            "connection_refused",
            "connection_reset",
            "connection_closed",
            "connection_stalled",
            "truncated_body",
        ]
    );
}

#[test]
fn every_reply_is_whole_on_every_surface_and_endpoint() {
    for (surface, endpoint) in Surface::ALL.into_iter().flat_map(|s| Endpoint::ALL.map(|e| (s, e)))
    {
        let scripted = catalogue_names()
            .map(|name| behaviour(name, &deployment(surface), endpoint).expect("a known name"))
            .filter_map(|(reply, _)| reply);
        let doors = every_door().into_iter().map(|refusal| door(surface, Some(endpoint), &refusal));
        let bodies = [&br#"{"zzz":1}"#[..], b"[]", br#"{"model":7,"input":""}"#];
        let refused = bodies.map(|body| {
            refusal(surface, endpoint, &check(surface, endpoint, "m", body).expect("refused"))
        });
        for reply in scripted.chain(doors).chain(refused) {
            assert!((400..600).contains(&reply.status));
            assert!(header(&reply, "content-type").is_some());
            for value in reply.headers.iter().map(|(_, value)| value.as_str()).chain([text(&reply)])
            {
                assert!(!has_placeholder(value), "{value}");
            }
            if header(&reply, "content-type") != Some("text/html") {
                let body: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
                assert!(body["error"]["message"].is_string(), "{body}");
            }
        }
    }
}

fn has_placeholder(text: &str) -> bool {
    text.split('{').skip(1).any(|after| {
        let name = after.split('}').next().unwrap_or_default();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

#[test]
fn a_door_has_a_reply_where_the_path_told_no_endpoint() {
    for (surface, refusal) in
        Surface::ALL.into_iter().flat_map(|s| every_door().into_iter().map(move |d| (s, d)))
    {
        assert!(!door(surface, None, &refusal).body.is_empty());
    }
}

#[rstest]
// Recorded content lengths; the sources stand in errors/*.yaml.
#[case(scripted(OpenAi, Chat, "server_error"), 500, 369)]
#[case(scripted(OpenAi, Chat, "rate_limited"), 429, 380)]
#[case(scripted(OpenAi, Chat, "unauthorized"), 401, 266)]
#[case(scripted(OpenAi, Chat, "content_filter"), 400, 318)]
#[case(scripted(AzureV1, Chat, "unauthorized"), 401, 224)]
#[case(scripted(AzureV1, Chat, "forbidden"), 403, 90)]
#[case(scripted(AzureLegacy, Chat, "model_not_found"), 404, 254)]
#[case(door(OpenAi, Some(Chat), &DoorRefusal::InvalidJson), 400, 443)]
#[case(door(OpenAi, Some(Chat), &wrong_key("sk-wrong-api-key")), 401, 266)]
#[case(door(OpenAi, Some(Chat), &wrong_key("sk-wrong-api-key-12345")), 401, 272)]
#[case(door(OpenAi, Some(Responses), &wrong_key("<not-a-real-key>")), 401, 245)]
#[case(door(OpenAi, Some(Embeddings), &unknown_model("text-embedding-4-ultra")), 404, 228)]
#[case(door(OpenAi, Some(Chat), &unknown_model("babbage-002-wrong")), 404, 223)]
#[case(door(OpenAi, Some(Responses), &unknown_model("this-model-does-not-exist")), 400, 191)]
#[case(door(AzureV1, None, &unknown_path()), 404, 56)]
#[case(door(AzureLegacy, Some(Chat), &wrong_key("x")), 401, 224)]
#[case(refused(Chat, "o1-mini", r#"{"model":"m","messages":[],"stop":["x"]}"#), 400, 196)]
#[case(
    refused(
        Chat,
        "m",
        r#"{"model":"m","messages":[{"role":"user","content":""},{"role":"user","content":[{}]}]}"#
    ),
    400,
    219
)]
#[case(refused(Chat, "m", r#"{"model":"m","messages":[]}"#), 400, 232)]
#[case(refused(Responses, "m", r#"{"model":"m","input":"","temperature":-1}"#), 400, 236)]
fn a_body_has_the_length_that_was_recorded(
    #[case] reply: Reply,
    #[case] status: u16,
    #[case] length: usize,
) {
    assert_eq!((reply.status, reply.body.len()), (status, length), "{}", text(&reply));
}

fn wrong_key(key: &str) -> DoorRefusal {
    DoorRefusal::WrongKey { key: key.to_owned() }
}

fn unknown_model(name: &str) -> DoorRefusal {
    DoorRefusal::UnknownModel { name: name.to_owned() }
}

fn unknown_path() -> DoorRefusal {
    DoorRefusal::UnknownPath { method: "POST".to_owned(), path: "/openai".to_owned() }
}

fn refused(endpoint: Endpoint, model: &str, body: &str) -> Reply {
    let violation = check(OpenAi, endpoint, model, body.as_bytes()).expect("refused");
    refusal(OpenAi, endpoint, &violation)
}

#[test]
fn the_emitters_are_told_apart_by_layout_and_headers() {
    let edge = door(OpenAi, Some(Chat), &unknown_model("x"));
    assert!(
        text(&edge).starts_with("{\n    \"error\": {\n        \"message\": \"The model `x` does")
    );
    assert!(text(&edge).ends_with("}\n}\n"));
    assert_eq!(header(&edge, "vary"), Some("Origin"));
    assert_eq!(header(&edge, "openai-version"), None);

    let application = door(OpenAi, Some(Compact), &unknown_model("x"));
    assert!(
        text(&application)
            .starts_with("{\n  \"error\": {\n    \"message\": \"The requested model 'x'")
    );
    assert!(text(&application).ends_with("}\n}"));
    assert_eq!(header(&application, "openai-version"), Some("2020-10-01"));
    assert!(header(&application, "openai-processing-ms").is_some());

    let front_door = door(AzureV1, None, &unknown_path());
    assert_eq!(text(&front_door), r#"{"error":{"code":"404","message": "Resource not found"}}"#);
    assert!(header(&front_door, "apim-request-id").is_some());
    assert_eq!(header(&front_door, "x-ms-region"), None);

    let behind = door(AzureLegacy, Some(Chat), &unknown_model("x"));
    assert!(text(&behind).starts_with("{\n  \"error\": {\n    \"type\": \"invalid_request_error\",\n    \"code\": \"DeploymentNotFound\""));
    assert!(header(&behind, "x-ms-region").is_some());
}

#[rstest]
#[case(OpenAi, Chat, Some("30000"), Some("application/json"))]
#[case(OpenAi, Compact, None, Some("application/json"))]
#[case(AzureV1, Chat, None, Some("application/json"))]
fn a_refused_body_is_answered_in_the_applications_layout(
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
fn null_param_and_code_stay_null_and_the_edge_asks_for_a_model() {
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
fn a_body_that_is_no_json_gets_the_doors_reply() {
    let violation = check(OpenAi, Responses, "m", b"{").expect("refused");
    assert_eq!(
        refusal(OpenAi, Responses, &violation),
        door(OpenAi, Some(Responses), &DoorRefusal::InvalidJson)
    );
}

#[test]
fn a_rate_limit_says_when_to_come_back() {
    let reply = scripted(OpenAi, Chat, "rate_limited");
    assert_eq!(
        (header(&reply, "retry-after"), header(&reply, "retry-after-ms")),
        (Some("1"), Some("494"))
    );
    assert_eq!(header(&reply, "x-ratelimit-remaining-tokens"), Some("0"));
    let reply = scripted(AzureLegacy, Chat, "rate_limited");
    assert_eq!(header(&reply, "retry-after"), Some("2"));
    assert_eq!(header(&scripted(OpenAi, Chat, "quota_exceeded"), "retry-after"), None);
}

#[test]
fn a_bad_gateway_is_a_page_and_not_json() {
    for (surface, server) in
        [(OpenAi, "cloudflare"), (AzureV1, "Microsoft-Azure-Application-Gateway/v2")]
    {
        let reply = scripted(surface, Chat, "bad_gateway");
        assert_eq!((reply.status, header(&reply, "content-type")), (502, Some("text/html")));
        assert!(
            text(&reply).starts_with("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n")
        );
        assert!(
            text(&reply)
                .ends_with(&format!("<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"))
        );
    }
}

#[test]
fn azures_content_filter_tells_what_it_saw() {
    let reply = scripted(AzureLegacy, Chat, "content_filter");
    let body: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
    let keys: Vec<_> = body["error"].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["message", "type", "param", "code", "status", "innererror"]);
    assert_eq!(body["error"]["innererror"]["content_filter_result"]["violence"]["filtered"], true);
    assert!(!text(&reply).contains('\n'));
}

#[test]
fn an_unknown_model_is_named_as_it_was_asked_for_and_masked_keys_show_their_ends() {
    let reply = scripted(AzureV1, Responses, "model_not_found");
    assert!(
        text(&reply)
            .contains("The requested model 'gpt-4.1' with deployment name my-deployment does")
    );
    let reply = door(OpenAi, Some(Chat), &unknown_model("a\"b\\{key}"));
    assert!(text(&reply).contains(r#"The model `a\"b\\{key}` does not exist"#));
    let shown = |key| {
        let reply = door(OpenAi, Some(Chat), &wrong_key(key));
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
    let hex = one.strip_prefix("req_").expect("OpenAI's form");
    assert!(hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");

    let azure = scripted(AzureV1, Chat, "server_error");
    let uuid = header(&azure, "apim-request-id").expect("an id");
    assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
}

#[rstest]
#[case("ok", None)]
#[case("connection_refused", None)]
#[case("connection_reset", Some((CutPoint::BeforeHead, CutEnd::Reset)))]
#[case("connection_closed", Some((CutPoint::BeforeHead, CutEnd::Close)))]
#[case("connection_stalled", Some((CutPoint::BeforeHead, CutEnd::Stall)))]
#[case("truncated_body", Some((CutPoint::BodyBytes(20), CutEnd::Close)))]
fn a_broken_connection_is_the_success_reply_cut_on_the_wire(
    #[case] name: &str,
    #[case] cut: Option<(CutPoint, CutEnd)>,
) {
    for surface in Surface::ALL {
        let (reply, WirePlan { cut: planned, delay_ms }) =
            behaviour(name, &deployment(surface), Chat).expect("a known name");
        assert_eq!((reply, delay_ms), (None, None));
        assert_eq!(planned.map(|cut| (cut.at, cut.end)), cut);
    }
}

#[test]
fn an_unknown_name_is_no_behaviour() {
    assert_eq!(behaviour("sever_error", &deployment(OpenAi), Chat), None);
}
