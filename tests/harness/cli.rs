//! The command line: its output and exit codes.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use crate::common::part;
use crate::scratch::free_ports;

const FOUNDING: &str = "responses-compact/openai-to-azure";

fn fallproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary was built with this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The text on one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs the founding scenario against a target that handles each connection with `serve`.
fn against(serve: impl Fn(std::net::TcpStream) + Send + 'static) -> Output {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    // Runs until the test ends. The first connection only checks that the target listens; the
    // client closes it without a request.
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    let deployments = free_ports().to_string();
    fallproof(&["run", FOUNDING, "--target", &target, "--listen", &deployments, "--timeout", "0.2"])
}

#[test]
fn a_conformant_router_prints_one_line_and_exits_with_0() {
    let output = fallproof(&["run", FOUNDING, "--jobs", "1"]);
    let told = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{told}");
    assert!(told.starts_with("1 scenario: 1 passed in ") && told.lines().count() == 1, "{told}");
}

#[test]
fn the_founding_bug_is_reported_with_requirement_diff_and_replay_and_exits_with_1() {
    let output = fallproof(&["run", FOUNDING, "--saboteur", "invented-metadata"]);
    let told = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for words in [
        "FAIL responses-compact/openai-to-azure",
        "FP-PAYLOAD-01 No attempt carries a body field that the client did not send.",
        "attempt 2 added /metadata",
        "\n             Unknown parameter: 'metadata'.\n",
        "+   \"metadata\": {",
        "fallproof run responses-compact/openai-to-azure --saboteur invented-metadata",
    ] {
        assert!(told.contains(words), "`{words}` is missing in:\n{told}");
    }
}

#[test]
fn the_reference_router_must_meet_expectations_too() {
    for (script, policy, expected, words) in [
        ("server_error", "", "{ status: 502 }", "expected status 502 for the client, got 500"),
        (
            "{ reply: server_error, count: 2 }",
            ", retries: 1",
            "{ attempts: [only] }",
            "expected attempts at `only`; got `only`, `only`",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let text = format!(
            "title: A call that fails\nproves: [FP-ROUTE-03]\n\
             deployments: {{ only: {{ provider: openai, model: gpt-5, script: [{script}] }} }}\n\
             group: {{ chain: [only]{policy} }}\n\
             steps: [{{ send: {{ endpoint: responses, body: {{ input: Hi }} }}, expect: {expected} }}]\n"
        );
        std::fs::write(folder.path().join("fails.yaml"), text).expect("it can be written");
        let scenarios = folder.path().to_str().expect("a temporary path is text");
        let output = fallproof(&["run", "--scenarios", scenarios]);
        assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).contains(words), "{}", stdout(&output));
    }
}

#[test]
fn an_invalid_scenario_is_reported_with_its_position_and_exits_with_2() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let scenario = include_str!("../../scenarios/responses-compact/openai-to-azure.yaml")
        .replace("attempts:", "atempts:");
    std::fs::write(folder.path().join("typo.yaml"), scenario).expect("it can be written");
    let folder = folder.path().to_str().expect("a temporary path is text");
    let output = fallproof(&["run", "--scenarios", folder]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for words in ["atempts", "typo.yaml:", "attempts", "^"] {
        assert!(told.contains(words), "`{words}` is missing in:\n{told}");
    }
}

#[test]
fn a_pattern_without_a_match_suggests_a_scenario_and_exits_with_2() {
    let part = part().display().to_string();
    let output = fallproof(&["run", "responses-compact/openai-to-azur", "--scenarios", &part]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(FOUNDING), "{}", stderr(&output));
}

#[test]
fn waiting_for_a_trickled_response_violates_the_timeout_of_the_attempt() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let scenario = "title: An answer comes in drops\nproves: [FP-ROUTE-12]\n\
        deployments:\n  \
          only: { provider: openai, model: gpt-4o, script: [{ wire: { write: { bytes: 200 }, chunk_delay_ms: 60 } }] }\n\
        group: { chain: [only], timeout_ms: 100 }\n\
        steps: [{ send: { endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }] } } }]\n";
    std::fs::write(folder.path().join("drops.yaml"), scenario).expect("it can be written");
    let scenarios = folder.path().to_str().expect("a temporary path is text");
    let output = fallproof(&["run", "--scenarios", scenarios, "--saboteur", "ignores-timeout"]);
    let told = stdout(&output);
    assert!(told.contains("FP-ROUTE-12") && told.contains("the limit is 100 ms"), "{told}");
}

#[test]
fn an_unreachable_target_is_reported_and_exits_with_2() {
    let nobody = free_ports();
    let target = format!("http://{nobody}/v1");
    let deployments = free_ports().to_string();
    let output = fallproof(&["run", FOUNDING, "--target", &target, "--listen", &deployments]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains(&format!("no target at http://{nobody}")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_target_that_is_not_http_is_rejected_with_an_example() {
    let target = "ftp://localhost/v1";
    let output = fallproof(&["run", FOUNDING, "--target", target, "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("http://127.0.0.1:4000/v1"), "{}", stderr(&output));
}

#[test]
fn a_key_in_the_target_url_is_rejected() {
    for target in ["http://me:secret@127.0.0.1:1/v1", "http://127.0.0.1:1/v1?key=secret"] {
        let output = fallproof(&["run", FOUNDING, "--target", target, "--listen", "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(2));
        let told = stderr(&output);
        assert!(told.contains("--key") && !told.contains("secret"), "{told}");
    }
}

#[test]
fn text_from_a_target_cannot_inject_lines_or_terminal_escapes() {
    let output = against(|mut stream| {
        // The first connection only checks that the target listens, and sends nothing.
        let mut call = [0; 4096];
        if stream.read(&mut call).is_ok_and(|read| read > 0) {
            let said = "x\n::error title=pwn::injected\r\u{1b}[2J";
            let length = said.len();
            let _ = write!(stream, "HTTP/1.1 403 No\r\ncontent-length: {length}\r\n\r\n{said}");
            // Closing with unread data would reset the connection and discard the answer.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    let told = stdout(&output);
    let shown = flat(&told).replace(r"\u{3a}", ":");
    assert!(shown.contains("x ::error title=pwn::injected \u{fffd}[2J"), "{told}");
    assert!(!told.lines().any(|line| line.trim_start().starts_with("::")), "{told}");
    assert!(!told.contains(['\u{1b}', '\r']), "{told:?}");
}

#[test]
fn an_endless_stream_is_reported_once_and_judged_by_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let scenario = "title: A stream\nproves: [FP-STREAM-01]\n\
        deployments: { only: { provider: openai, model: gpt-4o, script: [ok] } }\n\
        group: { chain: [only] }\n\
        steps: [{ send: { endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }], stream: true } } }]\n";
    std::fs::write(folder.path().join("floods.yaml"), scenario).expect("it can be written");
    let folder = folder.path().to_str().expect("a temporary path is text");
    let deployments = free_ports().to_string();
    let options = ["--scenarios", folder, "--listen", &deployments];
    let plan = fallproof(&[&["plan", "--json"][..], &options].concat());
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).expect("a plan is JSON");
    let key = plan["groups"][0]["chain"][0]["key"].as_str().expect("it has a key").to_owned();
    let path = plan["groups"][0]["chain"][0]["base_url"].as_str().expect("it has a URL");
    let path = path.trim_start_matches("http://").trim_start_matches(&deployments).to_owned();

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    let asked = deployments.clone();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            if !client.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                continue;
            }
            let body =
                r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"stream":true}"#;
            let mut deployment = std::net::TcpStream::connect(&asked).expect("it listens");
            let length = body.len();
            let call = format!(
                "POST {path}/chat/completions HTTP/1.0\r\nauthorization: Bearer {key}\r\n\
                 content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            deployment.write_all(call.as_bytes()).expect("it can be asked");
            let mut answer = String::new();
            deployment.read_to_string(&mut answer).expect("it answers");
            let flood = "data: {\"choices\":[{\"delta\":{\"content\":\"on and\"}}]}\n\n";
            let _ = client.write_all((answer + &flood.repeat(50_000)).as_bytes());
            // Closing with unread data would reset the connection and discard the answer.
            let _ = client.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut client, &mut std::io::sink());
        }
    });
    let output = fallproof(&[&["run", "--target", &target][..], &options].concat());
    let told = flat(&stdout(&output));
    assert_eq!(output.status.code(), Some(1), "{told}{}", stderr(&output));
    assert_eq!(
        told.matches("more events, far beyond everything that was sent").count(),
        1,
        "{told}"
    );
    assert!(told.contains("of attempt 1 is not in the provider's stream"), "{told}");
    assert!(!told.contains("stream is missing"), "its end is there: {told}");
}

#[test]
fn inconclusive_cases_are_grouped_by_reason() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    thread::spawn(move || listener.incoming().flatten().for_each(drop));
    let (deployments, part) = (free_ports().to_string(), part().display().to_string());
    let options = ["run", "--scenarios", &part, "--target", &target, "--listen", &deployments];
    let told = stdout(&fallproof(&options));
    let reasons = told.matches("INCONCLUSIVE ").count();
    assert!((1..5).contains(&reasons), "{told}");
    assert_eq!(told.matches("\n  example: ").count(), reasons, "{told}");
    let detailed = stdout(&fallproof(&[&options[..], &["--verbose"]].concat()));
    assert!(detailed.matches("INCONCLUSIVE ").count() > 20, "{detailed}");
}

#[test]
fn a_refused_key_is_one_line() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    let answer = "HTTP/1.1 401 No\r\nconnection: close\r\ncontent-length: 7\r\n\r\nbad key";
    let serve = move |mut stream: std::net::TcpStream| {
        if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
            let _ = stream.write_all(answer.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Write);
            // Closing with unread data would reset the connection and discard the answer.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    };
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| {
            thread::spawn(move || serve(stream));
        });
    });
    let (deployments, part) = (free_ports().to_string(), part().display().to_string());
    let chosen = ["run", "responses-compact", "--scenarios", &part];
    let output =
        fallproof(&[&chosen[..], &["--target", &target, "--listen", &deployments]].concat());
    let told = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "the gateway refuses the key: set --key or FALLPROOF_KEY");
    assert!(lines.len() == 3 && lines[2].contains("0 passed"), "{told}");
}

#[test]
fn many_failures_of_one_cause_are_one_block_of_lines_that_fit() {
    let part = part().display().to_string();
    let broken = ["run", "--scenarios", &part, "--saboteur", "invented-metadata"];
    let output = fallproof(&broken);
    let told = stdout(&output);
    assert_eq!(told.matches("FAIL ").count(), 1, "{told}");
    assert!(told.starts_with("FAIL payload-01/metadata  "), "{told}");
    for words in [
        "reference router with saboteur invented-metadata adds `/metadata`",
        "FP-PAYLOAD-01 No attempt carries a body field",
        "  example: ",
        "attempt  deployment ",
        "      +   \"metadata\": {\n",
        "  rerun: fallproof run ",
        " more cases (-v lists them)",
    ] {
        assert!(told.contains(words), "`{words}` is missing in:\n{told}");
    }
    assert!(told.lines().count() < 20, "{told}");
    let is_wide = |line: &&str| line.chars().count() > 80 && !line.starts_with("  rerun: ");
    assert_eq!(told.lines().find(is_wide), None);

    let lines = stdout(&fallproof(&[&broken[..], &["--causes", "0"]].concat()));
    assert!(
        lines.starts_with("FAIL payload-01/metadata  ") && lines.lines().count() < 5,
        "{lines}"
    );
    let cases = stdout(&fallproof(&[&broken[..], &["-v"]].concat()));
    assert!(cases.contains("\nFAIL responses-compact/openai-to-azure\n"), "{cases}");
    assert!(cases.contains("\n    responses-compact/openai-to-azure\n"), "{cases}");
}

#[test]
fn slow_scenarios_are_left_out_by_tag_or_all_that_wait() {
    let ids = |options: &[&str]| {
        let output = fallproof(&[&["list", "scenarios", "--cases"], options].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let slow = "streaming/chat-stalls-after-the-role";
    assert!(ids(&["streaming"]).contains(slow));
    assert!(!ids(&["streaming", "--skip-tag", "slow"]).contains(slow));
    let (all, quick) = (ids(&["retry-after"]), ids(&["retry-after", "--quick"]));
    assert!(quick.lines().count() < all.lines().count(), "{quick}");

    let refused = fallproof(&["run", "streaming", "--skip-tag", "slwo"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("did you mean `slow`?"), "{}", stderr(&refused));
    let nothing = fallproof(&["run", slow, "--quick"]);
    assert_eq!(nothing.status.code(), Some(2));
    let told = stderr(&nothing);
    assert!(told.contains("--quick leaves out ") && told.contains("no scenario is selected"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_failure_to_print_keeps_the_report_and_is_not_called_a_bug() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["run", FOUNDING, "--saboteur", "invented-metadata", "--report"])
        .arg(folder.path().join("report"))
        .args(["--scenarios".as_ref(), part()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(full)
        .output()
        .expect("the binary was built with this test");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("failed printing to stdout") && !told.contains("a bug in"), "{told}");
    assert!(folder.path().join("report/report.json").is_file());
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_keeps_the_report_and_is_no_error() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let (reader, writer) = std::io::pipe().expect("the system has pipes");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["run", FOUNDING, "--saboteur", "invented-metadata", "--report"])
        .arg(folder.path().join("report"))
        .args(["--scenarios".as_ref(), part()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(writer)
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(141), "{}", stderr(&output));
    assert!(!stderr(&output).contains("harness error"), "{}", stderr(&output));
    assert!(folder.path().join("report/report.json").is_file());
}

#[test]
fn jobs_is_a_sensible_number() {
    for jobs in ["0", "1025", "18446744073709551615", "many"] {
        let output = fallproof(&["run", FOUNDING, "--jobs", jobs]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("from 1 to 1024"), "{}", stderr(&output));
    }
}

#[test]
fn a_key_that_is_not_a_valid_header_value_is_rejected() {
    for key in ["a\nb", "", "a b"] {
        let output = fallproof(&["run", FOUNDING, "--key", key]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("visible ASCII"), "{}", stderr(&output));
    }
}

#[test]
fn rejecting_a_key_in_the_target_url_does_not_print_the_key() {
    for target in [
        "http://sk-secret@127.0.0.1:4000/v1",
        "https://user:sk-secret@127.0.0.1:4000/v1",
        "http://127.0.0.1:4000/v1?key=sk-secret",
        "ftp://127.0.0.1/v1#sk-secret",
    ] {
        let arguments = ["run", FOUNDING, "--listen", "127.0.0.1:9100", "--target", target];
        let output = fallproof(&arguments);
        assert_eq!(output.status.code(), Some(2), "{target}");
        let told = stderr(&output);
        assert!(told.contains("with --key") && !told.contains("sk-secret"), "{told}");
    }
}

#[test]
fn a_saboteur_prints_the_command_that_catches_it() {
    let (listen, deployments) = (free_ports().to_string(), free_ports().to_string());
    let mut serving = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["router", "--saboteur", "invented-metadata", FOUNDING, "--listen", &listen])
        .args(["--mocks", &deployments])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary was built with this test");
    let told = std::io::BufReader::new(serving.stdout.take().expect("it is piped"));
    let command = told.lines().map_while(Result::ok).find(|line| line.contains("fallproof run"));
    serving.kill().expect("it runs");
    serving.wait().expect("it was started");
    let command = command.unwrap_or_default();
    assert!(command.contains(&format!("fallproof run {FOUNDING} --target")), "{command}");
}

#[test]
fn a_port_in_use_is_reported_and_exits_with_2() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let addr = taken.local_addr().expect("it is bound");
    let target = format!("http://{addr}/v1");
    let output = fallproof(&["run", FOUNDING, "--target", &target, "--listen", &addr.to_string()]);
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains(&addr.port().to_string()) && told.contains("in use"), "{told}");
}

#[test]
fn a_target_that_answers_garbage_fails_and_exits_with_1() {
    let output = against(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"\0\x01 garbage\r\n\r\n");
    });
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("not HTTP"), "{}", stdout(&output));
}

#[test]
fn a_target_that_never_answers_fails_in_bounded_time_and_exits_with_1() {
    let output = against(std::mem::forget);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("did not complete its response within the client"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_target_that_does_not_reach_the_mocks_is_inconclusive_not_failed() {
    let output = against(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ =
            stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 13\r\n\r\nno such model");
    });
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.contains("INCONCLUSIVE") && told.contains("no such model"), "{told}");
}

#[test]
fn a_plan_is_deterministic_and_contains_the_base_urls() {
    let plan = || fallproof(&["plan", FOUNDING, "--listen", "127.0.0.1:9100", "--json"]);
    let (first, second) = (stdout(&plan()), stdout(&plan()));
    assert_eq!(first, second);
    let plan: serde_json::Value = serde_json::from_str(&first).expect("the plan is JSON");
    assert_eq!(
        plan["groups"][0]["chain"][1]["base_url"],
        "http://127.0.0.1:9100/responses-compact.openai-to-azure/backup/openai/v1"
    );
}

#[test]
fn the_router_rejects_an_invalid_config_file_with_2() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let config = folder.path().join("router.yaml");
    std::fs::write(&config, "groups:\n  a:\n    chain: [missing]\ndeployments: {}\n")
        .expect("it can be written");
    let config = config.to_str().expect("a temporary path is text");
    let output = fallproof(&["router", "--config", config, "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("missing"), "{}", stderr(&output));
    assert!(Path::new(config).exists());
}
