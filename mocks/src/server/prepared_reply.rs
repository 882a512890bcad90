//! Replies that are ready to be framed: replies from a provider, and errors from the server itself.

use std::time::SystemTime;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::Reply;
use crate::behavior::{FRAMING, WireFault};
use crate::provider_set::{Answer, ReplyPlan};
use crate::request_log::RequestKind;
use fallproof_protocol::coding::{self, Coding};
use fallproof_protocol::http1::Headers;

/// A reply that is ready to be framed for its client.
#[derive(Debug)]
pub(super) struct PreparedReply {
    pub(super) plan: ReplyPlan,
    pub(super) status: u16,
    /// Status line and headers, without the headers that frame the body and without the empty line.
    pub(super) head: Vec<u8>,
    /// Whether this status allows a body.
    pub(super) has_body: bool,
    pub(super) is_event_stream: bool,
    /// The coding in which the body will be sent.
    pub(super) coding: Option<Coding>,
    pub(super) body: Vec<u8>,
}

impl PreparedReply {
    /// A provider's reply. Header names are in lower case, and a `date` is appended if the reply
    /// has none.
    pub(super) fn by_provider(answer: Answer) -> Self {
        let has_date =
            answer.reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"));
        let mut prepared = Self::new(answer.plan, answer.reply);
        if !has_date {
            let now = httpdate::fmt_http_date(SystemTime::now());
            push_header(&mut prepared.head, "date", now.as_bytes());
        }
        prepared
    }

    /// Marks the body for compression if the script says so and a request header accepts the
    /// coding.
    pub(super) fn packed_for(mut self, request: &Headers) -> Self {
        if let Some(coding) = self.plan.wire.encoding.filter(|_| self.has_body)
            && coding::accepts(request, coding.name()) == Some(true)
        {
            push_header(&mut self.head, "content-encoding", coding.name().as_bytes());
            push_header(&mut self.head, "vary", b"accept-encoding");
            self.coding = Some(coding);
        }
        self
    }

    /// The server's own reply to a request that reached no provider.
    pub(super) fn unmatched(behavior: &str, reply: Reply) -> Self {
        let plan = ReplyPlan {
            kind: RequestKind::Unmatched,
            attempt: 0,
            route: None,
            behavior: behavior.to_owned(),
            refused: true,
            violation: None,
            wire: WireFault::default(),
        };
        Self::new(plan, reply)
    }

    pub(super) fn no_deployment() -> Self {
        let message = "No mock is mounted at this path; paths start with /{scenario}/{mock}.";
        Self::unmatched(
            "no_deployment",
            Reply::own_refusal(404, "fallproof_no_deployment", message),
        )
    }

    fn new(plan: ReplyPlan, reply: Reply) -> Self {
        let Reply { status, headers, mut body } = reply;
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reason = code.canonical_reason().unwrap_or("<none>");
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", code.as_str()).into_bytes();
        let mut is_event_stream = false;
        for (name, value) in &headers {
            // Skip headers that cannot be sent. Headers in scripts are valid, because scripts are
            // validated when they are mounted.
            let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
            else {
                continue;
            };
            if FRAMING.contains(&name.as_str()) {
                continue;
            }
            let value = value.as_bytes().trim_ascii();
            if name == CONTENT_TYPE {
                is_event_stream = is_media_type(value, "text/event-stream");
            }
            push_header(&mut head, name.as_str(), value);
        }
        let has_body = !matches!(code, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if !has_body {
            body.clear();
        }
        Self { plan, status, head, has_body, is_event_stream, coding: None, body }
    }
}

fn is_media_type(value: &[u8], name: &str) -> bool {
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

fn push_header(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend(name.as_bytes());
    head.extend(b": ");
    head.extend(value);
    head.extend(b"\r\n");
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> (String, PreparedReply) {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = Reply { status, headers, body: b"body".to_vec() };
        let plan = PreparedReply::no_deployment().plan;
        let prepared = PreparedReply::by_provider(Answer { plan, reply });
        let text = String::from_utf8(prepared.head.clone()).expect("text");
        (text, prepared)
    }

    #[test]
    fn a_head_is_written_as_servers_write_it() {
        let (text, prepared) = head(
            299,
            &[
                ("X-Odd", " two  words\t"),
                ("date", "today"),
                ("Content-Length", "7"),
                ("content-type", "Text/Event-Stream; charset=utf-8"),
                ("not a name", "x"),
                ("x-value", "a\nb"),
            ],
        );
        let written = "HTTP/1.1 299 <none>\r\nx-odd: two  words\r\ndate: today\r\n\
                       content-type: Text/Event-Stream; charset=utf-8\r\n";
        assert_eq!(text, written);
        assert!(prepared.is_event_stream && prepared.has_body);
    }

    #[test]
    fn a_missing_date_is_appended() {
        let (text, _) = head(429, &[("retry-after", "1")]);
        let date = text
            .strip_prefix("HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ndate: ")
            .and_then(|rest| rest.strip_suffix("\r\n"))
            .expect("nothing but a date");
        assert!(httpdate::parse_http_date(date).is_ok(), "{date}");
    }

    #[rstest]
    #[case(204, false)]
    #[case(205, true)]
    #[case(304, false)]
    fn some_statuses_have_no_body(#[case] status: u16, #[case] has_body: bool) {
        let (_, prepared) = head(status, &[]);
        assert_eq!((prepared.has_body, prepared.body.is_empty()), (has_body, !has_body));
    }
}
