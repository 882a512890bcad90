//! Answers that are passed on while they come.
//!
//! The bytes of the provider go to the client as they are and in their order. What the router
//! decides, it decides by reading along:
//!
//! - **Until the first content** all is held back. An error or an end so far is a failure like any
//!   other: the client has seen nothing, and the next deployment starts afresh.
//! - **After it** no other deployment is asked, since two answers would be spliced. Whole events
//!   are passed on at once. The piece of an event waits for the rest, so that what the client has
//!   got always ends where another event may follow.
//! - **A break** (the connection ends or fails, nothing comes for too long, an event is malformed,
//!   or the stream ends without the event that says so) is told as the stream's last event, and
//!   the connection is cut, so that no client takes the part for the whole. `[DONE]` is never
//!   made up. Where the provider told of its failure itself, its words stand alone.
//! - **A slow client** slows the provider: nothing is read before the client has taken what there
//!   is. **A client that leaves** drops the body, and with it the connection to the provider.
//!
//! Sound has no events: its first byte is its content, and a break can only be a cut.

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

/// How long a provider gets to hang up once it has said its last word. Some clients read on until
/// the connection ends.
const GRACE: Duration = Duration::from_secs(1);

/// Waits for the first content. Returns the body that goes on from there, and the id of the
/// response if it has one.
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

/// A stream on its way from a provider to a client.
struct Relay {
    response: reqwest::Response,
    reader: Reader,
    health: Arc<Health>,
    idle_timeout: Duration,
    state: State,
}

enum State {
    Flowing,
    /// The provider has ended it.
    Over,
    /// The client must not take it for whole.
    Broken,
}

impl Relay {
    /// What the client gets next.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            if !self.reader.ready.is_empty() {
                let ready = mem::take(&mut self.reader.ready);
                return Ok(Some((ready.into(), self)));
            }
            match self.state {
                State::Flowing => {
                    let patience = match self.reader.ending {
                        Some(_) => self.idle_timeout.min(GRACE),
                        None => self.idle_timeout,
                    };
                    let read = timeout(patience, self.read()).await;
                    self.settle(read.unwrap_or(Err(Failure::Timeout)));
                }
                State::Over => return Ok(None),
                State::Broken => {
                    // The server flushes what it has while a body is pending, and not when it
                    // cuts the connection.
                    yield_now().await;
                    return Err(io::Error::other("the provider's stream broke"));
                }
            }
        }
    }

    /// Reads what the provider has sent next; whether it has ended the stream in good order.
    async fn read(&mut self) -> Result<bool, Failure> {
        match self.response.chunk().await {
            Ok(Some(chunk)) => self.reader.take(&chunk).map(|()| false),
            Ok(None) => self.reader.finish().map(|()| true),
            Err(_) => Err(Failure::InvalidResponse),
        }
    }

    /// Draws the conclusions once there is content.
    fn settle(&mut self, read: Result<bool, Failure>) {
        self.state = match (read, &self.reader.ending) {
            (Ok(false), _) => return,
            // After the end nothing is missing, however the connection ends.
            (Ok(true), None) | (_, Some(Ending::Whole)) => {
                self.health.succeeded();
                State::Over
            }
            (read, Some(Ending::Error(error))) => {
                self.health.failed(&Failure::ErrorInSuccess(error.clone()));
                if read.is_ok() { State::Over } else { State::Broken }
            }
            (Err(failure), None) => {
                self.health.failed(&failure);
                self.reader.tell(&failure);
                State::Broken
            }
        };
    }
}
