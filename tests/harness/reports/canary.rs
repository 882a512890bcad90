//! No key appears in any output: not the keys of the deployments, not the key of the gateway, and
//! not an unknown key that the gateway was started with.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use flate2::read::GzDecoder;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{command, fallproof, path};
use crate::scratch::free_ports;
use crate::shell::text;

/// A scenario with a deployment that quotes its key in an error, and a fallback that succeeds.
const QUOTES_ITS_KEY: &str = r#"
title: A deployment that quotes its own key is followed by its fallback
proves: [FP-AUTH-04]
deployments:
  primary:
    provider: openai
    model: gpt-5
    script: [{ reply: server_error, body: '{"error":{"message":"Wrong key: {{key}}"}}' }]
  backup: { provider: azure, model: gpt-5, script: [ok] }
group: { chain: [primary, backup] }
steps:
  - send: { endpoint: responses, body: { input: Hello. } }
    expect: { attempts: [primary], status: 418 }
"#;

/// A key that the gateway leaks and that the harness does not know.
const FOREIGN: &str = "sk-proj-0123456789abcdefXYZ";

fn suite() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::create_dir(folder.path().join("auth")).expect("a folder in a temporary one");
    fs::write(folder.path().join("auth/quotes.yaml"), QUOTES_ITS_KEY).expect("a file");
    folder
}

/// The keys of the deployments of these scenarios.
fn keys(scenarios: &str) -> Vec<String> {
    let plan = fallproof(&["plan", "--scenarios", scenarios, "--json"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).expect("a plan is JSON");
    let groups = plan["groups"].as_array().expect("a plan has groups");
    let deployments = groups.iter().flat_map(|group| group["chain"].as_array().expect("a chain"));
    deployments
        .map(|deployment| deployment["key"].as_str().expect("a deployment has a key").to_owned())
        .collect()
}

/// All files in a folder, recursively.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("it can be read").flatten();
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Runs with all outputs enabled. Returns each text with its name.
fn written(scenarios: &str, arguments: &[&str]) -> Vec<(String, String)> {
    let folder = TempDir::new().expect("a temporary folder");
    let report = folder.path().join("report");
    let (baseline, summary) = (folder.path().join("known.yaml"), folder.path().join("step.md"));
    let output = command(&["run", "--scenarios", scenarios, "--trace"])
        .args(["--report".as_ref(), report.as_os_str()])
        .args(["--write-baseline".as_ref(), baseline.as_os_str()])
        .args(arguments)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let mut written = vec![
        ("stdout".to_owned(), text(&output.stdout)),
        ("stderr".to_owned(), text(&output.stderr)),
    ];
    for file in files(folder.path()) {
        let content = fs::read(&file).expect("it was written");
        let name = file.display().to_string();
        let content = match name.strip_suffix(".gz") {
            Some(_) => unpacked(&content),
            None => text(&content),
        };
        written.push((name, content));
    }
    for part in [
        "evidence.ndjson.gz",
        "report.json",
        "events.ndjson",
        "junit.xml",
        "summary.md",
        "index.html",
        ".har",
    ] {
        assert!(written.iter().any(|(name, _)| name.ends_with(part)), "no {part} was written");
    }
    written
}

fn unpacked(file: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("it is gzip over text");
    text
}

/// Splits the outputs into those for people, and the evidence file, which contains the generated
/// keys.
fn split(written: Vec<(String, String)>) -> [Vec<(String, String)>; 2] {
    let (evidence, read): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|(name, _)| name.ends_with("evidence.ndjson.gz"));
    [read, evidence]
}

fn assert_free(written: &[(String, String)], keys: &[&str]) {
    for (name, content) in written {
        for key in keys {
            assert!(!content.contains(key), "`{key}` is in {name}");
        }
    }
}

/// Asserts that the trace shows redacted keys. Otherwise there was nothing to redact, and the test
/// would prove nothing.
fn assert_redacted(written: &[(String, String)], fragments: &[&str]) {
    let trace = &written[0].1;
    for fragment in fragments {
        assert!(trace.contains(fragment), "`{fragment}` is missing in:\n{trace}");
    }
}

#[test]
fn no_key_of_the_plan_is_in_any_report_whatever_a_router_does() {
    let suite = suite();
    let keys = keys(path(&suite));
    let keys: Vec<_> = keys.iter().map(String::as_str).chain(["sk-fallproof-client"]).collect();
    assert_eq!(keys.len(), 3);
    for saboteur in ["quotes-the-key", "first-key-everywhere", "forwards-client-key"] {
        let [written, _] = split(written(path(&suite), &["--saboteur", saboteur]));
        assert_free(&written, &keys);
        assert_redacted(&written, &["Bearer [gateway key]", "[key of auth/quotes/primary]"]);
    }
}

/// A gateway that leaks every key it knows: the client's and its own.
fn leak_all(mut client: TcpStream, deployments: SocketAddr, own: &str) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let length = client.read(&mut request)?;
    let received = String::from_utf8_lossy(&request[..length]).into_owned();
    let key = received.split("Bearer ").nth(1).and_then(|rest| rest.lines().next());
    let key = key.unwrap_or_default();

    let body = format!(r#"{{"model":"gpt-5","input":"Hello.","user":"{key}"}}"#);
    let mut deployment = TcpStream::connect(deployments)?;
    write!(
        deployment,
        "POST /auth.quotes/primary/v1/responses HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {FOREIGN}\r\nx-api-key: 0a1b2c3d4e5f\r\nx-own: {own}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    deployment.read_to_end(&mut Vec::new())?;

    let body = format!(r#"{{"error":{{"message":"{key} may not use {FOREIGN}"}}}}"#);
    write!(
        client,
        "HTTP/1.1 401 Unauthorized\r\nx-key: {key}\r\nset-cookie: session=0a1b2c3d4e5f\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn no_key_of_a_gateway_is_in_any_report_known_or_unknown() {
    let suite = suite();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let target = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    let deployments = free_ports();
    // Without this key, the gateway would not reach the mocks and the case would be inconclusive.
    let own = keys(path(&suite))[0].clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = leak_all(client, deployments, &own);
        }
    });
    let key = "s3cret+gateway/key";
    let arguments = ["--target", &target, "--listen", &deployments.to_string(), "--key", key];
    let [written, evidence] = split(written(path(&suite), &arguments));
    let keys = keys(path(&suite));
    let generated: Vec<_> = keys.iter().map(String::as_str).collect();
    let secrets = [key, FOREIGN, "0a1b2c3d4e5f"];
    assert_free(&written, &[&generated[..], &secrets].concat());
    assert_free(&evidence, &secrets);
    assert!(evidence[0].1.contains("Kept0K/eyKept0/Key"), "{}", evidence[0].1);
    assert_redacted(
        &written,
        &["[gateway key] may not use [unknown key]", "authorization: Bearer [unknown key]"],
    );
}
