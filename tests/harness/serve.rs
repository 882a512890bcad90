//! `fallproof serve`, run as a command: strict mock providers with a request log and scripts.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A running server. Dropping it kills the process.
struct Serve {
    process: Child,
    addresses: Value,
    client: Client,
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Serve {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_fallproof"))
            .args(["serve", "--openai", "0", "--azure", "0", "--admin", "0", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line with the addresses");
        let addresses = serde_json::from_str(&line).expect("one line of JSON");
        let client = Client::builder().no_proxy().build().expect("a plain client");
        Self { process, addresses, client }
    }

    fn address(&self, pointer: &str) -> &str {
        self.addresses.pointer(pointer).and_then(Value::as_str).expect("an address")
    }

    fn request(&self, method: Method, url: String, body: &Value) -> RequestBuilder {
        let request = self.client.request(method, url).header("content-type", "application/json");
        request.body(body.to_string())
    }

    async fn openai(&self, path: &str, body: &Value) -> Response {
        let url = format!("{}/{path}", self.address("/openai/base_url"));
        let key = format!("Bearer {}", self.address("/openai/key"));
        let request = self.request(Method::POST, url, body).header("authorization", key);
        request.send().await.expect("an answer")
    }

    async fn azure(&self, base: &str, path: &str, body: &Value) -> Response {
        let url = format!("{}/{path}", self.address(base));
        let key = self.address("/azure/key");
        self.request(Method::POST, url, body)
            .header("api-key", key)
            .send()
            .await
            .expect("an answer")
    }

    async fn admin(&self, method: Method, path: &str, body: &Value) -> Response {
        let url = format!("{}/{path}", self.address("/admin"));
        self.request(method, url, body).send().await.expect("an answer")
    }

    async fn request_log(&self) -> Vec<Value> {
        let request_log = self.admin(Method::GET, "requests", &Value::Null).await;
        serde_json::from_str(&request_log.text().await.expect("a body")).expect("a list")
    }
}

async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.expect("a body")).expect("JSON")
}

#[tokio::test]
async fn an_invented_parameter_is_rejected_on_all_three_surfaces_and_recorded() {
    let serve = Serve::start(&[]);
    let body = json!({"model": "gpt-5", "input": "Hello.", "metadata": {"a": "b"}});
    let legacy = "openai/responses/compact?api-version=2025-04-01-preview";
    for answer in [
        serve.openai("responses/compact", &body).await,
        serve.azure("/azure/base_url", "responses/compact", &body).await,
        serve.azure("/azure/endpoint", legacy, &body).await,
    ] {
        assert_eq!(answer.status(), 400);
        assert_eq!(json(answer).await["error"]["message"], "Unknown parameter: 'metadata'.");
    }
    let request_log = serve.request_log().await;
    let recorded: Vec<_> = request_log
        .iter()
        .map(|recorded| {
            (
                recorded["deployment"].as_str(),
                recorded["refused"].as_bool(),
                &recorded["violation"]["param"],
            )
        })
        .collect();
    let metadata = json!("metadata");
    assert_eq!(
        recorded,
        [
            (Some("openai"), Some(true), &metadata),
            (Some("azure"), Some(true), &metadata),
            (Some("azure"), Some(true), &metadata),
        ]
    );
}

#[tokio::test]
async fn a_script_applies_until_a_reset() {
    let serve = Serve::start(&[]);
    let body = json!({"model": "gpt-5", "input": "Hello."});
    let script = json!({"script": ["rate_limited", "ok"]});
    assert_eq!(serve.admin(Method::PUT, "script/openai", &script).await.status(), 200);
    for expected in [429, 200, 400] {
        assert_eq!(serve.openai("responses", &body).await.status(), expected);
    }
    assert_eq!(serve.admin(Method::POST, "reset", &Value::Null).await.status(), 200);
    assert!(serve.request_log().await.is_empty());
    for _ in 0..3 {
        assert_eq!(serve.openai("responses", &body).await.status(), 200);
    }
}

#[tokio::test]
async fn a_new_script_keeps_stored_responses_and_a_reset_deletes_them() {
    let serve = Serve::start(&[]);
    let first =
        json(serve.openai("responses", &json!({"model": "gpt-5", "input": "Hello."})).await).await;
    let next = json!({"model": "gpt-5", "input": "Go on.", "previous_response_id": first["id"]});
    let script = json!({"script": ["rate_limited", "ok"]});
    assert_eq!(serve.admin(Method::PUT, "script/openai", &script).await.status(), 200);
    assert_eq!(serve.openai("responses", &next).await.status(), 429, "the new script");
    let second = json(serve.openai("responses", &next).await).await;
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_ne!(second["id"], first["id"]);
    assert_eq!(serve.admin(Method::POST, "reset", &Value::Null).await.status(), 200);
    assert_eq!(serve.openai("responses", &next).await.status(), 400, "forgotten");
}

#[tokio::test]
async fn the_request_log_shows_each_request_its_fault_and_its_ending() {
    let serve = Serve::start(&[]);
    let cut = json!({"script": [{"wire": {"cut": {"at": {"body_bytes": 7}, "end": "reset"}}}]});
    serve.admin(Method::PUT, "script/openai", &cut).await;
    let body = json!({"model": "gpt-5", "input": "Hello."});
    let answer = serve.openai("responses", &body).await;
    assert!(answer.bytes().await.is_err(), "the body was cut off");
    let request_log = serve.admin(Method::GET, "requests", &Value::Null).await;
    assert_eq!(request_log.headers()["fallproof-dropped"], "0");
    let recorded = &json(request_log).await[0];
    let head = recorded["head"].as_str().expect("text");
    assert!(head.starts_with("POST /v1/responses HTTP/1.1\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    assert_eq!(recorded["body"], body.to_string());
    assert_eq!(recorded["wire"], cut["script"][0]["wire"]);
    assert_eq!((&recorded["status"], &recorded["reply_bytes_sent"]), (&json!(200), &json!(7)));
    assert!(recorded["reply"].as_str().expect("text").starts_with("{\n  \"id\": \"resp_"));
    let times = ["accepted", "head", "body", "first_byte", "end"];
    let times = times.map(|name| recorded["times"][name].as_f64().expect("a time"));
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn an_invalid_script_is_rejected_with_a_suggestion() {
    let serve = Serve::start(&[]);
    let misspelled = json!({"script": ["rate_limit"]});
    let answer = serve.admin(Method::PUT, "script/azure", &misspelled).await;
    assert_eq!(answer.status(), 400);
    let message = answer.text().await.expect("a body");
    assert!(message.contains("did you mean `rate_limited`?"), "{message}");
    let dead_end = json!({"script": ["connection_refused"]});
    let answer = serve.admin(Method::PUT, "script/azure", &dead_end).await;
    assert_eq!(answer.status(), 400);
    let message = answer.text().await.expect("a body");
    assert!(message.contains("this port always listens"), "{message}");
    let unknown = serve.admin(Method::PUT, "script/anthropic", &misspelled).await;
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn only_the_listed_models_exist() {
    let serve = Serve::start(&["--model", "gpt-4o"]);
    let body = |model| json!({"model": model, "messages": [{"role": "user", "content": "Hello."}]});
    assert_eq!(serve.openai("chat/completions", &body("gpt-4o")).await.status(), 200);
    let answer = serve.openai("chat/completions", &body("gpt-9")).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(json(answer).await["error"]["code"], "model_not_found");
}

#[tokio::test]
async fn a_script_file_applies_from_the_start_and_after_each_reset() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("script.yaml");
    let text = "azure: { script: [rate_limited, ok], repeat_last: true }\n";
    std::fs::write(&file, text).expect("the file can be written");
    let serve = Serve::start(&["--script", file.to_str().expect("a UTF-8 path")]);
    let body = json!({"model": "gpt-5", "input": "Hello."});
    for _ in 0..2 {
        for expected in [429, 200, 200] {
            let answer = serve.azure("/azure/base_url", "responses", &body).await;
            assert_eq!(answer.status(), expected);
            assert_eq!(serve.openai("responses", &body).await.status(), 200);
        }
        serve.admin(Method::POST, "reset", &Value::Null).await;
    }
}

#[test]
fn an_invalid_script_file_is_reported_with_its_position_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("script.yaml");
    std::fs::write(&file, "azure:\n  script: [ok, rate_limit]\n").expect("the file can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["serve", "--openai", "0", "--azure", "0", "--admin", "0", "--script"])
        .arg(&file)
        .output()
        .expect("the binary was built with this test");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("script.yaml:2:16"), "{told}");
    assert!(told.contains("did you mean `rate_limited`?"), "{told}");
}

#[test]
fn a_port_in_use_is_reported_with_exit_code_2() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("a bound listener").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["serve", "--openai", "0", "--azure", &port, "--admin", "0"])
        .output()
        .expect("the binary was built with this test");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(&format!("port {port} is in use")), "{told}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_it_cleanly() {
    let mut serve = Serve::start(&[]);
    let id = serve.process.id().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().expect("the kill command");
    assert!(killed.success());
    let status = serve.process.wait().expect("the process exits");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_page_of_another_site_can_neither_read_nor_reset() {
    let serve = Serve::start(&[]);
    let admin = serve.address("/admin").to_owned();
    let port = admin.rsplit_once(':').expect("a port").1;
    let rebound = serve.client.get(format!("{admin}/requests"));
    let rebound = rebound.header("host", format!("evil.example:{port}"));
    let foreign =
        serve.client.post(format!("{admin}/reset")).header("origin", "https://evil.example");
    for request in [rebound, foreign] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 403);
    }
    let own = serve.client.get(format!("{admin}/requests")).send().await.expect("an answer");
    assert_eq!(own.status(), 200);
}

#[tokio::test]
async fn a_key_that_is_not_the_mocks_own_is_not_in_the_request_log() {
    const KEY: &str = "sk-proj-real0123456789abcdef";
    let serve = Serve::start(&[]);
    let url = format!("{}/responses", serve.address("/openai/base_url"));
    let request = serve.request(Method::POST, url, &json!({ "model": "gpt-5", "input": KEY }));
    request.header("authorization", format!("Bearer {KEY}")).send().await.expect("an answer");
    serve.openai("responses", &json!({ "model": "gpt-5", "input": "x" })).await;
    let log = serve.client.get(format!("{}/requests", serve.address("/admin")));
    let log = log.send().await.expect("an answer").text().await.expect("text");
    assert!(!log.contains(KEY), "{log}");
    assert!(log.contains("Bearer sk-fallproof-openai"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_servers_while_an_admin_call_is_not_complete() {
    use std::io::Write as _;
    use std::net::TcpStream;

    let mut serve = Serve::start(&[]);
    let admin = serve.address("/admin").trim_start_matches("http://").to_owned();
    let mut stalled = TcpStream::connect(&admin).expect("it listens");
    stalled
        .write_all(b"PUT /script/openai HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-le")
        .expect("it reads");
    let signal = |serve: &Serve| {
        Command::new("kill").args(["-INT", &serve.process.id().to_string()]).status().expect("kill")
    };
    assert!(signal(&serve).success());
    // The second one may come too late, if the first one was enough.
    let _ = signal(&serve);
    assert!(serve.process.wait().expect("it was started").success());
    drop(stalled);
}
