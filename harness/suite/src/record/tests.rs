use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use fallproof_protocol::behavior::WireFault;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::request_log::{RecordedRequest, RequestKind, RequestTimes, Traffic};
use fallproof_protocol::violation::{Strength, Violation, ViolationKind};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::capabilities::Capabilities;
use crate::evidence::{CallEvidence, CaseResult, Ending, Evidence, Exchange, Inconclusive};
use crate::plan::{Addresses, Deployment};
use crate::requirement::Code;
use crate::scenario::{Scenario, Suite};
use crate::secret::another;

/// API keys that occur in the evidence.
#[derive(Clone, Copy)]
struct Keys {
    /// The client's API key.
    own: &'static str,
    /// The client's API key, encoded for a URL.
    in_url: &'static str,
    /// Other keys.
    foreign: [&'static str; 2],
}

/// Keys that are not secrets.
const MADE_UP: Keys = Keys {
    own: "sk-fallproof-client",
    in_url: "sk-fallproof-client",
    foreign: ["sk-fallproof-0123456789abcdef", "sk-fallproof-client"],
};

/// Keys that are secrets.
const SECRET: Keys = Keys {
    own: "s3cret/+\"key",
    in_url: "s3cret%2F%2B%22key",
    foreign: ["sk-proj-0123456789abcdefXYZ", "0a1b2c3d4e5f"],
};

fn scenarios() -> Vec<Scenario> {
    let ids = ["auth/openai-key-to-azure-key", "recovery/on-and-off"].map(str::to_owned);
    let suite = Suite::embedded_chosen(Path::new("nowhere"), &ids);
    let suite = suite.unwrap_or_else(|error| panic!("{error}")).expect("the suite has them");
    suite.select(&ids, &[]).expect("the suite has them")
}

fn plan(scenarios: &[Scenario]) -> Plan {
    Plan::new(scenarios, &Addresses::stable(([127, 0, 0, 1], 9100).into()))
}

fn header(scenarios: &[Scenario], keys: Keys) -> Header {
    Header {
        fallproof: "0.1.0".to_owned(),
        target: TargetName {
            name: "a router".to_owned(),
            version: None,
            adapter: None,
            variant: None,
            address: Some("127.0.0.1:4000".to_owned()),
        },
        suite: SuiteFacts {
            fingerprint: "sha256:00".to_owned(),
            cases: scenarios.len(),
            whole: true,
            profiles: BTreeSet::new(),
        },
        patterns: Vec::new(),
        tags: Vec::new(),
        started: SystemTime::UNIX_EPOCH + Duration::from_millis(1),
        replay: "fallproof run {scenario}".to_owned(),
        gateway_key: keys.own.to_owned(),
        capabilities: Capabilities::reference(),
    }
}

/// The evidence of a scenario whose calls were made one after the other. Each call has one attempt
/// at the first deployment.
fn seen(scenario: &Scenario, plan: &Plan, keys: Keys) -> Evidence {
    let calls = scenario.steps.iter().enumerate().filter_map(|(position, step)| {
        let crate::scenario::Step::Calls(calls) = step else { return None };
        let group = &calls[0].send.group;
        let deployment =
            plan.groups_of(&scenario.id).iter().find(|it| it.name == *group)?.chain.first()?;
        let at = Duration::from_secs(position as u64);
        Some(CallEvidence {
            position,
            call: 0,
            group: group.clone(),
            at,
            exchange: exchange(at, keys),
            requests: vec![recorded(position as u64, deployment, keys)],
            misdirected: Vec::new(),
            stale: Vec::new(),
        })
    });
    Evidence {
        delay: Duration::from_millis(3),
        scenario: scenario.id.clone(),
        started: Duration::from_nanos(7),
        took: Duration::from_secs(1),
        simulated_clock: true,
        wired: true,
        result: CaseResult::Played(calls.collect()),
    }
}

fn exchange(at: Duration, keys: Keys) -> Exchange {
    let Keys { own, in_url, foreign: [foreign, _] } = keys;
    let body = b"{\"text\":\"lorem ipsum\"}".repeat(1000);
    let head = format!("HTTP/1.1 200 OK\r\nset-cookie: id={own}\r\nx: {foreign}\r\n\r\n");
    let bytes = [head.as_bytes(), &body].concat();
    let pieces =
        vec![(Duration::from_millis(3), head.len()), (Duration::from_nanos(u64::MAX), bytes.len())];
    Exchange {
        path: format!("/v1/chat/completions?key={in_url}"),
        sent_head: format!("POST / HTTP/1.1\r\nauthorization: Bearer {own}\r\n\r\n").into_bytes(),
        sent: serde_json::json!({ "user": own }).to_string().into_bytes(),
        status: Some(200),
        headers: vec![
            ("set-cookie".to_owned(), format!("id={own}").into_bytes()),
            ("x".to_owned(), foreign.as_bytes().to_vec()),
        ],
        body,
        received: Traffic { bytes, pieces },
        ending: Ending::NotHttp(format!("a line of {own}")),
        started: at,
        took: Duration::ZERO,
    }
}

fn recorded(seq: u64, deployment: &Deployment, keys: Keys) -> RecordedRequest {
    let Keys { own, foreign: [_, foreign], .. } = keys;
    let authorization = format!("Bearer {}", deployment.key);
    let head = format!(
        "POST {}/v1/chat/completions HTTP/1.1\r\nauthorization: {authorization}\r\nX-Api-Key: {foreign}\r\n\r\n",
        deployment.prefix,
    );
    RecordedRequest {
        seq,
        kind: RequestKind::Attempt,
        prefix: Some(deployment.prefix.clone()),
        attempt: 1,
        head: head.into_bytes(),
        method: "POST".to_owned(),
        target: "/v1/chat/completions".to_owned(),
        headers: vec![
            ("authorization".to_owned(), authorization.into_bytes()),
            ("X-Api-Key".to_owned(), foreign.as_bytes().to_vec()),
        ],
        body: [b"\xff\x00", another(own).as_bytes()].concat(),
        body_cut: Some(9_000_000),
        route: Some((Surface::OpenAi, Endpoint::ChatCompletions)),
        violation: Some(Violation {
            kind: ViolationKind::Unknown,
            message: "Unknown parameter: 'x'.".to_owned(),
            error_type: "invalid_request_error".to_owned(),
            param: Some("x".to_owned()),
            code: None,
            pointer: "/x".to_owned(),
            strength: Strength::Observed,
        }),
        refused: true,
        behavior: "ok".to_owned(),
        wire: WireFault { delay_ms: Some(20), ..WireFault::default() },
        status: Some(200),
        reply_head: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        reply: b"{\"text\":\"lorem ipsum\"}".repeat(1000),
        reply_cut: None,
        sent: 7,
        out: Traffic::default(),
        times: RequestTimes {
            first_byte: Some(Duration::from_nanos(1)),
            ..RequestTimes::default()
        },
        client_gone: true,
    }
}

/// The evidence file of a run that played each scenario once.
fn good(keys: Keys, mask: Mask) -> Vec<u8> {
    let scenarios = scenarios();
    let plan = plan(&scenarios);
    let all: Vec<_> = scenarios.iter().collect();
    let written = || {
        let mut writer = Writer::of(Vec::new(), &header(&scenarios, keys), &all, mask)?;
        writer.start(&plan)?;
        all.iter().try_for_each(|scenario| writer.case(&seen(scenario, &plan, keys)))?;
        writer.end(Duration::from_secs(5), all.iter().map(|it| it.id.as_str()))
    };
    written().expect("memory can be written to")
}

/// What is kept of the first case if its attempt has this body.
fn kept(body: Vec<u8>) -> Evidence {
    let scenarios = scenarios();
    let plan = plan(&scenarios);
    let all: Vec<_> = scenarios.iter().collect();
    let mut evidence = seen(all[0], &plan, SECRET);
    let CaseResult::Played(calls) = &mut evidence.result else { panic!("it was played") };
    calls[0].requests[0].body = body;
    let written = || {
        let mut writer =
            Writer::of(Vec::new(), &header(&scenarios, SECRET), &all, Mask::new([SECRET.own]))?;
        writer.start(&plan)?;
        writer.case(&evidence)?;
        writer.end(Duration::from_secs(5), [&*all[0].id])
    };
    let file = written().expect("memory can be written to");
    read(&file).expect("it is valid").remove(0)
}

#[test]
fn a_case_that_is_long_even_when_compressed_is_only_named() {
    let is_too_long = |it: &Evidence| it.result == CaseResult::Inconclusive(Inconclusive::TooLong);
    let noise = |length: usize| {
        let mut state = 1_u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..length).map(next).collect::<Vec<_>>()
    };
    assert!(!is_too_long(&kept(noise(MOST_WRITTEN_OF_A_CASE / 8))));
    assert!(is_too_long(&kept(noise(MOST_WRITTEN_OF_A_CASE / 8 * 9))));
    assert!(!is_too_long(&kept(vec![b'a'; MOST_WRITTEN_OF_A_CASE * 2])));
}

fn text(file: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("it is gzip over text");
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("memory can be written to")
}

fn read(file: &[u8]) -> Result<Vec<Evidence>, RecordError> {
    let mut reader = Reader::of(Path::new("run/evidence"), file)?;
    let mut cases = Vec::new();
    while let Some(entry) = reader.entry()? {
        match entry {
            Entry::Case(ended) => cases.push(ended.evidence),
            Entry::Discarded(places) => {
                cases.retain(|it| places.iter().all(|at| reader.scenarios[*at].id != it.scenario));
            }
        }
    }
    Ok(cases)
}

/// Reads the cases from the uncompressed text of a file.
fn read_text(text: &str) -> Result<Vec<Evidence>, RecordError> {
    read(&gzip(text.as_bytes()))
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let (scenarios, file) = (scenarios(), good(MADE_UP, Mask::new([])));
    let plan = plan(&scenarios);
    let cases: Vec<_> = scenarios.iter().map(|it| seen(it, &plan, MADE_UP)).collect();
    assert!(read(&file).unwrap_or_else(|error| panic!("{error}")) == cases);
    let reader = Reader::of(Path::new("file"), &*file).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(reader.header, header(&scenarios, MADE_UP));
    assert_eq!(reader.scenarios, scenarios);
    let json = serde_json::to_string(&plan).expect("a plan is plain data");
    assert_eq!(serde_json::from_str::<Plan>(&json).expect("a plan"), plan);
}

#[test]
fn long_bytes_are_written_once() {
    let text = text(&good(MADE_UP, Mask::new([])));
    let blobs = text.lines().filter(|line| line.starts_with("{\"blob\"")).count();
    // Each case has one answer. Four fields contain it: the body and the traffic of the attempt,
    // and the body and the traffic of the client's response.
    assert_eq!((blobs, text.matches("lorem ipsum").count()), (2, 2 * 1000));
}

#[test]
fn evidence_has_no_secrets_and_all_positions_are_the_same() {
    let (kept, open) = (good(SECRET, Mask::new([SECRET.own])), good(SECRET, Mask::new([])));
    let kept_text = text(&kept);
    let in_json = serde_json::to_string(SECRET.own).expect("a text");
    let own = another(SECRET.own);
    let secrets = [SECRET.own, SECRET.in_url, in_json.trim_matches('"'), &own];
    for secret in secrets.into_iter().chain(SECRET.foreign) {
        assert!(!kept_text.contains(secret), "{secret} is in:\n{kept_text}");
    }
    let [kept, open] = [kept, open].map(|file| read(&file).unwrap_or_else(|it| panic!("{it}")));
    let key = "Kept0K//\"eyK".to_owned();
    assert_eq!(key.len(), SECRET.own.len());
    let mask = Mask::new([SECRET.own]);
    assert_eq!(
        mask.text(&own),
        another(&key),
        "a report from this evidence also recognizes the wrong key"
    );
    for (kept, open) in
        kept.iter().flat_map(Evidence::calls).zip(open.iter().flat_map(Evidence::calls))
    {
        let (one, other) = (&kept.exchange, &open.exchange);
        assert_eq!(one.ending, Ending::NotHttp(format!("a line of {key}")));
        assert_eq!(one.path, "/v1/chat/completions?key=Kept0K%2F%2F%22eyK");
        assert_eq!(one.sent, br#"{"user":"Kept0K//\"eyK"}"#);
        assert_eq!(one.headers[0].1, format!("id={key}").into_bytes());
        assert_eq!(one.received.bytes.len(), other.received.bytes.len());
        let recorded = &kept.requests[0];
        assert_eq!(recorded.head.len(), open.requests[0].head.len());
        assert_eq!(recorded.headers[0], open.requests[0].headers[0], "its key was generated");
        assert_eq!(recorded.headers[1].1, b"xxxxxxxxxxxx");
    }
}

#[test]
fn a_placeholder_has_the_length_of_its_key_in_every_spelling() {
    for key in ["sk-abcdefghijklmnop", "a\"b\\c\"d", "p%40ss/word+=", "////////", "{\"a\":1}"] {
        let file = good(Keys { own: "sk-fallproof-client", ..MADE_UP }, Mask::new([key]));
        assert!(read(&file).is_ok(), "{key}");
        let words = format!("{key} {}", another(key));
        let masked = Mask::new([key]).text(&words);
        assert_eq!(masked.len(), words.len(), "{key}");
        for (one, other) in words.split(' ').zip(masked.split(' ')) {
            let [one, other] = [one, other].map(crate::secret::spellings);
            assert!(one.iter().map(String::len).eq(other.iter().map(String::len)), "{key}");
        }
    }
    assert_eq!(Mask::new(["test"]).text("a test"), "a test", "it is not a secret");
}

#[test]
fn a_waiver_of_what_cannot_be_waived_is_read_and_has_no_effect() {
    let mut header = header(&scenarios(), MADE_UP);
    for code in [Code::Auth01, Code::Route05] {
        header.capabilities.waived.insert(code, "it was a policy once".to_owned());
    }
    let json = serde_json::to_string(&header).expect("a header is plain data");
    let read: Header = serde_json::from_str(&json).expect("a header");
    assert_eq!(read, header);
    assert_eq!(read.capabilities.waives(Code::Auth01), None);
    assert_eq!(read.capabilities.waives(Code::Route05), Some("it was a policy once"));
}

#[test]
fn another_version_of_the_format_is_refused() {
    let text = text(&good(MADE_UP, Mask::new([]))).replace("evidence/2", "evidence/3");
    let text = text.replace("\"capabilities\"", "\"abilities\"");
    let error = read_text(&text).expect_err("it is of another version").to_string();
    assert_eq!(error, "run/evidence, line 1: evidence format 3 is not supported: expected 2");
}

#[test]
fn a_truncated_file_is_refused() {
    let file = good(MADE_UP, Mask::new([]));
    for length in (0..file.len()).step_by(file.len() / 50) {
        let error = read(&file[..length]).expect_err("its end is missing");
        assert!(matches!(error.problem, Problem::BreaksOff), "{length}: {error}");
    }
    let text = text(&file);
    for (end, _) in text.match_indices('\n') {
        for end in [end, end + 1] {
            let is_whole = end == text.len();
            assert_eq!(read_text(&text[..end]).is_ok(), is_whole, "{}", &text[..end.min(100)]);
        }
    }
}

#[rstest]
#[case::a_time_below_zero(
    r#""took":1000000000"#,
    r#""took":-1"#,
    "line 6: not a record: invalid value: integer `-1`, expected u64, column 84"
)]
#[case::a_run_of_the_future(
    r#""started_unix_ms":1"#,
    r#""started_unix_ms":253402300800000"#,
    "line 1: not a record: `started_unix_ms` is after the year 9999: at most 253402300799999"
)]
#[case::a_plan_of_no_scenario(
    r#"{"scenario":{"id":"recovery/on-and-off""#,
    r#"{"scenario":{"id":"a""#,
    "line 4: unknown scenario `recovery/on-and-off`"
)]
#[case::a_scenario_twice(
    r#""id":"recovery/on-and-off""#,
    r#""id":"auth/openai-key-to-azure-key""#,
    "line 3: duplicate scenario `auth/openai-key-to-azure-key`"
)]
#[case::a_call_of_no_group(
    r#""groups":{"main""#,
    r#""groups":{"other""#,
    "line 2: scenario `auth/openai-key-to-azure-key` cannot be played: a call asks for the unknown group `main`"
)]
#[case::an_id_with_a_line_end(
    r#"{"scenario":{"id":"recovery/on-and-off""#,
    r#"{"scenario":{"id":"a\n::error::b""#,
    "line 3: invalid scenario id: expected lower-case letters, digits, `-` and `/`, at \
     most 250 bytes, found `a ::error::b`"
)]
#[case::an_id_that_is_a_path(
    r#"{"scenario":{"id":"recovery/on-and-off""#,
    r#"{"scenario":{"id":"../recovery""#,
    "line 3: invalid scenario id: "
)]
#[case::a_deployment_with_a_line_end(
    r#""backup""#,
    r#""a\n::b""#,
    "line 2: scenario `auth/openai-key-to-azure-key` cannot be played: no group or deployment can \
     have the name `a ::b`"
)]
#[case::a_command_that_is_two(
    "fallproof run {scenario}",
    r"fallproof run {scenario}\nrm",
    "line 1: `header` has a `replay` with characters that cannot be printed"
)]
#[case::a_command_that_reads_as_another(
    "fallproof run {scenario}",
    r"fallproof run {scenario} \u202e",
    "line 1: `header` has a `replay` with characters that cannot be printed"
)]
#[case::a_plan_of_another_chain(
    r#""name":"backup""#,
    r#""name":"primary""#,
    "line 4: the plan does not match scenario `auth/openai-key-to-azure-key`: expected in"
)]
#[case::a_surface_that_there_is_not(
    r#""provider":"azure""#,
    r#""provider":"openai""#,
    "line 4: not a record: provider `openai` has no surface `v1`"
)]
#[case::nothing_to_discard(
    r#"{"start":"#,
    "{\"discarded\":[\"recovery/on-and-off\"]}\n{\"start\":",
    "line 4: case `recovery/on-and-off`: discarded, but has no `case` record"
)]
#[case::a_start_between_a_blob_and_its_case(
    r#"{"case":"#,
    "{\"start\":{\"fingerprint\":\"\",\"mocks\":\"\",\"groups\":[]}}\n{\"case\":",
    "line 6: unexpected record `start`: expected `blob` or `case`"
)]
#[case::another_call(
    r#""position":0"#,
    r#""position":3"#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 differs from the one in its scenario"
)]
#[case::no_attempt(
    r#""kind":"Attempt""#,
    r#""kind":"Unmatched""#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has an attempt at a deployment"
)]
#[case::a_header_that_did_not_come(
    r#"["X-Api-Key","#,
    r#"["X-Api-Kee","#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has an attempt whose `method`, `target` or \
     `headers` contradict its `head`"
)]
#[case::another_method(
    r#""method":"POST""#,
    r#""method":"PUT""#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has an attempt whose `method`"
)]
#[case::a_status_that_there_is_not(
    r#""status":200,"reply_head""#,
    r#""status":600,"reply_head""#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has an attempt with an invalid `status`: \
     expected 100 to 599"
)]
#[case::a_status_that_did_not_come(
    r#""status":200,"headers""#,
    r#""status":201,"headers""#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has a `status` or `headers` that \
     contradict what was `received`"
)]
#[case::an_answers_header_that_did_not_come(
    r#"["set-cookie","#,
    r#"["set-cookies","#,
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has a `status` or `headers` that contradict"
)]
#[case::pieces_out_of_order(
    "[18446744073709551615,",
    "[0,1],[18446744073709551615,",
    "line 6: case `auth/openai-key-to-azure-key`: call 0 has traffic whose pieces are not in order"
)]
#[case::no_such_blob(
    r#""blob":0"#,
    r#""blob":1"#,
    "line 6: case `auth/openai-key-to-azure-key`: `large` refers to a field or to bytes"
)]
#[case::a_place_that_is_taken(
    r#""part":"answer""#,
    r#""part":"head""#,
    "line 6: case `auth/openai-key-to-azure-key`: `large` refers to a field or to bytes"
)]
#[case::a_case_that_is_missing(
    r#"{"end":{"cases":2"#,
    r#"{"end":{"cases":3"#,
    "line 9: found 2 cases: expected 3 according to `end`"
)]
fn an_inconsistent_record_is_refused_with_its_line_and_the_expectation(
    #[case] from: &str,
    #[case] to: &str,
    #[case] wanted: &str,
) {
    let text = text(&good(MADE_UP, Mask::new([])));
    assert!(text.contains(from), "`{from}` is not in:\n{text}");
    let error = read_text(&text.replace(from, to)).expect_err("it is inconsistent").to_string();
    assert!(error.starts_with(&format!("run/evidence, {wanted}")), "{error}");
}

#[test]
fn a_run_of_no_scenario_is_nothing_to_judge() {
    let text = text(&good(MADE_UP, Mask::new([])));
    let first = text.lines().next().expect("it has a header");
    let none = format!("{first}\n{{\"end\":{{\"cases\":0,\"took\":0}}}}\n");
    let error = read_text(&none).expect_err("there is nothing in it").to_string();
    assert_eq!(error, "run/evidence, line 2: no scenario: nothing to judge");
}

#[test]
fn what_is_longer_than_any_can_be_is_refused() {
    let text = text(&good(MADE_UP, Mask::new([])));
    let (id, key) = ("recovery/on-and-off", "sk-fallproof-client");
    let deployment = plan(&scenarios()).groups[0].chain[0].key.clone();
    for (from, to, told) in [
        (id, "a".repeat(300), "line 3: invalid scenario id"),
        (key, "a".repeat(5000), "line 1: `header` has a `gateway_key` of more than 4096 bytes"),
        (&deployment, "a".repeat(5000), "line 4: the plan does not match scenario"),
    ] {
        let error = read_text(&text.replace(from, &to)).expect_err(told).to_string();
        assert!(error.starts_with(&format!("run/evidence, {told}")), "{error}");
    }
}

#[test]
fn an_answer_after_an_interim_one_is_kept_without_secrets_and_reads_again() {
    let scenarios = scenarios();
    let plan = plan(&scenarios);
    let mut evidence = seen(&scenarios[0], &plan, SECRET);
    let CaseResult::Played(calls) = &mut evidence.result else { panic!("it was played") };
    let (secret, exchange) = ("0a1b2c3d4e5f", &mut calls[0].exchange);
    let bytes =
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\nset-cookie: {secret}\r\n\r\n");
    exchange.status = Some(401);
    exchange.headers = vec![("set-cookie".to_owned(), secret.as_bytes().to_vec())];
    exchange.received = Traffic::default();
    exchange.received.push(Duration::ZERO, bytes.as_bytes(), bytes.len());
    let written = || {
        let header = header(&scenarios, SECRET);
        let mut writer =
            Writer::of(Vec::new(), &header, &[&scenarios[0]], Mask::new([SECRET.own]))?;
        writer
            .start(&Plan { groups: plan.groups_of(&scenarios[0].id).to_vec(), ..plan.clone() })?;
        writer.case(&evidence)?;
        writer.end(Duration::ZERO, [scenarios[0].id.as_str()])
    };
    let file = written().expect("memory can be written to");
    assert!(!text(&file).contains(secret), "{}", text(&file));
    assert!(read(&file).is_ok());
}

#[test]
fn a_file_that_breaks_off_is_known_by_its_beginning() {
    let folder = std::env::temp_dir().join(format!("fallproof-record-{}", std::process::id()));
    let whole = good(MADE_UP, Mask::new([]));
    for (bytes, is_one) in [
        (&whole[..], true),
        (&whole[..whole.len() / 2], true),
        (&whole[..10], false),
        (&gzip(b"{\"run\":1}"), false),
        (b"fallproof-evidence/", false),
    ] {
        std::fs::write(&folder, bytes).expect("it can be written");
        assert_eq!(is_evidence(&folder), is_one, "{} bytes", bytes.len());
    }
    std::fs::remove_file(&folder).expect("it can be removed");
    assert!(!is_evidence(&folder));
}

#[test]
fn a_repeated_case_replaces_the_earlier_one() {
    let text = text(&good(MADE_UP, Mask::new([])));
    let lines: Vec<_> = text.lines().collect();
    let [.., blob, case, end] = lines[..] else { panic!("there are several") };
    let again = |start: &str| {
        let first = lines[..lines.len() - 1].join("\n");
        format!("{first}\n{start}{blob}\n{case}\n{end}\n")
    };
    let started = again(&format!("{}\n", lines[3]));
    assert_eq!(read_text(&started).unwrap_or_else(|error| panic!("{error}")).len(), 3);
    let error = read_text(&again("")).expect_err("the target was not started again").to_string();
    assert!(error.contains("played twice since the last start of the target"), "{error}");
}

#[test]
fn processes_side_by_side_have_a_plan_each() {
    let scenarios = scenarios();
    let plans = [plan(&scenarios[..1]), plan(&scenarios[1..])];
    let all: Vec<_> = scenarios.iter().collect();
    let written = || {
        let header = header(&scenarios, MADE_UP);
        let mut writer = Writer::of(Vec::new(), &header, &all, Mask::new([]))?;
        plans.iter().try_for_each(|plan| writer.start(plan))?;
        for (scenario, plan) in all.iter().zip(&plans) {
            writer.case(&seen(scenario, plan, MADE_UP))?;
        }
        writer.end(Duration::ZERO, all.iter().map(|it| it.id.as_str()))
    };
    let file = written().expect("memory can be written to");
    let mut reader =
        Reader::of(Path::new("file"), &*file).unwrap_or_else(|error| panic!("{error}"));
    for plan in &plans {
        let entry = reader.entry().unwrap_or_else(|error| panic!("{error}"));
        let Some(Entry::Case(ended)) = entry else { panic!("a case") };
        assert_eq!(ended.plan.as_deref(), Some(plan));
    }
}

#[test]
fn a_run_beyond_the_limits_is_refused() {
    let text = text(&good(MADE_UP, Mask::new([])));
    let long = format!("{{\"blob\":\"{}\"}}\n", "a".repeat(LONGEST_LINE));
    let error = read_text(&text.replacen("{\"blob\":", &format!("{long}{{\"blob\":"), 1));
    let error = error.expect_err("no line is as long");
    assert!(matches!(error.problem, Problem::LongLine), "{error}");

    let blob = format!("{{\"blob\":\"{}\"}}\n", "a".repeat(LONGEST_LINE / 2));
    let blobs = blob.repeat(2 * MOST_BYTES_OF_A_CASE / LONGEST_LINE + 1);
    let error = read_text(&text.replacen("{\"blob\":", &format!("{blobs}{{\"blob\":"), 1));
    let error = error.expect_err("the case is too long");
    assert!(matches!(error.problem, Problem::TooMuch), "{error}");
}

/// Collects the path of every member of a value, and the kind of the member's value.
fn shape(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            return items.iter().for_each(|item| shape(item, &format!("{path}[]"), found));
        }
        Value::Object(members) => {
            let of_user =
                [".deployments", ".groups", ".headers"].iter().any(|it| path.ends_with(it));
            let name = |name: &str| if of_user { "*".to_owned() } else { name.to_owned() };
            return members
                .iter()
                .for_each(|(it, value)| shape(value, &format!("{path}.{}", name(it)), found));
        }
    };
    found.insert(format!("{} {kind}\n", &path[1..]));
}

#[test]
fn the_format_matches_the_checked_in_one() {
    let mut found = BTreeSet::new();
    for line in text(&good(SECRET, Mask::new([SECRET.own]))).lines() {
        let line = serde_json::from_str(line).expect("it is JSON");
        shape(&line, "", &mut found);
    }
    let found: String = found.into_iter().collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/record/format.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &found).expect("it can be written");
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == found,
        "the format of evidence files has changed; if older files can no longer be read, increase \
         `FORMAT` in harness/suite/src/record/mod.rs; then UPDATE=1 cargo test -p fallproof-suite record"
    );
}
