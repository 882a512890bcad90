//! A gateway that ends in scenarios of the test's choice. It asks no provider.

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

/// How the gateway is.
#[derive(Clone, Copy)]
pub(super) struct Nature {
    /// It ends in the scenarios whose ids begin so.
    pub(super) deadly: &'static [&'static str],
    /// At its first start it answers nothing before so many calls are there.
    pub(super) beside: usize,
    /// How often it can be started.
    pub(super) most_starts: usize,
    /// The start that fails, from 1.
    pub(super) fails_at: Option<usize>,
    /// It takes another configuration while it runs.
    pub(super) reloads: bool,
    /// It is seen first whether it is wired, which it is not.
    pub(super) is_unknown: bool,
}

impl Default for Nature {
    fn default() -> Self {
        let (beside, most_starts, fails_at) = (1, usize::MAX, None);
        Self { deadly: &[], beside, most_starts, fails_at, reloads: false, is_unknown: false }
    }
}

/// A gateway that ends when it is told to.
#[derive(Clone)]
pub(super) struct Fake {
    nature: Nature,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    tries: usize,
    /// What each start was asked for.
    starts: Vec<Vec<String>>,
    reloads: usize,
    stopped: usize,
}

impl Fake {
    pub(super) fn new(nature: Nature) -> Self {
        Self { nature, seen: Arc::default() }
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
        let Nature { most_starts, fails_at, .. } = self.nature;
        let tries = self.see(|seen| {
            seen.tries += 1;
            seen.tries
        });
        if tries > most_starts || fails_at == Some(tries) {
            let error = io::Error::from(ErrorKind::NotFound);
            return Err(StartError::Launch(LaunchError::Start(PathBuf::from("fake"), error)));
        }
        self.see(|seen| seen.starts.push(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(StartError::Router)?;
        let address = listener.local_addr().map_err(StartError::Router)?;
        let url = BaseUrl { authority: address.to_string(), path: "/v1".to_owned() };
        let task = tokio::spawn(self.clone().serve(listener));
        let client = GatewayClient::plain(url, "sk-fake".to_owned());
        Ok(Box::new(Running { fake: self.clone(), client, task }))
    }

    /// Answers until a call is deadly: then nobody listens any more, and all connections are cut.
    async fn serve(self, listener: TcpListener) {
        let (ended, mut has_ended) = watch::channel(false);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    connections.spawn(self.clone().answer(stream, ended.clone()));
                }
                _ = has_ended.wait_for(|ended| *ended) => break,
            }
        }
        drop(listener);
        drop(connections);
    }

    async fn answer(self, mut stream: TcpStream, end: watch::Sender<bool>) -> io::Result<()> {
        let request = read(&mut stream).await?;
        let model = request.split("\"model\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let id = model.unwrap_or_default().to_owned();
        let is_deadly = self.nature.deadly.iter().any(|deadly| id.starts_with(deadly));
        let is_first = self.see(|seen| {
            let is_first = seen.starts.len() == 1;
            seen.starts.last_mut().expect("it was started").push(id);
            is_first
        });
        let is_held = || self.see(|seen| is_first && seen.starts[0].len() < self.nature.beside);
        while is_held() {
            tokio::task::yield_now().await;
        }
        if is_deadly {
            end.send_replace(true);
        }
        if is_deadly || (is_first && self.nature.beside > 1) {
            return future::pending().await;
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).await
    }
}

/// Head and body of a request.
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

/// One start of it.
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
        self.fake.nature.is_unknown
    }

    fn ended(&mut self, within: Duration) -> BoxFuture<'_, Option<ExitStatus>> {
        timeout(within, &mut self.task)
            .map(|ended| ended.ok().map(|_| ExitStatus::default()))
            .boxed()
    }

    fn reloads(&self) -> bool {
        self.fake.nature.reloads
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
