//! What holds for the loader of scenario files.

use std::path::Path;
use std::time::Duration;

use fallproof_protocol::json::Tree;
use fallproof_protocol::multipart;
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::record::{Header, Mask, Reader, SuiteFacts, TargetName, Writer};
use fallproof_suite::scenario::{Body, Scenario, read};
use fallproof_suite::text::is_printable;
use fallproof_suite::yaml::LoadError;

const FILE: &str = "case.yaml";

/// Checks everything that holds for a file with these bytes.
pub(crate) fn check(bytes: &[u8]) {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let loaded = read(Path::new(FILE), bytes, "case");
    match &loaded {
        Ok(scenarios) => playable(scenarios),
        Err(error) => points_within(&String::from_utf8_lossy(bytes), error),
    }
    let below = read(Path::new(FILE), &[b"# a comment\n", bytes].concat(), "case");
    assert_eq!(outcome(&below, 1), outcome(&loaded, 0), "below a comment");
}

/// The scenarios, or the errors as if the text began with this number of lines less.
fn outcome(
    loaded: &Result<Vec<Scenario>, LoadError>,
    more: usize,
) -> Result<&[Scenario], Vec<String>> {
    let error = match loaded {
        Ok(scenarios) => return Ok(scenarios),
        Err(error) => error,
    };
    let told = error.diagnostics.iter().map(|it| {
        // What is wrong with the whole file is at its start.
        let moved =
            |(line, column)| if (line, column) == (1, 1) { (1, 1) } else { (line - more, column) };
        let at = it.line_and_column().map(moved);
        format!("{at:?} {} {:?}", it.message, it.help)
    });
    Err(told.collect())
}

/// Checks that each error is at a character of the text or at the end of a line, and that nothing in it
/// controls a terminal.
fn points_within(text: &str, error: &LoadError) {
    assert!(!error.diagnostics.is_empty(), "refused without a reason");
    for diagnostic in &error.diagnostics {
        let (line, column) = diagnostic.line_and_column().expect("a position");
        let length = text.split('\n').nth(line - 1).map(|line| line.chars().count());
        assert!(length.is_some_and(|length| column <= length + 1), "{diagnostic}");
        let shown = diagnostic.to_string();
        assert!(shown.starts_with("error: "), "{shown:?}");
        assert!(
            shown.contains(&format!("--> {FILE}:{line}:{column}\n")),
            "{line}:{column} {shown}"
        );
        let strange = shown.chars().find(|it| *it != '\n' && !is_printable(*it));
        assert_eq!(strange, None, "{shown:?}");
    }
}

/// Checks that the scenarios can be planned, sent, recorded and read back.
fn playable(scenarios: &[Scenario]) {
    assert!(!scenarios.is_empty(), "a file without scenarios");
    for planned in scenarios.iter().flat_map(Scenario::calls) {
        let sent = planned.send.body.rendered("group", "call");
        match &planned.send.body {
            Body::Form(parts) if parts.iter().all(|part| part.disposition.is_none()) => {
                let fields = multipart::read(&sent.content_type, &sent.bytes).expect("a form");
                let names: Vec<_> = fields.iter().map(|field| field.name).collect();
                let parts: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
                assert_eq!(names.split_first(), Some((&"model", &parts[..])));
            }
            Body::Form(_) => {}
            Body::Members(_) | Body::Text(_) => {
                assert!(Tree::parse(&sent.bytes).is_ok(), "{}", sent.bytes.escape_ascii());
            }
        }
    }
    let plan = Plan::new(scenarios, &Addresses::stable(([127, 0, 0, 1], 9100).into()));
    assert_eq!(plan.to_text().matches("\n  scenario ").count(), plan.groups.len());
    let file = recorded(scenarios, &plan);
    let mut reader = Reader::of(Path::new("evidence"), &*file).unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(reader.scenarios, scenarios, "recorded and read back");
    let entry = reader.entry().unwrap_or_else(|error| panic!("{error}"));
    assert!(entry.is_none(), "no case was run");
}

/// The evidence file of a run of these scenarios in which no case ended.
fn recorded(scenarios: &[Scenario], plan: &Plan) -> Vec<u8> {
    let header = Header {
        fallproof: "0.1.0".to_owned(),
        target: TargetName::of("a router"),
        suite: SuiteFacts {
            fingerprint: "sha256:00".to_owned(),
            cases: scenarios.len(),
            whole: true,
            profiles: std::collections::BTreeSet::new(),
        },
        patterns: Vec::new(),
        tags: Vec::new(),
        started: std::time::SystemTime::UNIX_EPOCH,
        replay: "fallproof run {scenario}".to_owned(),
        gateway_key: "sk-fallproof-client".to_owned(),
        capabilities: Capabilities::reference(),
    };
    let scenarios: Vec<_> = scenarios.iter().collect();
    let writer = Writer::of(Vec::new(), &header, &scenarios, Mask::new([]));
    let mut writer = writer.expect("memory can be written to");
    let file = writer.start(plan).and_then(|()| writer.end(Duration::ZERO, []));
    file.expect("memory can be written to")
}
