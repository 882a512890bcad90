use fallproof_judge::{
    AttemptFacts, CallFacts, FaultClass, PayloadViolation, RouteViolation, Verdict, Violation,
    ViolationKind,
};
use fallproof_protocol::provider::Surface;
use fallproof_suite::requirement::Code;

use super::*;
use crate::generate::Scope;
use crate::stats::COMPARED;

fn campaign() -> Campaign {
    Campaign { scope: Scope::default(), seed: 6, cases: None, until: None, threads: 1 }
}

/// A call that fails over.
fn call(endpoint: Endpoint) -> CallFacts {
    let attempt = |surface, fault| AttemptFacts { surface, fault };
    CallFacts {
        endpoint,
        is_streamed: false,
        members: vec!["model".to_owned(), "seed".to_owned(), "user".to_owned()],
        attempts: vec![
            attempt(Surface::OpenAi, Some(FaultClass::Status(500))),
            attempt(Surface::AzureV1, None),
        ],
        looks_like_success: true,
        own_error: None,
    }
}

fn breach(code: Code, pointer: Option<&str>, kind: impl Into<ViolationKind>) -> Violation {
    Violation {
        requirement: Some(code),
        call: 0,
        attempt: Some(2),
        deployment: None,
        pointer: pointer.map(str::to_owned),
        kind: kind.into(),
        verdict: Verdict::Fail,
        declared: None,
    }
}

fn lost(pointer: &str) -> Violation {
    let value = "1".to_owned();
    breach(Code::Payload02, Some(pointer), PayloadViolation::Lost { value })
}

fn changed(pointer: &str) -> Violation {
    breach(Code::Payload05, Some(pointer), PayloadViolation::LostSince { first: 1 })
}

fn passed_over() -> Violation {
    let deployment = "primary".to_owned();
    breach(Code::Route01, None, RouteViolation::PassedOver { deployment })
}

/// The results of these cases: the number, the endpoint and the violations of each.
fn stats(cases: impl IntoIterator<Item = (u64, Endpoint, Vec<Violation>)>) -> Stats {
    let mut stats = Stats::default();
    for (number, endpoint, violations) in cases {
        let judged = Judged::new(vec![call(endpoint)], violations);
        stats.add(number, &campaign().case(number), judged);
    }
    stats
}

/// Each finding: the id of its cause, the number and the symptom of its example, and the other
/// symptoms.
fn told(stats: &Stats) -> Vec<String> {
    let one = |it: Finding| {
        let others: Vec<_> = it.others.iter().map(|it| it.symptom.to_string()).collect();
        let Failure { number, symptom, .. } = &it.example;
        format!("{}: {number} {symptom} [{}]", it.cause.id, others.join(", "))
    };
    findings(&campaign(), stats).into_iter().map(one).collect()
}

#[test]
fn a_failure_belongs_to_the_cause_of_its_violation() {
    let chat = |number, violations| (number, Endpoint::ChatCompletions, violations);
    let cases = [
        chat(3, Vec::new()),
        chat(4, vec![lost("/seed"), changed("/seed")]),
        chat(5, vec![lost("/user"), changed("/user")]),
        chat(6, vec![lost("/seed"), changed("/seed")]),
    ];
    let expected = [
        "payload-02/seed: 4 FP-PAYLOAD-02 /seed [FP-PAYLOAD-05 /seed]",
        "payload-02/user: 5 FP-PAYLOAD-02 /user [FP-PAYLOAD-05 /user]",
    ];
    assert_eq!(told(&stats(cases.clone())), expected);
    // Threads finish their cases in any order.
    assert_eq!(told(&stats(cases.into_iter().rev())), expected);
}

#[test]
fn a_cause_whose_symptom_was_first_seen_elsewhere_has_an_example_of_its_own() {
    let wrong = |number, endpoint| (number, endpoint, vec![passed_over()]);
    let right = |number| (number, Endpoint::ChatCompletions, Vec::new());
    let mut cases = vec![wrong(0, Endpoint::ChatCompletions)];
    cases.extend((1..20).map(right));
    cases.extend((20..24).map(|number| wrong(number, Endpoint::Moderations)));
    let stats = stats(cases);
    let expected = [
        "route-01/moderations: 20 FP-ROUTE-01 passed-over []",
        "route-01: 0 FP-ROUTE-01 passed-over []",
    ];
    assert_eq!(told(&stats), expected);
    let found = findings(&campaign(), &stats);
    assert_eq!(found[0].endpoints, BTreeSet::from([Endpoint::Moderations]));
    assert_eq!(format!("{:?}", found[0].example.case), format!("{:?}", campaign().case(20)));
}

#[test]
fn of_late_cases_only_the_first_ones_of_a_failure_are_kept() {
    let chat = |number, violations| (number, Endpoint::ChatCompletions, violations);
    let stats = stats([
        chat(COMPARED - 1, Vec::new()),
        chat(COMPARED, Vec::new()),
        chat(COMPARED + 9, vec![lost("/seed")]),
        chat(COMPARED + 7, vec![lost("/seed")]),
        chat(COMPARED + 8, vec![lost("/seed")]),
    ]);
    let kept: Vec<_> = stats.judged.keys().copied().collect();
    assert_eq!(kept, [COMPARED - 1, COMPARED + 7]);
    assert_eq!(told(&stats), [format!("payload-02/seed: {} FP-PAYLOAD-02 /seed []", COMPARED + 7)]);
    assert_eq!(stats.failures.values().map(|it| it.count).sum::<u64>(), 3);
}
