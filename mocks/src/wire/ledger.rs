//! The ledger: where connections write the journal, and readers wait until it is complete.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::socket::has_left;
use crate::journal::Hit;

#[derive(Debug)]
pub(super) struct Ledger {
    started: Instant,
    book: Mutex<Book>,
    /// A hit has ended or begun to wait.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Book {
    next: u64,
    /// By prefix; stray hits under `None`.
    entries: HashMap<Option<String>, Vec<Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    state: Mutex<State>,
    socket: Weak<TcpStream>,
}

#[derive(Debug)]
struct State {
    hit: Hit,
    /// The wire does nothing for it now: the clock or the client has the next move.
    waiting: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { started: Instant::now(), book: Mutex::default(), changed: Notify::new() }
    }
}

impl Ledger {
    /// The time since the wire was started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Enters a hit among those of `upstream`, or among the stray ones, and numbers it.
    pub(super) fn enter(
        self: &Arc<Self>,
        upstream: Option<&str>,
        mut hit: Hit,
        socket: &Arc<TcpStream>,
    ) -> Record {
        let mut book = lock(&self.book);
        hit.seq = book.next;
        book.next += 1;
        let entry = Arc::new(Entry {
            state: Mutex::new(State { hit, waiting: false }),
            socket: Arc::downgrade(socket),
        });
        book.entries.entry(upstream.map(str::to_owned)).or_default().push(Arc::clone(&entry));
        Record { entry, ledger: Arc::clone(self) }
    }

    pub(super) fn hits(&self, upstream: Option<&str>) -> Vec<Hit> {
        self.entries(upstream).iter().map(|entry| lock(&entry.state).hit.clone()).collect()
    }

    pub(super) fn take(&self, upstream: Option<&str>) -> Vec<Hit> {
        let taken = lock(&self.book).entries.remove(&upstream.map(str::to_owned));
        let hit = |entry: Arc<Entry>| match Arc::try_unwrap(entry) {
            Ok(entry) => entry.state.into_inner().unwrap_or_else(PoisonError::into_inner).hit,
            Err(running) => lock(&running.state).hit.clone(),
        };
        taken.unwrap_or_default().into_iter().map(hit).collect()
    }

    /// Waits until every hit has ended, or waits for its client, who is still there.
    pub(super) async fn settled(&self, upstream: Option<&str>) {
        self.until(upstream, Entry::is_settled).await;
    }

    /// Waits until every hit has ended.
    pub(super) async fn ended(&self, upstream: Option<&str>) {
        self.until(upstream, |entry| lock(&entry.state).hit.times.end.is_some()).await;
    }

    async fn until(&self, upstream: Option<&str>, done: impl Fn(&Entry) -> bool) {
        loop {
            // Before the look, so that no change is missed between the look and the wait.
            let changed = self.changed.notified();
            if self.entries(upstream).iter().all(|entry| done(entry)) {
                return;
            }
            changed.await;
        }
    }

    fn entries(&self, upstream: Option<&str>) -> Vec<Arc<Entry>> {
        let book = lock(&self.book);
        book.entries.get(&upstream.map(str::to_owned)).cloned().unwrap_or_default()
    }
}

impl Entry {
    fn is_settled(&self) -> bool {
        let waiting = {
            let state = lock(&self.state);
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
        update(&mut lock(&self.entry.state).hit);
    }

    /// Says whether the clock or the client has the next move, and not the wire.
    pub(super) fn wait(&self, waiting: bool) {
        lock(&self.entry.state).waiting = waiting;
        if waiting {
            self.ledger.changed.notify_waiters();
        }
    }

    /// The first byte of the reply was sent.
    pub(super) fn first_byte(&self, status: u16) {
        let now = self.ledger.now();
        self.update(|hit| {
            hit.status.get_or_insert(status);
            hit.times.first_byte.get_or_insert(now);
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
