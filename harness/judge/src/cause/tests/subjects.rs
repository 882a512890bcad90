//! What a cause says that it is about, and how a requirement is split by that.

use super::*;
use crate::cause::{OwnError, Sent};
use crate::odd::OddMember;

/// A violation about a header, in a call to this endpoint.
fn about(header: &str, endpoint: Endpoint) -> CaseFacts {
    let subject = Some(Subject::Header(header.to_owned()));
    let it = breach(Some(Code::Header06), None);
    case(call(endpoint, &[]), vec![Fingerprint { subject, ..it }])
}

fn faults(causes: &Causes) -> Vec<&str> {
    causes.all.iter().map(|it| &*it.fault).collect()
}

#[test]
fn a_cause_names_the_header_that_it_is_about_or_up_to_four() {
    let at = |headers: &[&str]| -> Vec<_> {
        headers.iter().map(|it| about(it, Endpoint::ChatCompletions)).collect()
    };
    assert_eq!(faults(&found(&at(&["a"]))), ["breaks header `a`"]);
    assert_eq!(faults(&found(&at(&["a", "b", "b"]))), ["breaks headers `b`, `a`"]);
    let six = found(&at(&["a", "b", "c", "d", "e", "f", "f"]));
    assert_eq!(ids(&six), ["header-06"]);
    assert_eq!(faults(&six), ["breaks headers `f`, `a`, `b`, `c` and 2 more"]);
    assert_eq!(six.all[0].cases[0], 5, "the example is about the first one");
}

#[test]
fn headers_that_are_lost_at_other_endpoints_are_causes_of_their_own() {
    use Endpoint::{ChatCompletions, Completions, Embeddings, Moderations, Responses};
    let everywhere = [ChatCompletions, Completions, Embeddings, Moderations, Responses];
    let of = |header, endpoints: &[Endpoint]| -> Vec<_> {
        endpoints.iter().map(|endpoint| about(header, *endpoint)).collect()
    };
    let two = [ChatCompletions, Responses];
    let there = |header| [of(header, &two), of(header, &two)].concat();
    let cases = [of("x-one", &everywhere), there("x-two"), there("x-three")].concat();
    let apart = found(&cases);
    assert_eq!(ids(&apart), ["header-06/x-three", "header-06/x-one"]);
    assert_eq!(faults(&apart), ["breaks headers `x-three`, `x-two`", "breaks header `x-one`"]);
    // Too few cases show no pattern.
    let few = [of("x-one", &everywhere), of("x-two", &two)].concat();
    assert_eq!(ids(&found(&few)), ["header-06"]);
}

#[test]
fn a_cause_names_every_member_that_is_lost_for_it() {
    let both = || chat(vec![lost("/seed", 1), lost("/tools/*/type", 1)]);
    assert_eq!(faults(&found(&[both()])), ["breaks `/seed`, `/tools/*/type`"]);
}

#[test]
fn members_that_never_arrive_are_one_cause() {
    let loses = |name: &str, endpoint| {
        case(call(endpoint, &["input", name]), vec![lost(&format!("/{name}"), 0)])
    };
    let cases = [
        loses("a", Endpoint::Responses),
        loses("a", Endpoint::Moderations),
        loses("b", Endpoint::Responses),
        loses("c", Endpoint::Embeddings),
    ];
    let found = found(&cases);
    assert_eq!(ids(&found), ["payload-02/a", "payload-02/c"]);
    assert_eq!(faults(&found), ["breaks `/a`, `/b`", "breaks `/c`"]);
}

#[test]
fn failures_of_the_target_itself_have_a_cause_for_each_odd_member() {
    let fails = |pointer, endpoint| {
        let it = Fingerprint { kind: "own-failure", ..breach(Some(Code::Client06), pointer) };
        case(call(endpoint, &["metadata", "input"]), vec![it])
    };
    let found = found(&[
        fails(Some("/metadata"), Endpoint::Completions),
        fails(Some("/metadata"), Endpoint::Embeddings),
        fails(Some("/input"), Endpoint::Embeddings),
        fails(None, Endpoint::Embeddings),
    ]);
    let wanted =
        ["client-06/own-failure/metadata", "client-06/own-failure", "client-06/own-failure/input"];
    assert_eq!(ids(&found), wanted);
}

#[test]
fn failures_at_null_in_any_member_have_one_cause() {
    let fails = |name: &str, value: &str| {
        let (pointer, member) = (format!("/{name}"), name.to_owned());
        let it =
            Fingerprint { kind: "own-failure", ..breach(Some(Code::Client06), Some(&pointer)) };
        let mut case = chat(vec![it]);
        let odd = OddMember { name: member, value: Some(value.to_owned()) };
        case.calls[0].own_error =
            Some(OwnError { message: String::new(), sent: Some(Sent::Odd(vec![odd])) });
        case
    };
    let names = ["a", "b", "c", "d", "e"];
    let null: Vec<_> = names.iter().map(|name| fails(name, "null")).collect();
    assert_eq!(ids(&found(&null)), ["client-06/own-failure"]);
    assert_eq!(faults(&found(&null)), ["breaks `/a`, `/b`, `/c`, `/d` and 1 more"]);
    let values = ["null", "7", "[]", "{}", "true"];
    let others: Vec<_> = names.iter().zip(values).map(|(name, value)| fails(name, value)).collect();
    assert_eq!(found(&others[..4]).all.len(), 4);
}

#[test]
fn what_a_client_gets_of_a_failed_stream_tells_causes_apart() {
    let gets = |kind| chat(vec![Fingerprint { kind, ..breach(Some(Code::Stream12), None) }]);
    let found = found(&[gets("error-event"), gets("events"), gets("events")]);
    assert_eq!(ids(&found), ["stream-12/events", "stream-12/error-event"]);
}

#[test]
fn lost_large_events_are_one_cause_at_all_endpoints() {
    let loses = |endpoint| {
        let it = Fingerprint { kind: "large-event", ..breach(Some(Code::Stream01), None) };
        case(call(endpoint, &[]), vec![it])
    };
    let mut cases: Vec<_> = (0..4).map(|_| loses(Endpoint::Responses)).collect();
    cases.push(loses(Endpoint::ChatCompletions));
    cases.extend((0..20).map(|_| chat(Vec::new())));
    assert_eq!(ids(&found(&cases)), ["stream-01/large-event"]);
}

#[test]
fn events_that_are_missing_from_another_response_than_a_stream_follow_from_that() {
    let missing = || breach(Some(Code::Stream01), None);
    let no_stream = || chat(vec![missing(), breach(Some(Code::Stream10), None)]);
    let found = found(&[no_stream(), no_stream(), chat(vec![missing()]), chat(vec![missing()])]);
    assert_eq!(ids(&found), ["stream-01", "stream-10"]);
    assert_eq!(found.all.iter().map(|it| &it.cases[..]).collect::<Vec<_>>(), [[2, 3], [0, 1]]);
}

#[test]
fn a_fault_that_shows_at_all_endpoints_is_not_that_of_the_endpoint_that_is_hit_most_often() {
    let breaks = |endpoint| case(call(endpoint, &[]), vec![breach(Some(Code::Client01), None)]);
    let mut cases: Vec<_> = (0..4).map(|_| breaks(Endpoint::Moderations)).collect();
    cases.extend((0..2).map(|_| breaks(Endpoint::ChatCompletions)));
    cases.extend((0..10).map(|_| chat(Vec::new())));
    assert_eq!(ids(&found(&cases)), ["client-01"]);
    cases.extend((0..20).map(|_| chat(Vec::new())));
    assert_eq!(ids(&found(&cases)), ["client-01/moderations", "client-01"]);
}

#[test]
fn a_break_that_is_hidden_has_one_cause_but_a_grave_effect_hides_below_no_other() {
    let breaks = |code| {
        let it = breach(Some(code), None);
        chat(vec![Fingerprint { effect: Some(Effect::HiddenBreak), ..it }])
    };
    let splices = [breaks(Code::Stream05), breaks(Code::Stream05), breaks(Code::Stream07)];
    assert_eq!(ids(&found(&splices)), ["stream-05"]);
    let rarely = [breaks(Code::Stream05), breaks(Code::Stream07), breaks(Code::Stream07)];
    assert_eq!(ids(&found(&rarely)), ["stream-07", "stream-05"]);
}
