//! The verdict of a run, from the outcomes of its cases.

use std::collections::BTreeSet;
use std::time::SystemTime;

use fallproof_judge::{Claim, Seen, Sighting};
use fallproof_report::assemble;
use fallproof_report::model::{
    Baseline, Case, Compliance, Expected, Outcome, Report, Requirement, Stale, Verdict, Weight,
};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::record::{Header, SuiteFacts, TargetName};
use fallproof_suite::requirement::Code;

use super::support::case;

/// The report of a run of these cases, with an empty suite.
fn assembled(cases: Vec<Case>, baseline: Option<Baseline>) -> Report {
    let header = Header {
        fallproof: String::new(),
        target: TargetName::of("Gate"),
        suite: SuiteFacts {
            fingerprint: "sha256:0".into(),
            cases: 0,
            whole: true,
            profiles: BTreeSet::new(),
        },
        patterns: Vec::new(),
        tags: Vec::new(),
        started: SystemTime::UNIX_EPOCH,
        replay: String::new(),
        gateway_key: String::new(),
        capabilities: Capabilities::default(),
    };
    assemble::report(&header, &[], cases, Vec::new(), SystemTime::UNIX_EPOCH, baseline)
}

/// The requirement that the cases of [`case`] test.
fn requirement(report: &Report) -> &Requirement {
    let mut requirements = report.requirements();
    requirements.find(|requirement| requirement.code == "FP-ROUTE-01").expect("it exists")
}

/// A case with one violation of this weight. `expected` and `declared` are the reasons why the
/// violation is expected or declared, if it is.
fn with(weight: Weight, expected: Option<&str>, declared: Option<&str>) -> Case {
    let outcome = match weight {
        Weight::Fail => Outcome::Fail,
        Weight::Warn => Outcome::Warn,
        Weight::Note => Outcome::Pass,
    };
    let mut case = case("a/b", outcome);
    case.violations = self::case("a/b", Outcome::Fail).violations;
    case.violations[0].weight = weight;
    case.violations[0].expected =
        expected.map(|reason| Expected { reason: reason.into(), issue: None });
    case.violations[0].declared = declared.map(str::to_owned);
    case
}

#[test]
fn each_case_is_counted_once_and_the_worst_of_them_is_the_verdict() {
    let of = |cases| {
        let report = assembled(cases, None);
        (report.verdict, report.counts)
    };
    let passed = case("a/passes", Outcome::Pass);
    let failed = case("a/fails", Outcome::Fail);
    let ours = case("a/ours", Outcome::HarnessError);
    let unclear = case("a/unclear", Outcome::Inconclusive);
    let skipped = case("a/skips", Outcome::Skipped);
    let warned = case("a/warns", Outcome::Warn);

    assert_eq!(of(vec![passed.clone(), skipped, warned]).0, Verdict::Conformant);
    assert_eq!(of(vec![passed.clone(), unclear]).0, Verdict::NotConformant);
    assert_eq!(of(vec![passed.clone(), failed.clone()]).0, Verdict::NotConformant);
    let (verdict, counts) = of(vec![ours, failed, passed]);
    assert_eq!(verdict, Verdict::HarnessError);
    assert_eq!((counts.harness_error, counts.fail, counts.pass), (1, 1, 1));
}

#[test]
fn robustness_is_no_part_of_the_verdict() {
    let mut fragile = with(Weight::Note, None, None);
    fragile.outcome = Outcome::NotRobust;
    let report = assembled(vec![case("a/passes", Outcome::Pass), fragile], None);
    assert_eq!(report.verdict, Verdict::Conformant);
    assert_eq!((report.counts.pass, report.counts.not_robust), (1, 1));
    let requirement = requirement(&report);
    assert_eq!(requirement.verdict, Compliance::Pass);
    assert!(requirement.violated_in.is_empty() && requirement.exempt_in.is_empty());
}

#[test]
fn a_requirement_is_met_only_if_a_case_tests_it() {
    let verdict = |cases| requirement(&assembled(cases, None)).verdict;
    let mut of_another = case("a/passes", Outcome::Pass);
    of_another.proves.clear();
    assert_eq!(verdict(vec![of_another]), Compliance::NotJudged);
    assert_eq!(verdict(vec![case("a/unclear", Outcome::Inconclusive)]), Compliance::NotJudged);
    assert_eq!(verdict(vec![case("a/passes", Outcome::Pass)]), Compliance::Pass);
}

#[test]
fn a_requirement_has_the_verdict_of_its_worst_violation() {
    let passed = || case("a/passes", Outcome::Pass);
    let verdict = |case| requirement(&assembled(vec![passed(), case], None)).verdict;
    assert_eq!(verdict(with(Weight::Fail, None, None)), Compliance::Fail);
    assert_eq!(verdict(with(Weight::Warn, None, None)), Compliance::Warn);
    assert_eq!(verdict(with(Weight::Note, None, Some("it drops it"))), Compliance::Declared);
    assert_eq!(verdict(with(Weight::Note, None, None)), Compliance::Observed);
}

#[test]
fn an_expected_failure_is_counted_separately_and_does_not_fail_the_run() {
    let report = assembled(vec![with(Weight::Fail, Some("known"), None)], None);
    assert_eq!(report.verdict, Verdict::Conformant);
    assert_eq!((report.counts.fail, report.counts.expected), (0, 1));
    let requirement = requirement(&report);
    assert!(requirement.verdict == Compliance::Fail && requirement.expected);
}

#[test]
fn a_contradicted_claim_has_its_cases_and_changes_no_verdict() {
    let retried = |id: &str| {
        let claim = Claim::NeverRetries("it asks once".to_owned());
        let sighting = Sighting { claim, seen: Seen::Retried("primary".to_owned()) };
        Case { claims: vec![sighting], ..case(id, Outcome::Pass) }
    };
    let report = assembled(vec![retried("a/b"), retried("a/c")], None);
    assert_eq!(report.verdict, Verdict::Conformant);
    let [claim] = &report.claims[..] else { panic!("{:?}", report.claims) };
    let wanted = "declares that it never retries (it asks once); `primary` was tried again in the \
                  same call, in a/b and 1 more case";
    assert_eq!((claim.message.as_str(), claim.cases.len()), (wanted, 2));
}

#[test]
fn a_waiver_that_no_judged_case_needs_is_not_shown_if_a_case_that_tests_it_is_unclear() {
    let met = || {
        let claim = Claim::Waives { requirement: Code::Route01, reason: "it asks all".to_owned() };
        let sighting = Sighting { claim, seen: Seen::Met };
        Case { claims: vec![sighting], ..case("a/b", Outcome::Pass) }
    };
    let message = |other| assembled(vec![met(), case("a/c", other)], None).claims.remove(0).message;
    assert!(message(Outcome::Pass).contains("; each case that tests it met it, in a/b"));
    assert!(message(Outcome::Inconclusive).contains("; not shown, because each case"));
}

#[test]
fn a_stale_entry_of_the_baseline_fails_the_run() {
    let stale = Stale { cause: "route-01".into(), line: 3, similar: None };
    let baseline = |stale: Vec<Stale>| Baseline {
        file: "baseline.yaml".into(),
        stale,
        expired: Vec::new(),
        wider: Vec::new(),
    };
    let verdict =
        |stale| assembled(vec![case("a/b", Outcome::Pass)], Some(baseline(stale))).verdict;
    assert_eq!(verdict(vec![stale]), Verdict::NotConformant);
    assert_eq!(verdict(Vec::new()), Verdict::Conformant);
}
