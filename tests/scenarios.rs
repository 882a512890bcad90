//! `cargo test`: one test for each scenario file, against the reference router, with a snapshot of
//! exactly what each attempt sent.
//!
//! A new file in `scenarios/` is a new test without a rebuild. Its snapshot is accepted with
//! `INSTA_UPDATE=always cargo test --test scenarios`, and reviewed as part of the change.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fallproof::drive::{Case, Outcome, Rig, Target};
use fallproof::plan::Group;
use fallproof::report::text;
use fallproof::scenario::{Scenario, Suite};
use libtest_mimic::{Arguments, Failed, Trial};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Some wait for a time limit: they wait together.
    arguments.test_threads.get_or_insert(16);
    let suite = match Suite::load(&folder("scenarios")) {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let scenarios = Arc::new(suite.scenarios);
    let runtime = Runtime::new().expect("a runtime can be had");
    let all: Vec<_> = scenarios.iter().collect();
    let rig = runtime
        .block_on(Rig::start(&all, &Target::Reference(None), PATIENCE))
        .expect("the rig listens on ports that the system chooses");
    let bench = Arc::new((runtime, rig));

    let mut trials: Vec<_> = (0..scenarios.len())
        .map(|index| {
            let (bench, scenarios) = (Arc::clone(&bench), Arc::clone(&scenarios));
            Trial::test(scenarios[index].id.clone(), move || {
                let (runtime, rig) = &*bench;
                let scenario = &scenarios[index];
                let group = rig.plan().group(&scenario.id).expect("every scenario is planned");
                let case = runtime.block_on(rig.run(scenario));
                if let Outcome::Skipped(reason) = &case.outcome {
                    eprintln!("skipped {}: {reason}", case.scenario);
                    return Ok(());
                }
                passes(&case, scenario, group)?;
                snapshot(&case, group)
            })
        })
        .collect();
    trials.push(Trial::test("every_snapshot_belongs_to_a_scenario", {
        let scenarios = Arc::clone(&scenarios);
        move || no_orphans(&scenarios)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn passes(case: &Case, scenario: &Scenario, group: &Group) -> Result<(), Failed> {
    if case.outcome == Outcome::Pass {
        return Ok(());
    }
    let replay = format!("cargo run -- run {}", scenario.id);
    Err(anstream::adapter::strip_str(&text::case(case, scenario, group, &replay))
        .to_string()
        .into())
}

/// Compares what each attempt sent, byte for byte, with the file in `snapshots/`.
fn snapshot(case: &Case, group: &Group) -> Result<(), Failed> {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = group.group.clone();
    let text = outbound(case, group);
    settings.bind(|| {
        std::panic::catch_unwind(|| insta::assert_snapshot!(name.as_str(), text)).map_err(|_| {
            Failed::from(format!(
                "what was sent differs from snapshots/{name}.snap, or that file is missing; \
                 accept it with: INSTA_UPDATE=always cargo test --test scenarios {}",
                case.scenario
            ))
        })
    })
}

/// Every attempt as text: request line, headers but for those that name ports and lengths, and the
/// body with its length and digest, since a text snapshot forgives line ends and trailing blanks.
fn outbound(case: &Case, group: &Group) -> String {
    let mut text = String::new();
    for hit in case.steps.iter().flat_map(|step| &step.hits) {
        let prefix = hit.upstream.as_deref().unwrap_or_default();
        let (_, hop) = group.hop_at(prefix).expect("a matched hit is of the group");
        let _ = writeln!(text, "--- {} ({})", hop.upstream, hop.vendor());
        let _ = writeln!(text, "{} {}", hit.method, hit.target);
        for (name, value) in &hit.headers {
            if !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("content-length") {
                let value = String::from_utf8_lossy(value).replace(&hop.key, "<its key>");
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        let _ = write!(text, "body: {} bytes, sha256 ", hit.body.len());
        for byte in Sha256::digest(&hit.body) {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        let _ = writeln!(text, "{}", String::from_utf8_lossy(&hit.body));
    }
    text
}

fn no_orphans(scenarios: &[Scenario]) -> Result<(), Failed> {
    let expected: BTreeSet<_> =
        scenarios.iter().map(|scenario| format!("{}.snap", scenario.slug())).collect();
    let orphans: Vec<_> = std::fs::read_dir(folder("snapshots"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !expected.contains(name))
        .collect();
    if orphans.is_empty() {
        return Ok(());
    }
    Err(format!("no scenario for snapshots/{}: delete them", orphans.join(", snapshots/")).into())
}
