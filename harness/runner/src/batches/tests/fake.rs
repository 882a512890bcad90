//! A fake gateway that exits in chosen scenarios. It never calls a provider.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::adapter::{GatewayClient, LaunchError};
use crate::client::BaseUrl;
use crate::error::StartError;
use crate::target::{RunningTarget, Setup, Starting, Target};

/// Behavior of the fake gateway.
#[derive(Clone, Copy)]
pub(super) struct Behavior {
    /// The gateway exits in scenarios whose id has one of these prefixes.
    pub(super) exits_in: &'static [&'static str],
    /// Number of calls that must be pending before the gateway handles one. Applies only to its
    /// first start.
    pub(super) holds_until: usize,
    /// Number of processes that must have been started before the gateway handles any call.
    pub(super) needs_starts: usize,
    /// Number of times it can be started.
    pub(super) max_starts: usize,
    /// Number of the start that fails, from 1.
    pub(super) fails_at: Option<usize>,
    /// Whether the gateway can reload its configuration.
    pub(super) reloads: bool,
    /// Whether the gateway needs a preflight, which then fails.
    pub(super) needs_preflight: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            exits_in: &[],
            holds_until: 1,
            needs_starts: 1,
            max_starts: usize::MAX,
            fails_at: None,
            reloads: false,
            needs_preflight: false,
        }
    }
}

/// A fake gateway.
#[derive(Clone)]
pub(super) struct Fake {
    behavior: Behavior,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    tries: usize,
    /// For each start, the model names of its calls.
    starts: Vec<Vec<String>>,
    reloads: usize,
    stopped: usize,
}

impl Fake {
    pub(super) fn new(behavior: Behavior) -> Self {
        Self { behavior, seen: Arc::default() }
    }

    pub(super) fn starts(&self) -> Vec<Vec<String>> {
        self.see(|seen| seen.starts.clone())
    }

    pub(super) fn reloads(&self) -> usize {
        self.see(|seen| seen.reloads)
    }

    pub(super) fn stopped(&self) -> usize {
        self.see(|seen| seen.stopped)
    }

    fn see<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn started(&self) -> Result<Box<dyn RunningTarget>, StartError> {
        let Behavior { max_starts, fails_at, .. } = self.behavior;
        let tries = self.see(|seen| {
            seen.tries += 1;
            seen.tries
        });
        if tries > max_starts || fails_at == Some(tries) {
            let error = io::Error::from(ErrorKind::NotFound);
            return Err(StartError::Launch(LaunchError::Start(PathBuf::from("fake"), error)));
        }
        let start = self.see(|seen| {
            seen.starts.push(Vec::new());
            seen.starts.len() - 1
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(StartError::Router)?;
        let address = listener.local_addr().map_err(StartError::Router)?;
        let url = BaseUrl::plain(address.to_string(), "/v1");
        let task = tokio::spawn(self.clone().serve(start, listener));
        let client = GatewayClient::plain(url, "sk-fake".to_owned());
        Ok(Box::new(Running { fake: self.clone(), client, task }))
    }

    /// Serves calls until one makes it exit, which closes the listener and all connections.
    async fn serve(self, start: usize, listener: TcpListener) {
        let (ended, mut has_ended) = watch::channel(false);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    connections.spawn(self.clone().answer(start, stream, ended.clone()));
                }
                _ = has_ended.wait_for(|ended| *ended) => break,
            }
        }
        drop(listener);
        drop(connections);
    }

    async fn answer(
        self,
        start: usize,
        mut stream: TcpStream,
        end: watch::Sender<bool>,
    ) -> io::Result<()> {
        let request = read(&mut stream).await?;
        let model = request.split("\"model\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let id = model.unwrap_or_default().to_owned();
        let exits = self.behavior.exits_in.iter().any(|prefix| id.starts_with(prefix));
        let is_first = start == 0;
        self.see(|seen| seen.starts[start].push(id));
        let is_held = || {
            self.see(|seen| {
                (is_first && seen.starts[0].len() < self.behavior.holds_until)
                    || seen.starts.len() < self.behavior.needs_starts
            })
        };
        while is_held() {
            tokio::task::yield_now().await;
        }
        if exits {
            end.send_replace(true);
        }
        if exits || (is_first && self.behavior.holds_until > 1) {
            return future::pending().await;
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).await
    }
}

/// Reads the head and body of a request.
async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.is_some_and(|length| length.parse() == Ok(body.len())) {
            return Ok(text.into_owned());
        }
    }
}

impl Target for Fake {
    fn start<'a>(&'a self, _: Setup<'a>) -> Starting<'a> {
        self.started().boxed()
    }
}

/// A started fake gateway.
struct Running {
    fake: Fake,
    client: GatewayClient,
    task: JoinHandle<()>,
}

impl RunningTarget for Running {
    fn gateway_key(&self) -> &str {
        &self.client.key
    }

    fn client(&self, _: &Scenario) -> Cow<'_, GatewayClient> {
        Cow::Borrowed(&self.client)
    }

    fn needs_preflight(&self) -> bool {
        self.fake.behavior.needs_preflight
    }

    fn ended(&mut self, within: Duration) -> BoxFuture<'_, Option<ExitStatus>> {
        timeout(within, &mut self.task)
            .map(|ended| ended.ok().map(|_| ExitStatus::default()))
            .boxed()
    }

    fn reloads(&self) -> bool {
        self.fake.behavior.reloads
    }

    fn reload(self: Box<Self>, _: Setup<'_>) -> Starting<'_> {
        self.fake.see(|seen| seen.reloads += 1);
        future::ready(Ok(self as Box<dyn RunningTarget>)).boxed()
    }

    fn stop(self: Box<Self>, _: BoxFuture<'_, ()>) -> BoxFuture<'_, ()> {
        self.fake.see(|seen| seen.stopped += 1);
        self.task.abort();
        future::ready(()).boxed()
    }
}
