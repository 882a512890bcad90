//! Hostile files: pipes, devices without an end, texts that speak to the terminal, templates that
//! compute for ever. Each command ends in time, with a message that says what is wrong.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rstest::rstest;
use tempfile::TempDir;

use crate::shell::text;

/// Time in which every command here ends, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(60);

const SCENARIO: &str = "\
title: TITLE
proves: [FP-ROUTE-01]
deployments:
  only: { provider: openai, model: gpt-5, script: [ok] }
group: { chain: [only] }
steps:
  - send: { endpoint: responses, body: BODY }
";

/// An adapter; `LAUNCH` and `MORE` are to be replaced.
const ADAPTER: &str = "\
name: Fictional
about: A gateway for this test.
home: https://example.com
license: MIT
versions: [{ version: 1.0.0, install: [\"true\"] }]
launch: { program: sh, LAUNCH }
MORE
";

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fallproof"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the command. Kills it if it takes too long.
#[track_caller]
fn in_time(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the binary was built with this test");
    let id = child.id();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(Child::wait_with_output(child)));
    if let Ok(output) = ended.recv_timeout(LIMIT) {
        return output.expect("it was started");
    }
    let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
    panic!("the command did not end within {LIMIT:?}");
}

fn shown(output: &Output) -> String {
    text(&output.stderr) + &text(&output.stdout)
}

fn folder_with(files: &[(&str, String)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, content) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, content).expect("a file in a temporary folder");
    }
    folder
}

fn pipe(folder: &TempDir, name: &str) {
    let made = Command::new("mkfifo").arg(folder.path().join(name)).status();
    assert!(made.expect("every Unix has mkfifo").success());
}

#[test]
fn a_pipe_in_a_suite_is_an_error_and_not_a_wait() {
    let scenario = SCENARIO.replace("TITLE", "A call").replace("BODY", "{ input: Hello }");
    let folder = folder_with(&[("s/own/first.yaml", scenario)]);
    pipe(&folder, "s/own/pipe.yaml");
    let output = in_time(&mut command(folder.path(), &["run", "--scenarios", "s"]));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("pipe.yaml"), "{}", shown(&output));
    assert!(shown(&output).contains("not a regular file"), "{}", shown(&output));
    let output = in_time(&mut command(folder.path(), &["run", "own/first", "--scenarios", "s"]));
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
}

#[test]
fn a_pipe_in_a_folder_of_reports_is_an_error_and_not_a_wait() {
    let folder = folder_with(&[]);
    pipe(&folder, "report.json");
    for arguments in [&["report", "."][..], &["run", "--report", "."], &["judge", "."]] {
        let output = in_time(&mut command(folder.path(), arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", shown(&output));
    }
}

#[rstest]
#[case::report(&["report", "/dev/zero", "/dev/zero"], "larger than 128 MiB")]
#[case::check(&["check", "/dev/zero"], "larger than 1 MiB")]
#[case::adapter(&["run", "--launch", "--adapter", "/dev/zero"], "larger than 1 MiB")]
#[case::baseline(&["run", "--baseline", "/dev/zero"], "larger than 1 MiB")]
#[case::script(&["serve", "--script", "/dev/zero"], "larger than 1 MiB")]
#[case::router(&["router", "--config", "/dev/zero"], "/dev/zero")]
#[case::evidence(&["judge", "/dev/zero"], "/dev/zero")]
#[cfg(target_os = "linux")]
fn a_file_without_an_end_is_an_error(#[case] arguments: &[&str], #[case] expected: &str) {
    let folder = folder_with(&[]);
    let output = in_time(&mut command(folder.path(), arguments));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains(expected), "{}", shown(&output));
}

#[test]
fn placeholders_are_added_up_before_they_are_expanded() {
    let letters = "{{letters:30000000}}".repeat(2000);
    let body = format!("{{ input: \"{letters}\" }}");
    let scenario = SCENARIO.replace("TITLE", "Large").replace("BODY", &body);
    let folder = folder_with(&[("s/own/large.yaml", scenario)]);
    let output = in_time(&mut command(folder.path(), &["plan", "--scenarios", "s"]));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("the limit of the mocks"), "{}", shown(&output));
}

/// The output has no escape sequence but those that set a style, and no command for a CI runner.
#[track_caller]
fn assert_harmless(output: &Output) {
    for printed in [text(&output.stdout), text(&output.stderr)] {
        let is_harmful = |it: char| matches!(it, '\u{7}' | '\u{9b}' | '\u{202e}' | '\r');
        assert!(!printed.contains(is_harmful), "{printed:?}");
        for unstyled in printed.split("\u{1b}[").skip(1) {
            let end = unstyled.find(|it: char| !(it.is_ascii_digit() || it == ';'));
            assert_eq!(unstyled[end.expect("an end")..].chars().next(), Some('m'), "{printed:?}");
        }
        assert!(!printed.contains("\u{1b}]"), "{printed:?}");
        let is_command = |line: &str| line.trim_start().starts_with("::");
        assert!(!printed.lines().any(is_command), "{printed:?}");
    }
}

#[test]
fn the_text_of_a_scenario_does_not_speak_to_the_terminal() {
    let title = r#""\e]0;PWNED\a\e[2J\n::error::PWNED \u202e\u009b2J""#;
    let scenario =
        SCENARIO.replace("TITLE", title).replace("BODY", "{ input: Hello, store: true }");
    let folder = folder_with(&[("s/own/evil.yaml", scenario)]);
    let lists: [&[&str]; 5] = [
        &["run", "--scenarios", "s", "--saboteur", "json-as-text"],
        &["run", "--scenarios", "s", "--saboteur", "json-as-text", "--report", "r", "-v"],
        &["list", "scenarios", "--scenarios", "s"],
        &["show", "own/evil", "--scenarios", "s"],
        &["report", "r"],
    ];
    for arguments in lists {
        for color in ["0", "1"] {
            let mut command = command(folder.path(), arguments);
            assert_harmless(&in_time(command.env("CLICOLOR_FORCE", color)));
        }
    }
}

#[test]
fn the_text_of_a_report_does_not_speak_to_the_terminal() {
    let scenario = SCENARIO.replace("TITLE", "A call").replace("BODY", "{ input: Hello }");
    let folder = folder_with(&[("s/own/first.yaml", scenario)]);
    let run = ["run", "--scenarios", "s", "--saboteur", "json-as-text", "--report", "r"];
    in_time(&mut command(folder.path(), &run));
    let file = folder.path().join("r/report.json");
    let report = fs::read_to_string(&file).expect("it was written");
    let evil = r"\u001b]0;PWNED\u0007\n::error::PWNED <script>alert(1)</script> @somebody \u202e";
    let report = report.replace("reference router", evil).replace("A call", evil);
    fs::write(&file, report).expect("it can be written");
    for arguments in [&["report", "r"][..], &["report", "r", "r"], &["report", "r", "--cause", "1"]]
    {
        let output = in_time(command(folder.path(), arguments).env("CLICOLOR_FORCE", "1"));
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        assert_harmless(&output);
        let printed = text(&output.stdout);
        if arguments.len() > 2 {
            // These are Markdown.
            assert!(!printed.contains("<script>"), "{printed}");
            assert!(!printed.contains(" @somebody"), "{printed}");
        }
    }
}

#[rstest]
#[case::loops("{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}")]
#[case::spaces("{{ 'x\\ny'|indent(99999999999) }}")]
#[case::repeats("{{ 'x' * 99999999999 }}")]
#[case::doubles(
    "{% set x = 'xxxxxxxx' %}{% for i in range(99) %}{% set x = x ~ x %}{{ x }}{% endfor %}{{ x * 9999999999 }}"
)]
fn a_template_that_computes_for_ever_is_an_error(#[case] template: &str) {
    let adapter = ADAPTER
        .replace("LAUNCH", "ready: { seconds: 1 }")
        .replace("MORE", &format!("files: {{ a.txt: {} }}", serde_json::json!(template)));
    let folder = folder_with(&[("mine.yaml", adapter)]);
    let output = in_time(&mut command(folder.path(), &["check", "mine.yaml"]));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("mine.yaml:"), "{}", shown(&output));
}

#[rstest]
#[case::not_a_number("ready: { seconds: .nan }", "", "finite number")]
#[case::negative("ready: { seconds: -5 }", "", "seconds from 0 to 3600")]
#[case::endless("ready: { seconds: 1, seconds_per_group: .inf }", "", "finite number")]
#[case::base("ready: { seconds: 1 }", r#"client: { base: "/v1\r\nx: y" }"#, "visible ASCII")]
#[case::path(
    "ready: { seconds: 1 }",
    r#"client: { paths: { responses: "/a b" } }"#,
    "visible ASCII"
)]
#[case::header(
    "ready: { seconds: 1 }",
    r#"client: { headers: { "x\r\ny": z } }"#,
    "name of a header"
)]
fn an_adapter_that_would_never_start_or_send_two_requests_is_an_error(
    #[case] launch: &str,
    #[case] more: &str,
    #[case] expected: &str,
) {
    let adapter = ADAPTER.replace("LAUNCH", launch).replace("MORE", more);
    let folder = folder_with(&[("mine.yaml", adapter)]);
    let output = in_time(&mut command(folder.path(), &["check", "mine.yaml"]));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains(expected), "{}", shown(&output));
}

#[test]
fn two_runs_do_not_write_to_one_folder() {
    let scenario = SCENARIO.replace("TITLE", "A call").replace("BODY", "{ input: Hello }");
    let folder = folder_with(&[("s/own/first.yaml", scenario)]);
    fs::create_dir(folder.path().join("r")).expect("a folder");
    let held = fs::File::open(folder.path().join("r")).expect("a folder can be opened");
    held.try_lock().expect("nobody else has it");
    let run = ["run", "--scenarios", "s", "--report", "r"];
    let output = in_time(&mut command(folder.path(), &run));
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("another run is writing"), "{}", shown(&output));
    drop(held);
    let output = in_time(&mut command(folder.path(), &run));
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
}

#[test]
fn a_report_that_cannot_be_written_whole_is_not_written() {
    let scenario = SCENARIO.replace("TITLE", "A call").replace("BODY", "{ input: Hello }");
    let folder = folder_with(&[("s/own/first.yaml", scenario)]);
    let run = ["run", "--scenarios", "s", "--report", "r"];
    in_time(&mut command(folder.path(), &run));
    // Left by a run that was killed: the next run replaces it.
    fs::write(folder.path().join("r/index.html.partial"), "<!doc").expect("it can be written");
    let output = in_time(&mut command(folder.path(), &run));
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let names = fs::read_dir(folder.path().join("r")).expect("it is there");
    let names: Vec<_> = names.map(|entry| entry.expect("a name").file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");
}

#[rstest]
#[case::a_reader_that_closes("completions bash | head -n 1", Some(0))]
#[case::no_space_for_errors("run no-such-scenario 2>/dev/full", Some(3))]
#[case::no_space("list requirements >/dev/full", Some(3))]
#[cfg(target_os = "linux")]
fn a_stream_that_cannot_be_written_to_is_no_panic(#[case] line: &str, #[case] code: Option<i32>) {
    let folder = folder_with(&[]);
    let line = format!("{} {line}", env!("CARGO_BIN_EXE_fallproof"));
    let mut shell = Command::new("sh");
    let output = in_time(shell.args(["-c", &line]).current_dir(folder.path()));
    assert_eq!(output.status.code(), code, "{}", shown(&output));
    for word in ["panicked", "backtrace", "bug in Fallproof"] {
        assert!(!shown(&output).contains(word), "{}", shown(&output));
    }
}

mod launched {
    use super::*;

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
    fn what_a_gateway_prints_neither_shows_a_key_nor_speaks_to_the_terminal() {
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
}
