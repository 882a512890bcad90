//! The order of the columns: versions of one product stand next to each other, the oldest first.

use std::cmp::Ordering;

use crate::model::Report;

/// The reports by product, in the order in which the products first occur, and by version. Reports
/// of the same version keep their order.
pub(super) fn by_version(reports: &[(String, Report)]) -> Vec<&(String, Report)> {
    let name = |it: &(String, Report)| it.1.target.name.clone();
    let first = |it: &(String, Report)| reports.iter().position(|other| name(other) == name(it));
    let mut ordered: Vec<_> = reports.iter().collect();
    ordered.sort_by(|one, other| {
        let version = |it: &(String, Report)| it.1.target.version.clone().unwrap_or_default();
        first(one).cmp(&first(other)).then_with(|| compare(&version(one), &version(other)))
    });
    ordered
}

/// Compares versions part by part, numbers by their value. What follows a hyphen marks a version
/// before the release, as in `1.2.0-rc.1`.
fn compare(one: &str, other: &str) -> Ordering {
    let split = |version: &str| -> (Vec<Part>, Option<Vec<Part>>) {
        let version = version.strip_prefix('v').unwrap_or(version);
        match version.split_once('-') {
            Some((release, before)) => (parts(release), Some(parts(before))),
            None => (parts(version), None),
        }
    };
    let ((release, before), (other_release, other_before)) = (split(one), split(other));
    release.cmp(&other_release).then_with(|| match (before, other_before) {
        (Some(before), Some(other)) => before.cmp(&other),
        (before, other) => other.is_some().cmp(&before.is_some()),
    })
}

/// A part of a version. Words are less than numbers: `1.0.rc1` comes before `1.0.1`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(String),
    Number(u64),
}

fn parts(version: &str) -> Vec<Part> {
    let part = |text: &str| text.parse().map_or_else(|_| Part::Word(text.into()), Part::Number);
    version.split('.').map(part).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.82.6", "1.109.1")]
    #[case("1.9", "1.10")]
    #[case("1.2", "1.2.1")]
    #[case("v1.2.3", "1.2.4")]
    #[case("1.2.0-rc.1", "1.2.0")]
    #[case("1.2.0-rc.2", "1.2.0-rc.10")]
    #[case("1.0.rc1", "1.0.1")]
    #[case("", "0.1")]
    fn an_older_version_comes_first(#[case] older: &str, #[case] newer: &str) {
        assert_eq!(compare(older, newer), Ordering::Less);
        assert_eq!(compare(newer, older), Ordering::Greater);
    }
}
