//! `FP-STREAM-16`: a stream is not aborted while its events keep coming.

use std::time::Duration;

use fallproof_protocol::sse::EventKind;
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::provider_stream::ProviderStream;
use crate::collector::Collector;
use crate::millis;
use crate::violation::StreamViolation::Aborted;

/// Judges only streams whose script makes the provider wait after each event, and for less than half
/// of the timeout: any other stream may have been silent for too long on a machine under load. A limit
/// for the whole call may end a stream, and so may an error that the provider reported.
pub(super) fn check(found: &mut Collector<'_>, answering: &ProviderStream<'_>) {
    let view = found.view;
    let (policy, recorded) = (&view.group.policy, answering.attempt.recorded);
    let Some(pause_ms) = recorded.wire.chunk_delay_ms else { return };
    let keeps_coming = recorded.wire.cut.is_none() && pause_ms * 2 <= policy.timeout_ms;
    if !keeps_coming || policy.total_timeout_ms.is_some() {
        return;
    }
    let waits = !matches!(
        view.observed.exchange.ending,
        Ending::Disconnected | Ending::TimedOut | Ending::TooLong
    );
    let has_error = answering.events.iter().any(|event| event.kind() == EventKind::Error);
    if recorded.client_gone && waits && answering.is_interrupted() && !has_error {
        let end = recorded.times.end.unwrap_or_default();
        let last = recorded.out.pieces.last().map_or(Duration::ZERO, |(at, _)| *at);
        // The mock itself may have been held up.
        if end.saturating_sub(last) >= Duration::from_millis(policy.timeout_ms) {
            return;
        }
        let ms = millis(end.saturating_sub(recorded.times.head));
        found.breach(Code::Stream16, Aborted { ms, pause_ms }).at(&answering.attempt);
    }
}
