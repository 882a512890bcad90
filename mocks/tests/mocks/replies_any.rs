//! Tests that every request gets a reply, without a panic and in a short time.

use fallproof_mocks::behavior::Behavior;
use fallproof_mocks::marker::Marker;
use fallproof_mocks::provider::{Deployment, Endpoint, Names, Surface};
use fallproof_mocks::provider_set::{MockDeployment, MockProviders, Request};
use fallproof_mocks::reply::{Members, ReplyContext, ReplyMode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The request members that affect a reply.
const NAMES: [&str; 29] = [
    "best_of",
    "dimensions",
    "echo",
    "encoding_format",
    "function_call",
    "functions",
    "include",
    "input",
    "logprobs",
    "max_tokens",
    "messages",
    "n",
    "output_format",
    "partial_images",
    "prompt",
    "reasoning",
    "response_format",
    "service_tier",
    "size",
    "stop",
    "store",
    "stream",
    "stream_format",
    "stream_options",
    "text",
    "timestamp_granularities",
    "tool_choice",
    "tools",
    "top_logprobs",
];

/// Strings that have a meaning in these members or in schemas.
const WORDS: [&str; 30] = [
    "$ref",
    "#",
    "#/properties",
    "type",
    "object",
    "array",
    "string",
    "integer",
    "number",
    "properties",
    "required",
    "items",
    "minItems",
    "minLength",
    "maxLength",
    "anyOf",
    "allOf",
    "enum",
    "const",
    "function",
    "name",
    "parameters",
    "mode",
    "tools",
    "json_schema",
    "schema",
    "format",
    "summary",
    "base64",
    "allowed_tools",
];

fn any_json() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(WORDS.as_slice()).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn members() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(NAMES.as_slice()).prop_map(str::to_owned);
    let tools = prop::sample::select(vec!["function", "custom"]);
    let forced = (tools, any_json()).prop_map(|(kind, schema)| {
        json!({
            "tools": [{ "type": kind, "name": "f", "parameters": schema }],
            "tool_choice": "required",
            "functions": [{ "name": "f", "parameters": schema }],
            "function_call": { "name": "f" }
        })
    });
    let shaped = any_json().prop_map(|schema| {
        json!({ "response_format": { "type": "json_schema", "json_schema": { "schema": schema } } })
    });
    prop_oneof![
        prop::collection::vec((name, any_json()), 0..8)
            .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        forced,
        shaped,
    ]
}

fn deployment(surface: Surface) -> Deployment {
    Deployment {
        surface,
        model: "gpt-5".to_owned(),
        name: "gpt-5".to_owned(),
        key: "sk-test-0001".to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_has_an_answer(
        members in members(),
        mode in prop::sample::select(vec![
            ReplyMode::Plain, ReplyMode::Refusal, ReplyMode::ErrorFirst, ReplyMode::ErrorLater, ReplyMode::Failed,
        ]),
        stream: Option<bool>,
    ) {
        let mut members = members;
        if let Some(stream) = stream {
            members["stream"] = json!(stream);
        }
        let body = members.to_string();
        let members = Members::of(body.as_bytes()).expect("JSON");
        let marker = Marker::new("/test/any");
        for surface in Surface::ALL {
            let deployment = deployment(surface);
            let order =
                ReplyContext { deployment: &deployment, marker: &marker, attempt: 1, members: &members, mode };
            for endpoint in Endpoint::ALL {
                let reply = order.success(endpoint);
                prop_assert!(!reply.body.is_empty());
            }
        }
    }

    #[test]
    fn every_form_has_an_answer(
        parts in prop::collection::vec(prop::sample::select(vec![
            "--b", "--", "\r\n", "content-disposition: form-data", "; name=\"a\"", "; name=", "\"",
            "; filename=\"x\\\"", "=", ":", "\r\n\r\n", "\0", "é", "whisper-1",
        ]), 0..24),
        boundary in "[b\"\\\\;= ]{0,4}",
    ) {
        let providers = MockProviders::default();
        let mock = MockDeployment {
            prefix: "/test/any".to_owned(),
            deployment: deployment(Surface::OpenAi),
            names: Names::Any,
            script: vec![Behavior::named("ok")],
            repeat_last: false,
            marker: Marker::new("/test/any"),
        };
        providers.mount(mock).expect("a valid script");
        let body = parts.concat();
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let headers = [
            ("authorization", b"Bearer sk-test-0001".as_slice()),
            ("content-type", content_type.as_bytes()),
        ];
        let target = "/v1/audio/transcriptions";
        let request =
            Request { method: "POST", target, headers: &headers, body: body.as_bytes() };
        let answer = providers.answer("/test/any", &request).expect("mounted");
        prop_assert!([200, 400].contains(&answer.reply.status), "{}", answer.reply.status);
    }
}
