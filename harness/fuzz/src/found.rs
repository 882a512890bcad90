//! Saves a violation as a scenario file that is ready to commit.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest as _, Sha256};

use super::case::FuzzCase;
use super::oracle;
use super::symptom::Symptom;
use super::to_yaml::to_yaml;
use fallproof_judge::{ExpectationViolation, Violation, ViolationKind};
use fallproof_suite::profile::Profile;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::{self, Expect, Scenario};
use fallproof_suite::yaml::LoadError;

/// Subfolder of a scenario folder where failures are saved.
pub const FOLDER: &str = "found";

/// Where a failure was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Id of the scenario.
    pub id: String,
    /// Path of its file.
    pub file: PathBuf,
}

/// The scenario that reproduces this violation. `how` says how the violation was found.
pub fn scenario(fuzzed: &FuzzCase, violation: &Violation, how: &str) -> Scenario {
    let symptom = Symptom::of(violation);
    let sentence = symptom.requirement.map(|code| &code.requirement().sentence);
    let mut scenario = fuzzed.scenario(&format!("{FOLDER}/a"), expected(fuzzed, violation));
    scenario.title = format!("Found by fuzzing: {}", brief(&violation.to_string()));
    scenario.why = Some(match sentence {
        Some(sentence) => format!("{} {how}", sentence.trim()),
        None => how.to_owned(),
    });
    scenario.profile = Profile::Core;
    scenario.proves = vec![proven(violation)];
    scenario.tags = vec!["found".to_owned()];
    let what = Scenario { title: String::new(), why: None, ..scenario.clone() };
    scenario.id = format!("{FOLDER}/{}-{}", symptom.code(), hash(&to_yaml(&what)));
    scenario
}

/// The expectations of the saved file. If the target was configured for the case, these are all
/// expectations of the oracle; otherwise only those that the violation is about.
fn expected(fuzzed: &FuzzCase, violation: &Violation) -> Vec<Expect> {
    let expected = oracle::expect(fuzzed);
    if fuzzed.group.is_none() {
        return expected;
    }
    if violation.requirement.is_some() {
        return Vec::new();
    }
    let first = |expect: Expect| {
        let attempts = expect.attempts.map(|mut attempts| {
            attempts.truncate(1);
            attempts
        });
        Expect { attempts, ..Expect::default() }
    };
    expected.into_iter().map(first).collect()
}

/// The requirement that the scenario proves; for a missed expectation, the closest requirement.
fn proven(violation: &Violation) -> Code {
    let nearest = match violation.kind {
        ViolationKind::Expectation(ExpectationViolation::Status { .. }) => Code::Client06,
        ViolationKind::Expectation(ExpectationViolation::AnsweredBy { .. }) => Code::Client01,
        _ => Code::Route01,
    };
    violation.requirement.unwrap_or(nearest)
}

/// Writes the scenario to this scenario folder. A scenario with the same id is overwritten.
///
/// # Errors
/// The file could not be written.
pub fn save(scenario: &Scenario, folder: &Path) -> io::Result<Saved> {
    let file = folder.join(format!("{}.yaml", scenario.id));
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&file, to_yaml(scenario))?;
    Ok(Saved { id: scenario.id.clone(), file })
}

/// Reads the saved scenario from its file.
///
/// # Errors
/// The file is not a valid scenario.
pub fn load(saved: &Saved) -> Result<Vec<Scenario>, LoadError> {
    scenario::load(&saved.file, &saved.id)
}

/// Shortens a sentence to the length of a title.
fn brief(message: &str) -> String {
    const MOST: usize = 140;
    let line = message.lines().next().unwrap_or_default();
    let short: String = line.chars().take(MOST).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
