//! Trace of a case: all bytes sent in both directions, with times and with API keys redacted.

use std::fmt::Write as _;
use std::time::Duration;

use fallproof_protocol::request_log::{RecordedRequest, Traffic};
use fallproof_suite::evidence::{Ending, Exchange};
use fallproof_suite::plan::Deployment;
use fallproof_suite::text::is_printable;
use owo_colors::OwoColorize as _;

use crate::bounds::{MOST_ATTEMPTS, MOST_OF_A_BODY};
use crate::event::Raw;
use crate::phrases;
use crate::redact::Redactor;

/// Maximum number of pieces of a response that are shown one by one.
const MAX_PIECES: usize = 1_000;

/// One entry of a trace.
struct Moment {
    at: Duration,
    /// Actor, or sender and receiver.
    who: String,
    what: What,
}

enum What {
    /// Number of bytes sent, and the bytes with keys redacted.
    Sends(usize, Vec<u8>),
    /// Any other action, as a phrase that follows the name of the actor.
    Does(String),
}

/// Returns the text of a trace.
pub fn write(raw: Raw<'_>) -> String {
    let Raw { judged: case, context, redactor } = raw;
    let mut moments = Vec::new();
    let calls = case.evidence.calls();
    for (index, step) in calls.iter().enumerate() {
        let client = if calls.len() > 1 {
            format!("client (call {})", index + 1)
        } else {
            "client".to_owned()
        };
        exchange(&mut moments, &step.exchange, &client, redactor);
        for (number, recorded) in step.all_requests().enumerate().take(MOST_ATTEMPTS) {
            let deployment =
                context.deployment(recorded).map_or_else(|| "deployment".to_owned(), named);
            let deployment = format!("{deployment}, attempt {}", number + 1);
            attempt(&mut moments, recorded, &deployment, redactor);
        }
        if let Some(recorded) = step.all_requests().nth(MOST_ATTEMPTS) {
            let rest = step.all_requests().count() - MOST_ATTEMPTS;
            let what = What::Does(format!("made {rest} more attempts, which are not shown"));
            moments.push(Moment { at: recorded.times.body, who: "target".to_owned(), what });
        }
    }
    moments.sort_by_key(|moment| moment.at);

    let mut text = format!("{} {}\n", "TRACE".cyan().bold(), case.evidence.scenario.bold());
    for Moment { at, who, what } in moments {
        let millis = at.saturating_sub(case.evidence.started).as_secs_f64() * 1000.0;
        let time = format!("{millis:9.2} ms");
        match what {
            What::Does(what) => {
                let what = phrases::line(&redactor.text(&what));
                let _ = writeln!(text, "{}  {who} {what}", time.dimmed());
            }
            What::Sends(length, bytes) => {
                let _ = writeln!(text, "{}  {who}: {length} bytes", time.dimmed());
                for line in escaped(&bytes).lines() {
                    let _ = writeln!(text, "    {}", phrases::no_command(line));
                }
            }
        }
    }
    text
}

/// Name and surface of a deployment, e.g. `backup (azure v1)`.
fn named(deployment: &Deployment) -> String {
    format!("{} ({})", deployment.name, deployment.surface_label())
}

fn exchange(moments: &mut Vec<Moment>, exchange: &Exchange, client: &str, redactor: &Redactor) {
    let mut moment = |after: Duration, who: String, what| {
        moments.push(Moment { at: exchange.started + after, who, what });
    };
    let sent = request(&exchange.sent_head, &exchange.sent, redactor);
    moment(Duration::ZERO, format!("{client} → target"), sent);
    for (after, sends) in pieces(&exchange.received, redactor) {
        moment(after, format!("target → {client}"), sends);
    }
    let ending = match &exchange.ending {
        Ending::Complete => "completed the response".to_owned(),
        other => other.in_words(),
    };
    moment(exchange.took, "target".to_owned(), What::Does(ending));
}

fn attempt(
    moments: &mut Vec<Moment>,
    recorded: &RecordedRequest,
    deployment: &str,
    redactor: &Redactor,
) {
    let mut moment = |at: Duration, who: String, what| {
        moments.push(Moment { at, who, what });
    };
    let request = request(&recorded.head, &recorded.body, redactor);
    moment(recorded.times.body, format!("target → {deployment}"), request);
    if let Some(length) = recorded.body_cut {
        let text = format!("received a body of {length} bytes, which was recorded only in part");
        moment(recorded.times.body, deployment.to_owned(), What::Does(text));
    }
    for (at, sends) in pieces(&recorded.out, redactor) {
        moment(at, format!("{deployment} → target"), sends);
    }
    if let (Some(end), true) = (recorded.times.end, recorded.client_gone) {
        moment(end, "target".to_owned(), What::Does(format!("disconnected from {deployment}")));
    }
}

fn request(head: &[u8], body: &[u8], redactor: &Redactor) -> What {
    let mut bytes = redactor.head(head);
    bytes.extend(redactor.bytes(body));
    bytes.truncate(MOST_OF_A_BODY);
    What::Sends(head.len() + body.len(), bytes)
}

/// The pieces of a response. A body that contains an API key becomes a single piece, since the key
/// may be split across two pieces; so does one that has very many pieces.
fn pieces(traffic: &Traffic, redactor: &Redactor) -> Vec<(Duration, What)> {
    let bytes = &traffic.bytes;
    let head_end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
    let head_end = head_end.map_or(0, |start| start + 4);
    let (head, body) = bytes.split_at(head_end);
    let mut cleaned = redactor.bytes(body);
    let is_in_pieces = cleaned == body && traffic.pieces.len() <= MAX_PIECES;
    let mut pieces = Vec::new();
    let mut start = head_end;
    for &(at, end) in &traffic.pieces {
        if pieces.is_empty() && !head.is_empty() {
            pieces.push((at, What::Sends(head.len(), redactor.head(head))));
        }
        if !is_in_pieces {
            break;
        }
        let end = end.clamp(start, bytes.len());
        let shown = end.min(head_end + MOST_OF_A_BODY).max(start);
        if start < end {
            pieces.push((at, What::Sends(end - start, bytes[start..shown].to_vec())));
        }
        start = end;
    }
    let Some(&(last, length)) = traffic.pieces.last() else { return pieces };
    if !is_in_pieces && !body.is_empty() {
        cleaned.truncate(MOST_OF_A_BODY);
        pieces.push((last, What::Sends(body.len(), cleaned)));
    }
    if body.len() > MOST_OF_A_BODY {
        let text = format!("(only the first {MOST_OF_A_BODY} bytes of the body are shown)");
        pieces.push((last, What::Does(text)));
    }
    if length > bytes.len() {
        let text = format!("({} more bytes were not recorded)", length - bytes.len());
        pieces.push((last, What::Does(text)));
    }
    pieces
}

/// The bytes as reversible text: unprintable characters are escaped, and each line feed also ends a
/// line of the text.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => text.push_str("\\n\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\\' => text.push_str("\\\\"),
                other if !is_printable(other) => {
                    let _ = write!(text, "\\u{{{:x}}}", u32::from(other));
                }
                other => text.push(other),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_target_cannot_control_a_terminal() {
        assert_eq!(escaped(b"\x1b[2J\xc2\x9b2J"), r"\u{1b}[2J\u{9b}2J");
    }

    #[test]
    fn escaped_bytes_are_readable_and_complete() {
        let bytes = b"HTTP/1.1 200 OK\r\n\r\n{\"a\":\t\"\\n \xc3\xbc\"}\x00\xff";
        assert_eq!(
            escaped(bytes),
            "HTTP/1.1 200 OK\\r\\n\n\\r\\n\n{\"a\":\\t\"\\\\n ü\"}\\u{0}\\xff"
        );
    }

    /// Traces a response that arrived in these pieces, one per millisecond, with at most `max`
    /// bytes recorded. Returns the milliseconds, the size and the text of each piece.
    fn traced(pieces_of: &[&str], max: usize) -> Vec<(u128, usize, String)> {
        let redactor = Redactor::of([("s3cret".to_owned(), "[key]".to_owned())]);
        let mut traffic = Traffic::default();
        for (millis, piece) in (1..).zip(pieces_of) {
            traffic.push(Duration::from_millis(millis), piece.as_bytes(), max);
        }
        let traced = pieces(&traffic, &redactor).into_iter().map(|(at, what)| match what {
            What::Sends(length, bytes) => (at.as_millis(), length, escaped(&bytes)),
            What::Does(text) => (at.as_millis(), 0, text),
        });
        traced.collect()
    }

    #[test]
    fn a_key_split_across_two_pieces_is_redacted() {
        let traced = traced(&["HTTP/1.1 200 OK\r\nx: s3", "cret\r\n\r\n", "it is s3c", "ret"], 100);
        let expected = [
            (1, 30, "HTTP/1.1 200 OK\\r\\n\nx: [key]\\r\\n\n\\r\\n\n".to_owned()),
            (4, 12, "it is [key]".to_owned()),
        ];
        assert_eq!(traced, expected);
    }

    #[test]
    fn a_long_response_is_traced_in_part() {
        let head = "HTTP/1.1 200 OK\r\n\r\n";
        let piece = "x".repeat(MOST_OF_A_BODY / 2 + 1);
        let long = traced(&[head, &piece, &piece, &piece], usize::MAX);
        let shown: usize = long[1..].iter().filter(|it| it.1 > 0).map(|it| it.2.len()).sum();
        assert_eq!((long.len(), shown), (5, MOST_OF_A_BODY));
        assert_eq!(long[4].2, "(only the first 1048576 bytes of the body are shown)");
        let many = traced(&[&[head][..], &["y"; MAX_PIECES + 1]].concat(), usize::MAX);
        assert_eq!((many.len(), many[1].1), (2, MAX_PIECES + 1));
    }

    #[test]
    fn a_response_is_traced_by_piece_with_the_number_of_unrecorded_bytes() {
        let traced = traced(&["HTTP/1.1 200 OK\r\n\r\nab", "cd", "ef"], 22);
        let expected = [
            (1, 19, "HTTP/1.1 200 OK\\r\\n\n\\r\\n\n"),
            (1, 2, "ab"),
            (2, 1, "c"),
            (3, 0, "(3 more bytes were not recorded)"),
        ];
        assert_eq!(traced, expected.map(|(at, length, text)| (at, length, text.to_owned())));
    }
}
