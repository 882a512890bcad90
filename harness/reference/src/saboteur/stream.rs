//! Faults of streams on their way to the client. A stream is read completely before it is changed.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody as _};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use futures_util::stream::unfold;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use fallproof_protocol::sse::{self, Event, EventKind};

/// A change to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFault {
    /// The stream is sent only when it is complete.
    Buffers,
    /// Events of more than 64 KiB are removed.
    LosesLarge,
    /// The first content is removed.
    LosesContent,
    /// The first content is duplicated.
    DoublesContent,
    /// The first content event is swapped with the next event.
    Reorders,
    /// The JSON of each event is respelled.
    Respells,
    /// The first non-ASCII character becomes two replacement characters.
    ManglesCharacters,
    /// The first event is duplicated.
    BeginsTwice,
    /// After a break the response of the next deployment is appended.
    Splices,
    /// After a break the next deployment is called, and its response discarded.
    AsksOn,
    /// The error of a broken stream is removed.
    SwallowsBreak,
    /// A broken stream ends as if it were complete.
    PretendsWhole,
    /// A broken stream first ends as if it were complete, and then reports the error.
    MakesUpEnd,
    /// The event that marks the end is removed.
    LosesEnd,
    /// The events are numbered from 0 again after the first content.
    RestartsNumbers,
    /// The error of a broken stream blames the client's request.
    BlamesRequest,
    /// The error of a broken stream shows a stack trace.
    ShowsStack,
    /// The error of a broken stream names all groups of the scenario.
    NamesGroups,
    /// The stream is labeled as gzip.
    ClaimsGzip,
    /// Usage is reported even if the client did not ask for it.
    AddsUsage,
    /// The stream is labeled as JSON.
    NamesJson,
    /// An error is sent as an event of a successful stream.
    SaysSuccess,
}

const DONE: &str = "data: [DONE]\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\
    \"completion_tokens\":1,\"total_tokens\":2}}\n\n";

/// Whether the response is an event stream.
pub(super) fn is_stream(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// The complete events of a stream, as text, up to its end or break.
pub(super) async fn read(body: Body) -> Vec<String> {
    let (mut body, mut bytes) = (body, Vec::new());
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        bytes.extend(frame.into_data().unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n");
    text.split_inclusive("\n\n").map(str::to_owned).collect()
}

/// A stream that breaks off at this time.
pub(super) fn limited(body: Body, end: Instant) -> Body {
    Body::from_stream(unfold(Some(body), move |body| async move {
        let mut body = body?;
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        match timeout_at(end, next).await {
            Ok(frame) => Some((frame?.map(|it| it.into_data().unwrap_or_default()), Some(body))),
            Err(_) => Some((Err(axum::Error::new("the stream took too long")), None)),
        }
    }))
}

/// Whether the stream contains an error.
pub(super) fn is_broken(blocks: &[String]) -> bool {
    blocks.iter().any(|block| means(block, EventKind::Error))
}

impl StreamFault {
    /// Whether another deployment is called after a break.
    pub(super) fn asks_on(self) -> bool {
        matches!(self, Self::Splices | Self::AsksOn)
    }

    /// The header that the change adds to a stream, or replaces.
    pub(super) fn header(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NamesJson => Some((CONTENT_TYPE, HeaderValue::from_static("application/json"))),
            Self::ClaimsGzip => Some((CONTENT_ENCODING, HeaderValue::from_static("gzip"))),
            _ => None,
        }
    }

    /// Applies the change to a stream. `rest` is the response of the next deployment after a break,
    /// and `groups` are the names of the scenario's groups.
    pub(super) fn apply(
        self,
        mut blocks: Vec<String>,
        rest: Vec<String>,
        groups: &[&str],
    ) -> Vec<String> {
        let is_broken = is_broken(&blocks);
        let is_frame = |event: &Event| event.is_beginning() || event.finishes();
        let first = blocks
            .iter()
            .position(|block| means(block, EventKind::Content) && !is_frame(&event(block)));
        match (self, first) {
            (Self::LosesLarge, _) => blocks.retain(|block| block.len() <= 64 * 1024),
            (Self::LosesContent, Some(first)) => {
                blocks.remove(first);
            }
            (Self::DoublesContent, Some(first)) => blocks.insert(first, blocks[first].clone()),
            (Self::Reorders, Some(first)) if first + 1 < blocks.len() && !is_broken => {
                blocks.swap(first, first + 1);
            }
            (Self::Respells, _) => {
                for block in &mut blocks {
                    *block = block.replace("data: {", "data: { ");
                }
            }
            (Self::ManglesCharacters, _) => {
                if let Some(block) = blocks.iter_mut().find(|block| !block.is_ascii()) {
                    let broken = block.find(|it: char| !it.is_ascii()).unwrap_or_default();
                    let length = block[broken..].chars().next().map_or(0, char::len_utf8);
                    block.replace_range(broken..broken + length, "\u{fffd}\u{fffd}");
                }
            }
            (Self::BeginsTwice, _) => {
                if let Some(at) = blocks.iter().position(|it| event(it).is_beginning()) {
                    blocks.insert(at, blocks[at].clone());
                }
            }
            (Self::Splices, _) if is_broken && !rest.is_empty() => {
                blocks.retain(|it| !means(it, EventKind::Error) && !means(it, EventKind::End));
                blocks.extend(rest);
            }
            (Self::RestartsNumbers, Some(first)) => {
                for (number, block) in blocks[first + 1..].iter_mut().enumerate() {
                    if let Some(own) = event(block).sequence_number() {
                        let member = |number: i64| format!("\"sequence_number\":{number}");
                        let number = i64::try_from(number).unwrap_or_default();
                        *block = block.replace(&member(own), &member(number));
                    }
                }
            }
            (Self::BlamesRequest, _) => {
                for block in blocks.iter_mut().filter(|block| means(block, EventKind::Error)) {
                    *block = block.replace("server_error", "invalid_request_error");
                }
            }
            (Self::ShowsStack, _) => {
                add_to_errors(
                    &mut blocks,
                    "Traceback (most recent call last): KeyError: 'choices'",
                );
            }
            (Self::NamesGroups, _) => {
                add_to_errors(&mut blocks, &format!("Groups: {}.", groups.join(", ")));
            }
            (Self::SwallowsBreak, _) => blocks.retain(|block| !means(block, EventKind::Error)),
            (Self::PretendsWhole, _) if is_broken => {
                blocks.retain(|it| !means(it, EventKind::Error) && !means(it, EventKind::End));
                blocks.extend([STOP, DONE].map(str::to_owned));
            }
            (Self::MakesUpEnd, _) if is_broken => {
                let error = blocks.iter().position(|block| means(block, EventKind::Error));
                blocks.insert(error.unwrap_or(blocks.len()), DONE.to_owned());
            }
            (Self::LosesEnd, _) => blocks.retain(|block| !means(block, EventKind::End)),
            (Self::AddsUsage, _) if !is_broken => {
                let is_counted = blocks.iter().any(|block| event(block).is_usage());
                let done = blocks.iter().position(|block| block == DONE);
                if let (Some(done), false) = (done, is_counted) {
                    blocks.insert(done, USAGE.to_owned());
                }
            }
            _ => {}
        }
        blocks
    }

    /// Applies the change to a response that is not a stream.
    pub(super) async fn apply_to_error(self, response: Response<Body>) -> Response<Body> {
        if self != Self::SaysSuccess || response.status().is_success() {
            return response;
        }
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        let error: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut success = Response::new(Body::from(format!("data: {error}\n\n")));
        *success.status_mut() = StatusCode::OK;
        let kind = HeaderValue::from_static("text/event-stream");
        success.headers_mut().insert(CONTENT_TYPE, kind);
        success
    }
}

/// Puts this text before the message of each error event.
fn add_to_errors(blocks: &mut [String], text: &str) {
    for block in blocks.iter_mut().filter(|block| means(block, EventKind::Error)) {
        *block = block.replace("\"message\":\"", &format!("\"message\":\"{text} "));
    }
}

fn event(block: &str) -> Event {
    sse::events(block.as_bytes()).into_iter().next().unwrap_or_default()
}

fn means(block: &str, meaning: EventKind) -> bool {
    !event(block).data.is_empty() && event(block).kind() == meaning
}
