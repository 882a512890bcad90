//! Hints at the end of a run against a gateway: options that would help.

use std::collections::BTreeSet;

use crate::event::RunEvent;
use crate::model::{Level, Report, Weight};
use crate::phrases;
use crate::print::eprintln;
use crate::reporter::{ReportError, Reporter};

/// A run that takes less needs no hint, in milliseconds.
const LONG_MS: i64 = 2 * 60 * 1000;

/// Prints hints to stderr.
#[derive(Debug, Clone, Copy)]
pub struct Hints {
    /// Whether cases ran one at a time, only because nobody asked for more.
    pub one_at_a_time: bool,
    /// Whether an adapter declares what the gateway does.
    pub is_declared: bool,
}

impl Hints {
    /// The hints for this report.
    pub fn all(self, report: &Report) -> Vec<&'static str> {
        let is_long = phrases::took_ms(report).is_some_and(|took| took > LONG_MS);
        let jobs = (self.one_at_a_time && is_long)
            .then_some("hint: cases ran one at a time; --jobs 8 runs up to 8 at the same time");
        let declare = (!self.is_declared && is_mostly_policy(report)).then_some(
            "hint: most failures concern behavior that a gateway need not have; `fallproof probe` \
             drafts an adapter whose `capabilities:` declare what this one does",
        );
        jobs.into_iter().chain(declare).collect()
    }
}

impl Reporter for Hints {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        if let RunEvent::Finished { report, .. } = event {
            self.all(report).iter().for_each(|hint| eprintln!("{hint}"));
        }
        Ok(())
    }
}

/// Whether more than half of the failed cases violate nothing but requirements that apply only to
/// gateways that claim them.
fn is_mostly_policy(report: &Report) -> bool {
    let policies = report.requirements().filter(|it| it.level == Level::Policy);
    let policies: BTreeSet<_> = policies.map(|it| it.code.as_str()).collect();
    let (mut failed, mut by_policy) = (0, 0);
    for case in &report.cases {
        let failures = case.violations.iter().filter(|it| it.weight == Weight::Fail);
        let mut codes = failures.filter_map(|it| it.requirement.as_deref()).peekable();
        if codes.peek().is_some() {
            failed += 1;
            by_policy += usize::from(codes.all(|code| policies.contains(code)));
        }
    }
    by_policy * 2 > failed
}
