//! Fault phrases: what a target does, in words that follow its name. A phrase leaves out what
//! varies between the cases of one fault: values, numbers, and names of deployments.

use std::fmt;

use fallproof_suite::evidence::Ending;

/// Stands in a phrase for what the fault is about.
pub(crate) const GAP: char = '\u{fffc}';

/// The place that a fault concerns: a JSON pointer, if it is known.
#[derive(Clone, Copy)]
pub(super) struct Place<'a>(pub(super) Option<&'a str>);

impl Place<'_> {
    /// The gap for the pointer, or these words if it is unknown.
    pub(super) fn or(self, unknown: &str) -> String {
        self.0.map_or_else(|| unknown.to_owned(), |_| GAP.to_string())
    }

    /// These words and the gap for the pointer; empty if the place is unknown or everything.
    pub(super) fn after(self, words: &str) -> String {
        let place = self.0.filter(|it| !it.is_empty());
        place.map_or_else(String::new, |_| format!(" {words} {GAP}"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.or("a member of the body"))
    }
}

/// The word ` at` and the gap for this pointer; empty for an empty pointer.
pub(super) fn at(pointer: &str) -> String {
    Place(Some(pointer)).after("at")
}

/// The pointer with `*` for each array index.
pub(crate) fn without_indexes(pointer: &str) -> String {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let parts = pointer.split('/').map(|part| if is_index(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The fault of a target whose response ended like this.
pub(super) fn of_ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::Complete => "completes its response",
        Ending::Closed => "closes the connection before the response is complete",
        Ending::Reset => "resets the connection before the response is complete",
        Ending::TimedOut => "does not complete its response in time",
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
