//! One client's connection: reads requests, asks the brain, and sends the bytes as planned.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Shared;
use super::ledger::Record;
use super::line::Answered;
use super::request::{Body, Head, Unread, read_body, read_head};
use super::socket::{ClientSocket, has_left};
use crate::behaviour::{Cut, CutEnd, CutPoint, WirePlan};
use crate::brain::Plan;
use crate::errors::Reply;
use crate::journal::{Hit, HitKind, HitTimes};
use crate::reply::own_refusal;

/// What becomes of the connection after an exchange.
enum Next {
    KeepAlive,
    Close,
    /// Close, but the client may still be sending.
    CloseLate,
    Reset,
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut connection = Connection { socket: ClientSocket::new(stream), shared };
    loop {
        match connection.exchange().await {
            Next::KeepAlive => {}
            Next::Close => return connection.socket.close(),
            Next::CloseLate => return connection.socket.close_after_reply().await,
            Next::Reset => return connection.socket.reset(),
        }
    }
}

struct Connection {
    socket: ClientSocket,
    shared: Arc<Shared>,
}

impl Connection {
    async fn exchange(&mut self) -> Next {
        let mut times = HitTimes::default();
        let head = match read_head(&mut self.socket).await {
            Ok(Some(head)) => head,
            Ok(None) => return Next::Close,
            Err(unread) => {
                let raw = std::mem::take(&mut self.socket.unread);
                let head = Head { raw, ..Head::default() };
                times.head = self.shared.ledger.now();
                return self.refuse_unread(unread, head, Body::default(), times).await;
            }
        };
        times.head = self.shared.ledger.now();
        let mut body = Body::default();
        let read = read_body(&mut self.socket, &head, &mut body).await;
        times.body = self.shared.ledger.now();
        match read {
            Ok(()) => self.answer(head, body, times).await,
            Err(unread) => self.refuse_unread(unread, head, body, times).await,
        }
    }

    /// Enters what is no request into the journal, and says so if somebody is there to hear it.
    async fn refuse_unread(
        &mut self,
        unread: Unread,
        head: Head,
        body: Body,
        times: HitTimes,
    ) -> Next {
        let record = self.record(None, head.target.clone(), head, body.bytes, times);
        match unread {
            Unread::Left => {
                record.update(|hit| "broken_off".clone_into(&mut hit.behaviour));
                record.end(true);
                Next::Close
            }
            Unread::Malformed(status, fault) => {
                let message = format!("Fallproof's mocks could not read this request: {fault}.");
                let reply = own_refusal(status, "fallproof_not_http", &message);
                let answered = stray("not_http", reply);
                self.deliver(&record, answered, Framed { with_body: true, keeps_alive: false })
                    .await
            }
        }
    }

    async fn answer(&mut self, head: Head, body: Body, times: HitTimes) -> Next {
        let framed = Framed {
            with_body: head.method != "HEAD",
            keeps_alive: head.keeps_alive && body.whole,
        };
        let upstream = split_prefix(&head.target)
            .filter(|(prefix, _)| self.shared.brain.knows(prefix))
            .map(|(prefix, target)| (prefix.to_owned(), target.to_owned()));
        let Some((prefix, target)) = upstream else {
            let target = head.target.clone();
            let record = self.record(None, target, head, body.bytes, times);
            return self.deliver(&record, no_upstream(), framed).await;
        };
        // In the journal before anything is answered: whoever has an answer finds it there.
        let record =
            self.record(Some(&prefix), target.clone(), head.clone(), body.bytes.clone(), times);
        let answered = match self.shared.line.ask(&prefix, &target, &head, &body.bytes).await {
            Ok(answered) => answered.unwrap_or_else(no_upstream),
            Err(error) => stray(
                "no_brain",
                own_refusal(500, "fallproof_no_brain", &format!("The mock has failed: {error}.")),
            ),
        };
        self.deliver(&record, answered, framed).await
    }

    fn record(
        &self,
        upstream: Option<&str>,
        target: String,
        head: Head,
        body: Vec<u8>,
        times: HitTimes,
    ) -> Record {
        let kind = match (upstream, head.method.as_str()) {
            (None, _) => HitKind::Stray,
            (Some(_), "POST") => HitKind::Matched,
            (Some(_), _) => HitKind::Probe,
        };
        let hit = Hit {
            seq: 0,
            kind,
            upstream: upstream.map(str::to_owned),
            attempt: 0,
            head: head.raw,
            method: head.method,
            target,
            headers: head.headers,
            body,
            place: None,
            violation: None,
            refused: false,
            behaviour: String::new(),
            wire: WirePlan::default(),
            status: None,
            reply: Vec::new(),
            times,
            client_gone: false,
        };
        self.shared.ledger.enter(upstream, hit, self.socket.stream())
    }

    /// Sends an answer as its plan says.
    async fn deliver(&mut self, record: &Record, answered: Answered, framed: Framed) -> Next {
        let Answered { plan, status, head, body } = answered;
        let WirePlan { delay_ms, cut } = plan.wire.clone();
        let mut bytes = framed.head(head);
        let head_length = bytes.len();
        if framed.with_body {
            bytes.extend(&body);
        }
        record.update(|hit| note(hit, plan, body));

        if let Some(delay) = delay_ms
            && self.left_within(record, Duration::from_millis(delay)).await
        {
            record.end(true);
            return Next::Close;
        }
        let cut_at = cut.as_ref().map_or(bytes.len(), |cut| match cut.at {
            CutPoint::BeforeHead => 0,
            CutPoint::BodyBytes(count) => head_length.saturating_add(count).min(bytes.len()),
        });
        if self.send(record, &bytes[..cut_at], status).await.is_err() {
            record.end(true);
            return Next::Close;
        }
        if let Some(Cut { end, .. }) = cut {
            return self.break_off(record, &end).await;
        }
        record.end(false);
        if framed.keeps_alive { Next::KeepAlive } else { Next::CloseLate }
    }

    async fn break_off(&mut self, record: &Record, end: &CutEnd) -> Next {
        let next = match end {
            CutEnd::Close => Next::Close,
            CutEnd::Reset => Next::Reset,
            CutEnd::Stall => {
                record.wait(true);
                self.socket.left().await;
                record.end(true);
                return Next::Close;
            }
        };
        record.end(has_left(self.socket.stream()));
        next
    }

    /// Waits for so long; true as soon as the client has left.
    async fn left_within(&mut self, record: &Record, delay: Duration) -> bool {
        record.wait(true);
        let left = tokio::select! {
            () = self.socket.left() => true,
            () = tokio::time::sleep(delay) => false,
        };
        record.wait(false);
        left
    }

    /// Sends these bytes, unless the client has left.
    async fn send(&self, record: &Record, mut bytes: &[u8], status: u16) -> io::Result<()> {
        if !bytes.is_empty() && has_left(self.socket.stream()) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        while !bytes.is_empty() {
            if let Some(sent) = self.socket.try_send(bytes)? {
                record.first_byte(status);
                bytes = &bytes[sent..];
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

/// How a reply is framed for this client.
#[derive(Clone, Copy)]
struct Framed {
    with_body: bool,
    keeps_alive: bool,
}

impl Framed {
    fn head(self, mut head: Vec<u8>) -> Vec<u8> {
        if !self.keeps_alive {
            head.extend(b"connection: close\r\n");
        }
        head.extend(b"\r\n");
        head
    }
}

/// `/{scenario}/{upstream}` and the rest.
fn split_prefix(target: &str) -> Option<(&str, &str)> {
    let path = target.strip_prefix('/')?;
    let first = path.find('/')?;
    let end = path[first + 1..].find(['/', '?']).map_or(path.len(), |end| first + 1 + end);
    Some(target.split_at(end + 1))
}

fn note(hit: &mut Hit, plan: Plan, reply: Vec<u8>) {
    let Plan { kind, attempt, place, behaviour, refused, violation, wire } = plan;
    hit.kind = kind;
    hit.attempt = attempt;
    hit.place = place;
    hit.behaviour = behaviour;
    hit.refused = refused;
    hit.violation = violation;
    hit.wire = wire;
    hit.reply = reply;
}

fn no_upstream() -> Answered {
    let message = "No upstream is plugged in at this path; it begins with /{scenario}/{upstream}.";
    stray("no_upstream", own_refusal(404, "fallproof_no_upstream", message))
}

/// The wire's own answer to what the brain never saw.
fn stray(behaviour: &str, reply: Reply) -> Answered {
    let reason = match reply.status {
        400 => "Bad Request",
        404 => "Not Found",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        _ => "Internal Server Error",
    };
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {}\r\n", reply.body.len());
    let plan = Plan {
        kind: HitKind::Stray,
        attempt: 0,
        place: None,
        behaviour: behaviour.to_owned(),
        refused: true,
        violation: None,
        wire: WirePlan::default(),
    };
    Answered { plan, status: reply.status, head: head.into_bytes(), body: reply.body }
}
