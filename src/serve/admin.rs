//! The admin API: returns the request log, sets scripts, and resets the providers.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;
use tokio::net::TcpListener;

use super::hosts::Hosts;
use super::{Played, Providers, Script, view};

/// Serves the admin API until `stop` completes.
pub(super) async fn serve(
    listener: TcpListener,
    providers: Providers,
    hosts: Hosts,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let app = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/requests", get(request_log).delete(forget))
        .route("/script/{provider}", put(script))
        .route("/reset", post(reset))
        .with_state(Arc::new(providers))
        .layer(middleware::from_fn_with_state(Arc::new(hosts), of_a_program));
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop);
    // Never an error: the listener goes on after a connection that cannot be accepted.
    let _ = serving.await;
}

/// Refuses requests that a page of another site made.
async fn of_a_program(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match hosts.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(reason) => complaint(StatusCode::FORBIDDEN, &reason),
    }
}

/// Response header with the number of requests that were dropped since the start because the
/// request log was full.
const DROPPED: &str = "fallproof-dropped";

/// Returns all requests since the last reset, in order of arrival, including unmatched ones.
async fn request_log(State(providers): State<Arc<Providers>>) -> impl IntoResponse {
    let mut requests = Vec::new();
    for played in Played::iter() {
        let of_one = providers.wire.requests(played.prefix()).await;
        requests.extend(
            of_one
                .into_iter()
                .map(|recorded| (recorded.seq, view::of(&recorded, &played.to_string()))),
        );
    }
    let unmatched = providers.wire.unmatched().await;
    requests
        .extend(unmatched.into_iter().map(|recorded| (recorded.seq, view::of(&recorded, "none"))));
    requests.sort_by_key(|(seq, _)| *seq);
    let (of_providers, unmatched) = providers.wire.dropped();
    let requests: Value = requests.into_iter().map(|(_, recorded)| recorded).collect();
    ([(DROPPED, (of_providers + unmatched).to_string())], Json(requests))
}

async fn forget(State(providers): State<Arc<Providers>>) -> Json<Value> {
    providers.forget().await;
    Json(json!({"forgotten": true}))
}

/// Sets the script of a provider. The script starts at its first behavior.
async fn script(
    State(providers): State<Arc<Providers>>,
    Path(provider): Path<String>,
    body: String,
) -> Response {
    let Ok(played) = provider.parse::<Played>() else {
        return complaint(
            StatusCode::NOT_FOUND,
            &format!("unknown provider `{provider}`; use `openai` or `azure`"),
        );
    };
    // JSON is valid YAML, so both get the same diagnostics.
    let script = match Script::parse(&body) {
        Ok(script) => script,
        Err(error) => return complaint(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match providers.play(played, script) {
        Ok(()) => Json(json!({"set": provider})).into_response(),
        Err(error) => complaint(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn reset(State(providers): State<Arc<Providers>>) -> Response {
    providers.forget().await;
    match providers.reset() {
        Ok(()) => Json(json!({"reset": true})).into_response(),
        Err(error) => complaint(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn complaint(status: StatusCode, message: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{message}\n")).into_response()
}
