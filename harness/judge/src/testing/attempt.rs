//! The providers' side of a case made by hand: what reached a deployment, and what it answered.

use std::time::Duration;

use fallproof_protocol::behavior::{Cut, CutEnd, CutPoint, WireFault};
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::request_log::{RecordedRequest, RequestKind, RequestTimes, Traffic};
use fallproof_protocol::violation::{
    Strength, Violation as Complaint, ViolationKind as ComplaintKind,
};
use fallproof_suite::plan::Deployment;
use fallproof_suite::scenario::Rendered;
use memchr::memmem;
use serde_json::json;

use super::Case;
use crate::millis;

impl Case {
    /// An attempt at this deployment: all that it carries is right, and it is answered.
    pub(crate) fn attempt(mut self, deployment: &str) -> Self {
        let own = &self.calls[self.at].group;
        let is_own = self
            .groups
            .iter()
            .any(|group| group.name == *own && group.deployment(deployment).is_some());
        let recorded = self.sound(self.deployment(deployment));
        self.now = recorded.times.end.unwrap_or(self.now);
        let call = &mut self.calls[self.at];
        let list = if is_own { &mut call.requests } else { &mut call.misdirected };
        list.push(recorded);
        self
    }

    fn sound(&self, deployment: &Deployment) -> RecordedRequest {
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

    /// The last attempt is another one.
    fn with(mut self, change: impl FnOnce(&mut RecordedRequest)) -> Self {
        let requests = &mut self.calls[self.at].requests;
        let mut recorded = requests.pop().expect("there is an attempt");
        change(&mut recorded);
        self.now = recorded.times.end.unwrap_or(self.now);
        requests.push(recorded);
        self
    }

    /// The last attempt carries this body.
    pub(crate) fn carrying(self, body: impl AsRef<[u8]>) -> Self {
        self.with(|recorded| recorded.body = body.as_ref().to_vec())
    }

    /// The last attempt has this header, too.
    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        self.with(|recorded| {
            recorded
                .head
                .splice(recorded.head.len() - 2.., format!("{name}: {value}\r\n\r\n").bytes());
            recorded.headers.push((name.to_owned(), value.into()));
        })
    }

    /// The last attempt unsupported this header.
    pub(crate) fn without_header(self, name: &str) -> Self {
        self.with(|recorded| recorded.headers.retain(|(it, _)| it != name))
    }

    /// The request log keeps only the beginning of the last attempt's body.
    pub(crate) fn kept_in_part(self) -> Self {
        self.with(|recorded| recorded.body_cut = Some(100_000_000))
    }

    /// In the body of the last attempt this stands for that.
    pub(crate) fn with_instead(self, from: &str, to: &str) -> Self {
        self.with(|recorded| {
            let at = memmem::find(&recorded.body, from.as_bytes());
            let at = at.unwrap_or_else(|| panic!("there is no {from} in the body"));
            recorded.body.splice(at..at + from.len(), to.bytes());
        })
    }

    /// The last attempt asks for this path, which leads to that endpoint, or nowhere.
    pub(crate) fn asking_for(self, target: &str, route: Option<(Surface, Endpoint)>) -> Self {
        self.with(|recorded| (recorded.target, recorded.route) = (target.to_owned(), route))
    }

    /// The provider finds fault with the last attempt, at this pointer, in this sentence.
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
        self.with(|recorded| {
            recorded.status = Some(status);
            recorded.reply_head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n").into();
            recorded.reply = body.as_ref().to_vec();
            recorded.sent = recorded.reply.len();
        })
    }

    /// The connection is closed after so many bytes of the answer to the last attempt.
    pub(crate) fn cut_after(self, sent: usize) -> Self {
        self.with(|recorded| {
            recorded.sent = sent;
            recorded.wire.cut = Some(Cut { at: CutPoint::BodyBytes(sent), end: CutEnd::Close });
        })
    }

    /// The request log keeps only the beginning of the answer to the last attempt.
    pub(crate) fn answer_kept_in_part(self) -> Self {
        self.with(|recorded| recorded.reply_cut = Some(100_000_000))
    }

    /// This reply of the script is played to the last attempt.
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

    /// The last attempt is given up by the gateway after this time, and had no answer until then.
    pub(crate) fn given_up_after(self, waited: Duration) -> Self {
        self.broken().lasting(waited).abandoned()
    }

    /// The gateway has left when the last attempt is answered.
    pub(crate) fn abandoned(self) -> Self {
        self.with(|recorded| recorded.client_gone = true)
    }

    /// The last attempt takes this time.
    pub(crate) fn lasting(self, time: Duration) -> Self {
        self.with(|recorded| recorded.times.end = Some(recorded.times.head + time))
    }

    /// The provider says nothing to the last attempt, and nobody ends it.
    pub(crate) fn hanging(self) -> Self {
        self.broken().with(|recorded| recorded.times.end = None)
    }

    /// The provider's script holds back its answer to the last attempt.
    pub(crate) fn held_back_for(self, time: Duration) -> Self {
        self.with(|recorded| recorded.wire.delay_ms = Some(millis(time)))
    }

    /// So much time passes before the next attempt begins.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.now += time;
        self
    }
}

/// What a deployment answers: its marker in a few words.
fn answer(deployment: &Deployment) -> Vec<u8> {
    let content = format!("It is {}.", deployment.marker().token());
    let message = json!({ "role": "assistant", "content": content });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    json!({ "id": "chatcmpl-1", "model": deployment.model, "choices": [choice] })
        .to_string()
        .into_bytes()
}
