//! What stands in front of the reference router and changes its answers.
//!
//! It leaves streams alone, and what breaks off: to change an answer it must hold the whole of it.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use fallproof_router::{Clock, Config, app_with_clock as reference};
use futures_util::stream::once;
use serde_json::Value;
use tokio::task::yield_now;

use super::stream;
use fallproof_protocol::json::Tree;
use fallproof_suite::plan::Group;

/// One answer on its way from the router to the client.
pub struct Answer<'a> {
    /// The group that the client asked for.
    pub group: &'a Group,
    /// Status and headers.
    pub head: &'a mut Parts,
    /// The body, whole.
    pub body: &'a mut Vec<u8>,
}

impl Answer<'_> {
    /// Whether it tells the client of a success.
    pub fn succeeds(&self) -> bool {
        self.head.status.is_success()
    }

    /// Changes a JSON body.
    pub fn edit(&mut self, change: impl FnOnce(&mut Tree)) {
        if let Ok(mut body) = Tree::parse(self.body) {
            change(&mut body);
            *self.body = body.compact().into_bytes();
        }
    }

    /// Puts other words in place of the body.
    pub fn replace(&mut self, status: StatusCode, kind: &'static str, body: &str) {
        self.head.status = status;
        self.head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *self.body = body.as_bytes().to_vec();
    }

    /// Adds a header.
    pub fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.head.headers.insert(HeaderName::from_static(name), value);
        }
    }
}

struct ResponseChange {
    groups: Vec<Group>,
    change: fn(&mut Answer<'_>),
}

/// The reference router, each of whose answers is changed.
pub fn app(change: fn(&mut Answer<'_>), config: Config, groups: &[Group], clock: Clock) -> Router {
    let spoiling = Arc::new(ResponseChange { groups: groups.to_vec(), change });
    reference(config, clock).layer(middleware::from_fn_with_state(spoiling, spoil))
}

async fn spoil(
    State(spoiling): State<Arc<ResponseChange>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    let group = spoiling.groups.iter().find(|group| asked["model"] == *group.model);
    // An error is none, also where a stream was asked for.
    let is_stream = asked["stream"] == Value::Bool(true) && response.status().is_success()
        || stream::is_stream(&response);
    let (Some(group), false) = (group, is_stream) else { return response };
    let (mut head, body) = response.into_parts();
    let mut body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body.to_vec(),
        Err(_) => return Response::from_parts(head, broken()),
    };
    (spoiling.change)(&mut Answer { group, head: &mut head, body: &mut body });
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// A body that breaks off.
fn broken() -> Body {
    let cut = once(async {
        // The head is flushed while the body is pending, not when it is cut.
        yield_now().await;
        Err::<Bytes, _>(io::Error::other("the provider's answer broke off"))
    });
    Body::from_stream(cut)
}
