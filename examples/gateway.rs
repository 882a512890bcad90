//! A small gateway for chat completions. It shows what the suite reports about a gateway:
//!
//! ```text
//! cargo build --example gateway
//! fallproof run routing/openai-to-azure chat --adapter examples/gateway.yaml --launch --program target/debug/examples/gateway
//! ```
//!
//! It reads `gateway.json`, which Fallproof writes with the adapter `gateway.yaml`. It calls the
//! deployments of a group in order, and returns the first success. It has no cooldown and no
//! timeout, and does not check the client's key.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::{env, fs};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Config {
    listen: String,
    groups: HashMap<String, Vec<Deployment>>,
}

#[derive(Deserialize)]
struct Deployment {
    /// The full URL of the endpoint.
    url: String,
    /// The name that requests must use.
    name: String,
    key: String,
    is_azure: bool,
}

struct Gateway {
    config: Config,
    client: reqwest::Client,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).unwrap_or_else(|| "gateway.json".to_owned());
    let config: Config = serde_json::from_str(&fs::read_to_string(file)?)?;
    let listener = tokio::net::TcpListener::bind(&config.listen).await?;
    let gateway = Arc::new(Gateway { config, client: reqwest::Client::new() });
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/v1/chat/completions", post(chat))
        .with_state(gateway);
    Ok(axum::serve(listener, router).await?)
}

async fn chat(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Response {
    let Ok(mut request) = serde_json::from_slice::<Value>(&body) else {
        return error(StatusCode::BAD_REQUEST, "the body is not JSON");
    };
    let group = request["model"].as_str().and_then(|name| gateway.config.groups.get(name));
    let Some(chain) = group else {
        return error(StatusCode::NOT_FOUND, "no such model");
    };
    let mut last = error(StatusCode::BAD_GATEWAY, "no deployment answered");
    for deployment in chain {
        request["model"] = deployment.name.clone().into();
        let attempt = gateway.client.post(&deployment.url).body(request.to_string());
        let attempt = attempt.header(header::CONTENT_TYPE, "application/json");
        let attempt = if deployment.is_azure {
            attempt.header("api-key", &deployment.key)
        } else {
            attempt.bearer_auth(&deployment.key)
        };
        let Ok(answer) = attempt.send().await else { continue };
        let status = answer.status();
        let is_final = status.is_success() || matches!(status.as_u16(), 400 | 413 | 422);
        last = passed_on(answer);
        if is_final {
            break;
        }
    }
    last
}

/// Forwards the status, content type and body of a deployment's response unchanged.
fn passed_on(answer: reqwest::Response) -> Response {
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    let mut response = (status, Body::from_stream(answer.bytes_stream())).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

fn error(status: StatusCode, message: &str) -> Response {
    let error = json!({ "message": message, "type": "gateway_error", "param": null, "code": null });
    (status, axum::Json(json!({ "error": error }))).into_response()
}
