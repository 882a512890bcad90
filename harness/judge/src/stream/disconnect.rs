//! `FP-STREAM-13`: attempts are canceled when the client disconnects.

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::violation::StreamViolation::OutlivesClient;

/// The runner waits for each attempt to end, so an attempt that has no end time was not canceled.
pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    if view.observed.exchange.ending != Ending::Disconnected {
        return;
    }
    for attempt in view.attempts().filter(|attempt| attempt.recorded.times.end.is_none()) {
        found.breach(Code::Stream13, OutlivesClient).at(&attempt);
    }
}
