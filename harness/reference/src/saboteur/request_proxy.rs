//! A proxy between the reference router and the providers that changes requests.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::resume_unwind;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, yield_now};

use super::breaker::Breaker;
use super::kept_connections::{KeptConnections, Sent};
use fallproof_protocol::json::Tree;
use fallproof_suite::plan::Group;

/// A request on its way from the router to a provider.
pub struct Outgoing<'a> {
    /// Index of the deployment in the chain, from 0.
    pub chain_index: usize,
    /// Group of the call.
    pub group: &'a Group,
    /// Headers that the router sent.
    pub headers: &'a mut HeaderMap,
    /// Body that the router sent, byte for byte.
    pub body: &'a mut Vec<u8>,
}

impl Outgoing<'_> {
    /// Changes the JSON body and preserves the spelling of all other values. A body that is not
    /// JSON is not changed.
    pub fn edit(&mut self, change: impl FnOnce(&mut Tree)) {
        if let Ok(mut body) = Tree::parse(self.body) {
            change(&mut body);
            *self.body = body.compact().into_bytes();
        }
    }

    /// Adds a header.
    pub fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// A running request proxy.
pub struct RequestProxy {
    /// Address to which the router must send its requests.
    pub addr: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Drop for RequestProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct RequestChange {
    groups: Vec<Group>,
    change: fn(&mut Outgoing<'_>),
    memory: Memory,
    client: reqwest::Client,
}

/// What the proxy remembers of earlier requests.
enum Memory {
    Nothing,
    /// The request id of each group's last failure.
    FailedIds(Mutex<HashMap<String, HeaderValue>>),
    /// The deployments that have failed.
    Breaker(Breaker),
    /// Open connections to the deployments that have replied.
    Connections(KeptConnections),
}

impl RequestProxy {
    /// Starts a proxy for these groups.
    pub async fn start(groups: &[Group], change: fn(&mut Outgoing<'_>)) -> io::Result<Self> {
        Self::start_with(groups, change, Memory::Nothing).await
    }

    /// Starts a proxy that puts the request id of a group's last failure on the group's next
    /// success.
    pub async fn start_remembering(groups: &[Group]) -> io::Result<Self> {
        Self::start_with(groups, |_| {}, Memory::FailedIds(Mutex::default())).await
    }

    /// Starts a proxy with a circuit breaker for each deployment.
    pub async fn start_breaking(groups: &[Group]) -> io::Result<Self> {
        Self::start_with(groups, |_| {}, Memory::Breaker(Breaker::default())).await
    }

    /// Starts a proxy that reuses connections, and fails the call if its connection is lost.
    pub async fn start_trusting(groups: &[Group]) -> io::Result<Self> {
        Self::start_with(groups, |_| {}, Memory::Connections(KeptConnections::default())).await
    }

    async fn start_with(
        groups: &[Group],
        change: fn(&mut Outgoing<'_>),
        memory: Memory,
    ) -> io::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never())
            .build()
            .map_err(io::Error::other)?;
        let groups = groups.to_vec();
        let state = Arc::new(RequestChange { groups, change, memory, client });
        let app =
            Router::new().fallback(forward).layer(DefaultBodyLimit::disable()).with_state(state);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { addr, task })
    }
}

async fn forward(
    State(state): State<Arc<RequestChange>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let Some((group, chain_index, rest)) = state.addressed(target) else {
        return status(StatusCode::NOT_FOUND);
    };
    for name in [HOST, CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let mut body = body.to_vec();
    (state.change)(&mut Outgoing { chain_index, group, headers: &mut headers, body: &mut body });
    let Some(deployment) = group.deployments().nth(chain_index) else {
        return status(StatusCode::NOT_FOUND);
    };
    if !state.admits(&deployment.prefix) {
        return status(StatusCode::SERVICE_UNAVAILABLE);
    }
    let url = format!("{}{rest}", deployment.host);
    let answer = match &state.memory {
        Memory::Connections(kept) => {
            kept.send(&deployment.prefix, method, &url, headers, body).await
        }
        _ => state.send(method, &url, headers, body).await,
    };
    let ended = |status| state.ended(&deployment.prefix, status);
    match answer {
        Sent::Answered(mut response) => {
            ended(Some(response.status().as_u16()));
            let status = response.status();
            let headers = response.headers_mut();
            headers.remove(CONTENT_LENGTH);
            headers.remove(TRANSFER_ENCODING);
            state.confuse_ids(&group.model, status, headers);
            response.map(cut_at_the_same_byte)
        }
        Sent::Lost => status(StatusCode::BAD_REQUEST),
        // The provider did not respond, so the router must not get a response either. Unwinding,
        // without the message of a panic, is how a handler closes its connection.
        Sent::Failed => {
            ended(None);
            resume_unwind(Box::new("the provider did not respond"))
        }
    }
}

/// If the provider cuts off its response, the router's response is cut off at the same byte.
fn cut_at_the_same_byte(body: Body) -> Body {
    Body::from_stream(body.into_data_stream().then(|chunk| async {
        if chunk.is_err() {
            // Earlier data is flushed while the body is pending, but not when it is cut off.
            yield_now().await;
        }
        chunk
    }))
}

impl RequestChange {
    fn admits(&self, prefix: &str) -> bool {
        !matches!(&self.memory, Memory::Breaker(breaker) if !breaker.admits(prefix))
    }

    fn ended(&self, prefix: &str, status: Option<u16>) {
        if let Memory::Breaker(breaker) = &self.memory {
            breaker.ended(prefix, status);
        }
    }

    /// Stores the request id of a failure, and sets it on the success that follows.
    fn confuse_ids(&self, group: &str, status: StatusCode, headers: &mut HeaderMap) {
        const ID: &str = "x-request-id";
        let Memory::FailedIds(failed_ids) = &self.memory else { return };
        let mut failed_ids = failed_ids.lock();
        if status.is_success() {
            if let Some(failed) = failed_ids.remove(group) {
                headers.insert(ID, failed);
            }
        } else if let Some(id) = headers.get(ID) {
            failed_ids.insert(group.to_owned(), id.clone());
        }
    }

    /// The group, the index in its chain, and the path below the deployment's prefix.
    fn addressed<'a>(&self, target: &'a str) -> Option<(&Group, usize, &'a str)> {
        self.groups.iter().find_map(|group| {
            group.deployments().enumerate().find_map(|(chain_index, deployment)| {
                let rest = target.strip_prefix(&deployment.prefix)?;
                rest.starts_with('/').then_some((group, chain_index, rest))
            })
        })
    }

    async fn send(&self, method: Method, url: &str, headers: HeaderMap, body: Vec<u8>) -> Sent {
        let request = self.client.request(method, url).headers(headers).body(body);
        match request.send().await {
            Ok(response) => Sent::Answered(Response::from(response).map(Body::new)),
            Err(_) => Sent::Failed,
        }
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
