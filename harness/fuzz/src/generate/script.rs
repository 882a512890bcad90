//! Generates the scripts of a case's deployments.

use std::num::{NonZeroI32, NonZeroUsize};

use fallproof_protocol::behavior::{
    Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED, Chunking, Cut, CutEnd, CutPoint, HeadFault,
    WireFault, behavior_names,
};
use fallproof_protocol::provider::Endpoint;
use rand::RngExt as _;

use crate::case::FuzzCase;
use crate::random::{CaseRng, chance, pick};

/// Delay that exceeds the timeout of slow cases.
const TOO_LONG_MS: u64 = 3_000;

/// Generates scripts for all deployments. The last one mostly succeeds, the others mostly fail.
pub(super) fn script(case: &mut FuzzCase, is_slow: bool, rng: &mut CaseRng) {
    let asks = case.requests().count();
    let streams = case
        .requests()
        .any(|request| request.member("stream").is_some_and(|it| it.compact() == "true"));
    let max_attempts = (1 + case.retries as usize) * asks;
    let last = case.chain.len() - 1;
    let hangs = is_slow.then(|| rng.random_range(0..case.chain.len()));
    let is_audio = case.endpoint == Endpoint::AudioSpeech;
    for (index, deployment) in case.chain.iter_mut().enumerate() {
        if hangs == Some(index) {
            deployment.script = hanging(rng);
            continue;
        }
        // The address of an existing group accepts connections.
        if case.group.is_none() && chance(5, rng) {
            deployment.script = vec![Behavior::named(CONNECTION_REFUSED)];
            continue;
        }
        let length = rng.random_range(1..=max_attempts.min(6));
        let well = if index == last { 70 } else { 25 };
        deployment.script = (0..length)
            .map(|_| {
                if chance(well, rng) {
                    good(streams, rng)
                } else if !is_audio && chance(20, rng) {
                    broken(streams, rng)
                } else {
                    failing(asks > 1, rng)
                }
            })
            .collect();
    }
}

/// A success. A stream may be split into chunks that ignore event boundaries.
fn good(streams: bool, rng: &mut CaseRng) -> Behavior {
    let mut behavior = Behavior::named(if chance(5, rng) { "refusal" } else { "ok" });
    if streams && chance(20, rng) {
        let bytes = *pick(&[3, 7, 64, 500], rng);
        behavior.wire.write = NonZeroUsize::new(bytes).map(Chunking::Bytes);
    }
    behavior
}

/// A failure from the catalogue that does not hang.
fn failing(goes_on: bool, rng: &mut CaseRng) -> Behavior {
    let left_out = |name: &str| {
        let other = ["ok", "refusal", CONNECTION_REFUSED, CONNECT_TIMEOUT, "connection_stalled"];
        // Depends on the system clock.
        other.contains(&name) || goes_on && name == "rate_limited_date"
    };
    let names: Vec<_> = behavior_names().filter(|name| !left_out(name)).collect();
    let mut behavior = Behavior::named(*pick(&names, rng));
    let limits = ["rate_limited", "rate_limited_no_hint", "overloaded"];
    if limits.contains(&behavior.reply.as_str()) && chance(30, rng) {
        let seconds = pick(&["1", "7", "30", "600"], rng);
        behavior.headers.insert("retry-after".to_owned(), (*seconds).to_owned());
    }
    behavior
}

/// A success with a wire fault.
fn broken(streams: bool, rng: &mut CaseRng) -> Behavior {
    let end = if chance(50, rng) { CutEnd::Close } else { CutEnd::Reset };
    let cut = |at, end| WireFault { cut: Some(Cut { at, end }), ..WireFault::default() };
    let wire = match rng.random_range(0..6) {
        0 => cut(CutPoint::BeforeHead, end),
        1 => cut(CutPoint::AfterHead, end),
        2 => WireFault { head: Some(HeadFault::Garbage), ..WireFault::default() },
        3 if !streams => {
            let more = NonZeroI32::new(5).map(HeadFault::ContentLengthOffBy);
            WireFault { head: more, ..WireFault::default() }
        }
        // A reset may discard data that was sent before it.
        _ if streams => cut(CutPoint::Events(rng.random_range(0..8)), CutEnd::Close),
        _ => cut(CutPoint::BodyBytes(rng.random_range(0..40)), end),
    };
    Behavior { wire, ..Behavior::named("ok") }
}

/// A script that hangs for longer than the target waits.
fn hanging(rng: &mut CaseRng) -> Vec<Behavior> {
    vec![match rng.random_range(0..3) {
        0 => Behavior::named(CONNECT_TIMEOUT),
        1 => Behavior::named("connection_stalled"),
        _ => {
            let wire = WireFault { delay_ms: Some(TOO_LONG_MS), ..WireFault::default() };
            Behavior { wire, ..Behavior::named("ok") }
        }
    }]
}
