//! A run that the user interrupts still writes its report.
#![cfg(unix)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use fallproof_report::model::Verdict;
use tempfile::TempDir;

use crate::shell::text;

use super::support::{PART, command, fallproof, path, read, report};

/// Interrupts the process like Ctrl-C.
fn interrupt(process: u32) {
    let sent = Command::new("kill").args(["-INT", &process.to_string()]).status();
    assert!(sent.expect("every Unix has kill").success());
}

#[test]
fn ctrl_c_ends_a_waiting_run_with_a_partial_report_and_130() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    let folder = TempDir::new().expect("a temporary folder");
    let arguments = ["run", "auth", "--scenarios", &PART, "--target", &target];
    let known = TempDir::new().expect("a temporary folder");
    let known = known.path().join("known.yaml");
    let known = known.to_str().expect("a temporary path is text");
    let more = ["--listen", "127.0.0.1:0", "--report", path(&folder), "--write-baseline", known];
    let run = command(&[arguments.as_slice(), &more].concat())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built with this test");

    // The first two connections only check that the target listens. The third is a call, which gets
    // no response.
    let (called, is_called) = mpsc::channel();
    thread::spawn(move || {
        let connections: Vec<_> = listener.incoming().take(3).collect();
        let _ = called.send(connections);
    });
    let _held = is_called.recv().expect("the target is called");
    interrupt(run.id());
    let output = run.wait_with_output().expect("it was started");

    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(
        shown.contains("known.yaml was not written, because the run was interrupted"),
        "{shown}"
    );
    assert!(!Path::new(known).exists());
    let report = report(&folder);
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert!(report.run.interrupted && report.cases.is_empty(), "{shown}");
    assert_eq!(report.not_run.len(), report.run.selection.cases);
    assert!(read(&folder, "badge.json").contains("partial run"));
    let again = TempDir::new().expect("a temporary folder");
    let judged = fallproof(&["judge", path(&folder), "--report", path(&again)]);
    assert_eq!(judged.status.code(), Some(130), "{}", text(&judged.stderr));
    assert_eq!(read(&again, "report.json"), read(&folder, "report.json"));
    let events = read(&folder, "events.ndjson");
    let last = events.lines().last().unwrap_or_default();
    assert!(last.contains(r#""event":"run-ended""#) && last.contains("interrupted"), "{last}");
}

#[test]
fn ctrl_c_leaves_a_report_from_the_moment_that_the_folder_is_taken() {
    // The target listens, but never accepts a call.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    let folder = TempDir::new().expect("a temporary folder");
    let arguments = ["run", "auth", "--scenarios", &PART, "--target", &target];
    let run = command(
        &[&arguments[..], &["--listen", "127.0.0.1:0", "--report", path(&folder)]].concat(),
    )
    .stderr(Stdio::piped())
    .spawn()
    .expect("the binary was built with this test");
    while !folder.path().join("events.ndjson").exists() {
        thread::yield_now();
    }
    interrupt(run.id());
    let output = run.wait_with_output().expect("it was started");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert_eq!(report(&folder).verdict, Verdict::Interrupted);
}
