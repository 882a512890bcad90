//! The client of the target. It makes each call over a raw socket, to record the exact bytes of the
//! response, and how the response ended.

mod answer;
mod base_url;
mod behavior;
mod key;

use std::fmt::Write as _;
use std::future;
use std::time::{Duration, Instant};

use fallproof_suite::evidence::{Ending, Exchange};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::answer::Answer;
pub use self::base_url::BaseUrl;
pub use self::behavior::{Awaited, ClientBehavior, Notice};
pub use self::key::headers_with_key;

/// Posts `body` to `path` below `base` and reads the response until it ends, `limit` expires, or
/// the client disconnects. Times of the exchange are relative to `clock`.
pub async fn post(
    base: &BaseUrl,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
    limit: Duration,
    behavior: ClientBehavior<'_>,
    clock: Instant,
) -> Exchange {
    let started = Instant::now();
    let path = format!("{}/{path}", base.path);
    let head = head(base, &path, headers, body.len());
    let ClientBehavior { disconnect_after_events, disconnect_when, on_events, read_when } =
        behavior;
    let mut answer = Answer::new(started, disconnect_after_events, on_events);
    let exchange = answer.exchange(&base.authority, [head.as_bytes(), body], read_when);
    let disconnect = async {
        match disconnect_when {
            Some(when) => when.await,
            None => future::pending().await,
        }
    };
    let ending = tokio::select! {
        ended = timeout(limit, exchange) => ended.unwrap_or(Ending::TimedOut),
        () = disconnect => Ending::Disconnected,
    };
    Exchange {
        path,
        sent_head: head.into_bytes(),
        sent: body.to_vec(),
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
        received: answer.received,
        ending,
        started: started.saturating_duration_since(clock),
        took: started.elapsed(),
    }
}

/// The head of a call, including the final empty line.
fn head(base: &BaseUrl, path: &str, headers: &[(String, String)], length: usize) -> String {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\nconnection: close\r\n",
        base.authority,
    );
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head + "\r\n"
}

/// Checks that the target accepts connections.
///
/// # Errors
/// The error message of the system, or a timeout.
pub async fn reachable(base: &BaseUrl) -> Result<(), String> {
    let connect = TcpStream::connect(&base.authority);
    match timeout(Duration::from_secs(5), connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no connection within 5 s".to_owned()),
    }
}
