//! The ledger: where connections write the journal, and readers wait until it is complete.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::bounded_log::BoundedLog;
use super::socket::has_left;
use crate::brain::Plan;
use crate::journal::{Hit, Limits};

/// The prefix of stray hits, in a log of their own.
const STRAY: &str = "";

#[derive(Debug)]
pub(super) struct Ledger {
    started: Instant,
    most_body: usize,
    book: Mutex<Book>,
    /// A hit has ended or begun to wait.
    changed: Notify,
}

#[derive(Debug)]
struct Book {
    next: u64,
    upstreams: BoundedLog<Arc<Entry>>,
    stray: BoundedLog<Arc<Entry>>,
}

impl Book {
    fn log<'a>(&mut self, upstream: Option<&'a str>) -> (&mut BoundedLog<Arc<Entry>>, &'a str) {
        match upstream {
            Some(prefix) => (&mut self.upstreams, prefix),
            None => (&mut self.stray, STRAY),
        }
    }
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    is_stray: bool,
    state: Mutex<State>,
    socket: Weak<TcpStream>,
}

#[derive(Debug)]
struct State {
    hit: Hit,
    /// The wire does nothing for it now: the clock or the client has the next move.
    waiting: bool,
}

impl Ledger {
    pub(super) fn new(limits: Limits) -> Self {
        let log = || BoundedLog::new(limits.hits, limits.bytes);
        Self {
            started: Instant::now(),
            most_body: limits.body,
            book: Mutex::new(Book { next: 0, upstreams: log(), stray: log() }),
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

    /// What the journal keeps of a body, and how long it was if that is not all.
    pub(super) fn capped(&self, body: &[u8]) -> (Vec<u8>, Option<usize>) {
        let kept = &body[..body.len().min(self.most_body)];
        (kept.to_vec(), (kept.len() < body.len()).then_some(body.len()))
    }

    /// Enters a hit among those of its upstream, or among the stray ones, and numbers it.
    pub(super) fn enter(self: &Arc<Self>, mut hit: Hit, socket: &Arc<TcpStream>) -> Record {
        let weight = hit.weight();
        let upstream = hit.upstream.clone();
        let mut book = self.book.lock();
        hit.seq = book.next;
        book.next += 1;
        let entry = Arc::new(Entry {
            seq: hit.seq,
            is_stray: upstream.is_none(),
            state: Mutex::new(State { hit, waiting: false }),
            socket: Arc::downgrade(socket),
        });
        let (log, prefix) = book.log(upstream.as_deref());
        log.push(entry.seq, prefix, weight, Arc::clone(&entry));
        drop(book);
        self.changed.notify_waiters();
        Record { entry, ledger: Arc::clone(self) }
    }

    pub(super) fn hits(&self, upstream: Option<&str>) -> Vec<Hit> {
        self.entries(upstream).iter().map(|entry| entry.state.lock().hit.clone()).collect()
    }

    pub(super) fn take(&self, upstream: Option<&str>) -> Vec<Hit> {
        let taken = {
            let mut book = self.book.lock();
            let (log, prefix) = book.log(upstream);
            log.take(prefix)
        };
        let hit = |entry: Arc<Entry>| match Arc::try_unwrap(entry) {
            Ok(entry) => entry.state.into_inner().hit,
            Err(running) => running.state.lock().hit.clone(),
        };
        taken.into_iter().map(hit).collect()
    }

    /// How many hits made room for others: of upstreams, and stray ones.
    pub(super) fn dropped(&self) -> (u64, u64) {
        let book = self.book.lock();
        (book.upstreams.dropped(), book.stray.dropped())
    }

    /// Waits until every hit has ended, or waits for its client, who is still there.
    pub(super) async fn settled(&self, upstream: Option<&str>) {
        self.until(upstream, Entry::is_settled).await;
    }

    /// Waits until every hit has ended.
    pub(super) async fn ended(&self, upstream: Option<&str>) {
        self.until(upstream, |entry| entry.state.lock().hit.times.end.is_some()).await;
    }

    /// Waits until there are so many hits.
    pub(super) async fn arrived(&self, upstream: Option<&str>, count: usize) {
        self.until_all(upstream, |entries| entries.len() >= count).await;
    }

    async fn until(&self, upstream: Option<&str>, done: impl Fn(&Entry) -> bool) {
        self.until_all(upstream, |entries| entries.iter().all(|entry| done(entry))).await;
    }

    async fn until_all(&self, upstream: Option<&str>, done: impl Fn(&[Arc<Entry>]) -> bool) {
        loop {
            // Before the look, so that no change is missed between the look and the wait.
            let changed = self.changed.notified();
            if done(&self.entries(upstream)) {
                return;
            }
            changed.await;
        }
    }

    fn entries(&self, upstream: Option<&str>) -> Vec<Arc<Entry>> {
        let mut book = self.book.lock();
        let (log, prefix) = book.log(upstream);
        log.of(prefix)
    }
}

impl Entry {
    fn is_settled(&self) -> bool {
        let waiting = {
            let state = self.state.lock();
            if state.hit.times.end.is_some() {
                return true;
            }
            state.waiting
        };
        // A client that has left moves the hit to its end at once: worth waiting for.
        waiting && !self.socket.upgrade().is_none_or(|socket| has_left(&socket))
    }
}

/// A hit that is being written. It ends, at the latest, when this is dropped.
#[derive(Debug)]
pub(super) struct Record {
    entry: Arc<Entry>,
    ledger: Arc<Ledger>,
}

impl Record {
    pub(super) fn update(&self, update: impl FnOnce(&mut Hit)) {
        update(&mut self.entry.state.lock().hit);
    }

    /// Says whether the clock or the client has the next move, and not the wire.
    pub(super) fn wait(&self, waiting: bool) {
        self.entry.state.lock().waiting = waiting;
        if waiting {
            self.ledger.changed.notify_waiters();
        }
    }

    /// The reply is decided.
    pub(super) fn decided(&self, plan: &Plan, head: &[u8], body: &[u8]) {
        let (reply, reply_cut) = self.ledger.capped(body);
        // Once as decided, and once as sent.
        let more = 2 * (head.len() + reply.len());
        let Plan { kind, attempt, place, behaviour, refused, violation, wire } = plan.clone();
        self.update(|hit| {
            hit.kind = kind;
            hit.attempt = attempt;
            hit.place = place;
            hit.behaviour = behaviour;
            hit.refused = refused;
            hit.violation = violation;
            hit.wire = wire;
            hit.reply_head = head.to_vec();
            hit.reply = reply;
            hit.reply_cut = reply_cut;
        });
        let mut book = self.ledger.book.lock();
        let Book { upstreams, stray, .. } = &mut *book;
        let log = if self.entry.is_stray { stray } else { upstreams };
        log.grow(self.entry.seq, more);
    }

    /// These parts of the reply were sent at once, so many bytes of them of its body. `status` is
    /// that of the head.
    pub(super) fn sent(&self, status: Option<u16>, parts: &[&[u8]], of_body: usize) {
        let now = self.ledger.now();
        let most = self.ledger.most_body;
        self.update(|hit| {
            hit.status = status;
            hit.times.first_byte.get_or_insert(now);
            hit.sent += of_body;
            hit.out.push_parts(now, parts, most);
        });
    }

    pub(super) fn end(&self, client_gone: bool) {
        let now = self.ledger.now();
        self.update(|hit| {
            hit.client_gone |= client_gone;
            hit.times.end.get_or_insert(now);
        });
        self.ledger.changed.notify_waiters();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.end(false);
    }
}
