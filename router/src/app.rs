//! The side that clients see: routes, client keys, and what is read of a request.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::net::TcpListener;

use crate::attempt::{Call, Upstreams, forwarded};
use crate::chain;
use crate::config::{Config, Endpoint};
use crate::error::ApiError;
use crate::splice::ClientBody;

/// What every request shares.
#[derive(Debug)]
struct Gateway {
    config: Config,
    upstreams: Upstreams,
}

/// The router as an axum application: `POST /v1/chat/completions`, `/v1/embeddings`,
/// `/v1/responses` and `/v1/responses/compact`, `GET /v1/models` and `/health`.
///
/// A client that leaves drops its handler, and with it the request to the provider.
pub fn app(config: Config) -> Router {
    let body_limit = config.body_limit;
    let gateway = Arc::new(Gateway { upstreams: Upstreams::new(body_limit), config });
    let mut router =
        Router::new().route("/health", get(health)).route("/v1/models", get(list_models));
    for endpoint in Endpoint::ALL {
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

/// Serves clients until `shutdown` is done and the calls under way are answered.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, app(config)).with_graceful_shutdown(shutdown).await
}

/// One client call, from its head to its answer.
async fn answer(
    State(gateway): State<Arc<Gateway>>,
    endpoint: Endpoint,
    request: Request,
) -> Result<Response, ApiError> {
    gateway.admit(request.headers())?;
    let headers = forwarded(request.headers());
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| {
        ApiError::unread_body(rejection.status(), gateway.config.body_limit)
    })?;
    let body = ClientBody::parse(bytes)?;
    let group = gateway.config.groups.get(body.model());
    let group = group.ok_or_else(|| ApiError::unknown_model(body.model()))?;
    if body.asks_for_stream() && matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Responses)
    {
        return Err(ApiError::no_streams());
    }
    let call = Call { endpoint, headers, body };
    Ok(chain::walk(&gateway.upstreams, group, &call).await.into_response())
}

/// The groups, as `OpenAI` lists models. They have no age, so `created` is the epoch.
async fn list_models(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    gateway.admit(&headers)?;
    let model =
        |name| json!({"id": name, "object": "model", "created": 0, "owned_by": "fallproof"});
    let models: Vec<_> = gateway.config.groups.keys().map(model).collect();
    Ok(json_body(&json!({"object": "list", "data": models})))
}

async fn health() -> impl IntoResponse {
    json_body(&json!({"status": "ok"}))
}

fn json_body(value: &serde_json::Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}

impl Gateway {
    /// Whether the client may call at all.
    fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(keys) = &self.config.client_keys else {
            return Ok(());
        };
        let presented = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        match presented {
            Some(presented) if keys.iter().any(|key| key.is(presented)) => Ok(()),
            presented => Err(ApiError::unauthorized(presented.is_some())),
        }
    }
}

/// The token after `Bearer`, whose case does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}
