//! Scripted deployments that control every byte, strict providers, and a router in front of them.

use std::net::SocketAddr;

use fallproof_router::{Clock, Config, Deployment, Group, ManualClock, Surface};
use fallproof_wiremock::{Deployment as Mocked, Provider, Script, Surface as MockedSurface};
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wiremock::MockServer;

/// What a scripted deployment does on a connection after it has read the request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Sends these bytes and closes the connection properly.
    Send(String),
    /// Sends these bytes, then waits until the router disconnects.
    Hold(String),
    /// Resets the connection.
    Reset,
    /// Sends each piece when the test provides it. Resets the connection after the last piece.
    Live(UnboundedReceiver<String>),
}

/// A reply that the test sends piece by piece.
pub(crate) fn live() -> (UnboundedSender<String>, Reply) {
    let (say, pieces) = unbounded_channel();
    (say, Reply::Live(pieces))
}

/// Head of a chunked response.
pub(crate) const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\n\
    content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";

/// The empty chunk that ends a chunked response.
pub(crate) const LAST_CHUNK: &str = "0\r\n\r\n";

/// Formats the text as one chunk of a chunked response.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The start of an event stream with these events.
pub(crate) fn stream_of(events: &str) -> String {
    format!("{STREAM_HEAD}{}", chunk(events))
}

/// An event stream with these events and a proper end.
pub(crate) fn stream(events: &str) -> Reply {
    Reply::Send(stream_of(events) + LAST_CHUNK)
}

/// A complete JSON response.
pub(crate) fn json(status: u16, body: &str) -> Reply {
    answer(status, "content-type: application/json\r\n", body)
}

/// A complete response with these header lines.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Send(format!(
        "HTTP/1.1 {status} Some\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

/// A success with this name in its body.
pub(crate) fn ok(name: &str) -> Reply {
    json(200, &format!(r#"{{"answered_by":"{name}"}}"#))
}

/// An error in `OpenAI`'s format with this name in its message.
pub(crate) fn error(status: u16, name: &str) -> Reply {
    json(status, &format!(r#"{{"error":{{"message":"{name} says {status}","code":null}}}}"#))
}

/// A request as received by a deployment.
#[derive(Debug)]
pub(crate) struct Received {
    /// `POST /path HTTP/1.1`
    pub(crate) request_line: String,
    /// Headers in order, with lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
    /// The body as a string.
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let (_, value) = values.next()?;
        assert!(values.next().is_none(), "{name} comes once");
        Some(value)
    }
}

/// A scripted provider on its own port.
pub(crate) struct ScriptedDeployment {
    address: SocketAddr,
    received: UnboundedReceiver<Received>,
    hangups: UnboundedReceiver<()>,
}

impl ScriptedDeployment {
    /// Plays the script, one reply per connection. After the end of the script, requests are still
    /// recorded, but their connections are closed without a reply.
    pub(crate) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (received_sender, received) = unbounded_channel();
        let (hangup_sender, hangups) = unbounded_channel();
        let mut script = script.into_iter().collect::<Vec<_>>().into_iter();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reply = script.next().unwrap_or(Reply::Send(String::new()));
                tokio::spawn(play(stream, reply, received_sender.clone(), hangup_sender.clone()));
            }
        });
        Self { address, received, hangups }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for the next request.
    pub(crate) async fn request(&mut self) -> Received {
        self.received.recv().await.expect("the deployment runs")
    }

    /// Waits until the router has disconnected from a reply that is held.
    pub(crate) async fn hangup(&mut self) {
        self.hangups.recv().await.expect("the deployment runs");
    }

    /// The requests received so far that were not returned yet.
    pub(crate) fn requests(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn play(
    mut stream: TcpStream,
    reply: Reply,
    received: UnboundedSender<Received>,
    hangups: UnboundedSender<()>,
) {
    let Some(request) = read_request(&mut stream).await else { return };
    // This fails if the test has already ended.
    let _ = received.send(request);
    match reply {
        Reply::Send(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Reply::Hold(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.read(&mut [0]).await;
            let _ = hangups.send(());
        }
        Reply::Reset => {
            stream.set_zero_linger().expect("an option of every TCP socket");
        }
        Reply::Live(mut pieces) => {
            let mut byte = [0];
            loop {
                tokio::select! {
                    bytes = pieces.recv() => match bytes {
                        Some(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap_or_default(),
                        None => break,
                    },
                    _ = stream.read(&mut byte) => {
                        let _ = hangups.send(());
                        return;
                    }
                }
            }
            stream.set_zero_linger().expect("an option of every TCP socket");
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(head_end + 4);
    let head = String::from_utf8(bytes).expect("an ASCII head");
    let mut lines = head.trim_end().split("\r\n");
    let request_line = lines.next()?.to_owned();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").expect("a header line"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    Some(Received { request_line, headers, bytes: body, body: text })
}

/// A strict provider that expects the model and the API key of [`on_surface`].
pub(crate) struct Strict {
    server: MockServer,
    provider: Provider,
    name: &'static str,
    surface: Surface,
}

impl Strict {
    /// Starts an `OpenAI` provider at which every valid request succeeds.
    pub(crate) async fn start(name: &'static str) -> Self {
        Self::playing(Surface::OpenAi, name, &["ok"]).await
    }

    /// Starts a provider that plays the behaviors with these names. The last behavior repeats.
    pub(crate) async fn playing(surface: Surface, name: &'static str, script: &[&str]) -> Self {
        let mocked = match surface {
            Surface::OpenAi => MockedSurface::OpenAi,
            Surface::AzureV1 => MockedSurface::AzureV1,
            Surface::AzureLegacy { .. } => MockedSurface::AzureLegacy,
        };
        let model = format!("{name}-model");
        let provider = Provider::new(Mocked {
            surface: mocked,
            name: model.clone(),
            model,
            key: format!("sk-{name}-key"),
        });
        let script = Script::named(script.iter().copied()).expect("complete replies");
        let server = MockServer::start().await;
        let provider = provider.playing(script).mount(&server).await;
        Self { server, provider, name, surface }
    }

    /// The deployment for the router's configuration.
    pub(crate) fn deployment(&self) -> Deployment {
        on_surface(self.surface.clone(), self.name, &self.provider.base_url(&self.server))
    }

    /// Number of requests received so far.
    pub(crate) async fn attempts(&self) -> usize {
        self.server.received_requests().await.expect("they are recorded").len()
    }

    /// Whether this provider gave the answer.
    pub(crate) fn gave(&self, got: &Got) -> bool {
        got.body.contains(self.provider.token())
    }
}

/// A port that refuses connections as long as this value exists, because its socket is bound but
/// does not listen.
pub(crate) struct Refusing(TcpSocket);

impl Refusing {
    pub(crate) fn bind() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        Self(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("a bound socket"))
    }
}

/// An `OpenAI` deployment at this URL, whose model and API key are derived from its name.
pub(crate) fn deployment(name: &str, url: &str) -> Deployment {
    on_surface(Surface::OpenAi, name, url)
}

pub(crate) fn on_surface(surface: Surface, name: &str, url: &str) -> Deployment {
    Deployment {
        surface,
        base_url: url.to_owned().try_into().expect("a base URL"),
        model: format!("{name}-model"),
        credential: format!("sk-{name}-key").try_into().expect("a key"),
        headers: HeaderMap::new(),
        query: Vec::new(),
    }
}

/// A group with these deployments as its chain.
pub(crate) fn chain<const N: usize>(deployments: [Deployment; N]) -> Group {
    let mut deployments = deployments.into_iter();
    let mut group = Group::new(deployments.next().expect("a chain is not empty"));
    group.fallbacks = deployments.collect();
    group
}

/// A configuration with one group, `summaries`, that accepts every client.
pub(crate) fn config(group: Group) -> Config {
    let mut config = Config::default();
    config.groups.insert("summaries".to_owned(), group);
    config
}

/// A chat call to the group `summaries` that every provider accepts.
pub(crate) const CHAT: &str =
    r#"{"model":"summaries","messages":[{"role":"user","content":"Hi"}]}"#;

/// A running router and a client.
pub(crate) struct Router {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

/// A response, and how it ended.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Whether the response ended properly rather than being cut off.
    pub(crate) is_complete: bool,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// The code of an error that the router itself created. Also checks the format of the error.
    pub(crate) fn error_code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/json");
        let body = self.json();
        let error = body["error"].as_object().expect("an error");
        assert_eq!(error.keys().collect::<Vec<_>>(), ["message", "type", "param", "code"]);
        error["code"].as_str().unwrap_or("none").to_owned()
    }

    /// Name of the deployment that answered: the name that was passed to [`ok`], or the model that
    /// a strict provider reports.
    pub(crate) fn answered_by(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        let answer = self.json();
        let model = || answer["model"].as_str()?.strip_suffix("-model");
        let name = answer["answered_by"].as_str().or_else(model);
        name.expect("an answer of `ok` or of a strict provider").to_owned()
    }
}

impl Router {
    pub(crate) async fn start(config: Config) -> Self {
        Self::with_clock(config, Clock::System).await
    }

    /// Starts a router whose clock moves only when the test advances it.
    pub(crate) async fn with_manual_clock(config: Config) -> (Self, ManualClock) {
        let clock = ManualClock::new();
        (Self::with_clock(config, Clock::Manual(clock.clone())).await, clock)
    }

    async fn with_clock(config: Config, clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
        let app = fallproof_router::app_with_clock(config, clock);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
        Self { url, client }
    }

    /// Sends a request and reads the response to its end, even if it is cut off.
    pub(crate) async fn stream(&self, path: &str, body: &str) -> Streamed {
        let mut response = self.post(path, body).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut bytes = Vec::new();
        let is_complete = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                end => break end.is_ok(),
            }
        };
        let body = String::from_utf8(bytes).expect("UTF-8");
        Streamed { status, headers, body, is_complete }
    }

    /// Sends a request and reads the complete response.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, body: response.text().await.expect("a complete answer") }
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> reqwest::RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.url));
        request.header("content-type", "application/json").body(body.to_owned())
    }

    /// Sends a plain chat call to the group `summaries`.
    pub(crate) async fn ask(&self) -> Got {
        self.send(self.post("/v1/chat/completions", CHAT)).await
    }
}
