//! Generates the scripts of a case's deployments.

use std::num::{NonZeroI32, NonZeroUsize};
use std::time::Duration;

use fallproof_protocol::behavior::{
    Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED, Chunking, Cut, CutEnd, CutPoint, HeadFault,
    WireFault, behavior_names,
};
use fallproof_protocol::provider::Endpoint;
use rand::RngExt as _;

use crate::attempt::retry_after;
use crate::case::FuzzCase;
use crate::providers::answer;
use crate::random::{CaseRng, chance, pick};

/// Delay that exceeds the timeout of slow cases.
const TOO_LONG_MS: u64 = 3_000;

/// The longest wait that a deployment of an existing group requests.
pub(crate) const SHORT_WAIT: Duration = Duration::from_secs(1);

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
            deployment.script = hanging(case.group.is_some(), rng);
            continue;
        }
        // The addresses of an existing group always accept connections.
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
        // This behavior depends on the system clock, which a case cannot advance.
        other.contains(&name) || goes_on && name == "rate_limited_date"
    };
    let names: Vec<_> = behavior_names().filter(|name| !left_out(name)).collect();
    let mut behavior = Behavior::named(*pick(&names, rng));
    let limits = ["rate_limited", "rate_limited_no_hint", "overloaded"];
    if limits.contains(&behavior.reply.as_str()) && chance(30, rng) {
        ask_for_wait(&mut behavior, *pick(&[1, 7, 30, 600], rng));
    }
    behavior
}

/// Sets this wait in both `retry-after` headers of the reply, as providers do.
fn ask_for_wait(behavior: &mut Behavior, seconds: u32) {
    behavior.headers.insert("retry-after".to_owned(), seconds.to_string());
    behavior.headers.insert("retry-after-ms".to_owned(), format!("{seconds}000"));
}

/// Limits the waits that deployments of an existing group request, so that the group soon returns
/// to its usual state.
pub(super) fn shorten_waits(case: &mut FuzzCase) {
    let Some(request) = case.requests().next().cloned() else { return };
    let endpoint = case.endpoint;
    for deployment in &mut case.chain {
        let known = deployment.clone();
        for behavior in &mut deployment.script {
            let asked = retry_after(&answer(&known, endpoint, &request, behavior).reply);
            if asked > SHORT_WAIT {
                ask_for_wait(behavior, 1);
            }
        }
    }
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
        // Do not reset the connection: a reset may discard events that were already sent.
        _ if streams => cut(CutPoint::Events(rng.random_range(0..8)), CutEnd::Close),
        _ => cut(CutPoint::BodyBytes(rng.random_range(0..40)), end),
    };
    Behavior { wire, ..Behavior::named("ok") }
}

/// A script that hangs for longer than the target waits. The addresses of an existing group always
/// accept connections.
fn hanging(connects: bool, rng: &mut CaseRng) -> Vec<Behavior> {
    vec![match rng.random_range(0..3) {
        0 if !connects => Behavior::named(CONNECT_TIMEOUT),
        1 => Behavior::named("connection_stalled"),
        _ => {
            let wire = WireFault { delay_ms: Some(TOO_LONG_MS), ..WireFault::default() };
            Behavior { wire, ..Behavior::named("ok") }
        }
    }]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::case::{CaseDeployment, Step};
    use crate::executor::fixed_groups;
    use crate::generate::{Scope, generate};
    use crate::random::case_rng;

    /// The waits that the replies in these cases request.
    fn waits(scope: &Scope, cases: u64) -> Vec<(Duration, bool)> {
        let cases = (0..cases).map(|number| generate(scope, &mut case_rng(3, number)));
        let waits = cases.flat_map(|case| {
            let request = case.requests().next().cloned().expect("a case has a call");
            let of = move |behavior: &Behavior, deployment: &CaseDeployment| {
                let header = |name: &str| behavior.headers.get(name).map(String::as_str);
                let is_pair = header("retry-after-ms")
                    == header("retry-after").map(|seconds| format!("{seconds}000")).as_deref();
                (retry_after(&answer(deployment, case.endpoint, &request, behavior).reply), is_pair)
            };
            let all = case.chain.iter().flat_map(|it| it.script.iter().map(move |one| (one, it)));
            all.map(|(behavior, deployment)| of(behavior, deployment)).collect::<Vec<_>>()
        });
        waits.collect()
    }

    #[test]
    fn the_two_headers_of_a_wait_agree() {
        let waits = waits(&Scope::default(), 200);
        assert!(waits.iter().all(|(_, is_pair)| *is_pair));
        assert!(waits.iter().any(|(wait, _)| *wait > SHORT_WAIT));
    }

    #[test]
    fn existing_groups_get_cases_for_their_policies() {
        let scope = Scope { groups: fixed_groups(&Scope::default(), true), ..Scope::default() };
        let cases: Vec<_> = (0..400).map(|it| generate(&scope, &mut case_rng(3, it))).collect();
        let is_broken = |it: &&FuzzCase| it.chain[0].script[0].reply != "ok";
        let hangs = |it: &&FuzzCase| {
            let first = &it.chain[0].script[0];
            first.reply == "connection_stalled" || first.wire.delay_ms == Some(TOO_LONG_MS)
        };
        let count = |filter: &dyn Fn(&&FuzzCase) -> bool| cases.iter().filter(filter).count();
        assert!(count(&|it| it.retries > 0 && is_broken(it)) > 20);
        assert!(count(&|it| it.cooldown.is_some() && it.requests().count() > 1) > 50);
        assert!(count(&|it| it.steps.iter().any(|step| matches!(step, Step::Advance(_)))) > 3);
        assert!(count(&|it| it.total_timeout.is_some() && hangs(it)) > 1);
        assert!(cases.iter().all(|it| it.chain.iter().all(|it| it.dead_end().is_none())));
        let ids: Vec<_> = scope.groups.iter().map(|it| it.group.clone()).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }

    #[test]
    fn the_deployments_of_an_existing_group_ask_for_short_waits() {
        let scope = Scope { groups: fixed_groups(&Scope::default(), true), ..Scope::default() };
        let waits = waits(&scope, 200);
        assert!(waits.iter().all(|(wait, _)| *wait <= SHORT_WAIT));
        assert!(waits.iter().any(|(wait, _)| *wait == SHORT_WAIT));
    }
}
