//! Runs each scenario file against the reference router, as one test, and compares the requests of
//! all attempts with a snapshot.
//!
//! A new file in `scenarios/` becomes a test without a rebuild. Accept its snapshot with
//! `INSTA_UPDATE=always cargo test --test scenarios`, and review it as part of the change.

#[path = "common/evidence_file.rs"]
mod evidence_file;
#[path = "common/suite.rs"]
mod suite;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use fallproof_judge::{Case, Outcome};
use fallproof_reference::ReferenceTarget;
use fallproof_report::convert::{self, Context};
use fallproof_report::text;
use fallproof_runner::Runner;
use fallproof_suite::evidence::Evidence;
use fallproof_suite::plan::Group;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::scenario::Suite;
use libtest_mimic::{Arguments, Failed, Trial};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use suite::folder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Maximum number of characters of a body in a snapshot.
const MOST_SHOWN: usize = 4000;

const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Scenarios that wait for a timeout run in parallel.
    arguments.test_threads.get_or_insert(24);
    let families = match suite::families() {
        Ok(families) => families,
        Err(error) => {
            eprintln!("the folder of the suite cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    // The tests run on other threads, which end before this one.
    let runtime: &'static Runtime =
        Box::leak(Box::new(Runtime::new().expect("the runtime starts")));
    let mut trials: Vec<_> = in_order(&families)
        .into_iter()
        .map(|family| {
            Trial::test(family.clone(), move || {
                let outbound = run(&family, runtime)?;
                snapshot(&family, &slug(&family), &outbound)
            })
        })
        .collect();
    let name = "every_snapshot_belongs_to_a_scenario";
    trials.push(Trial::test(name, move || no_orphans(&families)));
    trials.push(Trial::test("the_folder_is_a_suite", || {
        Suite::load(&folder("scenarios")).map(drop).map_err(|error| error.to_string().into())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Puts scenarios that wait for a timeout first, so that the run does not wait for them at its end.
fn in_order(families: &[String]) -> Vec<String> {
    let waits = |family: &&String| suite::mentions(family, &["slow", "delay_ms"]);
    let (first, others): (Vec<_>, Vec<_>) = families.iter().partition(waits);
    [first, others].concat().into_iter().cloned().collect()
}

/// The id of a family as a file name.
fn slug(family: &str) -> String {
    family.replace('/', ".")
}

/// Runs the cases of one file against a separate router. Returns the requests of their attempts.
fn run(family: &str, runtime: &Runtime) -> Result<String, Failed> {
    let cases = suite::cases(family)?;
    let all: Vec<_> = cases.iter().collect();
    let runner = runtime
        .block_on(Runner::start(&all, &ReferenceTarget::default(), TIMEOUT))
        .expect("the runner listens on ports that the system chooses");
    // The runner is never stopped; it ends with the process.
    let runner: &'static Runner = Box::leak(Box::new(runner));
    let mut sent = String::new();
    let mut wrong = String::new();
    let mut judged = Vec::new();
    // The threads of the tests only wait, which leaves the processors to the runtime's threads and
    // thus to the router and the mock providers.
    let ran: Vec<_> = cases.iter().map(|scenario| runtime.spawn(runner.run(scenario))).collect();
    for (scenario, case) in cases.iter().zip(ran) {
        let facts = runner.facts(scenario);
        let case = Case::new(scenario, facts, runtime.block_on(case)?);
        let (groups, seen) = (facts.groups, &case.evidence);
        match &case.judgment.outcome {
            Outcome::Pass if cases.len() == 1 => sent.push_str(&outbound(seen, groups)),
            Outcome::Pass => {
                let _ = write!(sent, "=== {}\n{}", scenario.id, outbound(seen, groups));
            }
            Outcome::Skipped(reason) => eprintln!("skipped {}: {reason}", scenario.id),
            _ => {
                let context = Context {
                    scenario,
                    groups,
                    replay: &format!("cargo run -- run {}", scenario.id),
                };
                wrong.push_str(&text::case(&convert::case(&case, context)));
            }
        }
        judged.push(case);
    }
    survives_a_record(&all, runner, &judged)?;
    if wrong.is_empty() {
        Ok(sent)
    } else {
        Err(anstream::adapter::strip_str(&wrong).to_string().into())
    }
}

/// Checks that evidence is unchanged, and gets the same judgment, after it was written to a file
/// and read again. Uses one case of each scenario file, or all cases with `FALLPROOF_ALL=1`.
fn survives_a_record(cases: &[&Scenario], runner: &Runner, judged: &[Case]) -> Result<(), Failed> {
    let most = if std::env::var_os("FALLPROOF_ALL").is_some() { cases.len() } else { 1 };
    let (cases, judged) = (&cases[..most], &judged[..most]);
    let evidence: Vec<_> = judged.iter().map(|case| &case.evidence).collect();
    let file = evidence_file::write(cases, runner.plan(), runner.facts(cases[0]), &evidence, false);
    let (again, _) = evidence_file::judge(&file);
    assert_eq!(again.len(), judged.len());
    judged.iter().zip(&again).try_for_each(|(case, (evidence, judgment))| {
        assert!(case.evidence == *evidence, "{} differs after reading", evidence.scenario);
        Ok(evidence_file::same(&case.judgment, judgment, &[])?)
    })
}

/// Compares what each attempt sent, byte for byte, with the file in `snapshots/`.
fn snapshot(family: &str, slug: &str, sent: &str) -> Result<(), Failed> {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        std::panic::catch_unwind(|| insta::assert_snapshot!(slug, sent)).map_err(|_| {
            Failed::from(format!(
                "the requests differ from snapshots/{slug}.snap, or that file is missing; \
                 accept it with: INSTA_UPDATE=always cargo test --test scenarios {family}",
            ))
        })
    })
}

/// Every attempt as text: the request line, the headers except those with ports and lengths, and
/// the body. The length and digest of the body are included, because text snapshots ignore line
/// ends and trailing spaces.
fn outbound(evidence: &Evidence, groups: &[Group]) -> String {
    let mut text = String::new();
    for recorded in evidence.calls().iter().flat_map(|call| &call.requests) {
        let prefix = recorded.prefix.as_deref().unwrap_or_default();
        let deployment = groups.iter().find_map(|group| group.deployment_at(prefix));
        let (_, deployment) = deployment.expect("an attempt belongs to a group of the scenario");
        let _ = writeln!(text, "--- {} ({})", deployment.name, deployment.surface_label());
        let _ = writeln!(text, "{} {}", recorded.method, recorded.target);
        for (name, value) in &recorded.headers {
            if !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("content-length") {
                let value = String::from_utf8_lossy(value).replace(&deployment.key, "<its key>");
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        let _ = write!(text, "body: {} bytes, sha256 ", recorded.body.len());
        for byte in Sha256::digest(&recorded.body) {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        let body = readable(&recorded.body);
        // The length and the digest above cover the part that is not shown.
        let shown: String = body.chars().take(MOST_SHOWN).collect();
        let more = if shown.len() < body.len() { "…" } else { "" };
        let _ = writeln!(text, "{shown}{more}");
    }
    text
}

/// A body as text. A binary line, such as audio in a form, is replaced with its length.
fn readable(body: &[u8]) -> String {
    let line = |line: &[u8]| match std::str::from_utf8(line) {
        Ok(text)
            if !text.trim_end_matches('\r').contains(|c: char| c.is_control() && c != '\t') =>
        {
            text.to_owned()
        }
        _ => format!("<{} bytes that are no text>", line.len()),
    };
    body.split(|byte| *byte == b'\n').map(line).collect::<Vec<_>>().join("\n")
}

fn no_orphans(families: &[String]) -> Result<(), Failed> {
    let expected: BTreeSet<_> =
        families.iter().map(|family| format!("{}.snap", slug(family))).collect();
    let orphans: Vec<_> = std::fs::read_dir(folder("snapshots"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !expected.contains(name))
        .collect();
    if orphans.is_empty() {
        return Ok(());
    }
    Err(format!("no scenario for snapshots/{}: delete them", orphans.join(", snapshots/")).into())
}
