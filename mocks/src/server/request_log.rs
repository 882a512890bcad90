//! The request log: where connections write the request log, and readers wait until it is complete.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::bounded_log::BoundedLog;
use super::socket::has_left;
use crate::provider_set::Plan;
use crate::request_log::{Limits, RecordedRequest};

/// The prefix of unmatched requests, in a log of their own.
const STRAY: &str = "";

#[derive(Debug)]
pub(super) struct RequestLog {
    started: Instant,
    most_body: usize,
    book: Mutex<Book>,
    /// A request has ended or begun to wait.
    changed: Notify,
}

#[derive(Debug)]
struct Book {
    next: u64,
    deployments: BoundedLog<Arc<Entry>>,
    unmatched: BoundedLog<Arc<Entry>>,
}

impl Book {
    fn log<'a>(&mut self, mock: Option<&'a str>) -> (&mut BoundedLog<Arc<Entry>>, &'a str) {
        match mock {
            Some(prefix) => (&mut self.deployments, prefix),
            None => (&mut self.unmatched, STRAY),
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
    /// The wire does nothing for it now: the clock or the client has the next move.
    waiting: bool,
}

impl RequestLog {
    pub(super) fn new(limits: Limits) -> Self {
        let log = || BoundedLog::new(limits.requests, limits.bytes);
        Self {
            started: Instant::now(),
            most_body: limits.body,
            book: Mutex::new(Book { next: 0, deployments: log(), unmatched: log() }),
            changed: Notify::new(),
        }
    }

    /// When the wire was started.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// The time since the wire was started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the request log keeps of a body, and how long it was if that is not all.
    pub(super) fn capped(&self, body: &[u8]) -> (Vec<u8>, Option<usize>) {
        let kept = &body[..body.len().min(self.most_body)];
        (kept.to_vec(), (kept.len() < body.len()).then_some(body.len()))
    }

    /// Enters a request among those of its mock, or among the unmatched ones, and numbers it.
    pub(super) fn enter(
        self: &Arc<Self>,
        mut recorded: RecordedRequest,
        socket: &Arc<TcpStream>,
    ) -> Record {
        let weight = recorded.weight();
        let prefix = recorded.prefix.clone();
        let mut book = self.book.lock();
        recorded.seq = book.next;
        book.next += 1;
        let entry = Arc::new(Entry {
            seq: recorded.seq,
            is_unmatched: prefix.is_none(),
            state: Mutex::new(State { recorded, waiting: false }),
            socket: Arc::downgrade(socket),
        });
        let (log, key) = book.log(prefix.as_deref());
        log.push(entry.seq, key, weight, Arc::clone(&entry));
        drop(book);
        self.changed.notify_waiters();
        Record { entry, request_log: Arc::clone(self) }
    }

    pub(super) fn requests(&self, prefix: Option<&str>) -> Vec<RecordedRequest> {
        self.entries(prefix).iter().map(|entry| entry.state.lock().recorded.clone()).collect()
    }

    pub(super) fn take(&self, prefix: Option<&str>) -> Vec<RecordedRequest> {
        let taken = {
            let mut book = self.book.lock();
            let (log, key) = book.log(prefix);
            log.take(key)
        };
        let recorded = |entry: Arc<Entry>| match Arc::try_unwrap(entry) {
            Ok(entry) => entry.state.into_inner().recorded,
            Err(running) => running.state.lock().recorded.clone(),
        };
        taken.into_iter().map(recorded).collect()
    }

    /// How many requests made room for others: of deployments, and unmatched ones.
    pub(super) fn dropped(&self) -> (u64, u64) {
        let book = self.book.lock();
        (book.deployments.dropped(), book.unmatched.dropped())
    }

    /// Waits until every request has ended, or waits for its client, who is still there.
    pub(super) async fn settled(&self, prefix: Option<&str>) {
        self.until(prefix, Entry::is_settled).await;
    }

    /// Waits until every request has ended.
    pub(super) async fn ended(&self, prefix: Option<&str>) {
        self.until(prefix, |entry| entry.state.lock().recorded.times.end.is_some()).await;
    }

    /// Waits until there are so many requests.
    pub(super) async fn arrived(&self, prefix: Option<&str>, count: usize) {
        self.until_all(prefix, |entries| entries.len() >= count).await;
    }

    async fn until(&self, prefix: Option<&str>, done: impl Fn(&Entry) -> bool) {
        self.until_all(prefix, |entries| entries.iter().all(|entry| done(entry))).await;
    }

    async fn until_all(&self, prefix: Option<&str>, done: impl Fn(&[Arc<Entry>]) -> bool) {
        loop {
            // Before the look, so that no change is missed between the look and the wait.
            let changed = self.changed.notified();
            if done(&self.entries(prefix)) {
                return;
            }
            changed.await;
        }
    }

    fn entries(&self, prefix: Option<&str>) -> Vec<Arc<Entry>> {
        let mut book = self.book.lock();
        let (log, key) = book.log(prefix);
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
        // A client that has left moves the request to its end at once: worth waiting for.
        waiting && !self.socket.upgrade().is_none_or(|socket| has_left(&socket))
    }
}

/// A request that is being written. It ends, at the latest, when this is dropped.
#[derive(Debug)]
pub(super) struct Record {
    entry: Arc<Entry>,
    request_log: Arc<RequestLog>,
}

impl Record {
    pub(super) fn update(&self, update: impl FnOnce(&mut RecordedRequest)) {
        update(&mut self.entry.state.lock().recorded);
    }

    /// Says whether the clock or the client has the next move, and not the wire.
    pub(super) fn wait(&self, waiting: bool) {
        self.entry.state.lock().waiting = waiting;
        if waiting {
            self.request_log.changed.notify_waiters();
        }
    }

    /// The reply is decided.
    pub(super) fn decided(&self, plan: &Plan, head: &[u8], body: &[u8]) {
        let (reply, reply_cut) = self.request_log.capped(body);
        // Once as decided, and once as sent.
        let more = 2 * (head.len() + reply.len());
        let Plan { kind, attempt, route, behavior, refused, violation, wire } = plan.clone();
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
        let mut book = self.request_log.book.lock();
        let Book { deployments, unmatched, .. } = &mut *book;
        let log = if self.entry.is_unmatched { unmatched } else { deployments };
        log.grow(self.entry.seq, more);
    }

    /// These parts of the reply were sent at once, so many bytes of them of its body. `status` is
    /// that of the head.
    pub(super) fn sent(&self, status: Option<u16>, parts: &[&[u8]], of_body: usize) {
        let now = self.request_log.now();
        let most = self.request_log.most_body;
        self.update(|recorded| {
            recorded.status = status;
            recorded.times.first_byte.get_or_insert(now);
            recorded.sent += of_body;
            recorded.out.push_parts(now, parts, most);
        });
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
