//! Property tests over generated cases: the reference router meets all requirements, and the oracle
//! predicts its behavior.
//!
//! `FALLPROOF_CASES` and `FALLPROOF_SEED` override the default number of cases and seed. A failing
//! case is shrunk and printed. Its seed is stored in `proptest-regressions/properties.txt`, so that
//! later runs try the case first.

use std::time::Duration;

use fallproof_fuzz::campaign::Campaign;
use fallproof_fuzz::case::FuzzCase;
use fallproof_fuzz::executor::Executor;
use fallproof_fuzz::finding::findings;
use fallproof_fuzz::generate::{Scope, generate};
use fallproof_fuzz::grammar::{Grammar, Node};
use fallproof_fuzz::minimize::minimize;
use fallproof_fuzz::oracle;
use fallproof_fuzz::random::case_rng;
use fallproof_fuzz::shrink::Shrinking;
use fallproof_fuzz::stats::{Failure, Stats};
use fallproof_judge::{Verdict, judge_case};
use fallproof_protocol::json::Tree;
use fallproof_reference::{ReferenceTarget, saboteur};
use fallproof_runner::Runner;
use fallproof_suite::requirement::Code;
use parking_lot::Mutex;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};
use rand::RngExt as _;
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Maximum number of cases until each payload saboteur must be caught.
const FOUND_WITHIN: u64 = 300;

fn given(variable: &str) -> Option<u64> {
    let given = std::env::var(variable).ok()?;
    Some(given.parse().unwrap_or_else(|_| panic!("{variable} must be an integer")))
}

fn seed() -> u64 {
    given("FALLPROOF_SEED").unwrap_or(6)
}

/// Runs a case against the reference router. The error lists the violations.
fn play(runtime: &Runtime, case: &FuzzCase) -> Result<(), TestCaseError> {
    let scenario = case.scenario("fuzz/case", oracle::expect(case));
    let judgment = runtime.block_on(async {
        let target = ReferenceTarget::default();
        let runner = Runner::start(&[&scenario], &target, Duration::from_secs(60)).await;
        let runner = runner.expect("the runner starts");
        let evidence = runner.run(&scenario).await;
        judge_case(&scenario, runner.facts(&scenario), &evidence)
    });
    let found = judgment.violations.iter().filter(|it| it.verdict > Verdict::Note);
    let found: Vec<_> = found.map(|it| (it.requirement, it.to_string())).collect();
    if found.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{found:#?}"))) }
}

/// The seeds to try: one by default. With `FALLPROOF_ALL`, twenty, which take a minute.
fn seeds() -> std::ops::Range<u64> {
    let all = std::env::var_os("FALLPROOF_ALL").is_some();
    seed()..seed() + if all { 20 } else { 1 }
}

/// Runs `cases` cases, or as many as `FALLPROOF_CASES` says.
fn holds_in(cases: u64, scope: Scope) {
    let runtime = Runtime::new().expect("a runtime");
    let (cases, seed) = (given("FALLPROOF_CASES").unwrap_or(cases), seed());
    println!("{cases} cases of seed {seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt");
    let config = Config {
        cases: cases.try_into().expect("the number of cases fits"),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        ..Config::default()
    };
    TestRunner::new_with_rng(config, rng)
        .run(&FuzzCases(scope), |case| play(&runtime, &case))
        .unwrap_or_else(|error| panic!("{error}"));
}

/// All cases within a scope, as a proptest strategy.
#[derive(Debug)]
struct FuzzCases(Scope);

impl Strategy for FuzzCases {
    type Tree = CaseTree;
    type Value = FuzzCase;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = runner.rng().random();
        let case = generate(&self.0, &mut case_rng(seed, 0));
        Ok(CaseTree(Shrinking::new(case, false)))
    }
}

/// A case that proptest can shrink.
struct CaseTree(Shrinking);

impl ValueTree for CaseTree {
    type Value = FuzzCase;

    fn current(&self) -> FuzzCase {
        self.0.current().clone()
    }

    fn simplify(&mut self) -> bool {
        self.0.simplify()
    }

    fn complicate(&mut self) -> bool {
        self.0.complicate()
    }
}

/// The default scope without slow cases, each of which would take seconds of real time.
fn quick() -> Scope {
    Scope { slow: 0, ..Scope::default() }
}

/// Cases with several calls and clock advances, so that earlier calls matter.
fn over_time() -> Scope {
    Scope { over_time: 100, ..quick() }
}

#[test]
fn the_reference_router_meets_every_requirement_in_every_generated_case() {
    holds_in(100, quick());
}

#[test]
fn retries_and_cooldowns_over_several_calls_match_the_oracle() {
    holds_in(30, over_time());
}

/// An executor for the router with this saboteur.
fn broken(saboteur: &str) -> Executor {
    let saboteur = Some(saboteur::find(saboteur).expect("the saboteur exists"));
    let target = Box::new(ReferenceTarget { saboteur });
    Executor::Fresh { target, timeout: Duration::from_secs(60) }
}

/// A stop signal that never fires.
fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

/// Finds the first violation of this requirement. Tries a few cases first, then more.
fn first_failure(executor: &Executor, scope: &Scope, seed: u64, requirement: Code) -> Failure {
    let failure = [12, 50, FOUND_WITHIN].into_iter().find_map(|cases| {
        let failures = campaign(executor, scope, seed, cases).failures.into_values();
        failures
            .filter(|failure| failure.symptom.requirement == Some(requirement))
            .min_by_key(|failure| failure.number)
    });
    failure.unwrap_or_else(|| panic!("no failure in {FOUND_WITHIN} cases of seed {seed}"))
}

/// A campaign with this number of cases.
fn planned(scope: &Scope, seed: u64, cases: u64) -> Campaign {
    Campaign { scope: scope.clone(), seed, cases: Some(cases), until: None, threads: 2 }
}

/// Runs a campaign with this number of cases.
fn campaign(executor: &Executor, scope: &Scope, seed: u64, cases: u64) -> Stats {
    let campaign = planned(scope, seed, cases);
    let stats = Mutex::default();
    campaign.run(executor, &stats, &never()).expect("the runner starts");
    stats.into_inner()
}

/// The members of the body that are neither required nor needed by another member.
fn optional(case: &FuzzCase) -> Vec<String> {
    let grammar = Grammar::of(case.chain[0].acceptor.surface, case.endpoint);
    let Node::Object(object) = grammar.node(grammar.root()) else { return vec![] };
    let request = case.requests().next().expect("a case has a call");
    let Tree::Object(members) = &request.body else { return vec![] };
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    let is_needed = |name: &str| {
        let needs = grammar.needs().iter().filter(|need| names.contains(&need.of.as_str()));
        { needs }.any(|need| {
            let values = need.values.iter().map(|(name, _)| name);
            { values }.chain(&need.present).any(|needed| needed == name)
        })
    };
    let is_required = |name: &str| object.members.get(name).is_some_and(|it| it.required);
    let optional = names.iter().filter(|name| !is_required(name) && !is_needed(name));
    optional.map(|name| (*name).to_owned()).collect()
}

#[rstest]
#[case("invented-metadata", "FP-PAYLOAD-01")]
#[case("dropped-parameter", "FP-PAYLOAD-02")]
#[case("rounded-numbers", "FP-PAYLOAD-03")]
#[case("stale-model", "FP-PAYLOAD-04")]
#[case("leg-two-loses", "FP-PAYLOAD-05")]
#[case("respelled-body", "FP-PAYLOAD-07")]
fn every_payload_saboteur_is_caught_and_shrunk_to_one_parameter(
    #[case] saboteur: &str,
    #[case] requirement: Code,
) {
    let executor = broken(saboteur);
    let runtime = Runtime::new().expect("a runtime");
    let mut taken = Vec::new();
    for seed in seeds() {
        let failure = first_failure(&executor, &quick(), seed, requirement);
        taken.push(failure.number + 1);
        let never = never();
        let minimized = minimize(&failure, &executor, Duration::from_secs(60), &never, |_| {});
        let (case, _) = runtime.block_on(minimized).expect("the runner starts");
        let optional = optional(&case);
        assert!(optional.len() <= 1, "seed {seed}: {optional:?} remain in {case:#?}");
        assert!(case.chain.len() <= 2 && case.retries == 0, "seed {seed}: {case:#?}");
    }
    let mean = taken.iter().sum::<u64>() / taken.len() as u64;
    println!("{saboteur}: found in case {taken:?}, {mean} on average");
}

#[rstest]
#[case("ignores-retry-after", "FP-ROUTE-06")]
#[case("ignores-cooldown", "FP-ROUTE-07")]
#[case("never-comes-back", "FP-ROUTE-08")]
fn every_cooldown_saboteur_is_caught_over_several_calls(
    #[case] saboteur: &str,
    #[case] requirement: Code,
) {
    let failure = first_failure(&broken(saboteur), &over_time(), seed(), requirement);
    println!("{saboteur}: found in case {}", failure.number + 1);
}

#[test]
fn the_same_seed_reproduces_cases_and_failures() {
    let executor = broken("dropped-parameter");
    let found = || {
        let stats = campaign(&executor, &quick(), seed(), 12);
        assert_eq!((stats.cases, stats.flaky), (12, 0));
        let findings = findings(&planned(&quick(), seed(), 12), &stats).into_iter();
        let findings = findings.map(|it| (it.cause, it.example.number, it.others.len()));
        let findings: Vec<_> = findings.collect();
        let failures = stats.failures.into_values();
        let failures = failures.map(|it| (it.symptom, it.number, it.count, it.case));
        (failures.collect::<Vec<_>>(), findings)
    };
    let (failures, findings) = found();
    assert!(failures.len() > 2, "{failures:?}");
    assert!(findings.len() > 2, "{findings:?}");
    assert_eq!((failures, findings), found());
}
