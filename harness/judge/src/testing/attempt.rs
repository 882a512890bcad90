//! The providers' side of a hand-made case: the requests that reached deployments, and their
//! answers.

use std::num::NonZeroI32;
use std::time::Duration;

use fallproof_protocol::behavior::{Cut, CutEnd, CutPoint, HeadFault, WireFault};
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::request_log::{RecordedRequest, RequestKind, RequestTimes, Traffic};
use fallproof_protocol::sse::event_length;
use fallproof_protocol::violation::{
    Strength, Violation as Complaint, ViolationKind as ComplaintKind,
};
use fallproof_suite::evidence::StaleRequest;
use fallproof_suite::plan::Deployment;
use fallproof_suite::scenario::Rendered;
use memchr::memmem;
use serde_json::json;

use super::Case;
use crate::millis;

impl Case {
    /// Adds a valid attempt at this deployment, which is answered with a success.
    pub(crate) fn attempt(mut self, deployment: &str) -> Self {
        let own = &self.calls[self.at].group;
        let is_own = self
            .groups
            .iter()
            .any(|group| group.name == *own && group.deployment(deployment).is_some());
        let recorded = self.valid_request(self.deployment(deployment));
        self.now = recorded.times.end.unwrap_or(self.now);
        let call = &mut self.calls[self.at];
        let list = if is_own { &mut call.requests } else { &mut call.misdirected };
        list.push(recorded);
        self
    }

    fn valid_request(&self, deployment: &Deployment) -> RecordedRequest {
        let planned = self.scenario.calls().nth(self.at).expect("a call of the case");
        let endpoint = planned.send.endpoint;
        let path = endpoint.path();
        let bearer = ("authorization", format!("Bearer {}", deployment.key));
        let (target, credential) = match deployment.surface() {
            Surface::OpenAi => (format!("/v1/{path}"), bearer),
            Surface::AzureV1 => (format!("/openai/v1/{path}"), ("api-key", deployment.key.clone())),
            Surface::AzureLegacy => {
                let version = deployment.api_version.as_deref().unwrap_or_default();
                let name = &deployment.deployment_name;
                let target = format!("/openai/deployments/{name}/{path}?api-version={version}");
                (target, ("api-key", deployment.key.clone()))
            }
        };
        let Rendered { content_type, bytes: body } =
            planned.send.body.rendered(&deployment.deployment_name, "");
        let head = format!("POST {target} HTTP/1.1\r\n{}: {}\r\n\r\n", credential.0, credential.1);
        let headers = [("content-type", content_type), credential];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes()));
        let reply = answer(deployment);
        let (start, end) =
            (self.now + Duration::from_millis(10), self.now + Duration::from_millis(20));
        RecordedRequest {
            seq: 0,
            kind: RequestKind::Attempt,
            prefix: Some(deployment.prefix.clone()),
            attempt: 1,
            head: head.into_bytes(),
            method: "POST".to_owned(),
            target,
            headers: headers.into(),
            body,
            body_cut: None,
            route: Some((deployment.surface(), endpoint)),
            violation: None,
            refused: false,
            behavior: "ok".to_owned(),
            wire: WireFault::default(),
            status: Some(200),
            reply_head: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_vec(),
            sent: reply.len(),
            reply,
            reply_cut: None,
            out: Traffic::default(),
            times: RequestTimes {
                accepted: start,
                head: start,
                body: start,
                first_byte: Some(end),
                end: Some(end),
            },
            client_gone: false,
        }
    }

    /// Changes the last attempt.
    fn with(mut self, change: impl FnOnce(&mut RecordedRequest)) -> Self {
        let requests = &mut self.calls[self.at].requests;
        let mut recorded = requests.pop().expect("an attempt was added");
        change(&mut recorded);
        self.now = recorded.times.end.unwrap_or(self.now);
        requests.push(recorded);
        self
    }

    /// Replaces the body of the last attempt.
    pub(crate) fn carrying(self, body: impl AsRef<[u8]>) -> Self {
        self.with(|recorded| recorded.body = body.as_ref().to_vec())
    }

    /// Adds a header to the last attempt.
    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        self.with(|recorded| {
            recorded
                .head
                .splice(recorded.head.len() - 2.., format!("{name}: {value}\r\n\r\n").bytes());
            recorded.headers.push((name.to_owned(), value.into()));
        })
    }

    /// Removes a header from the last attempt.
    pub(crate) fn without_header(self, name: &str) -> Self {
        self.with(|recorded| recorded.headers.retain(|(it, _)| it != name))
    }

    /// The request log truncated the body of the last attempt.
    pub(crate) fn recorded_in_part(self) -> Self {
        self.with(|recorded| recorded.body_cut = Some(100_000_000))
    }

    /// Replaces `from` with `to` in the body of the last attempt.
    pub(crate) fn with_instead(self, from: &str, to: &str) -> Self {
        self.with(|recorded| {
            let at = memmem::find(&recorded.body, from.as_bytes());
            let at = at.unwrap_or_else(|| panic!("the body does not contain {from}"));
            recorded.body.splice(at..at + from.len(), to.bytes());
        })
    }

    /// Changes a byte in the body of the last attempt: the byte at `offset` from the start of `of`.
    pub(crate) fn with_byte_changed(self, of: &[u8], offset: usize) -> Self {
        self.with(|recorded| {
            let at = memmem::find(&recorded.body, of).expect("it is in the body");
            recorded.body[at + offset] = 0xff;
        })
    }

    /// Replaces the request target of the last attempt, and the route that it resolves to.
    pub(crate) fn asking_for(self, target: &str, route: Option<(Surface, Endpoint)>) -> Self {
        self.with(|recorded| (recorded.target, recorded.route) = (target.to_owned(), route))
    }

    /// The provider reports an error in the last attempt's body, with this pointer and message.
    pub(crate) fn complained_of(self, strength: Strength, pointer: &str, message: &str) -> Self {
        self.with(|recorded| {
            recorded.violation = Some(Complaint {
                kind: ComplaintKind::Unknown,
                message: message.to_owned(),
                error_type: "invalid_request_error".to_owned(),
                param: None,
                code: None,
                pointer: pointer.to_owned(),
                strength,
            });
        })
    }

    /// The last attempt is answered with an error that has this status and code.
    pub(crate) fn failing(self, status: u16, code: Option<&str>) -> Self {
        let error = json!({ "message": "It failed.", "type": "a_type", "code": code });
        self.answered(status, json!({ "error": error }).to_string())
    }

    /// The last attempt is answered with this JSON.
    pub(crate) fn answered(self, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.answered_as("application/json", status, body)
    }

    /// The last attempt is answered with a stream.
    pub(crate) fn streaming(self, body: impl AsRef<[u8]>) -> Self {
        self.answered_as("text/event-stream", 200, body)
    }

    /// The last attempt is answered with a body of this type.
    pub(crate) fn answered_as(self, kind: &str, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.with(|recorded| {
            recorded.status = Some(status);
            recorded.reply_head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n").into();
            recorded.reply = body.as_ref().to_vec();
            recorded.sent = recorded.reply.len();
        })
    }

    /// The connection is closed after `sent` bytes of the answer to the last attempt.
    pub(crate) fn cut_after(self, sent: usize) -> Self {
        self.with(|recorded| {
            recorded.sent = sent;
            recorded.wire.cut = Some(Cut { at: CutPoint::BodyBytes(sent), end: CutEnd::Close });
        })
    }

    /// Only `sent` bytes of the answer to the last attempt are sent, although no fault ends it.
    pub(crate) fn sent_in_part(self, sent: usize) -> Self {
        self.with(|recorded| recorded.sent = sent)
    }

    /// The content length of the answer to the last attempt is wrong by this number of bytes.
    pub(crate) fn with_content_length_off_by(self, bytes: i32) -> Self {
        let off_by = NonZeroI32::new(bytes).expect("a difference");
        self.with(|recorded| recorded.wire.head = Some(HeadFault::ContentLengthOffBy(off_by)))
    }

    /// The connection ends in this way after the complete answer to the last attempt. The client
    /// gets the same answer.
    pub(crate) fn torn_after_its_end(mut self, end: CutEnd) -> Self {
        self = self.with(|recorded| {
            let cut = Cut { at: CutPoint::BodyBytes(recorded.reply.len()), end };
            recorded.wire.cut = Some(cut);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", recorded.sent);
            recorded.out.bytes = [head.as_bytes(), &recorded.reply].concat();
        });
        let reply = self.calls[self.at].requests.last().map(|last| last.reply.clone());
        self.got(200, reply.unwrap_or_default())
    }

    /// The request log truncated the answer to the last attempt.
    pub(crate) fn answer_recorded_in_part(self) -> Self {
        self.with(|recorded| recorded.reply_cut = Some(100_000_000))
    }

    /// Records this behavior for the last attempt.
    pub(crate) fn played(self, behavior: &str) -> Self {
        self.with(|recorded| recorded.behavior = behavior.to_owned())
    }

    /// The answer to the last attempt has this header.
    pub(crate) fn answered_with(self, name: &str, value: &str) -> Self {
        self.with(|recorded| recorded.reply_head.extend(format!("{name}: {value}\r\n").bytes()))
    }

    /// The connection of the last attempt ends without an answer.
    pub(crate) fn broken(self) -> Self {
        self.with(|recorded| {
            (recorded.status, recorded.reply, recorded.sent) = (None, Vec::new(), 0);
            recorded.times.first_byte = None;
        })
    }

    /// The connection of the last attempt is from before the call.
    pub(crate) fn on_a_used_connection(mut self) -> Self {
        let started = &mut self.calls[self.at].exchange.started;
        *started = (*started).max(Duration::from_millis(1));
        self.with(|recorded| recorded.times.accepted = Duration::ZERO)
    }

    /// The last attempt times out after this time, without an answer.
    pub(crate) fn timing_out_after(self, waited: Duration) -> Self {
        self.broken().lasting(waited).client_gone()
    }

    /// The gateway disconnected before the last attempt was answered.
    pub(crate) fn client_gone(self) -> Self {
        self.with(|recorded| recorded.client_gone = true)
    }

    /// The last attempt takes this time.
    pub(crate) fn lasting(self, time: Duration) -> Self {
        self.with(|recorded| recorded.times.end = Some(recorded.times.head + time))
    }

    /// The last attempt gets no answer and does not end.
    pub(crate) fn hanging(self) -> Self {
        self.broken().with(|recorded| recorded.times.end = None)
    }

    /// The script delays the answer to the last attempt.
    pub(crate) fn delayed_by(self, time: Duration) -> Self {
        self.with(|recorded| recorded.wire.delay_ms = Some(millis(time)))
    }

    /// The events of the answer to the last attempt are sent at these times, in milliseconds. The
    /// script's delay is the time between the first two.
    pub(crate) fn sending_at(self, times: &[u64]) -> Self {
        self.with(|recorded| {
            recorded.wire.chunk_delay_ms = Some(times[1] - times[0]);
            recorded.out = traffic(&recorded.reply, times);
        })
    }

    /// The next request of the call goes to this deployment, on a stale connection.
    pub(crate) fn stale(mut self, deployment: &str) -> Self {
        let prefix = self.deployment(deployment).prefix.clone();
        let call = &mut self.calls[self.at];
        let seq = call.requests.len() as u64 + 1;
        call.stale.push(StaleRequest { seq, prefix });
        self
    }

    /// The last attempt arrives after `more` other requests.
    pub(crate) fn arriving_after(self, more: u64) -> Self {
        self.with(|recorded| recorded.seq = more + 1)
    }

    /// This time passes before the next attempt starts.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.now += time;
        self
    }
}

/// The traffic of a stream whose events are sent at these times, in milliseconds.
pub(super) fn traffic(stream: &[u8], times: &[u64]) -> Traffic {
    let mut traffic = Traffic::default();
    let mut rest = stream;
    traffic.push(Duration::ZERO, b"HTTP/1.1 200 OK\r\n\r\n", usize::MAX);
    for ms in times {
        let (event, others) = rest.split_at(event_length(rest));
        traffic.push(Duration::from_millis(*ms), event, usize::MAX);
        rest = others;
    }
    traffic
}

/// The answer of a deployment: a success with its marker.
fn answer(deployment: &Deployment) -> Vec<u8> {
    let content = format!("It is {}.", deployment.marker().token());
    let message = json!({ "role": "assistant", "content": content });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    json!({ "id": "chatcmpl-1", "model": deployment.model, "choices": [choice] })
        .to_string()
        .into_bytes()
}
