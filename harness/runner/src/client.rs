//! The client of the target. It makes each call over a raw socket, or over TLS on one, to record the
//! exact bytes of the response, and how the response ended.

mod answer;
mod base_url;
mod behavior;
mod connection;
mod key;
mod tls;

use std::fmt::Write as _;
use std::future;
use std::time::{Duration, Instant};

use fallproof_suite::evidence::{Ending, Exchange};
use tokio::time::timeout;

use self::answer::Answer;
pub use self::base_url::BaseUrl;
pub use self::behavior::{Awaited, ClientBehavior, Notice};
pub use self::connection::ConnectError;
pub use self::key::headers_with_key;
pub use self::tls::{Tls, TlsError};

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
    let exchange = async {
        let mut connection = connection::open(base).await?;
        answer.exchange(&mut *connection, [head.as_bytes(), body], read_when).await?;
        Ok::<_, Ending>(connection)
    };
    let disconnect = async {
        match disconnect_when {
            Some(when) => when.await,
            None => future::pending().await,
        }
    };
    // Any ending but the first closes the connection at once.
    let ended = tokio::select! {
        ended = timeout(limit, exchange) => ended.unwrap_or(Err(Ending::TimedOut)),
        () = disconnect => Err(Ending::Disconnected),
    };
    let took = started.elapsed();
    let ending = match ended {
        Ok(mut connection) => {
            answer.record_rest(&mut *connection).await;
            Ending::Complete
        }
        Err(ending) => ending,
    };
    if ending == Ending::TooLong {
        answer.keep_only_the_start();
    }
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
        took,
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

/// Checks that the target accepts connections, and that its certificate is valid.
///
/// # Errors
/// The reason why there is no connection.
pub async fn reachable(base: &BaseUrl) -> Result<(), ConnectError> {
    let opened = timeout(Duration::from_secs(5), connection::open(base)).await;
    opened.map_err(|_| ConnectError::TimedOut)?.map(drop)
}
