//! Assembles the report of a run from its cases.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use fallproof_judge::{Contradiction, contradictions};
use fallproof_suite::record::{Header, SuiteFacts};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::{profile, requirement};

use crate::model::{
    Baseline, Case, Cause, Claim, Compliance, Counts, FORMAT, Outcome, Profile, Report,
    Requirement, Run, Selection, Suite, Tool, Verdict, Violation, Weight,
};
use crate::phrases::line;

/// Puts the cases into the order of the chosen scenarios.
pub fn sort(cases: &mut [Case], chosen: &[&Scenario]) {
    let positions: BTreeMap<_, _> = (chosen.iter().map(|it| it.id.as_str())).zip(0..).collect();
    cases.sort_by_key(|case| positions.get(case.id.as_str()).copied());
}

/// Returns the report of a run. `chosen` are the selected scenarios, `cases` the results of those
/// that have ended, in the same order, and `causes` their causes. The baseline, if any, must already
/// be applied to both.
pub fn report(
    header: &Header,
    chosen: &[&Scenario],
    cases: Vec<Case>,
    causes: Vec<Cause>,
    ended: SystemTime,
    baseline: Option<Baseline>,
) -> Report {
    let ids: BTreeSet<_> = cases.iter().map(|case| case.id.as_str()).collect();
    let has_ended = |scenario: &Scenario| ids.contains(scenario.id.as_str());
    let not_run: Vec<_> = chosen.iter().copied().filter(|it| !has_ended(it)).collect();
    let counts = counts(cases.iter(), not_run.len());
    // Only an interruption leaves selected cases without a result.
    let interrupted = !not_run.is_empty();
    let is_stale = baseline.as_ref().is_some_and(|baseline| !baseline.stale.is_empty());
    Report {
        format: FORMAT.to_owned(),
        tool: tool(),
        target: header.target.clone().into(),
        suite: suite(&header.suite),
        run: Run {
            started: time(header.started),
            ended: time(ended),
            selection: Selection {
                patterns: header.patterns.clone(),
                tags: header.tags.clone(),
                cases: chosen.len(),
                whole: header.suite.whole,
            },
            interrupted,
        },
        verdict: verdict(counts, is_stale, interrupted),
        counts,
        baseline,
        claims: claims(header, &cases, &not_run),
        causes,
        profiles: profiles(&header.suite.profiles, &cases, &not_run),
        not_run: not_run.iter().map(|scenario| scenario.id.clone()).collect(),
        cases,
    }
}

/// Returns the target's claims that the evidence of all cases together does not support.
fn claims(header: &Header, cases: &[Case], not_run: &[&Scenario]) -> Vec<Claim> {
    let is_covered = |code: Code| {
        let is_unclear = |case: &Case| {
            matches!(case.outcome, Outcome::Inconclusive | Outcome::HarnessError)
                && case.proves.first().is_some_and(|it| it == code.as_str())
        };
        let is_missing = |scenario: &&Scenario| scenario.proves.first() == Some(&code);
        header.suite.whole && !cases.iter().any(is_unclear) && !not_run.iter().any(is_missing)
    };
    let seen = cases.iter().flat_map(|case| case.claims.iter().map(|it| (case.id.as_str(), it)));
    let claim = |it: Contradiction| Claim { message: line(&it.to_string()), cases: it.cases };
    contradictions(seen, is_covered).into_iter().map(claim).collect()
}

pub(super) fn tool() -> Tool {
    Tool { name: "fallproof".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

pub(super) fn suite(suite: &SuiteFacts) -> Suite {
    Suite { fingerprint: suite.fingerprint.clone(), cases: suite.cases }
}

/// Formats a time as RFC 3339 in UTC, with milliseconds.
pub(super) fn time(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>, not_run: usize) -> Counts {
    let mut counts = Counts { not_run, ..Counts::default() };
    for case in cases {
        *match case.outcome {
            Outcome::Pass => &mut counts.pass,
            Outcome::Warn => &mut counts.warn,
            Outcome::Fail if case.is_expected() => &mut counts.expected,
            Outcome::Fail => &mut counts.fail,
            Outcome::NotRobust => &mut counts.not_robust,
            Outcome::Inconclusive => &mut counts.inconclusive,
            Outcome::Skipped => &mut counts.skipped,
            Outcome::HarnessError => &mut counts.harness_error,
        } += 1;
    }
    counts
}

fn verdict(counts: Counts, is_stale: bool, interrupted: bool) -> Verdict {
    if counts.harness_error > 0 {
        Verdict::HarnessError
    } else if counts.fail + counts.inconclusive > 0 || is_stale {
        Verdict::NotConformant
    } else if interrupted {
        Verdict::Interrupted
    } else {
        Verdict::Conformant
    }
}

fn profiles(
    of_suite: &BTreeSet<profile::Profile>,
    cases: &[Case],
    not_run: &[&Scenario],
) -> Vec<Profile> {
    let of_requirements = requirement::all().iter().map(|requirement| requirement.profile);
    let names: BTreeSet<_> = of_suite.iter().copied().chain(of_requirements).collect();
    let profile = |profile: profile::Profile| {
        let not_run = not_run.iter().filter(|scenario| scenario.profile == profile).count();
        let of_profile = cases.iter().filter(|case| case.profile == profile.name());
        let requirements = requirement::all()
            .iter()
            .filter(|requirement| requirement.profile == profile)
            .map(|requirement| judged(requirement, cases));
        Profile {
            name: profile.name().to_owned(),
            counts: counts(of_profile, not_run),
            requirements: requirements.collect(),
        }
    };
    names.into_iter().map(profile).collect()
}

/// Returns the requirement with its verdict. Cases with the outcome `NotRobust` do not count.
fn judged(requirement: &requirement::Requirement, cases: &[Case]) -> Requirement {
    let code = requirement.code.to_string();
    let cases = || cases.iter().filter(|case| case.outcome != Outcome::NotRobust);
    let is_about_it = |violation: &&Violation| violation.requirement.as_ref() == Some(&code);
    let violations = || cases().flat_map(|case| &case.violations).filter(is_about_it);
    let ids = |fits: &dyn Fn(&Case) -> bool| {
        cases().filter(|case| fits(case)).map(|case| case.id.clone()).collect::<Vec<_>>()
    };
    let has = |case: &Case, weight: &dyn Fn(Weight) -> bool| {
        case.violations.iter().filter(is_about_it).any(|violation| weight(violation.weight))
    };
    let tested_by = ids(&|case| case.is_judged() && case.proves.contains(&code));
    let violated_in = ids(&|case| has(case, &|weight| weight != Weight::Note));
    let exempt_in = ids(&|case| has(case, &|weight| weight == Weight::Note));

    let mut failures = violations().filter(|violation| violation.weight == Weight::Fail);
    let expected = failures.clone().all(|violation| violation.expected.is_some());
    let verdict = if failures.next().is_some() {
        Compliance::Fail
    } else if !violated_in.is_empty() {
        Compliance::Warn
    } else if violations().any(|violation| violation.declared.is_some()) {
        Compliance::Declared
    } else if !exempt_in.is_empty() {
        Compliance::Observed
    } else if tested_by.is_empty() {
        Compliance::NotJudged
    } else {
        Compliance::Pass
    };
    Requirement {
        code,
        level: requirement.level,
        severity: requirement.severity,
        sentence: requirement.sentence.clone(),
        why: requirement.why.trim_end().to_owned(),
        sources: requirement.sources.clone(),
        verdict,
        tested_by,
        violated_in,
        exempt_in,
        expected: verdict == Compliance::Fail && expected,
    }
}
