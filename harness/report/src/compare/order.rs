//! The order of the columns.

use indexmap::IndexSet;

use crate::model::Report;

/// Puts the versions of each product side by side, the oldest first. The products stay in the order
/// in which they were given.
pub(super) fn sort(reports: &mut [&(String, Report)]) {
    let products: IndexSet<_> = reports.iter().map(|(_, it)| it.target.name.clone()).collect();
    reports.sort_by_cached_key(|(_, report)| {
        let product = products.get_index_of(&report.target.name);
        (product, report.target.version.as_deref().map(parts))
    });
}

/// A part of a version. Text marks a version that precedes one without it, such as `2.0-rc1`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    End,
    Number(u64),
}

/// The parts of a version, which have the same order as the versions.
fn parts(version: &str) -> Vec<Part> {
    let version = version.trim_start_matches('v');
    let mut parts = Vec::new();
    for piece in version.split(|it: char| !it.is_ascii_alphanumeric()) {
        let is_same = |one: &u8, next: &u8| one.is_ascii_digit() == next.is_ascii_digit();
        for run in piece.as_bytes().chunk_by(is_same) {
            let run = String::from_utf8_lossy(run);
            let number = run.starts_with(|it: char| it.is_ascii_digit());
            parts.push(match run.parse() {
                Ok(number) => Part::Number(number),
                Err(_) if number => Part::Number(u64::MAX),
                Err(_) => Part::Text(run.into_owned()),
            });
        }
    }
    parts.push(Part::End);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_order_of_their_release() {
        let sorted =
            ["0.9", "v1.2-rc1", "1.2-rc2", "1.2", "1.2.0", "1.2.1", "1.10", "2026.6.0", "2026.11"];
        for pair in sorted.windows(2) {
            assert!(parts(pair[0]) < parts(pair[1]), "{pair:?}");
        }
        assert_eq!(parts("v1.82.6"), parts("1.82-6"));
    }
}
