//! The HTTP client of admin calls and readiness checks.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};

/// Maximum length of a response, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// Creates a client that sends each request only to the address that it is for: it uses no proxy and
/// follows no redirect, because requests carry keys.
pub(super) fn http_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(timeout).build()
}

/// There is no complete response to a request.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The request failed.
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
    /// The response is too long.
    #[error("the response is longer than {} MiB", LONGEST >> 20)]
    TooLong,
}

/// The status and the body of a response, read as text.
pub(super) async fn read(mut answer: Response) -> Result<(StatusCode, String), NoAnswer> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST {
            return Err(NoAnswer::TooLong);
        }
    }
    Ok((answer.status(), String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_response_without_end_is_too_long() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.expect("a client connects");
            let _ = client.read(&mut [0; 1024]).await;
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let piece = vec![b'x'; 64 * 1024];
            while client.write_all(&piece).await.is_ok() {}
        });
        let client = http_client(Duration::from_secs(60)).expect("a client");
        let answer = client.get(url).send().await.expect("a head");
        let error = read(answer).await.expect_err("it never ends").to_string();
        assert_eq!(error, "the response is longer than 4 MiB");
    }
}
