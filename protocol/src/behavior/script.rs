//! Scripts: their validation, and which behavior an attempt gets.

use http::{HeaderName, HeaderValue};

use super::{Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED, find};
use crate::letters::{self, MOST_LETTERS};

/// Headers that frame a reply. The server writes them, so a script cannot set them.
pub const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "connection", "keep-alive"];

/// Why a deployment or its script is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The prefix does not consist of two path segments. Holds the prefix.
    #[error("invalid prefix `{0}`: expected `/scenario/deployment`")]
    Prefix(String),
    /// The catalogue has no behavior with this name.
    #[error("unknown behavior `{0}`")]
    UnknownBehavior(String),
    /// `count` is 0.
    #[error("`count` must be at least 1")]
    Never,
    /// The status is outside 200 to 599. Holds the status.
    #[error("invalid status {0}: it must be from 200 to 599")]
    Status(u16),
    /// A `{{letters:n}}` placeholder is invalid, or those in a body stand for too many letters.
    #[error("write `{{{{letters:n}}}}` with a number; all of a body are at most {MOST_LETTERS}")]
    Letters,
    /// The header is written by the server. Holds name and value.
    #[error("header `{0}: {1}` is written by the server; use `wire` to make it invalid")]
    Framing(String, String),
    /// The header is not valid HTTP. Holds name and value.
    #[error("`{0}: {1}` is not a valid header")]
    Header(String, String),
}

impl ScriptError {
    /// The error for a header that cannot be sent.
    pub fn of_header(name: &str, value: &str) -> Self {
        let (name, value) = (name.to_owned(), value.to_owned());
        if is_framing(&name) { Self::Framing(name, value) } else { Self::Header(name, value) }
    }
}

impl Behavior {
    /// Checks that a mock provider can play this behavior.
    ///
    /// # Errors
    /// The name is unknown, `count` is 0, or a status, header or body cannot be sent.
    pub fn validate(&self) -> Result<(), ScriptError> {
        if find(&self.reply).is_none() {
            return Err(ScriptError::UnknownBehavior(self.reply.clone()));
        }
        if self.count == 0 {
            return Err(ScriptError::Never);
        }
        if let Some(status) = self.status.filter(|status| !(200..600).contains(status)) {
            return Err(ScriptError::Status(status));
        }
        if self.body.as_deref().is_some_and(|body| !letters::are_valid(body)) {
            return Err(ScriptError::Letters);
        }
        match unsendable(self).next() {
            Some((name, value)) => Err(ScriptError::of_header(name, value)),
            None => Ok(()),
        }
    }
}

/// The behavior of an attempt, given its number from 1; `None` after the end of the script.
pub fn scheduled(script: &[Behavior], repeat_last: bool, attempt: u32) -> Option<&Behavior> {
    let mut before = 0_u64;
    for behavior in script {
        before += u64::from(behavior.count);
        if u64::from(attempt) <= before {
            return Some(behavior).filter(|behavior| plays_here(behavior));
        }
    }
    script.last().filter(|behavior| repeat_last && plays_here(behavior))
}

/// Whether the mock can play the behavior. It cannot play `connection_refused` and
/// `connect_timeout`, which have ports of their own; if an attempt reaches the mock nevertheless,
/// the attempt is unexpected.
fn plays_here(behavior: &Behavior) -> bool {
    ![CONNECTION_REFUSED, CONNECT_TIMEOUT].contains(&behavior.reply.as_str())
}

fn is_framing(name: &str) -> bool {
    FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name))
}

/// The headers of this behavior that a script cannot set: invalid ones and those that the server
/// writes.
pub fn unsendable(behavior: &Behavior) -> impl Iterator<Item = (&String, &String)> {
    behavior.headers.iter().filter(|(name, value)| {
        is_framing(name)
            || HeaderName::try_from(*name).is_err()
            || HeaderValue::try_from(*value).is_err()
    })
}
