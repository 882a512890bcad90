//! Uploads of audio, and answers that are audio.

use fallproof_router::Surface;
use reqwest::RequestBuilder;
use rstest::rstest;

use super::support::{
    Reply, Router, ScriptedDeployment, answer, chain, config, deployment, error, json, ok,
    on_surface, stream,
};

const CONTENT_TYPE: &str = "multipart/form-data; boundary=\"a b\"";

/// A form whose `model` is `summaries`, with a binary file and this field.
fn form(field: &str, value: &str) -> Vec<u8> {
    let part = |disposition: &str, value: &[u8]| {
        let head = format!("--a b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    };
    [
        part(
            "name=\"file\"; filename=\"ü.wav\"\r\nContent-Type: audio/wav",
            b"RIFF\xff\r\n\x00--a",
        ),
        part("name=\"model\"", b"summaries"),
        part(&format!("name=\"{field}\""), value.as_bytes()),
        b"--a b--\r\n".to_vec(),
    ]
    .concat()
}

fn upload(router: &Router, path: &str, form: Vec<u8>) -> RequestBuilder {
    let call = router.client.post(format!("{}/v1/audio/{path}", router.url));
    call.header("content-type", CONTENT_TYPE).body(form)
}

#[rstest]
#[case::openai(Surface::OpenAi, "/audio/")]
#[case::legacy(
    Surface::AzureLegacy { api_version: "1".to_owned() },
    "/openai/deployments/backup-model/audio/"
)]
#[tokio::test]
async fn every_deployment_gets_the_clients_form_with_its_own_model(
    #[case] surface: Surface,
    #[case] target: &str,
    #[values("transcriptions", "translations")] path: &str,
) {
    let mut primary = ScriptedDeployment::start([error(500, "primary")]).await;
    let mut backup = ScriptedDeployment::start([ok("backup")]).await;
    let group = chain([
        deployment("primary", &primary.url()),
        on_surface(surface, "backup", &backup.url()),
    ]);
    let router = Router::start(config(group)).await;
    let sent = form("prompt", "model");
    let got = router.send(upload(&router, path, sent.clone())).await;
    assert_eq!(got.answered_by(), "backup");
    for (scripted, model) in [(&mut primary, "primary-model"), (&mut backup, "backup-model")] {
        let request = scripted.request().await;
        let at = sent.windows(9).position(|it| it == b"summaries").expect("the model");
        let expected = [&sent[..at], model.as_bytes(), &sent[at + 9..]].concat();
        assert_eq!(request.bytes, expected);
        assert_eq!(request.header("content-type"), Some(CONTENT_TYPE));
        if model == "backup-model" {
            assert!(request.request_line.contains(&format!(" {target}{path}")), "{request:?}");
        }
    }
}

#[rstest]
#[case::srt("srt", "1\n00:00:00,000 --> 00:00:01,000\nGrüße\n")]
#[case::text("text", "Grüße\n")]
#[tokio::test]
async fn a_transcript_in_another_format_is_text(#[case] format: &str, #[case] transcript: &str) {
    let headers = "content-type: text/plain; charset=utf-8\r\n";
    let scripted = ScriptedDeployment::start([answer(200, headers, transcript)]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let call = upload(&router, "transcriptions", form("response_format", format));
    let got = router.send(call).await;
    assert_eq!((got.status, got.body.as_str()), (200, transcript));
    assert_eq!(got.headers["content-type"], "text/plain; charset=utf-8");
}

#[rstest]
#[case::empty("vtt", answer(200, "content-type: text/plain\r\n", ""))]
#[case::page("vtt", answer(200, "content-type: text/html\r\n", "<p>hi"))]
#[case::text_instead_of_json("json", answer(200, "content-type: text/plain\r\n", "hi"))]
#[tokio::test]
async fn an_invalid_transcript_falls_back(#[case] format: &str, #[case] failure: Reply) {
    let primary = ScriptedDeployment::start([failure]).await;
    let backup = ScriptedDeployment::start([json(400, r#"{"error":{}}"#)]).await;
    let group = chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    let router = Router::start(config(group)).await;
    let call = upload(&router, "transcriptions", form("response_format", format));
    assert_eq!(router.send(call).await.status, 400);
}

#[tokio::test]
async fn a_transcript_streams_if_requested_and_supported() {
    let events = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\n\n\
        data: {\"type\":\"transcript.text.done\",\"text\":\"Hi\"}\n\n";
    let scripted = ScriptedDeployment::start([stream(events), ok("it")]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let call = || router.send(upload(&router, "transcriptions", form("stream", "true")));
    assert_eq!(call().await.body, events);
    assert_eq!(call().await.answered_by(), "it");
}

#[tokio::test]
async fn an_invalid_form_is_refused_in_openais_format() {
    let router = Router::start(config(chain([deployment("it", "http://127.0.0.1:1")]))).await;
    for body in [r#"{"model":"summaries"}"#, ""] {
        let got = router.send(router.post("/v1/audio/transcriptions", body)).await;
        assert_eq!((got.status, got.error_code().as_str()), (400, "none"));
        assert!(got.body.contains("We could not parse the form"), "{}", got.body);
    }
    let call = upload(&router, "translations", b"--a b--\r\n".to_vec());
    assert_eq!(router.send(call).await.error_code(), "missing_required_parameter");
}

#[rstest]
#[case::empty(answer(200, "content-type: audio/mpeg\r\n", ""))]
#[case::json(json(200, "{}"))]
#[case::status(error(503, "primary"))]
#[tokio::test]
async fn invalid_speech_falls_back(#[case] failure: Reply) {
    let primary = ScriptedDeployment::start([failure]).await;
    let backup =
        ScriptedDeployment::start([answer(200, "content-type: audio/opus\r\n", "OggS")]).await;
    let group = chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    let router = Router::start(config(group)).await;
    let got = router.stream("/v1/audio/speech", r#"{"model":"summaries"}"#).await;
    assert_eq!((got.status, got.body.as_str(), got.is_complete), (200, "OggS", true));
    assert_eq!(got.headers["content-type"], "audio/opus");
}
