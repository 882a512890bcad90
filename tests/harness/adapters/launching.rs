//! Gateways started by `fallproof run --launch`.

use std::process::Output;

use fallproof_runner::adapter::Site;
use fallproof_suite::feature::{Ability, Feature};
use fallproof_suite::scenario::Scenario;
use tempfile::TempDir;

use crate::common::{SUITE, part};
use crate::shell::text;

use super::support::{MINIMAL, command, file, site};

const FOUNDING: &str = "responses-compact/openai-to-azure";
const REFERENCE: &str = "tests/harness/adapters/reference.yaml";

/// Runs one scenario against a gateway that this adapter starts.
fn launched(adapter: &str, more: &[&str]) -> Output {
    let work = TempDir::new().expect("a temporary folder");
    let work = work.path().to_str().expect("a temporary path is text");
    let arguments = ["run", FOUNDING, "--launch", "--adapter", adapter, "--work-dir", work];
    let output = command(&[&arguments, more].concat()).output();
    output.expect("the binary was built with this test")
}

/// Like [`launched`], for an adapter with this text.
fn launched_text(adapter: &str) -> Output {
    let (_folder, file) = file(adapter);
    launched(file.to_str().expect("a temporary path is text"), &[])
}

#[test]
fn the_reference_router_passes_all_cases_without_waits_as_a_separate_program() {
    let work = TempDir::new().expect("a temporary folder");
    let work = work.path().to_str().expect("a temporary path is text");
    let program = env!("CARGO_BIN_EXE_fallproof");
    // The program uses real time. The test must not wait for timeouts, nor fail on a busy machine.
    let timed = [Ability::Timeout, Ability::TotalTimeout].map(Feature::Other);
    let is_untimed = |scenario: &&Scenario| {
        let needs = scenario.needs();
        scenario.waits().is_zero() && !timed.iter().any(|feature| needs.contains(feature))
    };
    // One case of each topic is enough: the suite itself is tested elsewhere.
    let mut untimed: Vec<_> = SUITE.scenarios.iter().filter(is_untimed).collect();
    untimed.dedup_by_key(|scenario| scenario.id.split('/').next().map(str::to_owned));
    let output = command(&["run", "--adapter", REFERENCE, "--launch", "--program", program])
        .args(["--work-dir", work])
        .args(untimed.iter().map(|scenario| &scenario.id))
        .output()
        .expect("the binary was built with this test");
    let shown = text(&output.stderr);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{shown}");
    assert!(told.lines().count() == 1 && told.contains(" passed in "), "{told}");
}

#[test]
fn a_cooldown_of_the_gateway_itself_is_a_violation_unless_it_is_declared() {
    let adapter = std::fs::read_to_string(REFERENCE).expect("it is in the repository");
    // This router cools down a deployment after one failure, although no group configures that.
    let cooling = adapter.replace(
        "        retries:",
        "        cooldown: { after_failures: 1, duration_ms: 600000 }\n        retries:",
    );
    let declared = cooling.replace(
        "\nfiles:",
        "\ncapabilities: { own_cooldown: it cools down failing deployments }\n\nfiles:",
    );
    let run = |adapter: &str| {
        let (_folder, file) = file(adapter);
        let file = file.to_str().expect("a temporary path is text");
        let work = TempDir::new().expect("a temporary folder");
        let work = work.path().to_str().expect("a temporary path is text");
        command(&["run", "cooldown/without-a-cooldown", "--adapter", file, "--launch"])
            .args(["--program", env!("CARGO_BIN_EXE_fallproof"), "--work-dir", work])
            .output()
            .expect("the binary was built with this test")
    };
    let violating = run(&cooling);
    let shown = text(&violating.stdout);
    assert_eq!(violating.status.code(), Some(1), "{shown}{}", text(&violating.stderr));
    assert!(shown.contains("attempt 1 went to `backup` before `primary` was tried"), "{shown}");
    let exempt = run(&declared);
    assert_eq!(exempt.status.code(), Some(0), "{}{}", text(&exempt.stdout), text(&exempt.stderr));
}

#[test]
fn the_report_contains_the_version_and_the_log_of_the_gateway() {
    let report = TempDir::new().expect("a temporary folder");
    let folder = report.path().to_str().expect("a temporary path is text");
    let program = env!("CARGO_BIN_EXE_fallproof");
    let part = part().display().to_string();
    let output =
        launched(REFERENCE, &["--program", program, "--report", folder, "--scenarios", &part]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json = std::fs::read_to_string(report.path().join("report.json")).expect("it was written");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["target"]["name"], "Fallproof's reference router");
    assert_eq!(json["target"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["target"]["adapter"], "reference");
    let log = std::fs::read_to_string(report.path().join("gateway.log")).expect("it was written");
    assert!(log.contains("listening on http://127.0.0.1:"), "{log}");
}

#[test]
fn only_the_last_complete_lines_of_a_long_log_are_kept() {
    let folder = TempDir::new().expect("a temporary folder");
    let lines: Vec<_> = (0..300_000).map(|number| format!("line {number}\n")).collect();
    let lines = lines.concat();
    std::fs::write(folder.path().join("gateway.1.log"), "of an earlier run").expect("a file");
    std::fs::write(folder.path().join("gateway.2.log"), &lines).expect("a file");
    let site = Site { folder: folder.path().to_owned(), earlier_logs: 1, ..site() };
    let printed = site.printed();
    assert_eq!(printed.len(), 1);
    let (shown, kept) = printed[0].split_once('\n').expect("it says that it is truncated");
    assert!(shown.contains("gateway.2.log"), "{shown}");
    let start = lines.len() - kept.len();
    assert!(kept.starts_with("line ") && lines[start..] == *kept && start > 0);
    assert!(kept.len() > 1_000_000, "{}", kept.len());
}

#[test]
fn config_writes_the_files_for_a_running_gateway() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().to_str().expect("a temporary path is text");
    let configured = || {
        let output = command(&["config", REFERENCE, FOUNDING, "--out", out]).output();
        output.expect("the binary was built with this test")
    };
    let output = configured();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        shown.contains("batch 1 of 1") && shown.contains("--adapter tests/harness/adapters/"),
        "{shown}"
    );
    let config = std::fs::read_to_string(folder.path().join("1/router.yaml")).expect("it is there");
    assert!(config.contains("http://127.0.0.1:9100/responses-compact.openai-to-azure/primary/v1"));

    let again = configured();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
    let refused = configured();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("holds `notes.txt`"), "{}", text(&refused.stderr));
}

#[test]
fn config_prints_the_command_that_runs_the_same_scenarios_without_a_key() {
    let folder = TempDir::new().expect("a temporary folder");
    let part = part().display().to_string();
    let config = |more: &[&str]| {
        let arguments = ["config", REFERENCE, "--scenarios", &part, "--out"];
        let mut config = command(&arguments);
        config.arg(folder.path().join("out")).args(more);
        config.output().expect("the binary was built with this test")
    };
    let output = config(&["--tag", "founding", "--key", "sk-never-printed"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let again = format!("fallproof run --tag founding --scenarios {part} --adapter {REFERENCE} ");
    assert!(shown.contains(&again) && shown.contains(" --key …"), "{shown}");
    assert!(!shown.contains("sk-never-printed"), "{shown}");
    let mut from_environment = command(&["config", REFERENCE, "--scenarios", &part, "--out"]);
    from_environment.arg(folder.path().join("out")).env("FALLPROOF_KEY", "sk-never-printed");
    let output = from_environment.output().expect("the binary was built with this test");
    let shown = text(&output.stdout);
    assert!(shown.contains("fallproof run ") && !shown.contains("--key"), "{shown}");
    let refused = config(&["--key", "of two words"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("a key consists of"), "{}", text(&refused.stderr));
}

#[test]
fn a_missing_gateway_whose_adapter_installs_nothing_is_reported_without_commands() {
    let adapter = MINIMAL.replace(r#"install: ["install into {{ home }}"]"#, "install: []");
    let output = launched_text(&adapter);
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.contains("its adapter has no install commands"), "{printed}");
    assert!(!printed.contains("or install it"), "{printed}");
}

#[test]
fn a_gateway_that_is_not_installed_ends_with_2_and_the_install_commands() {
    let empty = TempDir::new().expect("a temporary folder");
    let output = command(&["run", FOUNDING, "--adapter", "lm-proxy", "--launch"])
        .env("FALLPROOF_GATEWAYS", empty.path())
        .env("PATH", empty.path())
        .output()
        .expect("the binary was built with this test");
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    for fragment in ["LM-Proxy is not installed", "`lm-proxy` on PATH", "pip install"] {
        assert!(shown.contains(fragment), "`{fragment}` is missing in:\n{shown}");
    }
}

#[test]
fn an_untested_version_is_rejected_with_the_tested_ones() {
    let output = launched("litellm@0.0.1", &[]);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("0.0.1") && shown.contains("1.82.6"), "{shown}");
}

#[test]
fn an_adapter_without_a_gateway_names_the_missing_option() {
    let output = command(&["run", FOUNDING, "--adapter", "litellm"]).output();
    let output = output.expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--launch starts one"), "{}", text(&output.stderr));
}

#[test]
fn check_reports_a_template_that_cannot_be_rendered_and_ends_with_2() {
    let (_folder, file) = file(&format!("{MINIMAL}files: {{ a: '{{{{ nobody }}}}' }}\n"));
    let file = file.to_str().expect("a temporary path is text");
    let mut check = command(&["check", file, "--scenarios"]);
    let output = check.arg(part()).output().expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`files.a` cannot be rendered"));
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::Read as _;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;

    use rstest::rstest;

    use super::*;

    /// An adapter whose gateway is this shell script.
    fn shell(script: &str, ready: &str) -> String {
        let start = MINIMAL.find("launch:").expect("it has one");
        let arguments = serde_json::json!(["-c", script]);
        let launch = format!("launch: {{ program: sh, arguments: {arguments}, ready: {ready} }}\n");
        format!("{}{launch}", &MINIMAL[..start])
    }

    #[test]
    fn a_gateway_that_exits_at_start_is_reported_with_its_log_and_2() {
        let output = launched_text(&shell("echo the port is taken; exit 3", "{ seconds: 30 }"));
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        for fragment in ["exited before it was ready", "exit status: 3", "the port is taken"] {
            assert!(shown.contains(fragment), "`{fragment}` is missing in:\n{shown}");
        }
    }

    #[test]
    fn a_gateway_that_never_gets_ready_is_reported_with_the_last_problem_and_2() {
        let output = launched_text(&shell("exec sleep 60", "{ path: /health, seconds: 0.1 }"));
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains("not ready after 0.1 s: nothing listens on"), "{shown}");
    }

    #[test]
    fn a_gateway_that_does_not_print_its_address_is_reported_and_2() {
        let ready = "{ address_after: listens on, seconds: 0.1 }";
        let output = launched_text(&shell("exec sleep 60", ready));
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains("the gateway has not printed `listens on`"), "{shown}");
    }

    /// Creates a named pipe. Its reader reaches the end when no process has the pipe open for
    /// writing.
    fn pipe(folder: &Path) -> String {
        let pipe = folder.join("alive").to_str().expect("a temporary path is text").to_owned();
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("every Unix has mkfifo").success());
        pipe
    }

    #[rstest]
    #[case::run(&["run", FOUNDING])]
    #[case::doctor(&["doctor", FOUNDING])]
    #[case::probe(&["probe"])]
    #[case::fuzz(&["fuzz"])]
    fn ctrl_c_stops_a_starting_gateway_with_its_children_and_ends_with_130(
        #[case] arguments: &[&str],
    ) {
        let folder = TempDir::new().expect("a temporary folder");
        let pipe = pipe(folder.path());
        let script = format!("exec 3>{pipe}; sleep 60 & wait");
        let (_adapter, file) = file(&shell(&script, "{ path: /health, seconds: 60 }"));
        let work = folder.path().join("work");
        let run = command(arguments)
            .args(["--launch".as_ref(), "--adapter".as_ref(), file.as_path()])
            .args(["--work-dir".as_ref(), work.as_path()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let (id, ending) = (run.id(), pipe.clone());
        let run = thread::spawn(move || {
            let output = run.wait_with_output();
            // If no gateway was started, this unblocks the reader below.
            drop(File::options().read(true).write(true).open(ending));
            output
        });

        let mut alive = File::open(&pipe).expect("the gateway opens it");
        let sent = Command::new("kill").args(["-INT", &id.to_string()]).status();
        let is_sent = sent.expect("every Unix has kill").success();
        let mut rest = Vec::new();
        alive.read_to_end(&mut rest).expect("the pipe ends when all writers exit");

        let output = run.join().expect("it does not panic").expect("it was started");
        assert!(is_sent, "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    }

    /// The reference adapter, changed so that a shell runs `before` and then the router. `more` are
    /// additional lines under `launch`.
    fn reference(before: &str, more: &str) -> String {
        let text = std::fs::read_to_string(super::super::support::root().join(REFERENCE));
        let text = text.expect("it is there");
        let start = text.find("launch:").expect("it has one");
        let program = env!("CARGO_BIN_EXE_fallproof");
        let script = format!("{before} exec {program} router --config router.yaml --listen \"$0\"");
        let address = "{{ gateway.host }}:{{ gateway.port }}";
        format!(
            "{}launch:\n  program: sh\n  arguments: [-c, {script:?}, \"{address}\"]\n  {more}\n",
            &text[..start]
        )
    }

    /// Readiness check of the reference router.
    const READY: &str = "ready: { path: /health, seconds: 30 }";

    #[test]
    fn a_gateway_that_reloads_is_started_once_for_all_settings() {
        let ready = "ready: { path: /v1/models, contains: \"{{ groups[-1].name }}\", seconds: 30 }";
        let more = format!("reload: HUP\n  {ready}\nsettings: {{ retries: group.policy.retries }}");
        let (_adapter, file) = file(&reference("echo started;", &more));
        let report = TempDir::new().expect("a temporary folder");
        let run = command(&["run", FOUNDING, "routing/retries-then-next", "--launch", "--report"])
            .args([report.path(), "--adapter".as_ref(), file.as_path()])
            .args(["--scenarios".as_ref(), part()])
            .output()
            .expect("the binary was built with this test");
        let shown = text(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{shown}{}", text(&run.stdout));
        assert!(shown.contains("batch 2 of 2: retries 2"), "{shown}");
        let log = std::fs::read_to_string(report.path().join("gateway.log")).expect("it is there");
        assert_eq!(log.matches("started").count(), 1, "{log}");
    }

    /// Runs two cases and kills the gateway during the first one. `before` returns the shell
    /// commands that the gateway runs first, for a given folder. Returns stderr, the report and the
    /// gateway's log.
    fn killed_in_its_first_case(
        before: impl Fn(&Path) -> String,
        is_restarted: bool,
    ) -> (String, serde_json::Value, String) {
        let folder = TempDir::new().expect("a temporary folder");
        let scenarios = folder.path().join("scenarios");
        std::fs::create_dir(&scenarios).expect("a folder in a temporary one");
        for (name, script) in
            [("first-hangs", "{ wire: { delay_ms: 60000 } }"), ("second-answers", "ok")]
        {
            let text = format!(
                "title: A call\nproves: [FP-ROUTE-01]\n\
                 deployments: {{ only: {{ provider: openai, model: gpt-5, script: [{script}] }} }}\n\
                 group: {{ chain: [only], timeout_ms: 1500 }}\n\
                 steps: [{{ send: {{ endpoint: responses, body: {{ input: Hello }} }} }}]\n"
            );
            std::fs::write(scenarios.join(format!("{name}.yaml")), text).expect("it is written");
        }
        let pipe = pipe(folder.path());
        let before = format!("{} (echo $$ > {pipe}) &", before(folder.path()));
        let adapter = reference(&before, READY);
        let (_adapter, file) = file(&adapter);
        let report = folder.path().join("report");
        let run = command(&["run", "--launch", "--jobs", "1", "--scenarios"])
            .args([scenarios.as_path(), "--adapter".as_ref(), file.as_path()])
            .args(["--report".as_ref(), report.as_path()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");

        let ending = pipe.clone();
        let run = thread::spawn(move || {
            let output = run.wait_with_output();
            // If the gateway was not restarted, this unblocks the reader below.
            drop(File::options().read(true).write(true).open(ending));
            output
        });

        let gateway = std::fs::read_to_string(&pipe).expect("the gateway writes its process id");
        while !std::fs::read_to_string(report.join("events.ndjson"))
            .is_ok_and(|events| events.contains("case-started"))
        {
            std::thread::yield_now();
        }
        let sent = Command::new("kill").args(["-KILL", gateway.trim()]).status();
        assert!(sent.expect("every Unix has kill").success());
        if is_restarted {
            let again = std::fs::read_to_string(&pipe).expect("it is restarted");
            assert_ne!(gateway, again);
        }

        let output = run.join().expect("it does not panic").expect("it was started");
        let shown = text(&output.stderr);
        assert!(shown.contains("the gateway exited"), "{shown}");
        let json = std::fs::read_to_string(report.join("report.json")).expect("it is written");
        let log = std::fs::read_to_string(report.join("gateway.log")).expect("it is written");
        (shown, serde_json::from_str(&json).expect("it is JSON"), log)
    }

    #[test]
    fn a_gateway_that_exits_is_restarted_for_the_remaining_cases() {
        let (shown, report, log) = killed_in_its_first_case(|_| String::new(), true);
        assert_eq!(report["cases"][1]["outcome"], "pass", "{shown}");
        let starts: Vec<_> = log.split("== start ").map(|it| it.split('\n').next()).collect();
        assert_eq!(starts, ["", "1", "2"].map(Some), "{log}");
        assert_eq!(log.matches("listening on").count(), 2, "{log}");
    }

    #[test]
    fn the_remaining_cases_of_a_gateway_that_cannot_be_restarted_have_the_reason() {
        let once = |folder: &Path| {
            let mark = folder.join("was-there");
            let mark = mark.display();
            format!("if [ -e {mark} ]; then exit 3; fi; touch {mark};")
        };
        let (shown, report, _) = killed_in_its_first_case(once, false);
        let cases = report["cases"].as_array().expect("it lists them");
        assert_eq!(cases.len(), 2, "{shown}");
        // If the gateway was killed during the call of the first case, that case fails. Otherwise
        // the first case is inconclusive, like the second one.
        let unserved = cases.iter().filter(|case| case["outcome"] != "fail");
        let unserved: Vec<_> = unserved.map(|case| (&case["outcome"], &case["reason"])).collect();
        assert!(!unserved.is_empty(), "{shown}");
        for (outcome, reason) in unserved {
            assert_eq!(outcome, "inconclusive", "{shown}");
            let reason = reason.as_str().unwrap_or_default();
            assert!(reason.contains("could not be restarted"), "{reason}");
        }
    }

    #[test]
    fn a_gateway_and_its_children_are_stopped_at_the_end_of_a_run() {
        let folder = TempDir::new().expect("a temporary folder");
        let pipe = pipe(folder.path());
        let adapter = reference(&format!("exec 3>{pipe}; sleep 60 &"), READY);
        let (_adapter, file) = file(&adapter);
        let run = command(&["run", FOUNDING, "--launch", "--adapter"])
            .args([file.as_path(), "--work-dir".as_ref(), folder.path()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let mut rest = Vec::new();
        let mut alive = File::open(&pipe).expect("the gateway opens it");
        alive.read_to_end(&mut rest).expect("the pipe ends when all writers exit");
        let output = run.wait_with_output().expect("it was started");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}
