//! Gateways that Fallproof starts: what they leave behind, print, and get to see.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rstest::rstest;
use tempfile::TempDir;

use super::{ADAPTER, LIMIT, assert_harmless, command, folder_with, in_time, pipe, shown};

/// An adapter whose gateway is this shell script.
fn adapter(script: &str, more: &str) -> String {
    let arguments = serde_json::json!(["-c", script]);
    ADAPTER
        .replace(
            "LAUNCH",
            &format!("arguments: {arguments}, ready: {{ path: /, seconds: 60 }}, {more}"),
        )
        .replace("MORE", "")
}

/// A folder with the adapter, and a pipe that has a reader until the last process that has it
/// open ends.
fn folder(script: &str, more: &str) -> TempDir {
    let folder = folder_with(&[("mine.yaml", adapter(script, more))]);
    pipe(&folder, "alive");
    fs::create_dir(folder.path().join("tmp")).expect("a folder");
    folder
}

fn run(folder: &TempDir) -> Command {
    let arguments =
        ["run", "responses-compact/openai-to-azure", "--launch", "--adapter", "mine.yaml"];
    let mut run = command(folder.path(), &arguments);
    run.env("TMPDIR", folder.path().join("tmp"));
    run
}

/// Asserts that every process ends that has the pipe open.
#[track_caller]
fn assert_all_end(mut alive: fs::File) {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(std::io::copy(&mut alive, &mut std::io::sink())));
    let ended = ended.recv_timeout(LIMIT);
    assert!(ended.is_ok(), "the gateway, or a process that it started, still runs");
}

fn left_in_tmp(folder: &TempDir) -> Vec<fs::DirEntry> {
    let entries = fs::read_dir(folder.path().join("tmp")).expect("it is there");
    entries.map(|entry| entry.expect("a name")).collect()
}

#[rstest]
#[case::hangup("-HUP")]
#[case::terminate("-TERM")]
#[case::kill("-KILL")]
fn no_process_and_no_folder_is_left_by(#[case] signal: &str) {
    let alive = "exec 3>../../../alive; sleep 600 & sleep 600 & wait";
    let folder = folder(alive, "stop: TERM");
    let mut child = run(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built with this test");
    // Blocks until the gateway has opened it, too.
    let alive = fs::File::open(folder.path().join("alive")).expect("the gateway opens it");
    let [work] = &left_in_tmp(&folder)[..] else { panic!("one work folder") };
    let mode = work.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others can read the keys");

    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("every Unix has kill").success());
    child.wait().expect("it was started");
    assert_all_end(alive);
    // After SIGKILL, another process removes the folder.
    let until = std::time::Instant::now() + LIMIT;
    while !left_in_tmp(&folder).is_empty() {
        assert!(std::time::Instant::now() < until, "{:?}", left_in_tmp(&folder));
        thread::yield_now();
    }
}

#[test]
fn the_children_of_a_gateway_that_exits_at_start_end_too() {
    let folder = folder("exec 3>../../../alive; sleep 600 & exit 3", "stop: TERM");
    let run = thread::spawn({
        let mut run = run(&folder);
        move || in_time(&mut run)
    });
    let alive = fs::File::open(folder.path().join("alive")).expect("the gateway opens it");
    assert_all_end(alive);
    let output = run.join().expect("it does not panic");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
}

#[test]
fn a_gateway_gets_its_own_variables_only() {
    for name in ["A_NAME", "a.name"] {
        let adapter = ADAPTER
            .replace(
                "LAUNCH",
                &format!("ready: {{ seconds: 60 }}, environment: {{ {name}: kept }}"),
            )
            .replace("program: sh", "program: env")
            .replace("MORE", "");
        let folder = folder_with(&[("mine.yaml", adapter)]);
        fs::create_dir(folder.path().join("tmp")).expect("a folder");
        let output = in_time(run(&folder).env("OPENAI_API_KEY", "sk-user-canary-0123456789"));
        // It prints its variables, and exits.
        let seen = shown(&output);
        assert!(seen.contains(&format!("{name}=kept")), "{seen}");
        for foreign in ["canary", "OPENAI", "PWD=", "SHLVL="] {
            assert!(!seen.contains(foreign), "{seen}");
        }
    }
}

#[test]
fn what_a_gateway_prints_neither_shows_a_key_nor_controls_the_terminal() {
    const KEY: &str = "CANARY1-key-0123456789";
    let script = r#"printf '\033]0;PWNED\007\033[2J\302\233\342\200\256\n::error::PWNED\n'
        echo "plain=$K"; printf %s "Bearer $K" | base64; printf %s "$K" | od -An -tx1 | tr -d ' \n'
        exit 3"#;
    let folder = folder(script, r#"environment: { K: "{{ gateway.key }}" }"#);
    let mut run = run(&folder);
    let output = in_time(run.env("FALLPROOF_KEY", KEY).env("CLICOLOR_FORCE", "1"));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("plain=[gateway key]"), "{}", shown(&output));
    assert_harmless(&output);
    for key in [KEY, "Q0FOQVJZMS1rZXktMDEyMzQ1Njc4O", "43414e415259312d6b65792d30313233"] {
        assert!(!shown(&output).contains(key), "{}", shown(&output));
    }
}

#[test]
fn the_command_that_prints_the_version_gets_no_secret_of_the_user() {
    let version = r#"version: [sh, -c, "env > ../version.env; echo 1.0.0"]"#;
    let folder = folder("exit 3", version);
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a folder");
    std::os::unix::fs::symlink("/bin/sh", home.join("sh")).expect("a link");
    let arguments = ["run", "responses-compact/openai-to-azure", "--launch", "--program", "."];
    let mut run = command(&home, &arguments);
    run.args(["--adapter", "../mine.yaml"]);
    for name in ["OPENAI_API_KEY", "HTTPS_PROXY", "FALLPROOF_KEY"] {
        run.env(name, "sk-user-canary-0123456789");
    }
    in_time(&mut run);
    let seen = fs::read_to_string(folder.path().join("version.env")).expect("it was called");
    assert!(!seen.contains("canary"), "{seen}");
    assert!(seen.contains("PATH="), "{seen}");
}
