//! What stands in front of the reference router and spoils its answers, or asks it once too often.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use fallproof_router::{Clock, Config, app_with_clock as reference};
use futures_util::stream::unfold;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt as _;

use super::stream::{self, StreamFault};
use fallproof_suite::plan::Group;

/// Names the group that asks for the rest of another's chain.
const REST: &str = ".rest";

/// What is done in front of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// A success is not the end: the rest of the chain is asked too.
    AsksEveryone,
    /// Each answer shows the credential of the group's first deployment in a header.
    QuotesKey,
    /// A client whose `metadata` names a group is sent past the first deployment.
    ObeysMetadata,
    /// So is one with a header for another gateway.
    ObeysHeader,
    /// What is streamed is spoiled.
    Streams(StreamFault),
    /// When all of a group has failed, another group of the scenario is asked.
    CrossesGroups,
    /// A call is carried through whether or not its client is still there.
    OutlivesClient,
    /// A call that has failed is never answered.
    LeavesHanging,
    /// A call gets the first success that any group of the scenario had.
    MixesUp,
    /// A stream names the model of the group's first deployment, whoever speaks.
    ClaimsFirstModel,
    /// A call that has failed is made once more, whatever it failed with.
    AsksAgain,
    /// A call that goes on from a response meets a router that has never heard of it.
    ForgetsIssuers,
}

struct Changed {
    front: Wrapper,
    router: Router,
    /// Configured alike, with a memory of its own.
    other: Router,
    first_keys: HashMap<String, String>,
    /// The names of each group's deployments, in order.
    names: HashMap<String, Vec<String>>,
    /// The scenario of each group.
    scenarios: HashMap<String, String>,
    /// The first success of each scenario.
    successes: Mutex<HashMap<String, Bytes>>,
}

/// The reference router behind `front`.
pub fn app(front: Wrapper, mut config: Config, groups: &[Group], clock: Clock) -> Router {
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
        groups.iter().map(|group| (group.model.clone(), group.chain[0].key.clone())).collect();
    let names = |group: &Group| {
        group.deployments().map(|deployment| deployment.deployment_name.clone()).collect()
    };
    let names = groups.iter().map(|group| (group.model.clone(), names(group))).collect();
    let scenarios = groups.iter().map(|it| (it.model.clone(), it.scenario.clone())).collect();
    let other = reference(config.clone(), clock.clone());
    let router = reference(config, clock);
    let successes = Mutex::default();
    let spoiled =
        Arc::new(Changed { front, router, other, first_keys, names, scenarios, successes });
    Router::new().fallback(answer).with_state(spoiled)
}

async fn answer(State(spoiled): State<Arc<Changed>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let group = asked["model"].as_str().unwrap_or_default().to_owned();
    let obeys = match spoiled.front {
        Wrapper::ObeysMetadata => asked["metadata"]["model_group"].is_string(),
        Wrapper::ObeysHeader => parts.headers.contains_key("x-portkey-config"),
        _ => false,
    };
    if obeys {
        return spoiled.ask(&parts, rest_of(&group, &body)).await;
    }
    let mut response = match spoiled.front {
        Wrapper::ForgetsIssuers if asked["previous_response_id"].is_string() => {
            ask(&spoiled.other, &parts, body.clone()).await
        }
        Wrapper::OutlivesClient => {
            spoiled.clone().ask_to_the_end(parts.clone(), body.clone()).await
        }
        _ => spoiled.ask(&parts, body.clone()).await,
    };
    match spoiled.front {
        Wrapper::CrossesGroups if !response.status().is_success() => {
            if let Some(other) = spoiled.sibling(&group) {
                response = spoiled.ask(&parts, renamed(&body, &group, &other)).await;
            }
        }
        Wrapper::AsksAgain if !response.status().is_success() => {
            response = spoiled.ask(&parts, body).await;
        }
        Wrapper::LeavesHanging if !response.status().is_success() => std::future::pending().await,
        Wrapper::MixesUp if asked["stream"] != true && response.status().is_success() => {
            response = spoiled.first_success(&group, response).await;
        }
        Wrapper::AsksEveryone if response.status().is_success() && !group.is_empty() => {
            spoiled.ask(&parts, rest_of(&group, &body)).await;
        }
        Wrapper::QuotesKey => {
            if let Some(key) = spoiled.first_keys.get(&group)
                && let Ok(key) = HeaderValue::try_from(key)
            {
                response.headers_mut().insert("x-provider-key", key);
            }
        }
        Wrapper::ClaimsFirstModel if stream::is_stream(&response) => {
            let (head, events) = response.into_parts();
            let mut events = stream::read(events).await.concat();
            let names = spoiled.names.get(&group).map(Vec::as_slice).unwrap_or_default();
            for name in names.iter().skip(1) {
                let said = |name: &str| format!("\"model\":\"{name}\"");
                events = events.replace(&said(name), &said(&names[0]));
            }
            response = Response::from_parts(head, events.into());
        }
        Wrapper::Streams(tamper) if stream::is_stream(&response) => {
            let (mut head, events) = response.into_parts();
            let events = stream::read(events).await;
            let rest = if tamper.asks_on() && stream::is_broken(&events) {
                let answer = spoiled.ask(&parts, rest_of(&group, &body)).await;
                stream::read(answer.into_body()).await
            } else {
                Vec::new()
            };
            if tamper == StreamFault::NamesJson {
                head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            response = Response::from_parts(head, tamper.spoil(events, rest).concat().into());
        }
        Wrapper::Streams(tamper) if asked["stream"] == true => {
            response = tamper.spoil_error(response).await;
        }
        _ => {}
    }
    response
}

/// The same request for the rest of the group's chain.
fn rest_of(group: &str, body: &[u8]) -> Bytes {
    renamed(body, group, &format!("{group}{REST}"))
}

/// The same request for another group.
fn renamed(body: &[u8], group: &str, other: &str) -> Bytes {
    let text = String::from_utf8_lossy(body);
    text.replace(&format!("\"{group}\""), &format!("\"{other}\"")).into()
}

impl Changed {
    /// Another group of the same scenario.
    fn sibling(&self, group: &str) -> Option<String> {
        let scenario = self.scenarios.get(group)?;
        let mut others = self.scenarios.iter().filter(|(name, _)| *name != group);
        others.find(|(_, it)| *it == scenario).map(|(name, _)| name.clone())
    }

    /// The answer, which is read to its end also where nobody takes it any more.
    async fn ask_to_the_end(self: Arc<Self>, parts: Parts, body: Bytes) -> Response {
        let (answered, answer) = oneshot::channel();
        tokio::spawn(async move {
            let (head, mut body) = self.ask(&parts, body).await.into_parts();
            let (frames, taken) = mpsc::unbounded_channel();
            let _ = answered.send((head, taken));
            while let Some(frame) = poll_fn(|it| Pin::new(&mut body).poll_frame(it)).await {
                let _ = frames.send(frame.map(|frame| frame.into_data().unwrap_or_default()));
            }
        });
        let Ok((head, taken)) = answer.await else { return Response::default() };
        let frames = unfold(taken, |mut taken| async { Some((taken.recv().await?, taken)) });
        Response::from_parts(head, Body::from_stream(frames))
    }

    /// What the first call of the group's scenario was answered.
    async fn first_success(&self, group: &str, response: Response) -> Response {
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let scenario = self.scenarios.get(group).cloned().unwrap_or_default();
        let mut successes = self.successes.lock();
        let first = successes.entry(scenario).or_insert(body).clone();
        let mut response = Response::from_parts(head, Body::from(first));
        response.headers_mut().remove("content-length");
        response
    }

    async fn ask(&self, parts: &Parts, body: Bytes) -> Response {
        ask(&self.router, parts, body).await
    }
}

async fn ask(router: &Router, parts: &Parts, body: Bytes) -> Response {
    let mut parts = parts.clone();
    parts.headers.remove("content-length");
    let request = Request::from_parts(parts, Body::from(body));
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
