//! What a run prints on a terminal when it ends: the causes, and what else is not as it should be.

mod attempts;
mod case;
mod cause;
mod digest;
mod group;

pub use self::case::{case, case_within};
pub use self::digest::{Detail, in_full, rest};

use crate::model::Counts;
use crate::phrases;

/// Number of cases by outcome.
pub fn summary(counts: &Counts) -> String {
    let all = [
        ("passed", counts.pass),
        ("failed", counts.fail),
        ("failed as expected", counts.expected),
        ("warned", counts.warn),
        ("not robust", counts.not_robust),
        ("inconclusive", counts.inconclusive),
        ("skipped", counts.skipped),
        ("harness errors", counts.harness_error),
        ("not run", counts.not_run),
    ];
    let parts: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(position, (_, number))| *position == 0 || *number > 0)
        .map(|(_, (word, number))| format!("{number} {word}"))
        .collect();
    let sum: usize = all.iter().map(|(_, number)| number).sum();
    format!("{}: {}", phrases::counted(sum, "scenario"), parts.join(", "))
}
