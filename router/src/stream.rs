//! Forwarding of answers while they arrive.
//!
//! The provider's bytes are forwarded unchanged and in order. The router also parses them, to
//! decide what to do:
//!
//! - **Before the first content**, everything is buffered. If the stream fails or ends, this is a
//!   failure like any other: the client has seen nothing, so the next deployment can start from the
//!   beginning.
//! - **After the first content**, no other deployment is tried, since that would splice two
//!   answers. Complete events are forwarded at once. A partial event is held back until it is
//!   complete, so that an error event can follow at any time.
//! - **A break** means that the connection ends or fails, nothing arrives for too long, an event is
//!   malformed, or the stream ends without its final event. It is reported as the last event of the
//!   stream. Then the connection is aborted, so that no client takes a part for a complete answer.
//!   The router never invents `[DONE]`. If the provider reported its failure itself, the router
//!   adds no error.
//! - **A slow client** slows the provider down: nothing is read until the client has taken what is
//!   ready. **A client that disconnects** drops the body, and with it the connection to the
//!   provider.
//!
//! Audio has no events: its first byte is its content, and a break can only abort the connection.

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

/// Time for the provider to close the connection after the end of the stream. Some clients read
/// until the connection closes.
const GRACE: Duration = Duration::from_secs(1);

/// Waits for the first content. Returns the body for the client, and the id of the response if it
/// has one.
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
    /// The stream broke: the client must not take it for complete.
    Broken,
}

impl Relay {
    /// The next bytes for the client.
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

    /// Reads the next chunk. Returns whether the provider has ended the stream properly.
    async fn read(&mut self) -> Result<bool, Failure> {
        match self.response.chunk().await {
            Ok(Some(chunk)) => self.reader.take(&chunk).map(|()| false),
            Ok(None) => self.reader.finish().map(|()| true),
            Err(_) => Err(Failure::InvalidResponse),
        }
    }

    /// Updates the state after a read, once there is content.
    fn settle(&mut self, read: Result<bool, Failure>) {
        self.state = match (read, &self.reader.ending) {
            (Ok(false), _) => return,
            // After the end of the answer, nothing is missing, no matter how the connection ends.
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
