mod own_error;
mod subjects;

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::requirement::Code;

use super::{AttemptFacts, CallFacts, CaseFacts, CauseId, Causes, FaultClass, Fingerprint, causes};
use crate::violation::{Effect, GAP, Phrase, Subject, Verdict};

/// A call that fails over from `openai` to `azure-v1`, with these members.
fn call(endpoint: Endpoint, members: &[&str]) -> CallFacts {
    let attempt = |surface, fault| AttemptFacts { surface, fault };
    CallFacts {
        endpoint,
        is_streamed: false,
        members: members.iter().map(|&it| it.to_owned()).collect(),
        attempts: vec![
            attempt(Surface::OpenAi, Some(FaultClass::Status(500))),
            attempt(Surface::AzureV1, None),
        ],
        looks_like_success: true,
        own_error: None,
    }
}

/// A failure of the first call of a case.
fn breach(requirement: Option<Code>, pointer: Option<&str>) -> Fingerprint {
    Fingerprint {
        requirement,
        kind: "some-kind",
        phrase: Phrase::new(&format!("breaks {GAP}")),
        subject: pointer.map(|it| Subject::Part(it.to_owned())),
        pointer: pointer.map(str::to_owned),
        call: 0,
        attempt: None,
        effect: None,
        verdict: Verdict::Fail,
    }
}

fn lost(pointer: &str, attempt: usize) -> Fingerprint {
    Fingerprint { attempt: Some(attempt), ..breach(Some(Code::Payload02), Some(pointer)) }
}

fn case(call: CallFacts, fingerprints: Vec<Fingerprint>) -> CaseFacts {
    CaseFacts { fingerprints, calls: vec![call] }
}

fn chat(fingerprints: Vec<Fingerprint>) -> CaseFacts {
    case(call(Endpoint::ChatCompletions, &["messages", "seed", "tools"]), fingerprints)
}

fn found(cases: &[CaseFacts]) -> Causes {
    causes(&cases.iter().collect::<Vec<_>>())
}

fn ids(causes: &Causes) -> Vec<String> {
    causes.all.iter().map(|it| it.id.to_string()).collect()
}

#[test]
fn no_violation_has_no_cause() {
    let found = found(&[chat(Vec::new()), CaseFacts::default()]);
    assert_eq!(found, Causes { all: Vec::new(), of: vec![Vec::new(), Vec::new()] });
}

#[test]
fn an_informational_violation_has_no_cause() {
    let note = Fingerprint { verdict: Verdict::Note, ..lost("/seed", 0) };
    let found = found(&[chat(vec![note])]);
    assert_eq!((found.all.len(), found.of), (0, vec![vec![None]]));
}

#[test]
fn cases_that_lose_the_same_member_have_one_cause() {
    let found = found(&[
        chat(Vec::new()),
        chat(vec![lost("/seed", 1)]),
        case(call(Endpoint::Responses, &["input", "seed"]), vec![lost("/seed", 1)]),
        case(call(Endpoint::Responses, &["input"]), Vec::new()),
    ]);
    assert_eq!(ids(&found), ["payload-02/seed"]);
    let cause = &found.all[0];
    assert_eq!((&cause.cases[..], cause.could_show, cause.silent), (&[1, 2][..], 3, 2));
    assert_eq!(found.of, [vec![], vec![Some(0)], vec![Some(0)], vec![]]);
}

#[test]
fn members_that_are_lost_apart_have_a_cause_each() {
    let one = chat(vec![lost("/seed", 1)]);
    let other = chat(vec![lost("/tools/0", 1)]);
    assert_eq!(ids(&found(&[one, other])), ["payload-02/seed", "payload-02/tools"]);
}

#[test]
fn members_that_are_lost_together_have_one_cause() {
    let both = || chat(vec![lost("/seed", 1), lost("/tools", 1)]);
    let found = found(&[both(), both()]);
    assert_eq!(ids(&found), ["payload-02/seed"]);
    let symptoms: Vec<_> = found.all[0].symptoms.iter().map(CauseId::to_string).collect();
    assert_eq!(symptoms, ["payload-02/seed", "payload-02/tools"]);
}

#[test]
fn a_target_that_loses_whatever_it_gets_has_one_cause() {
    let names = ["a", "b", "c", "d", "e"];
    let loses = |name: &&str| {
        let call = call(Endpoint::ChatCompletions, &["messages", name]);
        case(call, vec![lost(&format!("/{name}"), 1)])
    };
    let whatever = found(&names.iter().map(loses).collect::<Vec<_>>());
    assert_eq!(ids(&whatever), ["payload-02"]);
    assert_eq!(whatever.all[0].fault, "breaks `/a`, `/b`, `/c`, `/d` and 1 more");
    // With as many calls that keep `a`, it is lost for another reason than those that never arrive.
    let keeps = || case(call(Endpoint::ChatCompletions, &["messages", "a"]), Vec::new());
    let cases = names.iter().map(loses).chain((0..6).map(|_| keeps())).collect::<Vec<_>>();
    assert_eq!(ids(&found(&cases)), ["payload-02/b", "payload-02/a"]);
}

#[test]
fn what_follows_from_a_change_hangs_below_it() {
    let refused = vec![
        breach(None, None),
        breach(Some(Code::Client06), None),
        lost("/seed", 1),
        breach(Some(Code::Payload05), Some("/seed")),
    ];
    let found = found(&[chat(refused)]);
    assert_eq!(ids(&found), ["payload-02/seed"]);
    let follows = [(Some(Code::Payload05), 1), (Some(Code::Client06), 1), (None, 1)];
    assert_eq!(found.all[0].follows, follows);
    assert_eq!(found.of, [vec![Some(0); 4]]);
}

#[test]
fn a_change_of_the_request_does_not_follow_from_one_that_is_everywhere() {
    let lacks_header = || breach(Some(Code::Header06), None);
    let both = || chat(vec![lost("/seed", 1), lacks_header()]);
    let loses = || chat(vec![lost("/seed", 1)]);
    let everywhere = [both(), loses(), loses(), loses()];
    assert_eq!(ids(&found(&everywhere)), ["payload-02/seed", "header-06"]);
    // Where it is rare, it explains the other.
    let keeps = || chat(Vec::new());
    let rare = [both(), loses(), keeps(), keeps(), keeps()];
    assert_eq!(ids(&found(&rare)), ["payload-02/seed"]);
}

#[test]
fn a_fault_with_many_cases_of_its_own_is_a_cause() {
    let both = chat(vec![lost("/seed", 1), breach(Some(Code::Leak06), None)]);
    let leaks = || chat(vec![breach(Some(Code::Leak06), None)]);
    let found = found(&[both, leaks(), leaks()]);
    assert_eq!(ids(&found), ["leak-06", "payload-02/seed"], "the one with more cases is first");
}

#[test]
fn an_endpoint_that_is_hit_far_more_often_is_a_cause_of_its_own() {
    let breaks = |endpoint| case(call(endpoint, &[]), vec![breach(Some(Code::Route03), None)]);
    let keeps = || chat(Vec::new());
    let mut cases: Vec<_> = (0..4).map(|_| breaks(Endpoint::Moderations)).collect();
    cases.extend((0..20).map(|_| keeps()));
    cases.push(breaks(Endpoint::ChatCompletions));
    assert_eq!(ids(&found(&cases)), ["route-03/moderations", "route-03"]);
    // If all endpoints are hit alike, they have one cause.
    cases.retain(|case| !case.fingerprints.is_empty());
    assert_eq!(ids(&found(&cases)), ["route-03"]);
}

#[test]
fn an_endpoint_that_is_hit_often_in_a_single_case_is_no_cause_of_its_own() {
    let breaks = |call| Fingerprint { call, ..breach(Some(Code::Route03), None) };
    let repeats = CaseFacts {
        calls: vec![call(Endpoint::Moderations, &[]); 5],
        fingerprints: (0..5).map(breaks).collect(),
    };
    let mut cases = vec![repeats, chat(vec![breaks(0)])];
    cases.extend((0..20).map(|_| chat(Vec::new())));
    assert_eq!(ids(&found(&cases)), ["route-03"]);
}

#[test]
fn requirements_that_ask_for_the_same_follow_the_one_that_is_broken_everywhere() {
    let no_fallback = |requirement| {
        let it = breach(requirement, None);
        chat(vec![Fingerprint { effect: Some(Effect::NoFallback), ..it }])
    };
    let mut cases: Vec<_> = (0..3).map(|_| no_fallback(Some(Code::Route03))).collect();
    cases.extend([no_fallback(Some(Code::Stream11)), no_fallback(None)]);
    let found = found(&cases);
    assert_eq!(ids(&found), ["route-03"]);
    assert_eq!(found.all[0].cases, [0, 1, 2, 3, 4]);
    // A fault in few of many cases explains no other.
    cases.extend((0..20).map(|_| chat(Vec::new())));
    let rare = self::found(&cases);
    assert_eq!(ids(&rare), ["route-03", "stream-11", "expectation/no-fallback"]);
}

#[test]
fn what_is_missed_after_one_failure_does_not_explain_what_is_missed_after_another() {
    let after = |fault, fingerprints| {
        let mut case = chat(fingerprints);
        case.calls[0].attempts[0].fault = Some(fault);
        case
    };
    let misses = |code, fault| {
        let it = breach(Some(code), None);
        after(fault, vec![Fingerprint { effect: Some(Effect::NoFallback), ..it }])
    };
    let mut cases = vec![
        misses(Code::Route03, FaultClass::InvalidResponse),
        misses(Code::Route03, FaultClass::InvalidResponse),
        misses(Code::Route10, FaultClass::Status(400)),
        misses(Code::Stream11, FaultClass::InvalidResponse),
    ];
    // A target that never falls back misses both for the same reason.
    assert_eq!(ids(&found(&cases)), ["route-03"]);
    cases.extend((0..20).map(|_| after(FaultClass::Status(500), Vec::new())));
    assert_eq!(ids(&found(&cases)), ["route-03", "route-10"]);
}

#[test]
fn what_follows_from_a_follower_has_the_cause_of_its_head() {
    let misses = |code, fault| {
        let it = breach(Some(code), None);
        let mut case = chat(vec![Fingerprint { effect: Some(Effect::NoFallback), ..it }]);
        case.calls[0].attempts[0].fault = Some(fault);
        case
    };
    let mut cases: Vec<_> =
        (0..10).map(|_| misses(Code::Route03, FaultClass::InvalidResponse)).collect();
    cases.extend((0..4).map(|_| misses(Code::Route10, FaultClass::InvalidResponse)));
    cases.push(misses(Code::Route10, FaultClass::Status(400)));
    cases.push(misses(Code::Stream11, FaultClass::Status(400)));
    cases.extend((0..100).map(|_| chat(Vec::new())));
    let found = found(&cases);
    assert_eq!(ids(&found), ["route-03"]);
    assert_eq!(found.all[0].cases.len(), 16);
}

#[test]
fn a_warning_is_a_cause_after_all_failures() {
    let warn = Fingerprint { verdict: Verdict::Warn, ..breach(Some(Code::Client02), None) };
    let warns = || chat(vec![warn.clone()]);
    let found = found(&[warns(), warns(), chat(vec![lost("/seed", 0)])]);
    assert_eq!(ids(&found), ["payload-02/seed", "client-02"]);
}

#[test]
fn a_failure_never_follows_from_a_warning() {
    let warn = || Fingerprint { verdict: Verdict::Warn, ..breach(Some(Code::Client02), None) };
    let mut cases: Vec<_> = (0..9).map(|_| chat(vec![warn()])).collect();
    cases.push(chat(vec![warn(), breach(Some(Code::Client05), None)]));
    assert_eq!(ids(&found(&cases)), ["client-05", "client-02"]);
}

#[test]
fn a_fault_follows_from_a_much_more_general_one_of_a_later_requirement() {
    let general = || breach(Some(Code::Client04), None);
    let mut cases: Vec<_> = (0..9).map(|_| chat(vec![general()])).collect();
    cases.push(chat(vec![general(), breach(Some(Code::Stream10), None)]));
    assert_eq!(ids(&found(&cases)), ["client-04"]);
}

#[test]
fn the_simplest_case_is_the_example() {
    let twice = CaseFacts {
        calls: vec![call(Endpoint::ChatCompletions, &["seed"]); 2],
        fingerprints: vec![lost("/seed", 1)],
    };
    let leaks_too = chat(vec![lost("/seed", 1), breach(Some(Code::Leak06), None)]);
    let leaks = || chat(vec![breach(Some(Code::Leak06), None)]);
    let simple = chat(vec![lost("/seed", 1)]);
    let found = found(&[twice, leaks_too, leaks(), leaks(), leaks(), simple]);
    let cause = found.all.iter().find(|it| it.id.to_string() == "payload-02/seed");
    assert_eq!(cause.map(|it| &it.cases[..]), Some(&[5, 0, 1][..]));
}

#[test]
fn the_scope_names_what_is_narrower_than_it_could_be() {
    let scope = |cases: &[CaseFacts]| found(cases).all[0].scope.to_string();
    let in_second = |endpoint| case(call(endpoint, &["seed"]), vec![lost("/seed", 1)]);
    let four = [
        Endpoint::ChatCompletions,
        Endpoint::Completions,
        Endpoint::Embeddings,
        Endpoint::Responses,
    ];
    let mut cases: Vec<_> = four.into_iter().map(in_second).collect();
    assert_eq!(scope(&cases), "after the first attempt; azure-v1 only");
    cases.extend((0..3).map(|_| case(call(Endpoint::Moderations, &["seed"]), Vec::new())));
    assert_eq!(scope(&cases), "4 endpoints; after the first attempt; azure-v1 only");
    // Few endpoints are named, even if it could show nowhere else. One case shows no pattern.
    assert_eq!(scope(&[in_second(Endpoint::Responses)]), "responses");
}

#[test]
fn the_scope_says_nothing_that_a_case_of_the_cause_contradicts() {
    let of_stream = |is_streamed, fingerprints| {
        let mut case = chat(fingerprints);
        case.calls[0].is_streamed = is_streamed;
        case
    };
    let broken = |code| breach(Some(code), None);
    let mut cases: Vec<_> = (0..9)
        .map(|_| of_stream(true, vec![broken(Code::Route03), broken(Code::Client04)]))
        .collect();
    cases.extend((0..3).map(|_| of_stream(false, Vec::new())));
    let scope = |cases: &[CaseFacts]| found(cases).all[0].scope.to_string();
    assert_eq!(scope(&cases), "chat/completions; streams only; after a 500");
    // The second requirement of the same cause is also violated without a stream.
    cases.push(of_stream(false, vec![broken(Code::Client04)]));
    assert_eq!(ids(&found(&cases)), ["route-03"]);
    assert_eq!(scope(&cases), "chat/completions; after a 500");
}

#[test]
fn a_grave_symptom_does_not_hide_below_a_cause_that_rarely_shows_it() {
    let broken = |code| breach(Some(code), None);
    let mut cases: Vec<_> = (0..8).map(|_| chat(vec![broken(Code::Route03)])).collect();
    cases.push(chat(vec![broken(Code::Route03), broken(Code::Client11)]));
    assert_eq!(ids(&found(&cases)), ["route-03", "client-11"]);
    let always: Vec<_> =
        (0..4).map(|_| chat(vec![broken(Code::Route03), broken(Code::Client11)])).collect();
    assert_eq!(ids(&found(&always)), ["route-03"]);
}

#[test]
fn nothing_follows_from_how_an_error_is_presented() {
    let broken = |code| breach(Some(code), None);
    let mut cases: Vec<_> = (0..20).map(|_| chat(vec![broken(Code::Client05)])).collect();
    cases.push(chat(vec![broken(Code::Route03), broken(Code::Client05)]));
    cases.push(chat(vec![broken(Code::Client06), broken(Code::Client05)]));
    assert_eq!(ids(&found(&cases)), ["client-05", "route-03", "client-06"]);
    // What a failed call shows of the gateway's program follows from the failure.
    let shows = || vec![broken(Code::Route03), broken(Code::Leak06)];
    let found = found(&[chat(shows()), chat(shows()), chat(vec![broken(Code::Leak06)])]);
    assert_eq!(ids(&found), ["route-03", "leak-06"]);
    assert_eq!(found.all[1].cases, [2]);
}

#[test]
fn causes_do_not_depend_on_the_order_of_the_cases() {
    let mut cases = vec![
        chat(vec![lost("/seed", 1), breach(Some(Code::Leak06), None)]),
        chat(vec![lost("/tools", 1), breach(None, None)]),
        chat(vec![breach(Some(Code::Leak06), None)]),
        case(call(Endpoint::Responses, &["seed"]), vec![lost("/seed", 0)]),
    ];
    let one = ids(&found(&cases));
    cases.reverse();
    assert_eq!(ids(&found(&cases)), one);
}

#[test]
fn each_form_of_an_error_without_its_object_is_a_cause() {
    let error = |kind| chat(vec![Fingerprint { kind, ..breach(Some(Code::Client05), None) }]);
    let found = found(&[error("no-error-object"), error("error-as-text"), error("error-as-text")]);
    assert_eq!(ids(&found), ["client-05/error-as-text", "client-05"]);
}

#[test]
fn a_name_that_the_target_invents_is_plain_in_an_id() {
    let found = found(&[chat(vec![lost("/a b\u{1b}\u{e9}~1c", 0)])]);
    assert_eq!(ids(&found), ["payload-02/a_b___1c"]);
}
