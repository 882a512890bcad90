//! A client connection. For each request that it reads, it gets a reply from the provider and sends
//! the reply with the scripted faults.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;

use super::Shared;
use super::outgoing::{Outgoing, ReplyFraming};
use super::pacing::Pace;
use super::prepared_reply::PreparedReply;
use super::request::{Body, Head, Unread, read_body, read_head};
use super::request_log::Record;
use super::socket::{ClientSocket, LINGER, has_disconnected};
use crate::Reply;
use crate::behavior::{Cut, CutEnd, CutPoint, KeepAliveFault, WireFault};
use crate::provider_set::Request;
use crate::request_log::{RecordedRequest, RequestKind, RequestTimes};

/// What happens to the connection after an exchange.
enum Next {
    KeepAlive,
    Close,
    /// Close in a way that allows for a client that is still sending.
    CloseLate,
    /// Close without notice. What the client sends before it sees the end is lost.
    CloseUnnoticed,
    Reset,
}

/// Returned as an error if the client has disconnected.
struct Disconnected;

impl From<io::Error> for Disconnected {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// Serves a connection until it ends. If `prefix` is set, all requests are for the deployment with
/// this prefix; otherwise, each path starts with the prefix of a deployment.
pub(super) async fn serve(stream: TcpStream, prefix: Option<Arc<str>>, shared: Arc<Shared>) {
    let accepted = shared.request_log.now();
    let socket = ClientSocket::new(stream);
    let mut connection = Connection { socket, prefix, shared, accepted };
    loop {
        match connection.exchange().await {
            Next::KeepAlive => {}
            Next::Close => return connection.socket.close(),
            Next::CloseLate => return connection.socket.close_after_reply().await,
            Next::CloseUnnoticed => return connection.lose_requests().await,
            Next::Reset => return connection.socket.reset(),
        }
    }
}

struct Connection {
    socket: ClientSocket,
    prefix: Option<Arc<str>>,
    shared: Arc<Shared>,
    accepted: Duration,
}

impl Connection {
    async fn exchange(&mut self) -> Next {
        let mut times = RequestTimes { accepted: self.accepted, ..RequestTimes::default() };
        let head = match read_head(&mut self.socket).await {
            Ok(Some(head)) => head,
            Ok(None) => return Next::Close,
            Err(unread) => {
                let raw = self.socket.unread().to_vec();
                self.socket.used(raw.len());
                let head = Head { raw, ..Head::default() };
                times.head = self.shared.request_log.now();
                return self.refuse_unread(unread, head, Body::default(), times).await;
            }
        };
        times.head = self.shared.request_log.now();
        let mut body = Body::default();
        let read = read_body(&mut self.socket, &head, &mut body).await;
        times.body = self.shared.request_log.now();
        match read {
            Ok(()) => self.answer(head, body, times).await,
            Err(unread) => self.refuse_unread(unread, head, body, times).await,
        }
    }

    /// Logs a request that could not be read, and replies with an error if the client is still
    /// connected.
    async fn refuse_unread(
        &mut self,
        unread: Unread,
        head: Head,
        body: Body,
        times: RequestTimes,
    ) -> Next {
        let record = self.record(None, &head.target, &head, &body.bytes, times);
        match unread {
            Unread::Disconnected => {
                record.update(|recorded| "interrupted".clone_into(&mut recorded.behavior));
                record.end(true);
                Next::Close
            }
            Unread::Malformed(status, fault) => {
                let message = format!("Fallproof's mocks could not read this request: {fault}.");
                let reply = Reply::own_refusal(status, "fallproof_not_http", &message);
                let prepared = PreparedReply::unmatched("not_http", reply);
                let framing =
                    ReplyFraming { with_body: true, takes_chunks: true, keeps_alive: false };
                self.deliver(&record, prepared, framing).await
            }
        }
    }

    async fn answer(&mut self, head: Head, body: Body, times: RequestTimes) -> Next {
        let framing = ReplyFraming {
            with_body: head.method != "HEAD",
            takes_chunks: head.takes_chunks,
            keeps_alive: head.keeps_alive && body.is_complete,
        };
        let Some((prefix, target)) = self.addressed(&head) else {
            let record = self.record(None, &head.target, &head, &body.bytes, times);
            return self.deliver(&record, PreparedReply::no_deployment(), framing).await;
        };
        if let Some(fault) = self.shared.stale.of(prefix, self.accepted)
            && head.method == "POST"
        {
            let record = self.record(Some(prefix), target, &head, &body.bytes, times);
            return self.fail_stale(&record, fault).await;
        }
        // Logged before the reply is sent, so that a client that has a reply finds its request in
        // the log.
        let record = self.record(Some(prefix), target, &head, &body.bytes, times);
        let headers: Vec<_> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request =
            Request { method: &head.method, target, headers: &headers, body: &body.bytes };
        let answer = self.shared.providers.answer(prefix, &request);
        let prepared = answer.map_or_else(PreparedReply::no_deployment, PreparedReply::by_provider);
        let prepared = prepared.packed_for(&head.headers);
        drop((head, body));
        self.deliver(&record, prepared, framing).await
    }

    /// The known deployment that a request is for, and the path below its prefix.
    fn addressed<'a>(&'a self, head: &'a Head) -> Option<(&'a str, &'a str)> {
        let addressed = match &self.prefix {
            Some(prefix) => Some((prefix.as_ref(), head.target.as_str())),
            None => split_prefix(&head.target),
        };
        addressed.filter(|(prefix, _)| self.shared.providers.knows(prefix))
    }

    /// Closes the connection. Requests that still arrive on it are logged and not answered.
    async fn lose_requests(mut self) {
        self.socket.end_replies();
        let requests = async {
            while let Ok(Some(head)) = read_head(&mut self.socket).await {
                let (now, accepted) = (self.shared.request_log.now(), self.accepted);
                let mut times = RequestTimes { accepted, head: now, ..RequestTimes::default() };
                let mut body = Body::default();
                let read = read_body(&mut self.socket, &head, &mut body).await;
                times.body = self.shared.request_log.now();
                let (prefix, target) = self.addressed(&head).unzip();
                let target = target.unwrap_or(&head.target);
                let record = self.record(prefix, target, &head, &body.bytes, times);
                record.update(|recorded| {
                    if recorded.kind == RequestKind::Attempt {
                        recorded.kind = RequestKind::Stale;
                    }
                    recorded.wire.keep_alive = Some(KeepAliveFault::Closes);
                });
                record.end(false);
                if read.is_err() {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, requests).await;
    }

    /// Handles a request on a stale connection: closes the connection without a reply, or never
    /// replies.
    async fn fail_stale(&mut self, record: &Record, fault: KeepAliveFault) -> Next {
        record.update(|recorded| {
            recorded.kind = RequestKind::Stale;
            recorded.wire.keep_alive = Some(fault);
        });
        if fault == KeepAliveFault::DropsOnReuse {
            return self.end_cut_reply(record, CutEnd::Stall).await;
        }
        record.end(false);
        Next::Close
    }

    fn record(
        &self,
        prefix: Option<&str>,
        target: &str,
        head: &Head,
        body: &[u8],
        times: RequestTimes,
    ) -> Record {
        let kind = match (prefix, head.method.as_str()) {
            (None, _) => RequestKind::Unmatched,
            (Some(_), "POST") => RequestKind::Attempt,
            (Some(_), _) => RequestKind::Probe,
        };
        let (body, body_cut) = self.shared.request_log.capped(body);
        let recorded = RecordedRequest {
            kind,
            prefix: prefix.map(str::to_owned),
            head: head.raw.clone(),
            method: head.method.clone(),
            target: target.to_owned(),
            headers: head.headers.clone(),
            body,
            body_cut,
            times,
            ..RecordedRequest::default()
        };
        self.shared.request_log.enter(recorded, self.socket.stream())
    }

    async fn deliver(
        &mut self,
        record: &Record,
        prepared: PreparedReply,
        framing: ReplyFraming,
    ) -> Next {
        record.decided(&prepared.plan, &prepared.head, &prepared.body);
        let wire = prepared.plan.wire.clone();
        let reply = Outgoing::new(prepared, framing);
        if self.send_reply(record, &wire, reply).await.is_err() {
            record.end(true);
            return Next::Close;
        }
        if let Some(Cut { end, .. }) = wire.cut {
            return self.end_cut_reply(record, end).await;
        }
        let closes = wire.keep_alive == Some(KeepAliveFault::Closes);
        if let Some(fault) = wire.keep_alive.filter(|_| !closes) {
            let now = self.shared.request_log.now();
            self.shared.stale.add(&record.prefix(), now, fault);
        }
        record.end(false);
        if closes {
            return Next::CloseUnnoticed;
        }
        let keeps_alive = framing.keeps_alive && wire.head.is_none() && !self.socket.is_overrun();
        if keeps_alive { Next::KeepAlive } else { Next::CloseLate }
    }

    /// Sends the reply up to its cut, or the complete reply if it has no cut.
    async fn send_reply(
        &mut self,
        record: &Record,
        wire: &WireFault,
        mut reply: Outgoing,
    ) -> Result<(), Disconnected> {
        let WireFault { delay_ms, chunk_delay_ms, cut, .. } = wire;
        let mut pace = wire.paced.then(|| self.shared.pacing.of(&record.prefix()));
        if let Some(delay) = delay_ms {
            self.pause(record, *delay, None).await?;
        }
        if cut.as_ref().is_some_and(|cut| cut.at == CutPoint::BeforeHead) {
            return Ok(());
        }
        // Bytes to send just before the next chunk.
        let mut ahead = std::mem::take(&mut reply.head);
        for chunk in reply.chunks() {
            if let Some(delay) = chunk_delay_ms {
                self.send(record, reply.status, [&ahead, b"", b""], None).await?;
                ahead.clear();
                self.pause(record, *delay, pace.as_mut()).await?;
            }
            let mut after = "";
            if reply.is_chunked {
                ahead.extend(format!("{:x}\r\n", chunk.length).as_bytes());
                after = if chunk.bytes.len() == chunk.length { "\r\n" } else { "" };
            }
            let parts = [&ahead, chunk.bytes, after.as_bytes()];
            self.send(record, reply.status, parts, chunk.plain).await?;
            if let Some(pace) = &mut pace {
                pace.sent(chunk.bytes);
            }
            ahead.clear();
        }
        if reply.is_chunked && cut.is_none() {
            ahead.extend(b"0\r\n\r\n");
        }
        self.send(record, reply.status, [&ahead, b"", b""], None).await
    }

    async fn end_cut_reply(&mut self, record: &Record, end: CutEnd) -> Next {
        let next = match end {
            CutEnd::Close => Next::Close,
            CutEnd::Reset => Next::Reset,
            CutEnd::Stall => {
                record.wait(true);
                self.socket.disconnected().await;
                record.end(true);
                return Next::Close;
            }
        };
        record.end(has_disconnected(self.socket.stream()));
        next
    }

    /// Waits for `delay_ms`, or less if a pace is given. Stops waiting if the client disconnects.
    async fn pause(
        &mut self,
        record: &Record,
        delay_ms: u64,
        pace: Option<&mut Pace>,
    ) -> Result<(), Disconnected> {
        record.wait(true);
        let delay = Duration::from_millis(delay_ms);
        let pause = async {
            match pace {
                Some(pace) => pace.next(delay).await,
                None => tokio::time::sleep(delay).await,
            }
        };
        let paused = tokio::select! {
            () = self.socket.disconnected() => Err(Disconnected),
            () = pause => Ok(()),
        };
        record.wait(false);
        paused
    }

    /// Sends these parts unless the client has disconnected. The second part belongs to the body.
    /// If it is compressed, `plain` is its uncompressed length.
    async fn send(
        &self,
        record: &Record,
        status: Option<u16>,
        mut parts: [&[u8]; 3],
        plain: Option<usize>,
    ) -> Result<(), Disconnected> {
        let some_remain = |parts: &[&[u8]]| parts.iter().any(|part| !part.is_empty());
        if some_remain(&parts) && has_disconnected(self.socket.stream()) {
            return Err(Disconnected);
        }
        while some_remain(&parts) {
            consume_budget().await;
            if let Some(mut sent) = self.socket.try_send(&parts.map(IoSlice::new))? {
                let mut gone: [&[u8]; 3] = [b""; 3];
                for (part, gone) in parts.iter_mut().zip(&mut gone) {
                    (*gone, *part) = part.split_at(sent.min(part.len()));
                    sent -= gone.len();
                }
                let is_last = parts[1].is_empty() && !gone[1].is_empty();
                let of_body = plain.map_or(gone[1].len(), |plain| if is_last { plain } else { 0 });
                record.sent(status, &gone, of_body);
            } else {
                record.wait(true);
                let writable = self.socket.stream().writable().await;
                record.wait(false);
                writable?;
            }
        }
        Ok(())
    }
}

/// Splits a request target into the prefix `/{scenario}/{mock}` and the remaining target.
fn split_prefix(target: &str) -> Option<(&str, &str)> {
    let path = target.strip_prefix('/')?;
    let first = path.find('/')?;
    let end = path[first + 1..].find(['/', '?']).map_or(path.len(), |end| first + 1 + end);
    Some(target.split_at(end + 1))
}
