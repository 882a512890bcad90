//! The client side of the router: routes, authentication of clients, and parsing of requests.

use std::io;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use indexmap::IndexMap;
use serde_json::json;
use tokio::net::TcpListener;

use crate::attempt::HttpClient;
use crate::call::Call;
use crate::chain;
use crate::clock::Clock;
use crate::config::{Config, Credential};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::headers::forwarded;
use crate::route::Route;
use crate::splice::ClientBody;

/// State shared by all requests.
#[derive(Debug)]
struct Gateway {
    client_keys: Option<Vec<Credential>>,
    body_limit: usize,
    groups: IndexMap<String, Route>,
    http_client: HttpClient,
}

/// The router as an axum application: `POST` on the paths of [`Endpoint::ALL`] below `/v1`, `GET
/// /v1/models` and `/health`.
///
/// When a client disconnects, its handler or response body is dropped, which cancels the request to
/// the provider.
pub fn app(config: Config) -> Router {
    app_with_clock(config, Clock::System)
}

/// Like [`app`], but cooldowns use this clock. Network timeouts use real time.
pub fn app_with_clock(config: Config, clock: Clock) -> Router {
    let Config { client_keys, body_limit, groups } = config;
    let groups = groups.into_iter().map(move |(name, group)| (name, Route::new(group, &clock)));
    let groups = groups.collect();
    let http_client = HttpClient::new(body_limit);
    let gateway = Arc::new(Gateway { client_keys, body_limit, groups, http_client });
    let mut router =
        Router::new().route("/health", get(health)).route("/v1/models", get(list_models));
    for &endpoint in Endpoint::ALL {
        let handler = move |gateway, request| answer(gateway, endpoint, request);
        router = router.route(&format!("/v1/{}", endpoint.path()), post(handler));
    }
    router
        .fallback(
            |method: Method, uri: Uri| async move { ApiError::unknown_path(&method, uri.path()) },
        )
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
            ApiError::wrong_method(&method, uri.path())
        })
        .layer(DefaultBodyLimit::max(body_limit))
        .with_state(gateway)
}

/// Serves clients until `shutdown` completes and all calls in progress have ended.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, app(config)).with_graceful_shutdown(shutdown).await
}

/// Handles a client call.
async fn answer(
    State(gateway): State<Arc<Gateway>>,
    endpoint: Endpoint,
    request: Request,
) -> Result<Response, ApiError> {
    gateway.admit(request.headers())?;
    let headers = forwarded(request.headers());
    let bytes = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| ApiError::unread_body(rejection.status(), gateway.body_limit))?;
    let body = if endpoint.takes_a_form() {
        ClientBody::form(bytes, &headers)?
    } else {
        ClientBody::json(bytes)?
    };
    let route = gateway.groups.get(&body.model);
    let route = route.ok_or_else(|| ApiError::unknown_model(&body.model))?;
    let call = Call { endpoint, headers, body };
    Ok(chain::answer(&gateway.http_client, route, &call).await.into_response())
}

/// Lists the groups in the format of `OpenAI`'s list of models. A group does not have a creation
/// time, so `created` is 0.
async fn list_models(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    gateway.admit(&headers)?;
    let model =
        |name| json!({"id": name, "object": "model", "created": 0, "owned_by": "fallproof"});
    let models: Vec<_> = gateway.groups.keys().map(model).collect();
    Ok(Json(json!({"object": "list", "data": models})))
}

async fn health() -> impl IntoResponse {
    Json(json!({"status": "ok"}))
}

impl Gateway {
    /// Checks the client's API key.
    fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(keys) = &self.client_keys else {
            return Ok(());
        };
        let presented = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        match presented {
            Some(presented) if keys.iter().any(|key| key.is(presented)) => Ok(()),
            presented => Err(ApiError::unauthorized(presented.is_some())),
        }
    }
}

/// The token after `Bearer`. The case of this word does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}
