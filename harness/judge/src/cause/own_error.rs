//! Errors that a target wrote itself. A reader of a cause needs them: they often name the place in
//! the gateway's program.

use std::fmt;

use fallproof_protocol::json::error_text;
use fallproof_protocol::sse::{self, Event};

use crate::contains;
use crate::observe::{Attempt, View};
use crate::odd::{self, OddMember};

/// The most characters that are kept of a text. A report shows fewer, after it has redacted API keys.
const MOST_CHARS: usize = 1000;

/// The most characters that are kept of an odd value.
const MOST_OF_VALUE: usize = 80;

/// The most odd members that are kept.
const MOST_MEMBERS: usize = 4;

/// An error that the client got and no provider sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnError {
    /// Its message, or the whole body if it has none.
    pub message: String,
    /// What matters of the client's body, if anything does.
    pub sent: Option<Sent>,
}

/// What matters of a client's body if the target answered it with an error of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The members in which it differs from an earlier call that succeeded; never empty.
    Odd(Vec<OddMember>),
    /// Its start: it alone provoked the error, because there was no attempt.
    Body(String),
}

impl OwnError {
    /// The error that a client got; `None` if it got none, or that of a provider.
    pub(super) fn of(view: View<'_>) -> Option<Self> {
        let exchange = &view.observed.exchange;
        let message = match exchange.status? {
            400.. => error_text(&exchange.body).unwrap_or_else(|| on_one_line(&exchange.body)),
            _ if view.wants_stream() => {
                let events = sse::events(&exchange.body);
                text_of(events.iter().find(|it| it.reports_error())?)
            }
            _ => return None,
        };
        let is_it = |said: String| contains(message.as_bytes(), &said);
        if view.attempts().filter_map(|it| said(&it)).any(is_it) {
            return None;
        }
        Some(Self { message: start(&message, MOST_CHARS), sent: Sent::of(view) })
    }
}

/// The provider's error message in the answer to an attempt.
fn said(attempt: &Attempt<'_>) -> Option<String> {
    let in_event = || attempt.events()?.iter().find(|it| it.reports_error()).map(text_of);
    error_text(&attempt.recorded.reply).or_else(in_event)
}

/// The message of an error event.
fn text_of(event: &Event) -> String {
    error_text(event.data.as_bytes()).unwrap_or_else(|| on_one_line(event.data.as_bytes()))
}

impl Sent {
    fn of(view: View<'_>) -> Option<Self> {
        match odd::members(view) {
            Some(mut odd) => {
                odd.truncate(MOST_MEMBERS);
                for value in odd.iter_mut().filter_map(|it| it.value.as_mut()) {
                    *value = start(value, MOST_OF_VALUE);
                }
                Some(Self::Odd(odd)).filter(|it| *it != Self::Odd(Vec::new()))
            }
            None if view.attempts().next().is_none() => {
                let body = std::str::from_utf8(&view.observed.exchange.sent).ok()?;
                Some(Self::Body(start(body, MOST_CHARS)))
            }
            None => None,
        }
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Odd(members) => {
                let words = members.iter().map(ToString::to_string).collect::<Vec<_>>();
                f.write_str(&words.join(", "))
            }
            Self::Body(body) => f.write_str(body),
        }
    }
}

/// The start of a body that has no message, on one line.
fn on_one_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * MOST_CHARS)]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most this many characters of the text.
fn start(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
