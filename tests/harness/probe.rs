//! What the probe makes of a target, and what the doctor says of one that is not wired.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};
use std::thread;

use fallproof::probe;
use fallproof_protocol::condition::Condition;
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::requirement::Code;

use crate::common::free_ports;
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
fn the_questions_of_the_probe_are_scenarios() {
    let questions = probe::questions().unwrap_or_else(|error| panic!("{error}"));
    assert!(questions.len() > 90, "{}", questions.len());
}

#[test]
fn the_probe_drafts_for_the_reference_router_what_it_declares() {
    let output = fallproof(&["probe"]);
    assert!(output.status.success(), "{}", told(&output));
    let conditions = "fallback_on: [connection, timeout, invalid_response, error_in_success, \
                      401, 403, 404, 408, 409, 429, 5xx]";
    assert!(told(&output).contains(conditions), "{}", told(&output));
    assert!(told(&output).contains("0 differences from what its adapter declares"));
}

#[test]
fn the_doctor_finds_a_target_that_it_configured_wired() {
    let output = fallproof(&["doctor", "responses-compact"]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains(" scenarios reachable, 0 unreachable"), "{}", told(&output));
}

#[test]
fn the_doctor_takes_no_target_for_wired_that_went_away() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    // The first connection only asks whether somebody is there.
    thread::spawn(move || drop(listener.accept()));
    let deployments = free_ports().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["doctor", "responses-compact", "--target", &target, "--mocks", &deployments])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("\n0 scenarios reachable, "), "{}", told(&output));
}

#[test]
fn two_declarations_differ_by_what_they_do_and_not_by_how_it_is_written() {
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
    assert!(differences.contains(&"+ does not claim FP-ROUTE-06".to_owned()), "{differences:?}");
}

#[test]
fn nothing_is_learnt_of_a_server_that_is_no_gateway() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    thread::spawn(move || listener.incoming().flatten().for_each(drop));
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let out = folder.path().join("draft.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["probe", "--target", &target, "--mocks", &free_ports().to_string(), "--out"])
        .arg(&out)
        .output()
        .expect("the binary was built with this test");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("cannot be probed") && !out.exists(), "{told}");
}
