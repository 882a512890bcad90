//! Access to every string of a report, so that each can be changed in place.
//!
//! The fields of each type are listed one by one, so a new field does not compile until it is added
//! here.

use crate::model::{
    Attempt, Baseline, Case, Cause, Claim, Client, Diff, Example, Expected, Follow, Line, Profile,
    Report, Requirement, Run, Selection, Stale, Step, Suite, Target, Tool, Violation, Wider,
};

/// A value that contains strings of a report.
pub trait Texts {
    /// Calls `change` on each string.
    fn each(&mut self, change: &mut dyn FnMut(&mut String));
}

impl Texts for String {
    fn each(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(self);
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each(&mut self, change: &mut dyn FnMut(&mut String)) {
        if let Some(it) = self {
            it.each(change);
        }
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each(&mut self, change: &mut dyn FnMut(&mut String)) {
        for it in self {
            it.each(change);
        }
    }
}

/// Implements [`Texts`]. Fields that contain strings come before the semicolon, all other fields
/// after it.
macro_rules! texts {
    ($($of:ident { $($text:ident),* $(; $($other:ident),*)? })*) => {$(
        impl Texts for $of {
            fn each(&mut self, change: &mut dyn FnMut(&mut String)) {
                let Self { $($text,)* $($($other: _,)*)? } = self;
                $($text.each(change);)*
            }
        }
    )*};
}

texts! {
    // `cases` is left out: each case was already changed when it ended.
    Report { format, tool, target, suite, run, baseline, claims, causes, profiles, not_run;
        verdict, counts, cases }
    Tool { name, version }
    Target { name, version, adapter, variant, address }
    Suite { fingerprint; cases }
    Run { started, ended, selection; interrupted }
    Selection { patterns, tags; cases, whole }
    Baseline { file, stale, expired, wider }
    Stale { cause, similar; line }
    Wider { cause, cases; line }
    Profile { name, requirements; counts }
    Requirement { code, sentence, why, sources, tested_by, violated_in, exempt_in;
        level, severity, verdict, expected }
    Case { id, title, why, links, file, profile, proves, reason, violations, steps, replay, har;
        outcome, failure, silent_steps, started_ms, took_ms, answered, claims, facts }
    Claim { message, cases }
    Cause { id, fault, scope, requirement, cases, example, follows, symptoms, sources, expected;
        weight, could_show, silent }
    Example { case, message, own_error, sent, replay; step, attempt }
    Follow { requirement; cases }
    Violation { requirement, pointer, message, cause, declared, expected; weight, step, attempt }
    Expected { reason, issue }
    Step { client, attempts, diffs; number, more_attempts }
    Client { request, broken; status, at_ms, took_ms }
    Attempt { deployment, surface, request, behavior, fault, refusal;
        number, status, at_ms, first_byte_ms, end_ms }
    Diff { deployment, lines; attempt }
    Line { text; change }
}
