//! A report of a run from the reports of its cases.

use std::collections::BTreeSet;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use super::convert;
use super::model::{
    Baseline, Case, Counts, FORMAT, Finding, Kept, Outcome, Profile, Report, Requirement, Run,
    Selection, Suite, Target, Tool, Verdict, Weight,
};
use crate::requirement;
use crate::scenario::{self, Scenario};

/// What a report says of the run as a whole.
pub struct About<'a> {
    /// What was tested.
    pub target: Target,
    /// All scenarios that there are.
    pub suite: &'a scenario::Suite,
    /// Those that were chosen, in order.
    pub chosen: &'a [&'a Scenario],
    /// The patterns that chose them.
    pub patterns: &'a [String],
    /// The tags that chose them.
    pub tags: &'a [String],
    /// When the run started.
    pub started: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// The user broke it off.
    pub interrupted: bool,
    /// The expected failures that it was held against.
    pub baseline: Option<Baseline>,
}

/// The report of a run. `cases` are those of the chosen scenarios that have ended, in their order.
pub fn report(about: About<'_>, cases: Vec<Case>) -> Report {
    let ended: BTreeSet<_> = cases.iter().map(|case| case.id.as_str()).collect();
    let has_ended = |scenario: &Scenario| ended.contains(scenario.id.as_str());
    let not_run: Vec<_> = about.chosen.iter().copied().filter(|it| !has_ended(it)).collect();
    let chosen: BTreeSet<_> = about.chosen.iter().map(|scenario| scenario.id.as_str()).collect();
    let whole = about.suite.scenarios.iter().all(|it| chosen.contains(it.id.as_str()));
    let counts = counts(cases.iter(), not_run.len());
    let is_stale = about.baseline.as_ref().is_some_and(|baseline| !baseline.stale.is_empty());
    Report {
        format: FORMAT.to_owned(),
        tool: Tool { name: "fallproof".into(), version: env!("CARGO_PKG_VERSION").into() },
        target: about.target,
        suite: Suite {
            fingerprint: about.suite.fingerprint.clone(),
            cases: about.suite.scenarios.len(),
        },
        run: Run {
            started: time(about.started),
            ended: time(about.ended),
            selection: Selection {
                patterns: about.patterns.to_vec(),
                tags: about.tags.to_vec(),
                cases: about.chosen.len(),
                whole,
            },
            interrupted: about.interrupted,
        },
        verdict: verdict(counts, is_stale, about.interrupted),
        counts,
        baseline: about.baseline,
        profiles: profiles(about.suite, &cases, &not_run),
        not_run: not_run.iter().map(|scenario| scenario.id.clone()).collect(),
        cases,
    }
}

/// RFC 3339 in UTC, to the millisecond.
fn time(time: SystemTime) -> String {
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

fn profiles(suite: &scenario::Suite, cases: &[Case], not_run: &[&Scenario]) -> Vec<Profile> {
    let names: BTreeSet<_> = suite.scenarios.iter().map(|scenario| scenario.profile).collect();
    let profile = |profile: scenario::Profile| {
        let not_run = not_run.iter().filter(|scenario| scenario.profile == profile).count();
        let of_profile = cases.iter().filter(|case| case.profile == profile.name());
        let requirements = requirement::all()
            .iter()
            .filter(|requirement| profile_of(&requirement.code, suite) == profile)
            .map(|requirement| judged(convert::requirement(requirement), cases));
        Profile {
            name: profile.name().to_owned(),
            counts: counts(of_profile, not_run),
            requirements: requirements.collect(),
        }
    };
    names.into_iter().map(profile).collect()
}

/// The first profile that has a scenario written for this requirement.
fn profile_of(code: &str, suite: &scenario::Suite) -> scenario::Profile {
    let proves = |scenario: &&Scenario| scenario.proves.iter().any(|proven| proven == code);
    let profiles = suite.scenarios.iter().filter(proves).map(|scenario| scenario.profile);
    profiles.min().unwrap_or_default()
}

/// The requirement with its verdict.
fn judged(requirement: Requirement, cases: &[Case]) -> Requirement {
    let code = &requirement.code;
    let is_about_it = |finding: &&Finding| finding.requirement.as_ref() == Some(code);
    let breaks = |case: &&Case| {
        let mut held = case.findings.iter().filter(|finding| finding.weight != Weight::Note);
        held.any(|finding| is_about_it(&finding))
    };
    let proves = |case: &&Case| case.is_judged() && case.proves.contains(code);
    let ids = |cases: Vec<&Case>| cases.iter().map(|case| case.id.clone()).collect::<Vec<_>>();
    let proven_by = ids(cases.iter().filter(proves).collect());
    let broken_in = ids(cases.iter().filter(breaks).collect());

    let findings = cases.iter().flat_map(|case| &case.findings).filter(is_about_it);
    let failures: Vec<_> = findings.filter(|finding| finding.weight == Weight::Fail).collect();
    let verdict = if !failures.is_empty() {
        Kept::Fail
    } else if !broken_in.is_empty() {
        Kept::Warn
    } else if proven_by.is_empty() {
        Kept::NotJudged
    } else {
        Kept::Pass
    };
    let expected = verdict == Kept::Fail && failures.iter().all(|it| it.expected.is_some());
    Requirement { verdict, proven_by, broken_in, expected, ..requirement }
}
