//! The loader that this one replaces: a case of a family is written as YAML again, and read anew.
//! Both must say the same.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::Scenario;
use super::expand::Expander;
use super::family::{FamilyFile, case_id};
use super::files::SuiteFile;
use super::load::{read, understood};
use crate::yaml::{At, LoadError, Members, Node, Part, Source};

fn read_rewritten(file: &Path, bytes: &[u8], id: &str) -> Result<Vec<Scenario>, LoadError> {
    let source = Source::of(file, bytes)?;
    if source.has_key("matrix") {
        family(&source, file, id)
    } else {
        understood(&source, source.parse()?, file, id).map(|scenario| vec![scenario])
    }
}

fn family(source: &Source, file: &Path, id: &str) -> Result<Vec<Scenario>, LoadError> {
    let read: FamilyFile = source.parse()?;
    let members: At<Members> = source.parse()?;
    let mut problems = Vec::new();
    let axes = read.axes(source, &mut problems);
    if !problems.is_empty() {
        return Err(LoadError { diagnostics: problems });
    }
    let choices = read.choices(&axes, source, &mut problems);
    let mut all_followed = !choices.is_empty();
    let mut scenarios = Vec::new();
    let mut used = BTreeSet::new();
    for choice in &choices {
        let mut expander = Expander::new(source, &axes, choice);
        let case = Node::Members(expander.case(&members.value));
        used.append(&mut expander.used);
        if expander.problems.is_empty() {
            let case = rewrite(&At { value: case, span: members.span.clone() }, source);
            let read =
                case.parse().and_then(|read| understood(&case, read, file, &case_id(id, choice)));
            match read {
                Ok(scenario) => scenarios.push(scenario),
                Err(error) => problems.extend(error.diagnostics),
            }
        } else {
            all_followed = false;
            problems.append(&mut expander.problems);
        }
    }
    let axes = if all_followed { axes.as_slice() } else { &[] };
    for axis in axes.iter().filter(|axis| !used.contains(&axis.name.value)) {
        let message = format!("no case differs by the axis `{}`", axis.name.value);
        let help = format!("put `{{{0}}}` or `use: {0}` where it matters", axis.name.value);
        problems.push(source.error(&axis.name.span, message).help(help));
    }
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert(problem.to_string()));
    if problems.is_empty() { Ok(scenarios) } else { Err(LoadError { diagnostics: problems }) }
}

/// `node` as one line of YAML, in which each part knows its place in the file.
pub(super) fn rewrite(node: &At<Node>, source: &Source) -> Source {
    let mut writer = Writer { source, text: String::new(), parts: Vec::new() };
    writer.node(node);
    source.rewritten(writer.text, writer.parts)
}

struct Writer<'a> {
    source: &'a Source,
    text: String,
    parts: Vec<Part>,
}

impl Writer<'_> {
    fn node(&mut self, node: &At<Node>) {
        self.parts.push(Part { start: self.text.len(), span: node.span.clone() });
        match &node.value {
            Node::Text(text) => self.text(text),
            // As the author spelled it: a spelling that JSON has not is an error of its own.
            Node::Bare(_) => match self.source.text(&node.span) {
                "" => self.text.push('~'),
                written => self.text.push_str(written),
            },
            Node::List(items) => {
                self.text.push('[');
                for item in items {
                    self.node(item);
                    self.text.push_str(", ");
                }
                self.text.push(']');
            }
            Node::Members(members) => {
                self.text.push('{');
                for (key, value) in members {
                    self.parts.push(Part { start: self.text.len(), span: key.span.clone() });
                    self.text(&key.value);
                    self.text.push_str(": ");
                    self.node(value);
                    self.text.push_str(", ");
                }
                self.text.push('}');
            }
        }
    }

    /// Text in quotes: what JSON escapes, YAML reads alike.
    fn text(&mut self, text: &str) {
        self.text.push_str(&Value::from(text).to_string());
    }
}

type Outcome = Result<Vec<Scenario>, Vec<String>>;

fn outcome(read: Result<Vec<Scenario>, LoadError>) -> Outcome {
    read.map_err(|error| error.diagnostics.iter().map(ToString::to_string).collect())
}

fn both(text: &[u8]) -> (Outcome, Outcome) {
    let file = Path::new("case.yaml");
    (outcome(read(file, text, "case")), outcome(read_rewritten(file, text, "case")))
}

#[test]
fn every_file_of_the_suite_is_loaded_alike() {
    for file in SuiteFile::embedded().into_iter().flatten() {
        let SuiteFile { file, bytes, .. } = &file;
        let (new, old) = (read(file, bytes, "id"), read_rewritten(file, bytes, "id"));
        assert_eq!(outcome(new), outcome(old), "{}", file.display());
    }
}

/// Places of a family, and what is put there: the first is right, the others mostly are not. What is
/// not here is told of differently on purpose: a word that is missing, and a mistake within a text.
const PLACES: &[(&str, &[&str])] = &[
    ("TITLE", &["A {failure} at {surface}", "''", "5", "", "[a]", "{ a: b }", "~", "!!str 5"]),
    ("TITLEKEY", &["title", "titel", "\"title\"", "use"]),
    ("WHY", &["why: Because.", "", "why:", "why: 1.5", "why: \"{surface.text}\"", "wy: a"]),
    ("PROVES", &["[FP-ROUTE-01]", "[]", "FP-ROUTE-01", "[FP-ROUTE-1]", "[1]", "[[a]]", "[~]"]),
    ("TAGS", &["[a]", "[A]", "[\"{failure}\"]", "{}", "5", "[\"{surface}\", {}]"]),
    (
        "FAILURE",
        &[
            "[server_error, bad_gateway]",
            "[sever_error]",
            "{ ok: {}, server_error: { a: 1 } }",
            "[500, 502]",
            "[true]",
            "[]",
            "5",
            "[a_b, a-b]",
            "{ ok: 5 }",
            "[ok, ok]",
        ],
    ),
    (
        "BROUGHT",
        &[
            "provider: openai",
            "provider: azure",
            "provider: azure, surface: legacy",
            "provider: 5",
            "provider: opanai",
            "surfac: v1",
            "provider: [a]",
            "provider: { openai: }",
            "provider: { openai: 5 }",
            "provider: { opanai: }",
        ],
    ),
    (
        "MODEL",
        &[
            "\"for-{surface}\"",
            "gpt-5",
            "5",
            "{}",
            "\"{surface.model}\"",
            "\"{failure\"",
            "\"{ failure }\"",
            "\"{surface.upstream}\"",
        ],
    ),
    (
        "REPLY",
        &[
            "\"{failure}\"",
            "ok",
            "5",
            "[ok]",
            "{ status: 503 }",
            "{ status: 5 }",
            "{ statsu: 503 }",
            "{ status: \"{surface.status}\" }",
            "{ status: x }",
            "{ status: [1] }",
            "{ reply: oki }",
            "{ wire: { write: 5 } }",
            "{ wire: { write: { bytes: 0 } } }",
            "{ wire: { write: bytes } }",
            "{ wire: { write: { bytes: 5 } } }",
            "{ wire: { head: { content_length_off_by: 0 } } }",
            "{ wire: { cut: { end: close } } }",
            "{ wire: { cut: { end: closed, at: after_head } } }",
            "{ wire: { cut: { at: { events: 2, body_bytes: 3 }, end: close } } }",
            "{ times: 0 }",
            "{ wire: { write: { byte: 3 } } }",
            "{ wire: { write: [bytes] } }",
            "{ headers: { a: 5 } }",
            "{ headers: { x-a: \"{failure}\" } }",
            "{ headers: [a] }",
            "{ body: ~, status: ~ }",
            "~",
            "{ wire: { cut: { end: { close: 5 }, at: after_head } } }",
            "{ times: 4294967296 }",
            "connection_refused",
            "{ wire: { write: { events: 3 } } }",
            "{ reply: \"{failure}\", times: 2 }",
        ],
    ),
    (
        "LAST",
        &[
            "true",
            "false",
            "True",
            "yes",
            "5",
            "\"{surface.flag}\"",
            "\"{failure}\"",
            "[]",
            "",
            "\"true\"",
        ],
    ),
    (
        "CHAIN",
        &[
            "[primary, backup]",
            "[primary]",
            "[]",
            "[primary, bakcup]",
            "[primary, primary, backup]",
            "primary",
            "[{}, backup]",
            "[5]",
            "",
            "{}",
        ],
    ),
    (
        "RETRIES",
        &[
            "retries: 1",
            "retries: -1",
            "retries: \"{surface.retries}\"",
            "retries: 1.5",
            "retries: x",
            "retries: \"5\"",
            "retries: 0x10",
            "retries: 010",
            "retries: 1_0",
            "retries: 99999999999",
            "retries: 18446744073709551616",
            "retries: [1]",
            "retries: {}",
            "retries:",
            "retries: ~",
            "retries: \"{failure}\"",
            "retries: true",
            "retry: 1",
            "retries: +5",
            "retries: 1e3",
        ],
    ),
    (
        "COOLDOWN",
        &[
            "{ after_failures: 1, for_ms: 5 }",
            "{ after_failures: 0, for_ms: 0 }",
            "{ for_ms: 1 }",
            "5",
            "",
            "{ after_failures: 1, for_ms: 5, a: b }",
            "[]",
            "{}",
        ],
    ),
    ("ON", &["[timeout, 429, 5xx]", "[700]", "[timout]", "[[]]", "429", "[true]", "[1.5]", "[~]"]),
    (
        "ENDPOINT",
        &["responses", "responses/compct", "5", "[]", "{ responses: }", "audio/transcriptions"],
    ),
    ("KEY", &["right", "wrong", "none", "wrnog", "~", "true"]),
    (
        "HEADER",
        &[
            "x-a: b",
            "x-a: 5",
            "x-a: \"{failure}\"",
            "content-length: a",
            "\"x a\": b",
            "x-a:",
            "x-a: \"{{call}}\"",
            "x-a: [a]",
            "x-a: \"a\\nb\"",
        ],
    ),
    (
        "BODY",
        &[
            "body: { input: \"a {failure} {\", n: 1.5 }",
            "body: { n: 1e0 }",
            "body: { n: 010 }",
            "body: { model: a }",
            "body: { use: surface.upstream }",
            "body: { use: [surface.upstream, failure] }",
            "body: [a]",
            "body: 5",
            "body:",
            "body: { a: [1, {b: ~}, [true, \"{surface.retries}\"]] }",
            "body: { n: 12345678901234567890123 }",
            "form: []",
            "",
            "body: {}\n      form: []",
            "body_json: '{\"model\": \"{{model}}\"}'",
            "body_json: 5",
            "body: { n: \"{surface.retries}\" }",
            "body: { provider: x, use: surface.upstream }",
            "body: { n: 1_000 }",
            "body: { \"{failure}\": 1 }",
            "body: { a: \"{surface}\", b: \"{surfac}\" }",
            "body: { n: -0, m: -0.0, k: 1.0 }",
            "body: { use: surfaces }",
            "body: { é: ü, 日本: [\"{failure}\"] }",
        ],
    ),
    (
        "EXPECT",
        &[
            "status: 200",
            "status: \"{surface.status}\"",
            "status: 999",
            "status: 70000",
            "status: x",
            "answered_by: bakcup",
            "attempts: [primary]",
            "attempts: primary",
            "error: { type: 5 }",
            "error:",
            "error: { typ: a }",
            "stats: 5",
            "headers: { a: 5 }",
            "use: surface",
        ],
    ),
    (
        "STEP",
        &[
            "advance_ms: 5",
            "advance_ms: 0",
            "advance: 5",
            "advance_ms: -5",
            "{}",
            "send: {}",
            "5",
            "[]",
            "",
            "send: { endpoint: responses, body: {} }",
            "together: []",
            "{ send: &a { endpoint: responses, body: {} } }",
        ],
    ),
    (
        "EXCEPT",
        &[
            "- { failure: bad_gateway, surface: two, because: a }",
            "[]",
            "- { failure: bad }",
            "- 5",
            "- { failure: bad_gateway, surface: [two] }",
            "- { failrue: a, because: b }",
            "5",
        ],
    ),
];

const FAMILY: &str = r#"
TITLEKEY: TITLE
WHY
proves: PROVES
tags: TAGS
matrix:
  failure: FAILURE
  surface:
    one: { upstream: { BROUGHT }, retries: 1, status: 200, flag: true, text: "a", model: 'b "c"' }
    two:
      upstream: { provider: azure }
      retries: 007
      status: 503
      flag: yes
      text: |
        two lines
        of text
      model: 5
except:
  EXCEPT
upstreams:
  primary: { use: surface.upstream, model: MODEL, script: [REPLY, ok], repeat_last: LAST }
  backup:
    provider: openai
    model: gpt-5
    script:
      - REPLY
group: { chain: CHAIN, RETRIES, cooldown: COOLDOWN, fallback_on: ON }
steps:
  - STEP
  - send:
      endpoint: ENDPOINT
      key: KEY
      headers: { HEADER }
      BODY
    expect: { EXPECT }
"#;

/// The text with a word of its own in each place.
fn filled(family: bool, picks: &[Option<prop::sample::Index>]) -> String {
    let mut text = FAMILY.to_owned();
    if !family {
        let (matrix, rest) = (text.find("matrix").unwrap_or(0), text.find("upstreams:\n"));
        text.replace_range(matrix..rest.unwrap_or(0), "");
        text = text.replace("use: surface.upstream", "BROUGHT");
    }
    for ((place, words), pick) in PLACES.iter().zip(picks) {
        let word = pick.map_or(words[0], |pick| *pick.get(words));
        text = text.replace(&format!("{place}:"), &format!("{word}:"));
        let mut written = String::new();
        let mut rest = &*text;
        while let Some(start) = rest.find(place) {
            let end = start + place.len();
            let is_whole = !rest[end..].starts_with(|next: char| next.is_ascii_uppercase());
            written.push_str(&rest[..start]);
            written.push_str(if is_whole { word } else { place });
            rest = &rest[end..];
        }
        text = written + rest;
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_text_of_a_scenario_is_loaded_alike(
        family: bool,
        picks in prop::collection::vec(
            prop_oneof![6 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)],
            PLACES.len(),
        ),
    ) {
        let text = filled(family, &picks);
        let (new, old) = both(text.as_bytes());
        prop_assert_eq!(&new, &old, "{}", text);
    }
}
