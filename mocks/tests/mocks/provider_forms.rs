//! Forms, and the content type that each endpoint expects.

use crate::replies_support::{Mock, json_of};
use fallproof_mocks::provider::{Endpoint, Surface};
use fallproof_mocks::provider_set::Answer;
use fallproof_strict::{self as strict, FormField};
use rstest::rstest;
use serde_json::json;

const FORM: &str = "multipart/form-data; boundary=b";

fn form(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        let file = if *name == "file" { "; filename=\"a.mp3\"" } else { "" };
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--b--\r\n"
}

fn send(surface: Surface, content_type: &str, body: &str) -> Answer {
    let mock = Mock::of(surface, "whisper-1");
    mock.send("POST", &mock.target("audio/transcriptions"), content_type, body.as_bytes())
}

fn message_of(answer: &Answer) -> String {
    json_of(&answer.reply)["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[rstest]
fn a_form_is_read_on_every_surface(
    #[values(Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
    #[values("audio/transcriptions", "audio/translations")] endpoint: &str,
) {
    let mock = Mock::of(surface, "whisper-1");
    let reply = mock.ask_form(endpoint, &[("temperature", "0.5"), ("prompt", "A talk.")]);
    assert_eq!(reply.status, 200);
}

#[test]
fn the_model_in_a_form_is_checked() {
    let body = form(&[("model", "other"), ("file", "RIFF")]);
    assert_eq!(send(Surface::OpenAi, FORM, &body).reply.status, 404);
    let legacy = send(Surface::AzureLegacy, FORM, &body);
    assert_eq!(legacy.reply.status, 200, "the path names the deployment");
}

#[test]
fn form_fields_are_checked_like_json_members() {
    let fields = [("model", "d"), ("file", "RIFF"), ("nonsense", "1")];
    let answer = send(Surface::OpenAi, FORM, &form(&fields));
    let read = fields.map(|(name, value)| FormField {
        name,
        filename: (name == "file").then_some("a.mp3"),
        value: value.as_bytes(),
    });
    let endpoint = Endpoint::AudioTranscriptions;
    let violation = strict::check_form(Surface::OpenAi, endpoint, "whisper-1", &read);
    assert!(violation.as_ref().is_some_and(|it| it.message.contains("nonsense")));
    assert_eq!(answer.plan.violation, violation);
}

#[rstest]
#[case("multipart/form-data", "--b--")]
#[case(FORM, "")]
#[case(FORM, "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1")]
#[case("", "{}")]
fn an_invalid_form_is_refused(#[case] content_type: &str, #[case] body: &str) {
    let answer = send(Surface::OpenAi, content_type, body);
    assert_eq!((answer.reply.status, answer.plan.refused), (400, true));
    assert_eq!(message_of(&answer), "Could not parse multipart form");
}

#[test]
fn the_other_content_type_is_not_supported() {
    let json = send(Surface::OpenAi, "application/json", r#"{"model":"d"}"#);
    assert_eq!(json.reply.status, 400);
    assert!(message_of(&json).starts_with("Unsupported content type: 'application/json'."));

    let mock = Mock::of(Surface::OpenAi, "gpt-5");
    let target = mock.target("chat/completions");
    let answer = mock.send("POST", &target, FORM, form(&[("model", "d")]).as_bytes());
    let expected = json!({ "error": {
        "message": "Unsupported content type: 'multipart/form-data'. This API method only accepts \
                    'application/json' requests, but you specified the header 'Content-Type: \
                    multipart/form-data'. Please try again with a supported content type.",
        "type": "invalid_request_error",
        "param": null,
        "code": "unsupported_content_type"
    } });
    assert_eq!(json_of(&answer.reply), expected);
}

#[test]
fn other_content_types_are_accepted_where_json_is_expected() {
    let mock = Mock::of(Surface::OpenAi, "gpt-5");
    let body = br#"{"model":"d","messages":[{"role":"user","content":"Hi"}]}"#;
    for content_type in ["", "application/json; charset=utf-8", "text/plain"] {
        let answer = mock.send("POST", &mock.target("chat/completions"), content_type, body);
        assert_eq!(answer.reply.status, 200, "{content_type}");
    }
}
