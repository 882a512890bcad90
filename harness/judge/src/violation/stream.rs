//! Violations of the STREAM requirements.

use serde::Serialize;
use strum::Display;

use super::{fault, violations};

violations! {
    /// An error in a stream. Events are numbered from 1; their data is truncated.
    pub enum StreamViolation(n, to, pointer) {
        Altered { event: usize, large: Option<usize>, how: Alteration, data: String } =>
            "event {event} of attempt {n}{size} {how}: {data}",
            size = large.map_or_else(String::new, |bytes| format!(" ({bytes} bytes)"))
            => "{fault}", fault = how.fault();
        GoesOn { events: usize } =>
            "the stream continues for {events} more events, far beyond everything that was sent"
            => "continues a stream far beyond everything that was sent";
        Respelled { event: usize, data: String } =>
            "event {event} of attempt {n} reached the client in another spelling: {data}"
            => "respells events of a stream";
        MetadataMissing { data: String } =>
            "attempt {n} sent metadata that did not reach the client: {data}"
            => "loses metadata of a stream";
        MetadataChanged { event: usize, part: String, data: String } =>
            "{part} of event {event} differs from what attempt {n} sent: {data}"
            => "changes the metadata of stream events{at}", at = fault::at(part);
        Mangled { event: usize, data: String } =>
            "event {event} has corrupted characters of attempt {n}: {data}"
            => "corrupts characters of a stream";
        OfFailedAttempt { event: usize, of: usize, data: String } =>
            "event {event} is from attempt {of}, which had failed: {data}"
            => "sends the client events from another attempt's stream";
        SecondStart { event: usize, data: String } =>
            "event {event} starts the response a second time: {data}"
            => "starts a streamed response more than once";
        TooManyStarts { data: String } => "an event starts the response a second time: {data}"
            => "starts a streamed response more often than the provider";
        Spliced { event: usize, of: usize } =>
            "event {event} is content of attempt {of} in the answer of attempt {n}"
            => "mixes content of two attempts in one stream";
        SplicedInTranslation { of: usize } =>
            "content of attempt {of} is in the answer of attempt {n}"
            => "mixes content of two attempts in one translated stream";
        StartsAgain { event: usize, how: Restart } =>
            "the response starts again at event {event}: {how}"
            => "{fault}", fault = how.fault();
        BlamesRequest { event: usize, with: String } =>
            "event {event} tells the client that its request is wrong (`{with}`), but attempt {n} broke at `{to}`"
            => "blames the request for a provider's failure in an error event";
        AskedAfterContent { after: usize } =>
            "attempt {n} went to `{to}` although the client already had content of attempt {after}"
            => "makes further attempts after the client got content of a stream";
        HidesInterruption =>
            "the stream of attempt {n} broke after its first content, but the client's stream ended normally"
            => "ends a stream normally although the provider's stream broke";
        InventedEnd { event: usize, data: String } =>
            "event {event} is an end marker that attempt {n} did not send: {data}"
            => "adds an end marker that the provider did not send";
        FinishReasonChanged { event: usize, data: String } =>
            "event {event} of attempt {n} reached the client with another finish reason: {data}"
            => "changes the finish reason of a stream";
        EndMissing => "the end of attempt {n}'s stream is missing"
            => "leaves out the end of a stream";
        UnrequestedUsage { event: usize } =>
            "event {event} reports usage, which the client did not request"
            => "reports usage in a stream although the client did not request it";
        WrongContentType { got: String } =>
            "the client requested a stream and got the content type `{got}`"
            => "answers a call for a stream without content type `text/event-stream`";
        NoFallbackOnStreamError { next: String } =>
            "attempt {n} answered the call for a stream with an error before any content, but `{next}` was never tried"
            => "does not fall back after a stream that starts with an error";
        InventedSuccess { with: FalseStart } =>
            "every attempt failed before any content, but the client got a success status and {with}"
            => "answers with a success status {how} when all attempts at a stream failed",
                how = with.fault();
        HeldBack { event: usize, ms: u64 } =>
            "event {event} of attempt {n} had not reached the client after {ms} ms, although the provider had sent two more events by then"
            => "holds back stream events while the provider sends more";
        Aborted { ms: u64, pause_ms: u64 } =>
            "the stream of attempt {n} was aborted after {ms} ms, although an event came every {pause_ms} ms"
            => "aborts a stream although its events come in time";
        OutlivesClient => "attempt {n} at `{to}` was not canceled after the client disconnected"
            => "does not cancel attempts after the client disconnected";
    }
}

/// What happened to an event on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each message describes its variant")]
pub enum Alteration {
    #[strum(to_string = "was lost")]
    Lost,
    #[strum(to_string = "was lost or changed")]
    LostOrChanged,
    #[strum(to_string = "was lost, or changed at {0}")]
    LostOrChangedAt(String),
    #[strum(to_string = "reached the client changed at {0}")]
    Changed(String),
    #[strum(to_string = "was named \"{from}\" and arrived as \"{to}\"")]
    Renamed { from: String, to: String },
    #[strum(to_string = "was named \"{0}\" and arrived without a name")]
    NameLost(String),
    #[strum(to_string = "has no name and arrived as \"{0}\"")]
    NameAdded(String),
    #[strum(to_string = "arrived twice")]
    Twice,
    #[strum(to_string = "arrived too late")]
    Late,
    #[strum(to_string = "is not in the provider's stream")]
    NeverSent,
}

impl Alteration {
    fn fault(&self) -> String {
        let fault = match self {
            Self::Lost => "loses events of a stream",
            Self::LostOrChanged => "loses or changes events of a stream",
            Self::LostOrChangedAt(pointer) => {
                return format!("loses stream events, or changes them{}", fault::at(pointer));
            }
            Self::Changed(pointer) => {
                return format!("changes stream events{}", fault::at(pointer));
            }
            Self::Renamed { .. } => "renames stream events",
            Self::NameLost(_) => "loses the names of stream events",
            Self::NameAdded(_) => "adds names to stream events",
            Self::Twice => "repeats events of a stream",
            Self::Late => "reorders events of a stream",
            Self::NeverSent => "adds events to a stream",
        };
        fault.to_owned()
    }
}

/// What the client got after a success status although no attempt sent content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each message describes its variant")]
pub enum FalseStart {
    #[strum(to_string = "an error event")]
    ErrorEvent,
    #[strum(to_string = "events that report no error")]
    Events,
    #[strum(to_string = "a stream without events")]
    NoEvents,
    #[strum(to_string = "a body that is no stream")]
    NoStream,
}

impl FalseStart {
    /// Its name in the ids of causes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ErrorEvent => "error-event",
            Self::Events => "events",
            Self::NoEvents => "no-events",
            Self::NoStream => "no-stream",
        }
    }

    fn fault(self) -> &'static str {
        match self {
            Self::ErrorEvent => "and an error event",
            Self::Events => "and events without an error",
            Self::NoEvents => "and an empty stream",
            Self::NoStream => "and a body that is no stream",
        }
    }
}

/// What shows that an event belongs to a second response.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each message describes its variant")]
pub enum Restart {
    #[strum(to_string = "`response.created` comes a second time")]
    Created,
    #[strum(to_string = "after number {from} the events are numbered from {to} again")]
    Number { from: i64, to: i64 },
    #[strum(to_string = "the id changes from {from} to {to}")]
    Id { from: String, to: String },
}

impl Restart {
    fn fault(&self) -> &'static str {
        match self {
            Self::Created => "sends `response.created` again in a stream",
            Self::Number { .. } => "starts the numbers of stream events again",
            Self::Id { .. } => "changes the id within a stream",
        }
    }
}
