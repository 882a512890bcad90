//! The bug report about one cause, and the list of causes.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use serde_json::Value;

use super::support::{fallproof, path, reported};

const FOUNDING: [&str; 3] =
    ["responses-compact/openai-to-azure", "--saboteur", "invented-metadata"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn one_report_is_a_list_of_its_causes() {
    let (folder, _) = reported(&FOUNDING);
    let listed = fallproof(&["report", path(&folder)]);
    assert_eq!(listed.status.code(), Some(0));
    let listed = text(&listed.stdout);
    let line = "  1  FAIL payload-01/metadata  1 case: adds `/metadata`";
    assert!(listed.starts_with(line), "{listed}");
}

#[test]
fn a_bug_report_shows_the_bytes_and_how_to_repeat_them() {
    let (folder, _) = reported(&FOUNDING);
    let shown = fallproof(&["report", path(&folder), "--cause", "payload-01/metadata"]);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    for part in [
        "# reference router ",
        "Expected: No attempt carries a body field that the client did not send.",
        "client sent → attempt 2 (backup) got",
        "Unknown parameter: 'metadata'.",
        "<details><summary>attempt 2 at backup: refused",
        "api-key: [key of ",
        "fallproof run responses-compact/openai-to-azure --scenarios ",
        "Cause: `payload-01/metadata`",
    ] {
        assert!(shown.contains(part), "`{part}` is missing in:\n{shown}");
    }
    assert!(!shown.contains("sk-fallproof"), "{shown}");
    let by_number = fallproof(&["report", path(&folder), "--cause", "1"]);
    assert_eq!(text(&by_number.stdout), shown);
}

/// The adapter of the reference router, with a mistake: a wrong name of each Azure deployment.
fn with_wrong_names(folder: &TempDir) -> String {
    let original =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/adapters/reference.yaml");
    let text = fs::read_to_string(original).expect("it is there");
    let name = "deployment: {{ deployment.deployment_name | tojson }}";
    let wrong = text.replace(name, "deployment: wrong");
    assert_ne!(wrong, text);
    let file = folder.path().join("tiny gate.yaml");
    fs::write(&file, wrong).expect("a file in a temporary folder");
    file.to_str().expect("a temporary path is text").to_owned()
}

/// The files of a user's own adapter may hold secrets that nobody knows to redact.
#[test]
fn a_bug_report_says_how_to_configure_the_gateway_but_shows_no_file_of_the_users() {
    let temporary = TempDir::new().expect("a temporary folder");
    let adapter = with_wrong_names(&temporary);
    let program = env!("CARGO_BIN_EXE_fallproof");
    let options = ["--adapter", &adapter, "--launch", "--program", program, "--key", "sk-my-own"];
    let (folder, run) = reported(&[&["responses-compact/openai-to-azure"], &options[..]].concat());
    assert_eq!(run.status.code(), Some(1), "{}", text(&run.stderr));
    let command =
        format!("fallproof config '{adapter}' responses-compact/openai-to-azure --scenarios ");
    let shown = || {
        let shown = fallproof(&["report", path(&folder), "--cause", "1"]);
        assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
        let shown = text(&shown.stdout);
        assert!(shown.contains(&command), "`{command}` is missing in:\n{shown}");
        assert!(!shown.contains("sk-") && !shown.contains("router.yaml"), "{shown}");
    };
    shown();
    fs::remove_file(&adapter).expect("it was written");
    shown();
}

#[test]
fn a_bug_report_without_traffic_says_so() {
    let (folder, _) = reported(&FOUNDING);
    fs::remove_dir_all(folder.path().join("har")).expect("the traffic was written");
    let shown = fallproof(&["report", path(&folder), "--cause", "payload-01/metadata"]);
    assert!(
        text(&shown.stdout)
            .contains("The bytes are not here: traffic is kept only for failed cases")
    );
}

#[test]
fn a_report_of_many_cases_is_short() {
    let (folder, _) = reported(&FOUNDING);
    let file = folder.path().join("report.json");
    let written = fs::read_to_string(&file).expect("a report");
    let mut report: Value = serde_json::from_str(&written).expect("it is JSON");
    report["target"]["adapter"] = "litellm".into();
    report["target"]["version"] = "1.82.6".into();
    let cause = &mut report["causes"][0];
    cause["fault"] = "changes a member ".repeat(9).into();
    let replay =
        "fallproof run responses-compact/openai-to-azure --adapter litellm@1.82.6 --launch";
    cause["example"]["replay"] = replay.into();
    cause["example"]["sent"] = "\"prompt\": [null]".into();
    cause["example"]["own_error"] = "no `get` in <NoneType>".into();
    cause["cases"] = (0..30).map(|number| format!("folder/case-{number}")).collect();
    fs::write(&file, report.to_string()).expect("it can be written");

    let listed = text(&fallproof(&["report", path(&folder)]).stdout);
    let first = listed.lines().next().expect("a cause");
    assert!(first.ends_with('…') && first.chars().count() == 80, "{listed}");
    let shown = text(&fallproof(&["report", path(&folder), "--cause", "1"]).stdout);
    for part in [
        "30 more cases",
        "\n\n- the client sent: \"prompt\": \\[null\\]\n",
        "\n- the target's own error: no \\`get\\` in &lt;NoneType>\n\n",
        "- `folder/case-19`\n- and 10 more, which report.json lists",
        "fallproof show litellm@1.82.6 --install | sh -e",
        "<details><summary>config.yaml, without keys</summary>",
        "api_key: \"[key of responses-compact/openai-to-azure/primary]\"",
    ] {
        assert!(shown.contains(part), "`{part}` is missing in:\n{shown}");
    }
    assert!(!shown.contains("folder/case-20"), "{shown}");
}

#[test]
fn an_unknown_cause_is_an_error_with_a_hint() {
    let (folder, _) = reported(&FOUNDING);
    let hint = |id: &str| {
        let refused = fallproof(&["report", path(&folder), "--cause", id]);
        assert_eq!(refused.status.code(), Some(2));
        text(&refused.stderr)
    };
    assert!(hint("payload-01").contains("did you mean `payload-01/metadata`?"));
    assert!(hint("paylod-01/metadta").contains("did you mean `payload-01/metadata`?"));
    assert!(hint("route-99").contains("no cause `route-99` among the "));
    assert!(hint("0").contains("`fallproof report DIR` lists them"));
    let two = [path(&folder), path(&folder)];
    let refused = fallproof(&["report", two[0], two[1], "--cause", "1"]);
    assert!(text(&refused.stderr).contains("--cause needs exactly one report"));
}
