//! A filter that changes the responses of the reference router.
//!
//! The filter needs the complete response. So it does not change streams, or responses that are cut
//! off.

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

/// A response on its way from the router to the client.
pub struct Answer<'a> {
    /// Group that the client called.
    pub group: &'a Group,
    /// The groups of all scenarios.
    pub groups: &'a [Group],
    /// Status and headers.
    pub head: &'a mut Parts,
    /// The complete body.
    pub body: &'a mut Vec<u8>,
}

impl Answer<'_> {
    /// Whether the client gets a success status.
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

    /// If the response is an error, appends this text to its message.
    pub fn add_to_error(&mut self, text: &str) {
        if self.succeeds() {
            return;
        }
        self.edit(|body| {
            let Tree::Object(members) = body else { return };
            for (_, error) in members.iter_mut().filter(|(name, _)| name == "error") {
                let message = error.member("message").and_then(Tree::as_str).unwrap_or_default();
                *error = error.with("message", &format!("{message} {text}"));
            }
        });
    }

    /// Replaces status and body.
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

/// The reference router with this change to each response.
pub fn app(change: fn(&mut Answer<'_>), config: Config, groups: &[Group], clock: Clock) -> Router {
    let state = Arc::new(ResponseChange { groups: groups.to_vec(), change });
    reference(config, clock).layer(middleware::from_fn_with_state(state, filter))
}

async fn filter(
    State(state): State<Arc<ResponseChange>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    let group = state.groups.iter().find(|group| asked["model"] == *group.model);
    // An error is not a stream, even if the client asked for one.
    let is_stream = asked["stream"] == Value::Bool(true) && response.status().is_success()
        || stream::is_stream(&response);
    let (Some(group), false) = (group, is_stream) else { return response };
    let (mut head, body) = response.into_parts();
    let mut body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body.to_vec(),
        Err(_) => return Response::from_parts(head, broken()),
    };
    let groups = &state.groups;
    (state.change)(&mut Answer { group, groups, head: &mut head, body: &mut body });
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// A body that is cut off.
fn broken() -> Body {
    let cut = once(async {
        // The headers are flushed while the body is pending, but not when it is cut off.
        yield_now().await;
        Err::<Bytes, _>(io::Error::other("the provider's response was cut off"))
    });
    Body::from_stream(cut)
}
