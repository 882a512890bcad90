//! Fault phrases: what a target does, in words that follow its name. A phrase leaves out what
//! varies between the cases of one fault: values, numbers, and names of deployments.

use std::fmt;

use fallproof_suite::evidence::Ending;

/// The place that a fault concerns: a JSON pointer with `*` for each array index, if it is known.
#[derive(Clone, Copy)]
pub(super) struct Place<'a>(pub(super) Option<&'a str>);

impl Place<'_> {
    /// The pointer in backticks, or these words if it is unknown.
    pub(super) fn or(self, unknown: &str) -> String {
        match self.0 {
            None => unknown.to_owned(),
            Some("") => "the body".to_owned(),
            Some(pointer) => format!("`{pointer}`"),
        }
    }

    /// The words ` at` and the pointer; empty if the place is unknown or everything.
    pub(super) fn at(self) -> String {
        self.0.filter(|it| !it.is_empty()).map_or_else(String::new, |it| format!(" at `{it}`"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.or("a member of the body"))
    }
}

/// The words ` at` and this pointer with `*` for each array index; empty for an empty pointer.
pub(super) fn at(pointer: &str) -> String {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let parts = pointer.split('/').map(|part| if is_index(part) { "*" } else { part });
    Place(Some(&parts.collect::<Vec<_>>().join("/"))).at()
}

/// The fault of a target whose response ended like this.
pub(super) fn of_ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::Complete => "completes its response",
        Ending::Closed => "closes the connection before the response is complete",
        Ending::Reset => "resets the connection before the response is complete",
        Ending::TimedOut => "does not complete its response within the client's `--timeout`",
        Ending::NotHttp(_) => "sends a response that is not HTTP",
        Ending::TooLong => "sends a response that exceeds the size limit",
        Ending::Unreachable(_) => "cannot be reached",
        Ending::Disconnected => "is disconnected by its client",
    }
}

/// Whether the second list consists of the first one and more.
pub(super) fn is_start_of(start: &[String], all: &[String]) -> bool {
    start.len() < all.len() && all.starts_with(start)
}
