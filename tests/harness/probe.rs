//! `fallproof probe` and `fallproof doctor`, run as a command.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};
use std::thread;

use fallproof::probe;
use fallproof_protocol::condition::Condition;
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::requirement::Code;

use crate::scratch::free_ports;
use crate::shell::told;

const REFERENCE: [&str; 4] =
    ["--adapter", "tests/harness/adapters/reference.yaml", "--launch", "--program"];

fn fallproof(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_fallproof");
    Command::new(program)
        .args(arguments)
        .args(REFERENCE)
        .arg(program)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary was built with this test")
}

#[test]
fn the_scenarios_of_the_probe_are_valid() {
    let questions = probe::questions().unwrap_or_else(|error| panic!("{error}"));
    assert!(questions.len() > 90, "{}", questions.len());
}

#[test]
fn the_draft_for_the_reference_router_equals_its_adapter() {
    let output = fallproof(&["probe"]);
    assert!(output.status.success(), "{}", told(&output));
    let conditions = "fallback_on: [connection, timeout, invalid_response, error_in_success, \
                      401, 403, 404, 408, 409, 429, 5xx]";
    assert!(told(&output).contains(conditions), "{}", told(&output));
    assert!(told(&output).contains("0 differences from the capabilities in the adapter"));
}

#[test]
fn for_an_adapter_with_capabilities_only_the_differences_are_printed() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let file = folder.path().join("mine.yaml");
    let text = fs::read_to_string(REFERENCE[1]).expect("it is in the repository");
    let claims = "capabilities: { fallback_on: [connection, timeout, 5xx] }\n";
    fs::write(&file, text + claims).expect("a file in a temporary folder");
    let program = env!("CARGO_BIN_EXE_fallproof");
    let output = Command::new(program)
        .args(["probe", "--launch", "--program", program, "--adapter"])
        .arg(&file)
        .output()
        .expect("the binary was built with this test");
    assert!(output.status.success(), "{}", told(&output));
    assert!(output.stdout.is_empty(), "{}", told(&output));
    for line in ["--out FILE writes the whole draft", "  + falls back on 429"] {
        assert!(told(&output).contains(line), "{}", told(&output));
    }
}

#[test]
fn the_doctor_reaches_the_mocks_through_a_target_it_configured() {
    let output = fallproof(&["doctor", "responses-compact"]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains(" scenarios reachable, 0 unreachable"), "{}", told(&output));
}

#[test]
fn the_doctor_reports_a_target_that_exited() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let target = format!("http://{}/v1", listener.local_addr().expect("a bound listener"));
    // The first connection only checks that the target listens.
    thread::spawn(move || drop(listener.accept()));
    let deployments = free_ports().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["doctor", "responses-compact", "--target", &target, "--listen", &deployments])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains(": 0 scenarios reachable, "), "{}", told(&output));
}

#[test]
fn capabilities_are_compared_by_meaning_and_not_by_spelling() {
    let one = Capabilities::default();
    let mut other = Capabilities {
        fallback_on: Some(Condition::RECOMMENDED.to_vec()),
        ..Capabilities::default()
    };
    assert_eq!(probe::differences(&one, &other), []);
    other.fallback_on = Some(vec![Condition::Status(429)]);
    other.waived.insert(Code::Route06, "why".to_owned());
    let differences = probe::differences(&one, &other).into_iter().map(|it| it.to_string());
    let differences: Vec<_> = differences.collect();
    assert!(differences.contains(&"- falls back on 500".to_owned()), "{differences:?}");
    assert!(differences.contains(&"+ waives FP-ROUTE-06".to_owned()), "{differences:?}");
}

#[test]
fn a_server_that_is_not_a_gateway_cannot_be_probed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let target = format!("http://{}/v1", listener.local_addr().expect("a bound listener"));
    thread::spawn(move || listener.incoming().flatten().for_each(drop));
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let out = folder.path().join("draft.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["probe", "--target", &target, "--listen", &free_ports().to_string(), "--out"])
        .arg(&out)
        .output()
        .expect("the binary was built with this test");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("cannot be probed") && !out.exists(), "{told}");
}
