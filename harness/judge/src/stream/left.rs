//! `FP-STREAM-13`: nobody goes on for a client that has left.

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::violation::StreamViolation::OutlivesClient;

/// The end of each attempt was waited for; whoever still runs does so for nobody.
pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    if view.step.exchange.ending != Ending::Disconnected {
        return;
    }
    for attempt in view.attempts().filter(|attempt| attempt.recorded.times.end.is_none()) {
        found.breach(Code::Stream13, OutlivesClient).at(&attempt);
    }
}
