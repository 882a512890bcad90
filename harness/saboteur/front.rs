//! What stands in front of the reference router and spoils its answers, or asks it once too often.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use fallproof_router::{Clock, Config, app_with_clock as reference};
use serde_json::Value;
use tower::ServiceExt as _;

use super::stream::{self, Tamper};
use crate::plan::Group;

/// Names the group that asks for the rest of another's chain.
const REST: &str = ".rest";

/// What is done in front of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// A success is not the end: the rest of the chain is asked too.
    AsksEveryone,
    /// Each answer shows the credential of the group's first deployment in a header.
    QuotesKey,
    /// A client whose `metadata` names a group is sent past the first deployment.
    ObeysMetadata,
    /// So is one with a header for another gateway.
    ObeysHeader,
    /// What is streamed is spoiled.
    Streams(Tamper),
}

struct Spoiled {
    front: Front,
    router: Router,
    first_keys: HashMap<String, String>,
}

/// The reference router behind `front`.
pub fn app(front: Front, mut config: Config, groups: &[Group], clock: Clock) -> Router {
    let rests: Vec<_> = config
        .groups
        .iter()
        .filter_map(|(name, group)| {
            let (primary, fallbacks) = group.fallbacks.split_first()?;
            let mut rest = group.clone();
            rest.primary = primary.clone();
            rest.fallbacks = fallbacks.to_vec();
            Some((format!("{name}{REST}"), rest))
        })
        .collect();
    config.groups.extend(rests);
    let first_keys =
        groups.iter().map(|group| (group.group.clone(), group.chain[0].key.clone())).collect();
    let spoiled = Arc::new(Spoiled { front, router: reference(config, clock), first_keys });
    Router::new().fallback(answer).with_state(spoiled)
}

async fn answer(State(spoiled): State<Arc<Spoiled>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let group = asked["model"].as_str().unwrap_or_default().to_owned();
    let obeys = match spoiled.front {
        Front::ObeysMetadata => asked["metadata"]["model_group"].is_string(),
        Front::ObeysHeader => parts.headers.contains_key("x-portkey-config"),
        Front::AsksEveryone | Front::QuotesKey | Front::Streams(_) => false,
    };
    if obeys {
        return spoiled.ask(&parts, rest_of(&group, &body)).await;
    }
    let mut response = spoiled.ask(&parts, body.clone()).await;
    match spoiled.front {
        Front::AsksEveryone if response.status().is_success() => {
            spoiled.ask(&parts, rest_of(&group, &body)).await;
        }
        Front::QuotesKey => {
            if let Some(key) = spoiled.first_keys.get(&group)
                && let Ok(key) = HeaderValue::try_from(key)
            {
                response.headers_mut().insert("x-provider-key", key);
            }
        }
        Front::Streams(tamper) if stream::is_stream(&response) => {
            let (mut head, events) = response.into_parts();
            let events = stream::read(events).await;
            let rest = if tamper.asks_on() && stream::is_broken(&events) {
                let answer = spoiled.ask(&parts, rest_of(&group, &body)).await;
                stream::read(answer.into_body()).await
            } else {
                Vec::new()
            };
            if tamper == Tamper::NamesJson {
                head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            response = Response::from_parts(head, tamper.spoil(events, rest).concat().into());
        }
        Front::Streams(tamper) if asked["stream"] == true => {
            response = tamper.spoil_error(response).await;
        }
        Front::AsksEveryone | Front::ObeysMetadata | Front::ObeysHeader | Front::Streams(_) => {}
    }
    response
}

/// The same request for the rest of the group's chain.
fn rest_of(group: &str, body: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(body);
    text.replace(&format!("\"{group}\""), &format!("\"{group}{REST}\"")).into()
}

impl Spoiled {
    async fn ask(&self, parts: &Parts, body: Bytes) -> Response {
        let mut parts = parts.clone();
        parts.headers.remove("content-length");
        let request = Request::from_parts(parts, Body::from(body));
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
