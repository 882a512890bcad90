//! Evidence from an untrusted source: reports never replace it, and its contents are shown only as
//! text.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use fallproof_report::report_dir::ReportDir;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::shell::{self, text};

use super::support::{command, fallproof, path, reported};

const EVIDENCE: &str = "evidence.ndjson.gz";

fn records(folder: &TempDir) -> Vec<Value> {
    let file = fs::read(folder.path().join(EVIDENCE)).expect("it was written");
    let mut text = String::new();
    GzDecoder::new(&*file).read_to_string(&mut text).expect("it is gzip over text");
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

fn forge(folder: &TempDir, records: &[Value]) {
    let file = File::create(folder.path().join(EVIDENCE)).expect("it can be written");
    let mut file = GzEncoder::new(file, Compression::fast());
    let written = records.iter().try_for_each(|record| writeln!(file, "{record}"));
    written.and_then(|()| file.finish().map(drop)).expect("it can be written");
}

fn assert_refused(output: &Output, words: &str) {
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(words), "`{words}` is missing in:\n{told}");
}

#[test]
fn evidence_is_spared_wherever_links_lead() {
    let (run, _) = reported(&["responses-compact"]);
    let folder = run.path().canonicalize().expect("it is there");
    let evidence = folder.join(EVIDENCE);
    let whole = fs::read(&evidence).expect("it was written");
    let other = TempDir::new().expect("a temporary folder");
    let (link, below) = (other.path().join("link.gz"), other.path().join("run"));
    symlink(&evidence, &link).expect("a link in a temporary folder");
    fs::create_dir(&below).expect("a folder in a temporary one");
    symlink(&evidence, below.join(EVIDENCE)).expect("a link in a temporary folder");
    let words = |path: &Path| path.to_str().expect("a temporary path is text").to_owned();
    let (dir, link, below) = (words(&folder), words(&link), words(&below));
    for (here, judged, report) in [
        (&folder, EVIDENCE, "."),
        (&folder, ".", "."),
        (&folder, link.as_str(), dir.as_str()),
        (&folder, below.as_str(), dir.as_str()),
        // A link to the evidence in the report folder would be deleted with the old report.
        (&folder, below.as_str(), below.as_str()),
    ] {
        let output = shell::fallproof(here, &["judge", judged, "--report", report]);
        assert_refused(&output, "choose another folder for the reports");
        assert!(fs::read(&evidence).is_ok_and(|kept| kept == whole), "judge {judged}");
    }
    let again = other.path().join("again");
    let judged = fallproof(&["judge", &link, "--report", &words(&again)]);
    assert_eq!(judged.status.code(), Some(0), "{}", text(&judged.stderr));
}

#[rstest]
#[case::of_many_lines("x\n::error::a\r\n```\u{1b}[2J\u{9b}2J\u{202e}b\u{2028}::error::c")]
#[case::of_a_line("::error::a")]
fn no_text_of_evidence_is_a_line_of_its_own_or_a_command(#[case] hostile: &str) {
    let (run, _) = reported(&["streaming", "--saboteur", "splices-streams"]);
    let mut records = records(&run);
    for record in &mut records {
        if let Some(header) = record.pointer_mut("/run/header") {
            header["target"]["name"] = hostile.into();
            header["suite"]["fingerprint"] = hostile.into();
        }
        if let Some(scenario) = record.get_mut("scenario") {
            scenario["title"] = hostile.into();
            scenario["file"] = hostile.into();
            scenario["links"] = vec![hostile].into();
            scenario["why"] = hostile.into();
        }
        let calls = record.pointer_mut("/case/evidence/result/played");
        for call in calls.and_then(Value::as_array_mut).into_iter().flatten() {
            call["exchange"]["path"] = hostile.into();
            for request in call["requests"].as_array_mut().into_iter().flatten() {
                request["behavior"] = hostile.into();
            }
        }
    }
    forge(&run, &records);
    let reports = TempDir::new().expect("a temporary folder");
    let output = command(&["judge", path(&run), "--report", path(&reports), "--trace"])
        .env("GITHUB_ACTIONS", "true")
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let mut told = vec![text(&output.stdout), text(&output.stderr)];
    for file in ["summary.md", "junit.xml", "badge.svg", "index.html"] {
        told.push(fs::read_to_string(reports.path().join(file)).expect("it was written"));
    }
    for (number, told) in told.iter().enumerate() {
        let starts = |line: &str| line.trim_start().starts_with("::error::");
        // Text in the XML, SVG and HTML files may span several lines.
        assert!(number > 2 || !told.split(['\n', '\r', '\u{2028}']).any(starts), "{told}");
        let is_strange =
            |it: char| it.is_control() && !matches!(it, '\n' | '\t') || it == '\u{202e}';
        assert!(!told.contains(is_strange), "{told}");
    }
}

#[test]
fn a_run_without_scenarios_is_wrong_usage() {
    let (run, _) = reported(&["responses-compact"]);
    let first = records(&run).swap_remove(0);
    let end = serde_json::json!({ "end": { "cases": 0, "took": 0 } });
    forge(&run, &[first, end]);
    assert_refused(&fallproof(&["judge", path(&run)]), "line 2: no scenario");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = TempDir::new().expect("a temporary folder");
    let pipe = folder.path().join(EVIDENCE);
    let made = Command::new("mkfifo").arg(&pipe).status().expect("every Unix has mkfifo");
    assert!(made.success());
    assert_refused(&fallproof(&["judge", path(&folder)]), "evidence.ndjson.gz: not a regular file");
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_that_cannot_be_told_is_one_of_fallproof() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut command = command(&["judge", "nowhere"]);
    assert_eq!(command.stderr(full).status().expect("it was built").code(), Some(3));
}

#[test]
fn the_folder_of_a_run_that_was_killed_is_taken_again() {
    let (run, _) = reported(&["responses-compact"]);
    let evidence = fs::read(run.path().join(EVIDENCE)).expect("it was written");
    for (files, is_taken) in [
        (&[("events.ndjson", &b""[..])][..], true),
        (&[("events.ndjson", b""), (EVIDENCE, b"")], true),
        (&[("events.ndjson", b""), (EVIDENCE, &evidence[..evidence.len() / 2])], true),
        (&[(EVIDENCE, &evidence[..])], true),
        (&[("events.ndjson", b""), (EVIDENCE, b"of somebody else")], false),
        (&[("events.ndjson", b"of somebody else"), (EVIDENCE, &evidence)], false),
        (&[("junit.xml", b"of somebody else"), (EVIDENCE, b"")], false),
    ] {
        let folder = TempDir::new().expect("a temporary folder");
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("it can be written");
        }
        let names: Vec<_> = files.iter().map(|(name, bytes)| (name, bytes.len())).collect();
        assert_eq!(ReportDir::take(folder.path()).is_ok(), is_taken, "{names:?}");
        let is_there = |(name, _): &(&str, &[u8])| folder.path().join(name).exists();
        assert_eq!(files.iter().any(is_there), !is_taken, "{names:?}");
    }
}
