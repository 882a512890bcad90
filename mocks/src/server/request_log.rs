//! The request log. Connections write to it, and readers wait until the entries that they read are
//! complete.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::bounded_log::BoundedLog;
use super::socket::has_disconnected;
use crate::provider_set::ReplyPlan;
use crate::request_log::{Limits, RecordedRequest};

/// Maximum wait for requests in progress to settle.
const SETTLE_LIMIT: Duration = Duration::from_secs(3);

/// How much is stored of a body that is longer than the limit. It cannot be compared with anything.
const MOST_OF_A_CUT_BODY: usize = 1024 * 1024;

/// Prefix of unmatched requests, which have a log of their own.
const UNMATCHED: &str = "";

#[derive(Debug)]
pub(super) struct RequestLog {
    started: Instant,
    most_body: usize,
    logs: Mutex<Logs>,
    /// Notified when a request arrives, ends or starts to wait.
    changed: Notify,
}

#[derive(Debug)]
struct Logs {
    next: u64,
    deployments: BoundedLog<Arc<Entry>>,
    unmatched: BoundedLog<Arc<Entry>>,
}

impl Logs {
    fn log<'a>(&mut self, mock: Option<&'a str>) -> (&mut BoundedLog<Arc<Entry>>, &'a str) {
        match mock {
            Some(prefix) => (&mut self.deployments, prefix),
            None => (&mut self.unmatched, UNMATCHED),
        }
    }
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    is_unmatched: bool,
    state: Mutex<State>,
    socket: Weak<TcpStream>,
}

#[derive(Debug)]
struct State {
    recorded: RecordedRequest,
    /// Whether the request is waiting for a timer or for its client, rather than for the server.
    waiting: bool,
}

impl RequestLog {
    pub(super) fn new(limits: Limits) -> Self {
        let log = || BoundedLog::new(limits.requests, limits.bytes);
        Self {
            started: Instant::now(),
            most_body: limits.body,
            logs: Mutex::new(Logs { next: 0, deployments: log(), unmatched: log() }),
            changed: Notify::new(),
        }
    }

    /// The start time of the server.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Time since the start of the server.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The part of a body that the log stores, and its full length if it was truncated.
    pub(super) fn capped(&self, body: &[u8]) -> (Vec<u8>, Option<usize>) {
        let most = if body.len() > self.most_body { MOST_OF_A_CUT_BODY } else { body.len() };
        let kept = &body[..most.min(self.most_body)];
        (kept.to_vec(), (kept.len() < body.len()).then_some(body.len()))
    }

    /// Assigns the next number to a request, and adds it to the log of requests to deployments or
    /// to the log of unmatched requests.
    pub(super) fn enter(
        self: &Arc<Self>,
        mut recorded: RecordedRequest,
        socket: &Arc<TcpStream>,
    ) -> Record {
        let weight = recorded.weight();
        let prefix = recorded.prefix.clone();
        let mut logs = self.logs.lock();
        recorded.seq = logs.next;
        logs.next += 1;
        let entry = Arc::new(Entry {
            seq: recorded.seq,
            is_unmatched: prefix.is_none(),
            state: Mutex::new(State { recorded, waiting: false }),
            socket: Arc::downgrade(socket),
        });
        let (log, key) = logs.log(prefix.as_deref());
        log.push(entry.seq, key, weight, Arc::clone(&entry));
        drop(logs);
        self.changed.notify_waiters();
        Record { entry, request_log: Arc::clone(self) }
    }

    pub(super) fn requests(&self, prefix: Option<&str>) -> Vec<RecordedRequest> {
        self.entries(prefix).iter().map(|entry| entry.state.lock().recorded.clone()).collect()
    }

    pub(super) fn take(&self, prefix: Option<&str>) -> Vec<RecordedRequest> {
        let taken = {
            let mut logs = self.logs.lock();
            let (log, key) = logs.log(prefix);
            log.take(key)
        };
        let recorded = |entry: Arc<Entry>| match Arc::try_unwrap(entry) {
            Ok(entry) => entry.state.into_inner().recorded,
            Err(running) => running.state.lock().recorded.clone(),
        };
        taken.into_iter().map(recorded).collect()
    }

    /// How many requests were dropped. The first number counts requests to deployments, and the
    /// second counts unmatched requests.
    pub(super) fn dropped(&self) -> (u64, u64) {
        let logs = self.logs.lock();
        (logs.deployments.dropped(), logs.unmatched.dropped())
    }

    /// Waits until each request has either ended or depends only on a timer or on a client that is
    /// still connected. Stops waiting after [`SETTLE_LIMIT`].
    pub(super) async fn settled(&self, prefix: Option<&str>) {
        let _ = timeout(SETTLE_LIMIT, self.until(prefix, Entry::is_settled)).await;
    }

    /// Waits until every request has ended.
    pub(super) async fn ended(&self, prefix: Option<&str>) {
        self.until(prefix, |entry| entry.state.lock().recorded.times.end.is_some()).await;
    }

    /// Waits until there are `count` requests.
    pub(super) async fn arrived(&self, prefix: Option<&str>, count: usize) {
        self.until_all(prefix, |entries| entries.len() >= count).await;
    }

    async fn until(&self, prefix: Option<&str>, done: impl Fn(&Entry) -> bool) {
        self.until_all(prefix, |entries| entries.iter().all(|entry| done(entry))).await;
    }

    async fn until_all(&self, prefix: Option<&str>, done: impl Fn(&[Arc<Entry>]) -> bool) {
        loop {
            // Register before the check, so that no change between the check and the wait is
            // missed.
            let changed = self.changed.notified();
            if done(&self.entries(prefix)) {
                return;
            }
            changed.await;
        }
    }

    fn entries(&self, prefix: Option<&str>) -> Vec<Arc<Entry>> {
        let mut logs = self.logs.lock();
        let (log, key) = logs.log(prefix);
        log.of(key)
    }
}

impl Entry {
    fn is_settled(&self) -> bool {
        let waiting = {
            let state = self.state.lock();
            if state.recorded.times.end.is_some() {
                return true;
            }
            state.waiting
        };
        // If the client has disconnected, the request is about to end, so it is not settled.
        waiting && !self.socket.upgrade().is_none_or(|socket| has_disconnected(&socket))
    }
}

/// A request in progress. Dropping this value ends the request.
#[derive(Debug)]
pub(super) struct Record {
    entry: Arc<Entry>,
    request_log: Arc<RequestLog>,
}

impl Record {
    /// The prefix of the request's deployment; empty if the request is unmatched.
    pub(super) fn prefix(&self) -> String {
        self.entry.state.lock().recorded.prefix.clone().unwrap_or_default()
    }

    pub(super) fn update(&self, update: impl FnOnce(&mut RecordedRequest)) {
        update(&mut self.entry.state.lock().recorded);
    }

    /// Sets whether the request waits for a timer or for its client.
    pub(super) fn wait(&self, waiting: bool) {
        self.entry.state.lock().waiting = waiting;
        if waiting {
            self.request_log.changed.notify_waiters();
        }
    }

    /// Records the reply that the provider decided on.
    pub(super) fn decided(&self, plan: &ReplyPlan, head: &[u8], body: &[u8]) {
        let (reply, reply_cut) = self.request_log.capped(body);
        let more = head.len() + reply.len();
        let ReplyPlan { kind, attempt, route, behavior, refused, violation, wire } = plan.clone();
        self.update(|recorded| {
            recorded.kind = kind;
            recorded.attempt = attempt;
            recorded.route = route;
            recorded.behavior = behavior;
            recorded.refused = refused;
            recorded.violation = violation;
            recorded.wire = wire;
            recorded.reply_head = head.to_vec();
            recorded.reply = reply;
            recorded.reply_cut = reply_cut;
        });
        self.grow(more);
    }

    fn grow(&self, more: usize) {
        let mut logs = self.request_log.logs.lock();
        let Logs { deployments, unmatched, .. } = &mut *logs;
        let log = if self.entry.is_unmatched { unmatched } else { deployments };
        log.grow(self.entry.seq, more);
    }

    /// Records that these parts were sent together. `of_body` is the number of their bytes that
    /// belong to the body, and `status` is the status in the head of the reply.
    pub(super) fn sent(&self, status: Option<u16>, parts: &[&[u8]], of_body: usize) {
        let now = self.request_log.now();
        let most = self.request_log.most_body;
        let mut more = 0;
        self.update(|recorded| {
            recorded.status = status;
            recorded.times.first_byte.get_or_insert(now);
            recorded.sent += of_body;
            let before = recorded.out.weight();
            recorded.out.push_parts(now, parts, most);
            more = recorded.out.weight() - before;
        });
        self.grow(more);
    }

    pub(super) fn end(&self, client_gone: bool) {
        let now = self.request_log.now();
        self.update(|recorded| {
            recorded.client_gone |= client_gone;
            recorded.times.end.get_or_insert(now);
        });
        self.request_log.changed.notify_waiters();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.end(false);
    }
}
