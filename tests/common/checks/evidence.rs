//! What holds for the reader of evidence files, and for all that is made of what it reads.

use std::path::Path;
use std::sync::Arc;

use fallproof_judge::{Case, causes, judge_case};
use fallproof_report::convert::{self, Context};
use fallproof_report::event::Raw;
use fallproof_report::redact::Redactor;
use fallproof_report::trace;
use fallproof_suite::record::{Ended, Entry, Mask, Reader, RecordError, Writer};

/// Reads, judges and reports the cases of a file. Checks that it is refused with a short line, or is
/// read back as it was once it was written again. Returns the number of its cases, or `None` if it is
/// refused.
pub(crate) fn check(file: &[u8]) -> Option<usize> {
    match read(file) {
        Ok((reader, cases)) => {
            judged(&reader, &cases);
            let once = written(&reader, &cases);
            let (reader, again) = read(&once).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again.len(), cases.len());
            // What looks like a key was hidden the first time.
            assert!(written(&reader, &again) == once, "written again, it differs");
            Some(cases.len())
        }
        Err(error) => {
            let text = error.to_string();
            let is_a_line = text.starts_with("evidence, line ") && !text.contains(char::is_control);
            assert!(is_a_line && text.chars().count() < 500, "{text}");
            None
        }
    }
}

/// Reads the cases of a file that count.
fn read(file: &[u8]) -> Result<(Reader<&[u8]>, Vec<Ended>), RecordError> {
    let mut reader = Reader::of(Path::new("evidence"), file)?;
    let mut cases = Vec::new();
    while let Some(entry) = reader.entry()? {
        match entry {
            Entry::Case(ended) => cases.push(ended),
            Entry::Discarded(indices) => {
                cases.retain(|case: &Ended| !indices.contains(&case.scenario));
            }
        }
    }
    Ok((reader, cases))
}

fn judged(reader: &Reader<&[u8]>, cases: &[Ended]) {
    let mut facts_of_cases = Vec::new();
    for ended in cases {
        let facts = reader.header.facts(ended.groups(), ended.all_groups());
        let scenario = &reader.scenarios[ended.scenario];
        // `Case::new` would catch a panic of a check.
        let judgment = judge_case(scenario, facts, &ended.evidence);
        let case = Case { evidence: ended.evidence.clone(), judgment };
        let redactor = Redactor::of([]);
        let context = Context { scenario, groups: facts.groups, replay: "fallproof run" };
        let _ = convert::case(&case, context);
        let _ = trace::write(Raw { judged: &case, context, redactor: &redactor });
        facts_of_cases.push(case.judgment.facts);
    }
    causes(&facts_of_cases.iter().collect::<Vec<_>>());
}

/// The file of a run with these cases, each of which follows the start that it belongs to.
fn written(reader: &Reader<&[u8]>, cases: &[Ended]) -> Vec<u8> {
    let scenarios: Vec<_> = reader.scenarios.iter().collect();
    let writer = Writer::of(Vec::new(), &reader.header, &scenarios, Mask::new([]));
    let mut writer = writer.expect("memory can be written to");
    let mut latest = None;
    for Ended { plan, evidence, .. } in cases {
        if let Some(plan) = plan
            && !latest.as_ref().is_some_and(|latest| Arc::ptr_eq(latest, plan))
        {
            writer.start(plan).expect("memory can be written to");
            latest = Some(Arc::clone(plan));
        }
        writer.case(evidence).expect("memory can be written to");
    }
    let all = scenarios.iter().map(|scenario| scenario.id.as_str());
    writer.end(reader.took(), all).expect("memory can be written to")
}
