//! The client's side of a hand-made case: additional headers that it sent, and the response.

use std::time::Duration;

use fallproof_suite::evidence::Ending;

use super::Case;
use super::attempt::traffic;

impl Case {
    /// The client gets this answer.
    pub(crate) fn got(mut self, status: u16, body: impl AsRef<[u8]>) -> Self {
        let exchange = &mut self.calls[self.at].exchange;
        exchange.status = Some(status);
        exchange.body = body.as_ref().to_vec();
        self
    }

    /// The client gets this stream.
    pub(crate) fn got_stream(self, body: impl AsRef<[u8]>) -> Self {
        self.got(200, body).got_header("content-type", "text/event-stream")
    }

    /// The events of the response arrive at these times, in milliseconds.
    pub(crate) fn receiving_at(mut self, stream: &str, times: &[u64]) -> Self {
        self.calls[self.at].exchange.received = traffic(stream.as_bytes(), times);
        self
    }

    /// The client gets this answer, with these bytes in this framing.
    pub(crate) fn got_framed(self, headers: &[(&str, &str)], bytes: &str) -> Self {
        let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let received = format!("HTTP/1.1 200 OK\r\n{}\r\n{bytes}", lines.collect::<String>());
        let mut case =
            headers.iter().fold(self, |case, (name, value)| case.got_header(name, value));
        let exchange = &mut case.calls[case.at].exchange;
        exchange.received.push(Duration::ZERO, received.as_bytes(), usize::MAX);
        case
    }

    /// Adds a header to the response.
    pub(crate) fn got_header(mut self, name: &str, value: &str) -> Self {
        let headers = &mut self.calls[self.at].exchange.headers;
        headers.push((name.to_owned(), value.into()));
        self
    }

    /// The client sent this header in addition to those of its scenario.
    pub(crate) fn sending(mut self, name: &str, value: &str) -> Self {
        let head = &mut self.calls[self.at].exchange.sent_head;
        head.splice(head.len() - 2.., format!("{name}: {value}\r\n\r\n").bytes());
        self
    }

    /// The client's call takes this time.
    pub(crate) fn taking(mut self, time: Duration) -> Self {
        self.calls[self.at].exchange.took = time;
        self
    }

    /// The client's call ends in this way.
    pub(crate) fn ended_with(mut self, ending: Ending) -> Self {
        self.calls[self.at].exchange.ending = ending;
        self
    }
}
