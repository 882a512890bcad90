//! `junit.xml`, for CI systems.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use chrono::DateTime;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::model::{Case, Cause, Outcome, Report};
use crate::{phrases, text};

/// The content of `junit.xml`: one test suite for each folder of scenarios.
pub fn write(report: &Report) -> io::Result<String> {
    let mut junit = quick_junit::Report::new(format!("fallproof: {}", report.target));
    if let Ok(started) = DateTime::parse_from_rfc3339(&report.run.started) {
        junit.set_timestamp(started);
    }
    let folder = |id: &str| id.split_once('/').map_or("", |(folder, _)| folder).to_owned();
    let ran = report.cases.iter().map(|case| (folder(&case.id), test_case(case, report)));
    let not_run = report.not_run.iter().map(|id| {
        let mut status = TestCaseStatus::skipped();
        status.set_message("not run: the run was interrupted");
        (folder(id), named(id, status))
    });
    let mut suites = BTreeMap::new();
    for (folder, case) in ran.chain(not_run) {
        let suite = suites.entry(folder).or_insert_with_key(|folder| {
            let mut suite = TestSuite::new(folder);
            suite.add_property(Property::new("target", report.target.to_string()));
            suite.add_property(Property::new("fingerprint", &report.suite.fingerprint));
            suite
        });
        suite.add_test_case(case);
    }
    for suite in suites.values_mut() {
        suite.set_time(suite.test_cases.iter().filter_map(|case| case.time).sum());
    }
    junit.add_test_suites(suites.into_values());
    // The library removes most characters that XML does not allow; `printable` replaces the others.
    let text = junit.to_string().map_err(io::Error::other)?;
    Ok(phrases::printable(&text))
}

fn named(id: &str, status: TestCaseStatus) -> TestCase {
    let mut test_case = TestCase::new(id, status);
    test_case.set_classname(id.split_once('@').map_or(id, |(family, _)| family).replace('/', "."));
    test_case
}

fn test_case(case: &Case, report: &Report) -> TestCase {
    let printed = anstream::adapter::strip_str(&text::case(case)).to_string();
    let printed = causes(case, report) + &printed;
    let reason = case.reason.as_deref().unwrap_or_default();
    let mut status = match case.outcome {
        Outcome::Pass | Outcome::Warn | Outcome::NotRobust => TestCaseStatus::success(),
        Outcome::Skipped => TestCaseStatus::skipped(),
        Outcome::Fail if case.is_expected() => TestCaseStatus::skipped(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Inconclusive | Outcome::HarnessError => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    match case.outcome {
        Outcome::Pass | Outcome::Warn | Outcome::NotRobust => {}
        Outcome::Fail => {
            let codes = case.codes();
            let first = case.violations.first().map_or("", |violation| &violation.message);
            let prefix = if case.is_expected() { "expected by the baseline: " } else { "" };
            status.set_message(format!("{prefix}{first}"));
            status.set_type(codes.join(" "));
            status.set_description(printed.clone());
        }
        Outcome::Skipped => {
            status.set_message(reason);
        }
        Outcome::Inconclusive | Outcome::HarnessError => {
            status.set_message(reason);
            status.set_type(case.outcome.word());
            status.set_description(printed.clone());
        }
    }
    let mut test_case = named(&case.id, status);
    test_case.set_time(Duration::from_secs_f64(case.took_ms.max(0.0) / 1000.0));
    if matches!(case.outcome, Outcome::Warn | Outcome::NotRobust) {
        test_case.set_system_out(printed);
    }
    test_case
}

/// A line for each cause of the case: its id, and what the target does. The worst cause is first.
fn causes(case: &Case, report: &Report) -> String {
    let is_of_case = |cause: &&Cause| {
        case.violations.iter().any(|violation| violation.cause.as_ref() == Some(&cause.id))
    };
    let line = |cause: &Cause| format!("{}: {} {}\n", cause.id, report.target, cause.sentence());
    let lines: String = report.causes.iter().filter(is_of_case).map(line).collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}
