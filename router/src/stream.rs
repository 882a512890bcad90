//! Forwarding of answers while they arrive.
//!
//! The provider's bytes are forwarded unchanged and in order. The router also parses them, to
//! decide what to do:
//!
//! - **Before the first content**, everything is buffered. If the stream fails or ends in this
//!   phase, this is handled like any other failure: the client has not received anything, so the
//!   next deployment can start from the beginning.
//! - **After the first content**, no other deployment is tried, since the client would get parts of
//!   two answers. Complete events are forwarded at once. An incomplete event is held back, so that
//!   an error event can be inserted at any time.
//! - **A break** means that the connection ends or fails, nothing arrives for too long, an event is
//!   malformed, or the stream ends without its final event. The router reports it in an error
//!   event, which is the last event of the stream. Then it aborts the connection, so that a client
//!   does not mistake a partial answer for a complete one. The router never invents `[DONE]`. If
//!   the provider itself sent an error event, the router does not add another one.
//! - **A slow client** slows the provider down: the router does not read more until the client has
//!   taken what is ready. **If the client disconnects**, the body is dropped, and with it the
//!   connection to the provider.
//!
//! Audio has no events. Its first byte counts as content, and after a break the router can only
//! abort the connection.

use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::try_unfold;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::health::Health;
use crate::outcome::Failure;
use crate::reader::{Ending, Reader};

/// How long to wait for the provider to close the connection after the end of the stream. Until
/// then, the client's stream also stays open, and some clients wait until it is closed.
const GRACE: Duration = Duration::from_secs(1);

/// Waits for the first content. Returns the body for the client and, if the stream has one, the id
/// of the response.
pub(crate) async fn open(
    response: reqwest::Response,
    reader: Reader,
    health: Arc<Health>,
    idle_timeout: Duration,
) -> Result<(Body, Option<String>), Failure> {
    let mut relay = Relay { response, reader, health, idle_timeout, state: State::Flowing };
    while !relay.reader.has_content {
        match relay.read().await {
            Err(failure) if !relay.reader.has_content => return Err(failure),
            read => relay.settle(read),
        }
    }
    let response_id = relay.reader.response_id.take();
    Ok((Body::from_stream(try_unfold(relay, Relay::next)), response_id))
}

/// A stream that is being forwarded from a provider to a client.
struct Relay {
    response: reqwest::Response,
    reader: Reader,
    health: Arc<Health>,
    idle_timeout: Duration,
    state: State,
}

enum State {
    Flowing,
    /// The provider has ended the stream.
    Over,
    /// The stream broke, so the client must not mistake it for a complete one.
    Broken,
}

impl Relay {
    /// Returns the next bytes for the client.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            if !self.reader.ready.is_empty() {
                let ready = mem::take(&mut self.reader.ready);
                return Ok(Some((ready.into(), self)));
            }
            match self.state {
                State::Flowing => {
                    let limit = match self.reader.ending {
                        Some(_) => self.idle_timeout.min(GRACE),
                        None => self.idle_timeout,
                    };
                    let read = timeout(limit, self.read()).await;
                    self.settle(read.unwrap_or(Err(Failure::Timeout)));
                }
                State::Over => return Ok(None),
                State::Broken => {
                    // The server flushes its buffer while a body is pending, but not when it aborts
                    // the connection.
                    yield_now().await;
                    return Err(io::Error::other("the provider's stream was interrupted"));
                }
            }
        }
    }

    /// Reads the next chunk. Returns `true` if the provider has ended the stream properly instead.
    async fn read(&mut self) -> Result<bool, Failure> {
        match self.response.chunk().await {
            Ok(Some(chunk)) => self.reader.take(&chunk).map(|()| false),
            Ok(None) => self.reader.finish().map(|()| true),
            Err(_) => Err(Failure::InvalidResponse),
        }
    }

    /// Updates the state after a read. Must not be called with a failure before there is content.
    fn settle(&mut self, read: Result<bool, Failure>) {
        self.state = match (read, &self.reader.ending) {
            (Ok(false), _) => return,
            // After the end of the answer, it does not matter how the connection ends, because
            // nothing is missing.
            (Ok(true), None) | (_, Some(Ending::Complete)) => {
                self.health.succeeded();
                State::Over
            }
            (read, Some(Ending::Error(error))) => {
                self.health.failed(&Failure::ErrorInSuccess(error.clone()));
                if read.is_ok() { State::Over } else { State::Broken }
            }
            (Err(failure), None) => {
                self.health.failed(&failure);
                self.reader.append_error(&failure);
                State::Broken
            }
        };
    }
}
