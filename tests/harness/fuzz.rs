//! `fallproof fuzz`, run as a command.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::scratch::free_ports;
use crate::shell::{fallproof, told};
use rstest::rstest;

#[test]
fn the_reference_router_has_no_failures() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["fuzz", "--cases", "60", "--seed", "6"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("seed 6: 0 findings"), "{}", told(&output));
    assert!(!folder.path().join("scenarios").exists());
}

#[test]
fn a_failure_is_saved_as_a_scenario_that_reproduces_it() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let broken = ["--saboteur", "invented-metadata"];
    let options = ["fuzz", "--cases", "12", "--seed", "6", "--endpoint", "responses"];
    let output = fallproof(folder.path(), &[&options[..], &broken[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(!told(&output).contains("and does not"), "{}", told(&output));

    let found = folder.path().join("scenarios/found");
    let files = fs::read_dir(&found).unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    let names = files.map(|file| file.expect("it can be read").file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let [name] = &names[..] else { panic!("one file for the one cause: {names:?}") };
    assert!(name.starts_with("fp-payload-01-"), "{name}");
    for part in [
        "seed 6: 1 finding",
        "FAIL payload-01/metadata  8 of 9 cases",
        "the target adds `/metadata`",
        "from it follow: FP-PAYLOAD-05 /metadata",
        "reproduces the finding:",
    ] {
        assert!(told(&output).contains(part), "{part}: {}", told(&output));
    }
    let text = fs::read_to_string(found.join(name)).expect("it is there");
    assert!(text.contains("body: {}\n"), "{text}");

    let id = format!("found/{}", name.trim_end_matches(".yaml"));
    let output = fallproof(folder.path(), &[&["run", &id][..], &broken[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("FP-PAYLOAD-01"), "{}", told(&output));
    let output = fallproof(folder.path(), &["run", &id]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

#[rstest]
#[case::no_cases(&["--cases", "0"], "--cases <N>")]
#[case::no_time(&["--time", "0s"], "expected a time such as 60s")]
#[case::no_end(&["--time", "9999999999999999999s"], "give a shorter one")]
#[case::an_unknown_endpoint(&["--endpoint", "chat"], "one of chat/completions")]
#[case::no_folder_for_failures(&["--scenarios", "file"], "cannot write to file/found")]
fn a_useless_campaign_is_rejected(#[case] options: &[&str], #[case] reason: &str) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("file"), "").expect("it can be written");
    let output = fallproof(folder.path(), &[&["fuzz"], options].concat());
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains(reason), "{}", told(&output));
}

#[test]
fn the_plan_of_a_campaign_has_the_address_of_its_mocks() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = fallproof(folder.path(), &["fuzz", "--plan", "--listen", "127.0.0.1:9480"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("http://127.0.0.1:9480/") && !told(&output).contains(":9100"));
}

/// Fuzzes a gateway with this number of `cases`. The gateway handles `most` connections with
/// `serve`, and then accepts no more.
fn against(cases: &str, most: usize, serve: impl Fn(TcpStream) + Send + 'static) -> Output {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    thread::spawn(move || listener.incoming().flatten().take(most).for_each(serve));
    let deployments = free_ports().to_string();
    let options = ["fuzz", "--cases", cases, "--target", &target, "--listen", &deployments];
    fallproof(folder.path(), &options)
}

#[test]
fn a_gateway_that_does_not_reach_the_mocks_does_not_pass() {
    let output = against("5", usize::MAX, |mut connection| {
        let _ = connection.read(&mut [0; 8192]);
        let _ = connection
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let reason = "the target cannot be judged: a plain call for `";
    assert!(told(&output).contains(reason), "{}", told(&output));
}

#[test]
fn a_gateway_that_exits_ends_the_campaign() {
    // The first connection only checks that the gateway listens.
    let output = against("1000000", 1, drop);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("the target went away"), "{}", told(&output));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_campaign_whose_target_hangs() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    let campaign = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["fuzz", "--target", &target, "--listen", &free_ports().to_string()])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built with this test");
    // The first connection only checks that the gateway listens; the second is never answered.
    let _held: Vec<_> = listener.incoming().take(2).collect();
    let sent = Command::new("kill").args(["-INT", &campaign.id().to_string()]).status();
    assert!(sent.expect("every Unix has kill").success());
    let output = campaign.wait_with_output().expect("it was started");
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
}
