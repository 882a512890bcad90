//! Violations of the STREAM requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// An error in a stream. Events are numbered from 1; their data is truncated.
    pub enum StreamViolation(n, to, pointer) {
        Altered { event: usize, large: Option<usize>, how: Alteration, data: String } =>
            "event {event} of attempt {n}{size} {how}: {data}",
            size = large.map_or_else(String::new, |bytes| format!(" ({bytes} bytes)"));
        GoesOn { events: usize } =>
            "the stream continues for {events} more events, far beyond everything that was sent";
        Respelled { event: usize, data: String } =>
            "event {event} of attempt {n} reached the client in another spelling: {data}";
        MetadataMissing { data: String } =>
            "attempt {n} sent metadata that did not reach the client: {data}";
        MetadataChanged { event: usize, part: String, data: String } =>
            "{part} of event {event} differs from what attempt {n} sent: {data}";
        Mangled { event: usize, data: String } =>
            "event {event} has corrupted characters of attempt {n}: {data}";
        OfFailedAttempt { event: usize, of: usize, data: String } =>
            "event {event} is from attempt {of}, which had failed: {data}";
        SecondStart { event: usize, data: String } =>
            "event {event} starts the response a second time: {data}";
        TooManyStarts { data: String } => "an event starts the response a second time: {data}";
        Spliced { event: usize, of: usize } =>
            "event {event} is content of attempt {of} in the answer of attempt {n}";
        SplicedInTranslation { of: usize } =>
            "content of attempt {of} is in the answer of attempt {n}";
        StartsAgain { event: usize, how: Restart } =>
            "the response starts again at event {event}: {how}";
        BlamesRequest { event: usize, with: String } =>
            "event {event} tells the client that its request is wrong (`{with}`), but attempt {n} broke at `{to}`";
        AskedAfterContent { after: usize } =>
            "attempt {n} went to `{to}` although the client already had content of attempt {after}";
        HidesInterruption =>
            "the stream of attempt {n} broke after its first content, but the client's stream ended normally";
        InventedEnd { event: usize, data: String } =>
            "event {event} is an end marker that attempt {n} did not send: {data}";
        FinishReasonChanged { event: usize, data: String } =>
            "event {event} of attempt {n} reached the client with another finish reason: {data}";
        EndMissing => "the end of attempt {n}'s stream is missing";
        UnrequestedUsage { event: usize } =>
            "event {event} reports usage, which the client did not request";
        WrongContentType { got: String } =>
            "the client requested a stream and got the content type `{got}`";
        NoFallbackOnStreamError { next: String } =>
            "the stream of attempt {n} started with an error, but `{next}` was never tried";
        InventedSuccess =>
            "every attempt failed before any content, but the client got a success status";
        HeldBack { event: usize, ms: u64 } =>
            "event {event} of attempt {n} had not reached the client after {ms} ms, when two more had been sent";
        Aborted { ms: u64, pause_ms: u64 } =>
            "the stream of attempt {n} was aborted after {ms} ms, although an event came every {pause_ms} ms";
        OutlivesClient => "attempt {n} at `{to}` was not canceled after the client disconnected";
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
    #[strum(to_string = "arrived twice")]
    Twice,
    #[strum(to_string = "arrived too late")]
    Late,
    #[strum(to_string = "is not in the provider's stream")]
    NeverSent,
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
