//! Violations: what STREAM finds.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// What is wrong with a stream. Events count from 1; their data is cut where it is long.
    pub enum StreamViolation(n, to, pointer) {
        Altered { event: usize, how: Alteration, data: String } =>
            "event {event} of attempt {n} {how}: {data}";
        GoesOn { events: usize } =>
            "the stream goes on for {events} events more, far beyond all that was sent";
        Respelled { event: usize, data: String } =>
            "event {event} of attempt {n} reached the client in another spelling: {data}";
        LeftOut { data: String } => "attempt {n} sent what was left out: {data}";
        ChangedBeside { event: usize, part: String, data: String } =>
            "{part} of event {event} is not what attempt {n} sent there: {data}";
        Mangled { event: usize, data: String } =>
            "event {event} has lost characters of attempt {n}: {data}";
        OfFailedAttempt { event: usize, of: usize, data: String } =>
            "event {event} is of attempt {of}, which had failed: {data}";
        BeginsAgain { event: usize, data: String } =>
            "event {event} begins an answer once more: {data}";
        BeginsTooOften { data: String } => "an event begins an answer once more: {data}";
        Spliced { event: usize, of: usize } =>
            "event {event} is content of attempt {of} in the answer of attempt {n}";
        SplicedInTranslation { of: usize } =>
            "content of attempt {of} is in the answer of attempt {n}";
        AskedOn { after: usize } =>
            "attempt {n} went to {to} although the client had content of attempt {after} already";
        HidesBreak =>
            "attempt {n}'s stream broke after its first content, and the client's ended as if nothing had happened";
        MadeUpEnd { event: usize, data: String } =>
            "event {event} ends the answer, which attempt {n} did not: {data}";
        EndMissing => "the end of attempt {n}'s stream is missing";
        UsageUnasked { event: usize } => "event {event} is a usage chunk nobody asked for";
        WrongContentType { got: String } =>
            "the client asked for a stream and got content of type `{got}`";
        ErrorNotHandedOver { next: String } =>
            "attempt {n} was answered with an error in its stream before any content, and {next} was never asked";
        SuccessMadeUp =>
            "every attempt failed before any content, and the client was told success";
        OutlivesClient => "attempt {n} at {to} goes on although the client has left";
    }
}

/// What became of an event on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say what each is")]
pub enum Alteration {
    #[strum(to_string = "was lost")]
    Lost,
    #[strum(to_string = "was lost, or changed")]
    LostOrChanged,
    #[strum(to_string = "was lost, or changed at {0}")]
    Changed(String),
    #[strum(to_string = "was named \"{from}\" and came as \"{to}\"")]
    Renamed { from: String, to: String },
    #[strum(to_string = "came twice")]
    Twice,
    #[strum(to_string = "came too late")]
    Late,
    #[strum(to_string = "was never sent")]
    NeverSent,
}
