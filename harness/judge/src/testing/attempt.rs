//! The providers' side of a case made by hand: what reached a deployment, and what it answered.

use std::time::Duration;

use fallproof_protocol::behaviour::{Cut, CutEnd, CutPoint, WirePlan};
use fallproof_protocol::journal::{Hit, HitKind, HitTimes, Traffic};
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::violation::{
    Strength, Violation as Complaint, ViolationKind as ComplaintKind,
};
use fallproof_suite::plan::Hop;
use fallproof_suite::scenario::Rendered;
use memchr::memmem;
use serde_json::json;

use super::Case;
use crate::millis;

impl Case {
    /// An attempt at this deployment: all that it carries is right, and it is answered.
    pub(crate) fn attempt(mut self, upstream: &str) -> Self {
        let own = &self.calls[self.at].group;
        let is_own =
            self.groups.iter().any(|group| group.name == *own && group.hop(upstream).is_some());
        let hit = self.sound(self.hop(upstream));
        self.now = hit.times.end.unwrap_or(self.now);
        let call = &mut self.calls[self.at];
        let list = if is_own { &mut call.hits } else { &mut call.astray };
        list.push(hit);
        self
    }

    fn sound(&self, hop: &Hop) -> Hit {
        let planned = self.scenario.calls().nth(self.at).expect("a call of the case");
        let endpoint = planned.send.endpoint;
        let path = endpoint.path();
        let bearer = ("authorization", format!("Bearer {}", hop.key));
        let (target, credential) = match hop.surface() {
            Surface::OpenAi => (format!("/v1/{path}"), bearer),
            Surface::AzureV1 => (format!("/openai/v1/{path}"), ("api-key", hop.key.clone())),
            Surface::AzureLegacy => {
                let version = hop.api_version.as_deref().unwrap_or_default();
                let name = &hop.deployment;
                let target = format!("/openai/deployments/{name}/{path}?api-version={version}");
                (target, ("api-key", hop.key.clone()))
            }
        };
        let Rendered { content_type, bytes: body } =
            planned.send.body.rendered(&hop.deployment, "");
        let head = format!("POST {target} HTTP/1.1\r\n{}: {}\r\n\r\n", credential.0, credential.1);
        let headers = [("content-type", content_type), credential];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes()));
        let reply = answer(hop);
        let (start, end) =
            (self.now + Duration::from_millis(10), self.now + Duration::from_millis(20));
        Hit {
            seq: 0,
            kind: HitKind::Matched,
            upstream: Some(hop.prefix.clone()),
            attempt: 1,
            head: head.into_bytes(),
            method: "POST".to_owned(),
            target,
            headers: headers.into(),
            body,
            body_cut: None,
            place: Some((hop.surface(), endpoint)),
            violation: None,
            refused: false,
            behaviour: "ok".to_owned(),
            wire: WirePlan::default(),
            status: Some(200),
            reply_head: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_vec(),
            sent: reply.len(),
            reply,
            reply_cut: None,
            out: Traffic::default(),
            times: HitTimes {
                accepted: start,
                head: start,
                body: start,
                first_byte: Some(end),
                end: Some(end),
            },
            client_gone: false,
        }
    }

    /// The last attempt is another one.
    fn with(mut self, change: impl FnOnce(&mut Hit)) -> Self {
        let hits = &mut self.calls[self.at].hits;
        let mut hit = hits.pop().expect("there is an attempt");
        change(&mut hit);
        self.now = hit.times.end.unwrap_or(self.now);
        hits.push(hit);
        self
    }

    /// The last attempt carries this body.
    pub(crate) fn carrying(self, body: impl AsRef<[u8]>) -> Self {
        self.with(|hit| hit.body = body.as_ref().to_vec())
    }

    /// The last attempt has this header, too.
    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        self.with(|hit| {
            hit.head.splice(hit.head.len() - 2.., format!("{name}: {value}\r\n\r\n").bytes());
            hit.headers.push((name.to_owned(), value.into()));
        })
    }

    /// The last attempt lacks this header.
    pub(crate) fn without_header(self, name: &str) -> Self {
        self.with(|hit| hit.headers.retain(|(it, _)| it != name))
    }

    /// The request log keeps only the beginning of the last attempt's body.
    pub(crate) fn kept_in_part(self) -> Self {
        self.with(|hit| hit.body_cut = Some(100_000_000))
    }

    /// In the body of the last attempt this stands for that.
    pub(crate) fn with_instead(self, from: &str, to: &str) -> Self {
        self.with(|hit| {
            let at = memmem::find(&hit.body, from.as_bytes());
            let at = at.unwrap_or_else(|| panic!("there is no {from} in the body"));
            hit.body.splice(at..at + from.len(), to.bytes());
        })
    }

    /// The last attempt asks for this path, which leads to that endpoint, or nowhere.
    pub(crate) fn asking_for(self, target: &str, place: Option<(Surface, Endpoint)>) -> Self {
        self.with(|hit| (hit.target, hit.place) = (target.to_owned(), place))
    }

    /// The provider finds fault with the last attempt, at this pointer, in this sentence.
    pub(crate) fn complained_of(self, strength: Strength, pointer: &str, message: &str) -> Self {
        self.with(|hit| {
            hit.violation = Some(Complaint {
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

    /// The last attempt is answered with an error of this status, and of this code where it has one.
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
        self.with(|hit| {
            hit.status = Some(status);
            hit.reply_head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n").into();
            hit.reply = body.as_ref().to_vec();
            hit.sent = hit.reply.len();
        })
    }

    /// The connection is closed after so many bytes of the answer to the last attempt.
    pub(crate) fn cut_after(self, sent: usize) -> Self {
        self.with(|hit| {
            hit.sent = sent;
            hit.wire.cut = Some(Cut { at: CutPoint::BodyBytes(sent), end: CutEnd::Close });
        })
    }

    /// The request log keeps only the beginning of the answer to the last attempt.
    pub(crate) fn answer_kept_in_part(self) -> Self {
        self.with(|hit| hit.reply_cut = Some(100_000_000))
    }

    /// This reply of the script is played to the last attempt.
    pub(crate) fn played(self, behaviour: &str) -> Self {
        self.with(|hit| hit.behaviour = behaviour.to_owned())
    }

    /// The answer to the last attempt has this header.
    pub(crate) fn answered_with(self, name: &str, value: &str) -> Self {
        self.with(|hit| hit.reply_head.extend(format!("{name}: {value}\r\n").bytes()))
    }

    /// The connection of the last attempt ends without an answer.
    pub(crate) fn broken(self) -> Self {
        self.with(|hit| {
            (hit.status, hit.reply, hit.sent) = (None, Vec::new(), 0);
            hit.times.first_byte = None;
        })
    }

    /// The last attempt is given up by the gateway after this time, and had no answer until then.
    pub(crate) fn given_up_after(self, waited: Duration) -> Self {
        self.broken().lasting(waited).abandoned()
    }

    /// The gateway has left when the last attempt is answered.
    pub(crate) fn abandoned(self) -> Self {
        self.with(|hit| hit.client_gone = true)
    }

    /// The last attempt takes this time.
    pub(crate) fn lasting(self, time: Duration) -> Self {
        self.with(|hit| hit.times.end = Some(hit.times.head + time))
    }

    /// The provider says nothing to the last attempt, and nobody ends it.
    pub(crate) fn hanging(self) -> Self {
        self.broken().with(|hit| hit.times.end = None)
    }

    /// The provider's script holds back its answer to the last attempt.
    pub(crate) fn held_back_for(self, time: Duration) -> Self {
        self.with(|hit| hit.wire.delay_ms = Some(millis(time)))
    }

    /// So much time passes before the next attempt begins.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.now += time;
        self
    }
}

/// What a deployment answers: its marker in a few words.
fn answer(hop: &Hop) -> Vec<u8> {
    let content = format!("It is {}.", hop.marker().token());
    let message = json!({ "role": "assistant", "content": content });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    json!({ "id": "chatcmpl-1", "model": hop.model, "choices": [choice] }).to_string().into_bytes()
}
