//! Faults of the machine, which are never the target's: few file descriptors, and no room on the disk.

use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

/// Tests that need a shell with `ulimit`. A limit that is set so applies only to its process.
pub(crate) fn trials() -> Vec<Trial> {
    let test = |name: &str, run: fn() -> Result<(), Failed>| {
        Trial::test(format!("machine::{name}"), run).with_ignored_flag(!cfg!(unix))
    };
    vec![
        test("few_descriptors_are_enough", || {
            conforms("ulimit -Sn 256", "routing concurrency")?;
            conforms("ulimit -n 256", "routing concurrency")?;
            conforms("ulimit -n 96", "routing")
        }),
        test("too_few_descriptors_are_not_the_targets_fault", too_few_descriptors),
        test("a_full_disk_is_a_harness_error", a_full_disk),
    ]
}

/// Runs scenarios of the suite in a shell with this limit.
fn with(limit: &str, arguments: &str) -> Result<Output, Failed> {
    let binary = env!("CARGO_BIN_EXE_fallproof");
    let script = format!("{limit}; exec '{binary}' run {arguments}");
    let root = env!("CARGO_MANIFEST_DIR");
    Ok(Command::new("sh").arg("-c").arg(script).current_dir(root).output()?)
}

fn conforms(limit: &str, scenarios: &str) -> Result<(), Failed> {
    ends(&with(limit, scenarios)?, 0, &["passed in"])
}

/// The listeners fit, but the connections of eight calls do not.
fn too_few_descriptors() -> Result<(), Failed> {
    let output = with("ulimit -n 32", "routing/eight-at-the-same-time --timeout 2")?;
    ends(&output, 3, &["there were no file descriptors left"])?;
    let told = String::from_utf8_lossy(&output.stdout);
    if told.contains("FAIL") {
        return Err(format!("the target is blamed:\n{told}").into());
    }
    Ok(())
}

/// The system refuses to make a file larger than one block, as it would on a disk that is full.
fn a_full_disk() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let arguments = format!("routing/chain-of-five --report '{}'", folder.path().display());
    ends(&with("trap '' XFSZ; ulimit -f 1", &arguments)?, 3, &["harness error", "too large"])
}

fn ends(output: &Output, code: i32, words: &[&str]) -> Result<(), Failed> {
    let texts = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned());
    let told = crate::flat(&texts.join("\n"));
    let said = words.iter().all(|words| told.contains(words));
    if output.status.code() == Some(code) && said {
        return Ok(());
    }
    Err(format!("{}, not {code} with {words:?}:\n{told}", output.status).into())
}
