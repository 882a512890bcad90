//! Differences in spelling that do not change the meaning. They are informational.

use fallproof_protocol::json::{Tree, differences};
use fallproof_suite::requirement::Code;

use super::defaults::is_default;
use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::PayloadViolation;

/// `FP-PAYLOAD-08` and `09`: the order of members, and defaults that are spelled out or omitted.
pub(super) fn check(
    found: &mut Collector<'_>,
    attempt: &Attempt<'_>,
    sent: &Tree,
    received: &Tree,
) {
    if shared_names(sent, received) != shared_names(received, sent) {
        found.breach(Code::Payload08, PayloadViolation::Reordered).at(attempt);
    }
    for difference in differences(sent, received).iter().filter(|it| is_default(it)) {
        let violation = found.breach(Code::Payload09, PayloadViolation::DefaultSpelledOut);
        violation.at(attempt).pointing(&difference.pointer);
    }
}

/// The names of the members that both bodies have, in the order of `tree`.
fn shared_names<'a>(tree: &'a Tree, other: &Tree) -> Vec<&'a str> {
    let Tree::Object(members) = tree else { return Vec::new() };
    let names = members.iter().map(|(name, _)| name.as_str());
    names.filter(|name| other.member(name).is_some()).collect()
}
