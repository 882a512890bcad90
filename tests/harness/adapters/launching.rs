//! Gateways that are started, waited for and stopped by `fallproof run --launch`.

use std::process::Output;

use fallproof_runner::adapter::Site;
use fallproof_suite::feature::{Ability, Feature};
use fallproof_suite::scenario::Scenario;
use tempfile::TempDir;

use crate::common::{SUITE, part};
use crate::shell::text;

use super::support::{LEAST, command, file, site};

const FOUNDING: &str = "responses-compact/openai-to-azure";
const REFERENCE: &str = "tests/harness/adapters/reference.yaml";

/// Runs one scenario through a gateway that this adapter starts.
fn launched(adapter: &str, more: &[&str]) -> Output {
    let work = TempDir::new().expect("a temporary folder");
    let work = work.path().to_str().expect("a temporary path is text");
    let arguments = ["run", FOUNDING, "--launch", "--adapter", adapter, "--work-dir", work];
    let output = command(&[&arguments, more].concat()).output();
    output.expect("the binary was built with this test")
}

/// The same with an adapter of this text.
fn launched_text(adapter: &str) -> Output {
    let (_folder, file) = file(adapter);
    launched(file.to_str().expect("a temporary path is text"), &[])
}

#[test]
fn the_reference_router_passes_all_that_is_timeless_as_a_program_of_its_own() {
    let work = TempDir::new().expect("a temporary folder");
    let work = work.path().to_str().expect("a temporary path is text");
    let program = env!("CARGO_BIN_EXE_fallproof");
    // Its clock cannot be moved by hand: no test waits for a real one, or fails on a busy machine.
    let timed = [Ability::Timeout, Ability::TotalTimeout].map(Feature::Other);
    let is_timeless = |scenario: &&Scenario| {
        let needs = scenario.needs();
        scenario.waits().is_zero() && !timed.iter().any(|feature| needs.contains(feature))
    };
    // One case of each topic tells of the way there; what is in it the suite itself tells.
    let mut timeless: Vec<_> = SUITE.scenarios.iter().filter(is_timeless).collect();
    timeless.dedup_by_key(|scenario| scenario.id.split('/').next().map(str::to_owned));
    let output = command(&["run", "--adapter", REFERENCE, "--launch", "--program", program])
        .args(["--work-dir", work])
        .args(timeless.iter().map(|scenario| &scenario.id))
        .output()
        .expect("the binary was built with this test");
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()), "{told}");
}

#[test]
fn a_rest_of_the_gateways_own_is_a_breach_unless_it_is_declared() {
    let adapter = std::fs::read_to_string(REFERENCE).expect("it is in the repository");
    // It puts aside whoever has failed once, which no group asks for.
    let resting = adapter.replace(
        "        retries:",
        "        cooldown: { after_failures: 1, duration_ms: 600000 }\n        retries:",
    );
    let declared = resting
        .replace("\nfiles:", "\ncapabilities: { own_cooldown: it puts aside who fails }\n\nfiles:");
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
    let breach = run(&resting);
    let told = text(&breach.stdout);
    assert_eq!(breach.status.code(), Some(1), "{told}{}", text(&breach.stderr));
    assert!(told.contains("attempt 1 went to backup before primary was asked"), "{told}");
    let free = run(&declared);
    assert_eq!(free.status.code(), Some(0), "{}{}", text(&free.stdout), text(&free.stderr));
}

#[test]
fn the_report_names_the_gateway_with_its_version_and_has_its_log() {
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
fn of_a_long_log_the_last_whole_lines_are_kept() {
    let folder = TempDir::new().expect("a temporary folder");
    let lines: Vec<_> = (0..300_000).map(|number| format!("line {number}\n")).collect();
    let lines = lines.concat();
    std::fs::write(folder.path().join("gateway.1.log"), "of an earlier run").expect("a file");
    std::fs::write(folder.path().join("gateway.2.log"), &lines).expect("a file");
    let site = Site { folder: folder.path().to_owned(), earlier_logs: 1, ..site() };
    let printed = site.printed();
    assert_eq!(printed.len(), 1);
    let (told, kept) = printed[0].split_once('\n').expect("it says that it is not all");
    assert!(told.contains("gateway.2.log"), "{told}");
    let start = lines.len() - kept.len();
    assert!(kept.starts_with("line ") && lines[start..] == *kept && start > 0);
    assert!(kept.len() > 1_000_000, "{}", kept.len());
}

#[test]
fn a_running_gateway_is_taken_as_the_adapter_configured_it() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().to_str().expect("a temporary path is text");
    let configured = || {
        let output = command(&["config", REFERENCE, FOUNDING, "--out", out]).output();
        output.expect("the binary was built with this test")
    };
    let output = configured();
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        told.contains("batch 1 of 1") && told.contains("--adapter tests/harness/adapters/"),
        "{told}"
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
fn config_names_the_run_of_the_same_scenarios_and_never_a_key() {
    let folder = TempDir::new().expect("a temporary folder");
    let part = part().display().to_string();
    let config = |more: &[&str]| {
        let arguments = ["config", REFERENCE, "--scenarios", &part, "--out"];
        let mut config = command(&arguments);
        config.arg(folder.path().join("out")).args(more);
        config.output().expect("the binary was built with this test")
    };
    let output = config(&["--tag", "founding", "--key", "sk-nobody-is-told"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let again = format!("fallproof run --tag founding --scenarios {part} --adapter {REFERENCE} ");
    assert!(told.contains(&again) && told.contains(" --key …"), "{told}");
    assert!(!told.contains("sk-nobody-is-told"), "{told}");
    let mut from_environment = command(&["config", REFERENCE, "--scenarios", &part, "--out"]);
    from_environment.arg(folder.path().join("out")).env("FALLPROOF_KEY", "sk-nobody-is-told");
    let output = from_environment.output().expect("the binary was built with this test");
    let printed = text(&output.stdout);
    assert!(printed.contains("fallproof run ") && !printed.contains("--key"), "{printed}");
    let refused = config(&["--key", "of two words"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("a key consists of"), "{}", text(&refused.stderr));
}

#[test]
fn a_missing_gateway_whose_adapter_installs_nothing_is_reported_without_commands() {
    let adapter = LEAST.replace(r#"install: ["install into {{ home }}"]"#, "install: []");
    let output = launched_text(&adapter);
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.contains("its adapter does not say how it is installed"), "{printed}");
    assert!(!printed.contains("or install it"), "{printed}");
}

#[test]
fn a_gateway_that_is_not_installed_is_met_with_the_commands_that_install_it_and_2() {
    let empty = TempDir::new().expect("a temporary folder");
    let output = command(&["run", FOUNDING, "--adapter", "lm-proxy", "--launch"])
        .env("FALLPROOF_GATEWAYS", empty.path())
        .env("PATH", empty.path())
        .output()
        .expect("the binary was built with this test");
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for words in ["LM-Proxy is not installed", "`lm-proxy` on PATH", "pip install"] {
        assert!(told.contains(words), "`{words}` is missing in:\n{told}");
    }
}

#[test]
fn a_version_that_was_not_tried_is_told_with_those_that_were() {
    let output = launched("litellm@0.0.1", &[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("0.0.1") && told.contains("1.82.6"), "{told}");
}

#[test]
fn an_adapter_without_a_gateway_is_told_what_is_missing() {
    let output = command(&["run", FOUNDING, "--adapter", "litellm"]).output();
    let output = output.expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--launch starts one"), "{}", text(&output.stderr));
}

#[test]
fn check_tells_of_a_template_that_the_suite_cannot_be_put_into_and_ends_with_2() {
    let (_folder, file) = file(&format!("{LEAST}files: {{ a: '{{{{ nobody }}}}' }}\n"));
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
        let start = LEAST.find("launch:").expect("it has one");
        let arguments = serde_json::json!(["-c", script]);
        let launch = format!("launch: {{ program: sh, arguments: {arguments}, ready: {ready} }}\n");
        format!("{}{launch}", &LEAST[..start])
    }

    #[test]
    fn a_gateway_that_dies_at_its_start_is_told_with_its_log_and_2() {
        let output = launched_text(&shell("echo the port is taken; exit 3", "{ seconds: 30 }"));
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        for words in ["ended before it was ready", "exit status: 3", "the port is taken"] {
            assert!(told.contains(words), "`{words}` is missing in:\n{told}");
        }
    }

    #[test]
    fn a_gateway_that_never_gets_ready_is_told_with_what_was_seen_and_2() {
        let output = launched_text(&shell("exec sleep 60", "{ path: /health, seconds: 0.1 }"));
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("not ready after 0.1 s: nothing listens on"), "{told}");
    }

    #[test]
    fn a_gateway_that_does_not_print_its_address_is_told_so_and_2() {
        let ready = "{ address_after: listens on, seconds: 0.1 }";
        let output = launched_text(&shell("exec sleep 60", ready));
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("it has not printed `listens on`"), "{told}");
    }

    /// A pipe with a name. Whoever reads it comes to its end when no process has it open any more.
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
    fn ctrl_c_stops_a_gateway_that_is_starting_and_all_that_it_started_and_ends_with_130(
        #[case] words: &[&str],
    ) {
        let folder = TempDir::new().expect("a temporary folder");
        let pipe = pipe(folder.path());
        let script = format!("exec 3>{pipe}; sleep 60 & wait");
        let (_adapter, file) = file(&shell(&script, "{ path: /health, seconds: 60 }"));
        let work = folder.path().join("work");
        let run = command(words)
            .args(["--launch".as_ref(), "--adapter".as_ref(), file.as_path()])
            .args(["--work-dir".as_ref(), work.as_path()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let (id, ending) = (run.id(), pipe.clone());
        let run = thread::spawn(move || {
            let output = run.wait_with_output();
            // Where no gateway was started, nobody waits for it any longer.
            drop(File::options().read(true).write(true).open(ending));
            output
        });

        let mut alive = File::open(&pipe).expect("the gateway opens it");
        let sent = Command::new("kill").args(["-INT", &id.to_string()]).status();
        let is_sent = sent.expect("every Unix has kill").success();
        let mut said = Vec::new();
        alive.read_to_end(&mut said).expect("nobody writes, all end");

        let output = run.join().expect("it does not panic").expect("it was started");
        assert!(is_sent, "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    }

    /// The reference adapter, whose router is started by a shell that does something before, with
    /// more said of its launch.
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

    /// How the reference router is seen to be ready.
    const READY: &str = "ready: { path: /health, seconds: 30 }";

    #[test]
    fn a_gateway_that_reads_its_files_again_is_started_once_for_all_settings() {
        let ready = "ready: { path: /v1/models, contains: \"{{ groups[-1].name }}\", seconds: 30 }";
        let more = format!("reload: HUP\n  {ready}\nsettings: {{ retries: group.policy.retries }}");
        let (_adapter, file) = file(&reference("echo started;", &more));
        let report = TempDir::new().expect("a temporary folder");
        let run = command(&["run", FOUNDING, "routing/retries-then-next", "--launch", "--report"])
            .args([report.path(), "--adapter".as_ref(), file.as_path()])
            .args(["--scenarios".as_ref(), part()])
            .output()
            .expect("the binary was built with this test");
        let told = text(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{told}{}", text(&run.stdout));
        assert!(told.contains("batch 2 of 2: retries 2"), "{told}");
        let log = std::fs::read_to_string(report.path().join("gateway.log")).expect("it is there");
        assert_eq!(log.matches("started").count(), 1, "{log}");
    }

    /// A run of two cases whose gateway is killed in the first one: what it told, its report, and its
    /// gateway's log.
    /// `before` is what the gateway does first, in the folder of that name.
    fn killed_in_its_first_case(
        before: impl Fn(&Path) -> String,
        is_started_again: bool,
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
            // Where it was not started again, nobody waits for its number any longer.
            drop(File::options().read(true).write(true).open(ending));
            output
        });

        let gateway = std::fs::read_to_string(&pipe).expect("the gateway tells its number");
        while !std::fs::read_to_string(report.join("events.ndjson"))
            .is_ok_and(|events| events.contains("case-started"))
        {
            std::thread::yield_now();
        }
        let sent = Command::new("kill").args(["-KILL", gateway.trim()]).status();
        assert!(sent.expect("every Unix has kill").success());
        if is_started_again {
            let again = std::fs::read_to_string(&pipe).expect("it is started again");
            assert_ne!(gateway, again);
        }

        let output = run.join().expect("it does not panic").expect("it was started");
        let told = text(&output.stderr);
        assert!(told.contains("the gateway exited by itself"), "{told}");
        let json = std::fs::read_to_string(report.join("report.json")).expect("it is written");
        let log = std::fs::read_to_string(report.join("gateway.log")).expect("it is written");
        (told, serde_json::from_str(&json).expect("it is JSON"), log)
    }

    #[test]
    fn a_gateway_that_ends_by_itself_is_started_again_for_what_is_left() {
        let (told, report, log) = killed_in_its_first_case(|_| String::new(), true);
        assert_eq!(report["cases"][1]["outcome"], "pass", "{told}");
        let starts: Vec<_> = log.split("== start ").map(|it| it.split('\n').next()).collect();
        assert_eq!(starts, ["", "1", "2"].map(Some), "{log}");
        assert_eq!(log.matches("listening on").count(), 2, "{log}");
    }

    #[test]
    fn what_is_left_of_a_gateway_that_is_not_started_again_is_told_with_the_reason() {
        let once = |folder: &Path| {
            let mark = folder.join("was-there");
            let mark = mark.display();
            format!("if [ -e {mark} ]; then exit 3; fi; touch {mark};")
        };
        let (told, report, _) = killed_in_its_first_case(once, false);
        let cases = report["cases"].as_array().expect("it lists them");
        assert_eq!(cases.len(), 2, "{told}");
        // The gateway was killed before the first one's call, or in it: then that is its verdict.
        let unserved = cases.iter().filter(|case| case["outcome"] != "fail");
        let unserved: Vec<_> = unserved.map(|case| (&case["outcome"], &case["reason"])).collect();
        assert!(!unserved.is_empty(), "{told}");
        for (outcome, reason) in unserved {
            assert_eq!(outcome, "inconclusive", "{told}");
            let reason = reason.as_str().unwrap_or_default();
            assert!(reason.contains("could not be started again"), "{reason}");
        }
    }

    #[test]
    fn a_gateway_is_gone_with_all_that_it_started_when_the_run_is_over() {
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
        let mut said = Vec::new();
        let mut alive = File::open(&pipe).expect("the gateway opens it");
        alive.read_to_end(&mut said).expect("nobody writes, all end");
        let output = run.wait_with_output().expect("it was started");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}
