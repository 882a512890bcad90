//! Writes an evidence file in memory, reads it back, and judges it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use fallproof_judge::{Judgment, judge_case};
use fallproof_suite::evidence::{Evidence, TargetFacts};
use fallproof_suite::plan::Plan;
use fallproof_suite::record::{Entry, Header, Mask, Reader, SuiteFacts, TargetName, Writer};
use fallproof_suite::scenario::Scenario;

/// Writes the evidence file of a run. With `is_own_key`, the client's key counts as the user's own
/// secret.
pub(crate) fn write(
    scenarios: &[&Scenario],
    plan: &Plan,
    facts: TargetFacts<'_>,
    evidence: &[&Evidence],
    is_own_key: bool,
) -> Vec<u8> {
    let header = Header {
        fallproof: "0.1.0".to_owned(),
        target: TargetName::of("a router"),
        suite: SuiteFacts {
            fingerprint: "sha256:00".to_owned(),
            cases: scenarios.len(),
            whole: true,
            profiles: BTreeSet::new(),
        },
        patterns: Vec::new(),
        tags: Vec::new(),
        started: SystemTime::UNIX_EPOCH,
        replay: "fallproof run {scenario}".to_owned(),
        gateway_key: facts.gateway_key.to_owned(),
        capabilities: facts.capabilities.clone(),
    };
    let mask = Mask::new(is_own_key.then_some(facts.gateway_key));
    let writer = Writer::of(Vec::new(), &header, scenarios, mask);
    let mut writer = writer.expect("memory can be written to");
    let is_played = |id: &String| scenarios.iter().any(|scenario| scenario.id == *id);
    let groups = plan.groups.iter().filter(|group| is_played(&group.scenario)).cloned().collect();
    let written = writer.start(&Plan { groups, ..plan.clone() });
    let written = written.and_then(|()| evidence.iter().try_for_each(|it| writer.case(it)));
    let all = scenarios.iter().map(|scenario| scenario.id.as_str());
    let file = written.and_then(|()| writer.end(Duration::from_secs(1), all));
    file.expect("memory can be written to")
}

/// Judges each case of the file. Returns the evidence with the judgments, and the client's key.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn judge(file: &[u8]) -> (Vec<(Evidence, Judgment)>, String) {
    let mut reader =
        Reader::of(Path::new("evidence"), file).unwrap_or_else(|error| panic!("{error}"));
    let mut judged = Vec::new();
    while let Some(entry) = reader.entry().unwrap_or_else(|error| panic!("{error}")) {
        let Entry::Case(ended) = entry else { panic!("no case was discarded") };
        let scenario = &reader.scenarios[ended.scenario];
        let judgment = judge_case(
            scenario,
            reader.header.facts(ended.groups(), ended.all_groups()),
            &ended.evidence,
        );
        judged.push((ended.evidence, judgment));
    }
    (judged, reader.header.gateway_key)
}

/// Checks that two judgments are equal. Where one of them quotes one of `keys`, the other may quote
/// a different one.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn same(one: &Judgment, other: &Judgment, keys: &[&str]) -> Result<(), String> {
    let text = |judgment: &Judgment| {
        let text = format!("{judgment:#?}");
        keys.iter().fold(text, |text, key| text.replace(key, "[key]"))
    };
    let (one, other) = (text(one), text(other));
    if one == other { Ok(()) } else { Err(format!("judged {one}\nfrom the file {other}")) }
}
