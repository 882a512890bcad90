//! Admin calls, which configure a gateway once it is ready.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::Redirect;
#[cfg(unix)]
use fallproof_runner::adapter::{Adapter, Configuration, Site};
use serde_json::{Value, json};
#[cfg(unix)]
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::support::{MINIMAL, addresses, read, scenarios, site};

const TWO_STEPS: &str = r#"
admin:
  - each: deployment
    post: /keys
    body: '{ "key": {{ deployment.key | tojson }} }'
    keep: { id: /made/id }
  - each: group
    post: /groups/{{ group.name }}
    body: '{ "chain": {{ group.chain | map(attribute="kept.id") | list | tojson }} }'
  - each: once
    post: /reload
    body: '{ "groups": {{ groups | length }} }'
"#;

/// Received calls: path, and body if it is JSON.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

/// Starts a server. `answer` returns the response to the call with a given number. Returns the
/// address of the server and the calls that it receives.
async fn server(answer: fn(usize) -> (StatusCode, String)) -> (SocketAddr, Calls) {
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    let app = Router::new().fallback(move |uri: Uri, body: String| async move {
        let mut seen = seen.lock().expect("no call panics");
        seen.push((uri.path().to_owned(), serde_json::from_str(&body).unwrap_or_default()));
        answer(seen.len())
    });
    (listening(app).await, calls)
}

/// Serves `app` at a free port. Returns its address.
async fn listening(app: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    // The task ends with the runtime of the test.
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Makes the admin calls of this adapter to a [server] with these responses. Returns the calls that
/// the server received, and the result.
async fn configured(
    adapter: &str,
    answer: fn(usize) -> (StatusCode, String),
) -> (Vec<(String, Value)>, Result<(), String>) {
    let (address, calls) = server(answer).await;
    let ended = configured_at(address, adapter).await;
    let calls = std::mem::take(&mut *calls.lock().expect("no call panics"));
    (calls, ended)
}

/// Makes the admin calls of this adapter to a server at this address.
async fn configured_at(address: SocketAddr, adapter: &str) -> Result<(), String> {
    let adapter = read(&format!("{MINIMAL}{adapter}")).expect("it is valid");
    let plan = adapter.plan(&scenarios(&["chat/openai-to-azure-legacy"]), &addresses());
    let configuration = adapter.render(&plan, &site()).expect("it can be rendered");
    let ended = adapter.configure(&configuration, &address.to_string()).await;
    ended.map_err(|error| error.to_string())
}

#[tokio::test]
async fn each_call_is_repeated_as_specified_and_can_use_earlier_responses() {
    let answer = |number| (StatusCode::CREATED, json!({ "made": { "id": number } }).to_string());
    let (calls, ended) = configured(TWO_STEPS, answer).await;
    assert_eq!(ended, Ok(()));
    let paths: Vec<_> = calls.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/keys", "/keys", "/groups/chat.openai-to-azure-legacy", "/reload"]);
    assert_eq!(calls[2].1, json!({ "chain": [1, 2] }));
    assert_eq!(calls[3].1, json!({ "groups": 1 }));
}

#[tokio::test]
async fn a_refused_call_is_reported_with_the_response() {
    let (calls, ended) = configured(TWO_STEPS, |_| (StatusCode::CONFLICT, "taken".into())).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(ended, Err("POST /keys got status 409: taken".to_owned()));
}

#[tokio::test]
async fn a_redirect_does_not_carry_keys_to_another_port() {
    let (elsewhere, calls) = server(|_| (StatusCode::OK, "{}".to_owned())).await;
    let redirect = Redirect::temporary(&format!("http://{elsewhere}/keys"));
    let app = Router::new().fallback(move || std::future::ready(redirect.clone()));
    let ended = configured_at(listening(app).await, TWO_STEPS).await;
    assert_eq!(ended, Err("POST /keys got status 307: ".to_owned()));
    assert!(calls.lock().expect("no call panics").is_empty());
}

#[tokio::test]
async fn a_response_without_a_value_to_keep_is_reported() {
    let (_, ended) = configured(TWO_STEPS, |_| (StatusCode::OK, "{}".into())).await;
    assert_eq!(ended, Err("POST /keys got a response without /made/id: {}".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_never_sent() {
    let adapter = "admin: [{ each: once, post: /a, body: '{ a' }]\n";
    let (calls, ended) = configured(adapter, |_| (StatusCode::OK, String::new())).await;
    assert!(calls.is_empty());
    let shown = ended.expect_err("it must be rejected");
    assert!(shown.contains("the body for POST /a is not JSON"), "{shown}");
}

/// A gateway that can be launched. It prints this address, at which a server of the test listens.
#[cfg(unix)]
fn ready_to_launch(address: SocketAddr) -> (Adapter, Configuration, Site, TempDir) {
    let start = MINIMAL.find("launch:").expect("it has one");
    let adapter = format!(
        "{}admin: [{{ each: once, post: /configure, body: '{{}}' }}]\n\
         launch:\n  program: sh\n  arguments: [-c, \"trap '' HUP; echo at {address}; exec sleep 60\"]\n  \
         reload: HUP\n  \
         ready: {{ path: /health, contains: it is up, address_after: 'at ', seconds: 30 }}\n",
        &MINIMAL[..start]
    );
    let adapter = read(&adapter).expect("it is valid");
    let folder = TempDir::new().expect("a temporary folder");
    let installation = adapter.locate(None, None).expect("every Unix has sh");
    let site = Site { folder: folder.path().to_owned(), installation, ..site() };
    let plan = adapter.plan(&scenarios(&["chat/openai-to-azure-legacy"]), &addresses());
    let configuration = adapter.render(&plan, &site).expect("it can be rendered");
    (adapter, configuration, site, folder)
}

#[cfg(unix)]
#[tokio::test]
async fn a_gateway_that_reloads_is_configured_again() {
    let (address, calls) = server(|_| (StatusCode::OK, "it is up".into())).await;
    let (adapter, configuration, site, _folder) = ready_to_launch(address);
    let process = adapter.launch(&configuration, &site).await.expect("it is started");
    let process = adapter.reload(process, &configuration, &site).await.expect("it is up");
    process.stop(std::future::ready(())).await;
    let calls = calls.lock().expect("no call panics");
    let paths: Vec<_> = calls.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/health", "/configure", "/health", "/configure"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_gateway_that_redirects_is_not_ready_and_its_key_stays_there() {
    let (elsewhere, calls) = server(|_| (StatusCode::OK, "it is up".into())).await;
    let (asked, mut questions) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new().fallback(move || {
        // The receiver is dropped at the end of the test.
        let _ = asked.send(());
        std::future::ready(Redirect::temporary(&format!("http://{elsewhere}/health")))
    });
    let (adapter, configuration, site, _folder) = ready_to_launch(listening(app).await);
    tokio::select! {
        launched = adapter.launch(&configuration, &site) => panic!("it is not ready: {launched:?}"),
        // It is asked again because the first answer does not count.
        _ = async { questions.recv().await.and(questions.recv().await) } => {}
    }
    assert!(calls.lock().expect("no call panics").is_empty());
}
