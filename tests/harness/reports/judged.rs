//! Judging the stored evidence of a run again gives the same reports.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::shell::text;

use super::support::{PART, fallproof, path, reported};

/// Judges the evidence in this folder and writes the reports to another one.
fn judged(folder: &TempDir, more: &[&str]) -> (TempDir, Output) {
    let reports = TempDir::new().expect("a temporary folder");
    let arguments = ["judge", path(folder), "--report", path(&reports)];
    let output = fallproof(&[&arguments[..], more].concat());
    (reports, output)
}

/// All files of the folder except the events, whose order varies.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("it can be read").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let below = self::files(&entry.path()).into_iter();
            files.extend(below.map(|(below, content)| (format!("{name}/{below}"), content)));
        } else if name != "events.ndjson" {
            files.push((name, fs::read(entry.path()).expect("it can be read")));
        }
    }
    files.sort();
    files
}

#[test]
fn the_reports_equal_those_of_the_run_byte_for_byte() {
    for (broken, code) in [(&["--saboteur", "splices-streams"][..], 1), (&[], 0)] {
        let (run, output) = reported(&[&["auth", "streaming", "--trace"], broken].concat());
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        let (again, shown) = judged(&run, &["--trace"]);
        assert_eq!(shown.status.code(), Some(code), "{}", text(&shown.stderr));
        // The last line names the folder of the reports.
        let printed = |output: &Output| {
            let printed = text(&output.stdout);
            printed.rsplit_once("\nreports in ").map(|(printed, _)| printed.to_owned())
        };
        assert!(printed(&shown).is_some());
        assert_eq!(printed(&shown), printed(&output));
        let [one, other] = [files(run.path()), files(again.path())];
        assert_eq!(names(&one), names(&other));
        for ((name, one), (_, other)) in one.iter().zip(&other) {
            // The evidence does not contain the path of the scenarios, or only from this folder on.
            let (whole, here) = (format!("{}/", *PART), concat!(env!("CARGO_MANIFEST_DIR"), "/"));
            let below = whole.replace(here, "");
            let [one, other] =
                [one, other].map(|it| text(it).replace(&whole, "").replace(&below, ""));
            assert!(one == other, "{name} of the run differs from that of the evidence");
        }
        let (third, shown) = judged(&again, &[]);
        assert_eq!(shown.status.code(), Some(code), "{}", text(&shown.stderr));
        assert_eq!(names(&files(third.path())), names(&one));
    }
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_baseline_applies_when_judging_again() {
    let folder = TempDir::new().expect("a temporary folder");
    let known = folder.path().join("known.yaml").display().to_string();
    let (run, _) = reported(&["streaming", "--saboteur", "splices-streams"]);
    let (_, written) = judged(&run, &["--write-baseline", &known]);
    assert_eq!(written.status.code(), Some(1), "{}", text(&written.stderr));
    let (_, held) = judged(&run, &["--baseline", &known]);
    assert_eq!(held.status.code(), Some(0), "{}", text(&held.stderr));
}

#[test]
fn invalid_evidence_is_rejected_and_nothing_is_written() {
    let (run, _) = reported(&["responses-compact"]);
    let evidence = run.path().join("evidence.ndjson.gz");
    let refused = |folder: &TempDir, fragment: &str| {
        let (reports, output) = judged(folder, &[]);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(fragment), "`{fragment}` is missing in:\n{shown}");
        assert!(files(reports.path()).is_empty(), "{shown}");
    };
    let own = fallproof(&["judge", path(&run), "--report", path(&run)]);
    assert_eq!(own.status.code(), Some(2));
    assert!(text(&own.stderr).contains("choose another folder"), "{}", text(&own.stderr));
    assert!(evidence.exists());

    let whole = fs::read(&evidence).expect("it was written");
    fs::write(&evidence, &whole[..whole.len() - 20]).expect("it can be written");
    refused(&run, "incomplete: the last record must be `end`");
    fs::write(&evidence, b"{ \"evidence\": [] }").expect("it can be written");
    refused(&run, "evidence.ndjson.gz, line 1: not an evidence file: expected gzip");
    fs::remove_file(&evidence).expect("it can be removed");
    refused(&run, "evidence.ndjson.gz: cannot be read: ");
}
