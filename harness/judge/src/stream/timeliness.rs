//! `FP-STREAM-15`: an event is passed on while the provider waits, not together with later events.

use std::time::Duration;

use fallproof_protocol::http1::{self, BodyReader, Framing, Progress, response_head};
use fallproof_protocol::request_log::Traffic;
use fallproof_protocol::sse::{Event, EventCounter};
use fallproof_suite::requirement::Code;

use super::provider_stream::ProviderStream;
use crate::collector::Collector;
use crate::millis;
use crate::violation::StreamViolation::HeldBack;

/// Even on a slow machine, a gateway passes an event on within this time.
const SLOW: Duration = Duration::from_millis(900);

/// Judges only streams whose script makes the provider wait after each event, because a machine
/// under load delays everything else. Event n must arrive before event n + 2 is sent: some gateways
/// look one event ahead. Events before the first content may be held until it arrives, because
/// until then a gateway can still fall back.
pub(super) fn check(found: &mut Collector<'_>, answering: &ProviderStream<'_>) {
    let view = found.view;
    let delay = answering.attempt.recorded.wire.chunk_delay_ms.map(Duration::from_millis);
    let waits = delay.is_some_and(|delay| delay * 2 >= SLOW);
    if !waits || view.planned.send.delay_read_until_sent_by.is_some() {
        return;
    }
    let exchange = &view.observed.exchange;
    let sent = event_times(&answering.attempt.recorded.out);
    let received = event_times(&exchange.received);
    // A lost event is not a late one.
    let lost = sent.len().saturating_sub(received.len());
    let content = answering.events.iter().position(Event::is_answer).unwrap_or(usize::MAX);
    for (index, times) in sent.windows(3).enumerate().skip(content) {
        let waited = times[2].saturating_sub(times[0]);
        let arrived = received.iter().filter(|at| exchange.started + **at < times[2]).count();
        if waited >= SLOW && arrived + lost <= index {
            let kind = HeldBack { event: index + 1, ms: millis(waited) };
            found.breach(Code::Stream15, kind).at(&answering.attempt);
            return;
        }
    }
}

/// Returns the time at which each event of a response was complete.
fn event_times(traffic: &Traffic) -> Vec<Duration> {
    let (bytes, mut times) = (traffic.bytes.as_slice(), Vec::new());
    let mut used = 0;
    let headers = loop {
        match response_head(&bytes[used..]) {
            Ok(Some(head)) => {
                used += head.length;
                if head.status >= 200 {
                    break head.headers;
                }
            }
            Ok(None) | Err(_) => return times,
        }
    };
    let is_chunked = http1::values(&headers, "transfer-encoding").next().is_some();
    let framing = if is_chunked { Framing::Chunked } else { Framing::UntilClose };
    let mut reader = BodyReader::new(framing, usize::MAX);
    let (mut body, mut read, mut counter) = (Vec::new(), 0, EventCounter::default());
    for (at, end) in &traffic.pieces {
        let end = (*end).min(bytes.len());
        while used < end {
            let Ok(step) = reader.advance(&bytes[used..end], &mut body) else { return times };
            used += step.used;
            if step.progress != Progress::Chunk {
                break;
            }
        }
        let events = counter.push(&body[read..]);
        read = body.len();
        times.resize(events, *at);
    }
    times
}
