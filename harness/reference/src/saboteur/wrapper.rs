//! Wrappers of the reference router that change its responses or call it more than once.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use fallproof_router::{Clock, Config, app_with_clock as reference};
use futures_util::stream::unfold;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::stream::{self, StreamFault};
use fallproof_suite::plan::Group;

/// Suffix of a group that holds the fallbacks of another group's chain.
const REST: &str = ".rest";

/// The behavior of the wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// After a success, the remaining deployments are called too.
    AsksEveryone,
    /// Each response exposes the credential of the group's first deployment in a header.
    QuotesKey,
    /// A call whose `metadata` names a group skips the first deployment.
    ObeysMetadata,
    /// A call with a header of another gateway skips the first deployment.
    ObeysHeader,
    /// Streams are changed.
    Streams(StreamFault),
    /// When all deployments of a group have failed, another group of the scenario is called.
    CrossesGroups,
    /// A call is completed even if its client has disconnected.
    OutlivesClient,
    /// A failed call never gets a response.
    LeavesHanging,
    /// A stream is aborted when its group's timeout has passed, even if its events keep coming.
    LimitsStreams,
    /// A call gets the first successful response of any group of the scenario.
    MixesUp,
    /// A stream names the model of the group's first deployment, whichever one answers.
    ClaimsFirstModel,
    /// A failed call is repeated once, whatever the failure was.
    AsksAgain,
    /// A call whose body has a content coding is answered with 500.
    ChokesOnCoding,
    /// A call whose body has a member with the value null gets an error without an attempt.
    FailsOnNull,
    /// A call whose body has a member of an unusual type gets an error without an attempt.
    FailsOnTypes,
    /// A call that continues from a previous response goes to a router that does not know it.
    ForgetsIssuers,
}

struct WrapperState {
    wrapper: Wrapper,
    router: Router,
    /// A second router with the same configuration but separate state.
    other: Router,
    first_keys: HashMap<String, String>,
    /// Model names of each group's deployments, in order.
    names: HashMap<String, Vec<String>>,
    /// Scenario of each group.
    scenarios: HashMap<String, String>,
    /// Timeout of each group.
    timeouts: HashMap<String, Duration>,
    /// Body of the first success of each scenario.
    successes: Mutex<HashMap<String, Bytes>>,
}

/// The reference router with this wrapper.
pub fn app(wrapper: Wrapper, mut config: Config, groups: &[Group], clock: Clock) -> Router {
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
    let timeouts = groups
        .iter()
        .map(|it| (it.model.clone(), Duration::from_millis(it.policy.timeout_ms)))
        .collect();
    let other = reference(config.clone(), clock.clone());
    let router = reference(config, clock);
    let successes = Mutex::default();
    let state = Arc::new(WrapperState {
        wrapper,
        router,
        other,
        first_keys,
        names,
        scenarios,
        timeouts,
        successes,
    });
    Router::new().fallback(answer).with_state(state)
}

async fn answer(State(state): State<Arc<WrapperState>>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    if state.wrapper == Wrapper::ChokesOnCoding && parts.headers.contains_key(CONTENT_ENCODING) {
        return choked();
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let group = asked["model"].as_str().unwrap_or_default().to_owned();
    let has_failed = match state.wrapper {
        Wrapper::FailsOnNull => has_null(&asked),
        Wrapper::FailsOnTypes => has_odd_type(&asked),
        _ => false,
    };
    if has_failed {
        return failure();
    }
    let obeys = match state.wrapper {
        Wrapper::ObeysMetadata => asked["metadata"]["model_group"].is_string(),
        Wrapper::ObeysHeader => parts.headers.contains_key("x-portkey-config"),
        _ => false,
    };
    if obeys {
        return state.ask(&parts, rest_of(&group, &body)).await;
    }
    let mut response = match state.wrapper {
        Wrapper::ForgetsIssuers if asked["previous_response_id"].is_string() => {
            ask(&state.other, &parts, body.clone()).await
        }
        Wrapper::OutlivesClient => state.clone().ask_to_the_end(parts.clone(), body.clone()).await,
        _ => state.ask(&parts, body.clone()).await,
    };
    match state.wrapper {
        Wrapper::CrossesGroups if !response.status().is_success() => {
            if let Some(other) = state.sibling(&group) {
                response = state.ask(&parts, renamed(&body, &group, &other)).await;
            }
        }
        Wrapper::AsksAgain if !response.status().is_success() => {
            response = state.ask(&parts, body).await;
        }
        Wrapper::LeavesHanging if !response.status().is_success() => std::future::pending().await,
        Wrapper::MixesUp if asked["stream"] != true && response.status().is_success() => {
            response = state.first_success(&group, response).await;
        }
        Wrapper::AsksEveryone if response.status().is_success() && !group.is_empty() => {
            state.ask(&parts, rest_of(&group, &body)).await;
        }
        Wrapper::QuotesKey => {
            if let Some(key) = state.first_keys.get(&group)
                && let Ok(key) = HeaderValue::try_from(key)
            {
                response.headers_mut().insert("x-provider-key", key);
            }
        }
        Wrapper::ClaimsFirstModel if stream::is_stream(&response) => {
            let (head, events) = response.into_parts();
            let mut events = stream::read(events).await.concat();
            let names = state.names.get(&group).map(Vec::as_slice).unwrap_or_default();
            for name in names.iter().skip(1) {
                let member = |name: &str| format!("\"model\":\"{name}\"");
                events = events.replace(&member(name), &member(&names[0]));
            }
            response = Response::from_parts(head, events.into());
        }
        Wrapper::LimitsStreams if stream::is_stream(&response) => {
            if let Some(timeout) = state.timeouts.get(&group) {
                response = response.map(|body| stream::limited(body, started + *timeout));
            }
        }
        Wrapper::Streams(fault) if stream::is_stream(&response) => {
            let (mut head, events) = response.into_parts();
            let events = stream::read(events).await;
            let rest = if fault.asks_on() && stream::is_broken(&events) {
                let answer = state.ask(&parts, rest_of(&group, &body)).await;
                stream::read(answer.into_body()).await
            } else {
                Vec::new()
            };
            if let Some((name, value)) = fault.header() {
                head.headers.insert(name, value);
            }
            let groups = state.groups_beside(&group);
            let events = fault.apply(events, rest, &groups);
            response = Response::from_parts(head, events.concat().into());
        }
        Wrapper::Streams(fault) if asked["stream"] == true => {
            response = fault.apply_to_error(response).await;
        }
        _ => {}
    }
    response
}

/// The answer to a body that the wrapper cannot read.
fn choked() -> Response {
    own_failure(r#"{"error":{"message":"Unexpected byte 0x1f."}}"#)
}

/// Whether a member of the body is null.
fn has_null(asked: &Value) -> bool {
    asked.as_object().is_some_and(|members| members.values().any(Value::is_null))
}

/// Whether a member that gateways read themselves has a type that is not its own.
fn has_odd_type(asked: &Value) -> bool {
    let is_odd = |name: &str, is_usual: fn(&Value) -> bool| {
        asked.get(name).is_some_and(|value| !value.is_null() && !is_usual(value))
    };
    is_odd("user", Value::is_string) || is_odd("metadata", Value::is_object)
}

/// The answer to a body that the wrapper does not expect.
fn failure() -> Response {
    own_failure(r#"{"error":{"message":"Something went wrong.","type":"server_error"}}"#)
}

/// An error of the gateway itself.
fn own_failure(error: &'static str) -> Response {
    let mut response = Response::new(Body::from(error));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The same request for the fallbacks of the group's chain.
fn rest_of(group: &str, body: &[u8]) -> Bytes {
    renamed(body, group, &format!("{group}{REST}"))
}

/// The same request for another group.
fn renamed(body: &[u8], group: &str, other: &str) -> Bytes {
    let text = String::from_utf8_lossy(body);
    text.replace(&format!("\"{group}\""), &format!("\"{other}\"")).into()
}

impl WrapperState {
    /// Another group of the same scenario.
    fn sibling(&self, group: &str) -> Option<String> {
        self.groups_beside(group).first().map(|name| (*name).to_owned())
    }

    /// The other groups of the same scenario.
    fn groups_beside(&self, group: &str) -> Vec<&str> {
        let Some(scenario) = self.scenarios.get(group) else { return Vec::new() };
        let others = self.scenarios.iter().filter(|(name, it)| *name != group && *it == scenario);
        others.map(|(name, _)| name.as_str()).collect()
    }

    /// Makes the call, and reads the response to its end even if the client has disconnected.
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

    /// Replaces the body with that of the first success in the group's scenario.
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
