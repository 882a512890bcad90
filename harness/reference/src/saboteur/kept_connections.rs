//! Connections that are kept open and used again without a look at whether they are still there.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a kept connection may take to respond. Shorter than the timeouts of the scenarios, so
/// that the call is given up before it can fall back.
const PATIENCE: Duration = Duration::from_millis(700);

/// The connections that have had a response, by the deployment's prefix.
#[derive(Default)]
pub(super) struct KeptConnections {
    by_prefix: Mutex<HashMap<String, SendRequest<Body>>>,
}

/// The end of an attempt.
pub(super) enum Sent {
    /// The provider has responded.
    Answered(Response<Body>),
    /// A new connection failed, or ended without a response.
    Failed,
    /// A kept connection gave no response.
    Lost,
}

impl KeptConnections {
    /// Sends a request over the deployment's kept connection, or over a new one if there is none.
    pub(super) async fn send(
        &self,
        prefix: &str,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Sent {
        let kept = self.by_prefix.lock().remove(prefix);
        if let Some(mut kept) = kept {
            let answer = timeout(PATIENCE, exchange(&mut kept, method, url, headers, body)).await;
            return match answer {
                Ok(Ok(response)) => self.keep(prefix, kept, response),
                _ => Sent::Lost,
            };
        }
        let Ok(mut new) = connect(url).await else { return Sent::Failed };
        match exchange(&mut new, method, url, headers, body).await {
            Ok(response) => self.keep(prefix, new, response),
            Err(_) => Sent::Failed,
        }
    }

    fn keep(&self, prefix: &str, sender: SendRequest<Body>, response: Response<Body>) -> Sent {
        if response.status().is_success() {
            self.by_prefix.lock().insert(prefix.to_owned(), sender);
        }
        Sent::Answered(response)
    }
}

async fn connect(url: &str) -> io::Result<SendRequest<Body>> {
    let uri: Uri = url.parse().map_err(io::Error::other)?;
    let address = uri.authority().map_or("", |authority| authority.as_str());
    let stream = TcpStream::connect(address).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn exchange(
    sender: &mut SendRequest<Body>,
    method: Method,
    url: &str,
    headers: HeaderMap,
    body: Vec<u8>,
) -> io::Result<Response<Body>> {
    let uri: Uri = url.parse().map_err(io::Error::other)?;
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::try_from(host).map_err(io::Error::other)?;
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().map_err(io::Error::other)?;
    *request.headers_mut() = headers;
    request.headers_mut().insert(HOST, host);
    sender.ready().await.map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    Ok(response.map(Body::new))
}
