//! Files: pipes, devices without an end, texts that contain control characters, templates that compute
//! for ever.

use std::fs;
use std::process::Command;

use rstest::rstest;

use super::{ADAPTER, assert_harmless, command, folder_with, in_time, pipe, shown};
use crate::shell::text;

const SCENARIO: &str = "\
title: TITLE
proves: [FP-ROUTE-01]
deployments:
  only: { provider: openai, model: gpt-5, script: [ok] }
group: { chain: [only] }
steps:
  - send: { endpoint: responses, body: BODY }
";

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

#[test]
fn the_text_of_a_scenario_cannot_control_the_terminal() {
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
fn the_text_of_a_report_cannot_control_the_terminal() {
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
