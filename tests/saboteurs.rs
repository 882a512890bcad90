//! Each check is proven by a router that breaks its requirement, and by nothing else than it must:
//! one test for each saboteur, named like it.
//!
//! By itself each saboteur meets the scenarios that were written for what it breaks, until it is
//! caught. With `FALLPROOF_ALL=1` each meets the whole suite, which takes minutes.

#[path = "common/kept.rs"]
mod kept;
#[path = "common/suite.rs"]
mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fallproof_judge::{Judgment, judge_case};
use fallproof_reference::ReferenceTarget;
use fallproof_reference::saboteur::{self, Saboteur};
use fallproof_runner::Runner;
use fallproof_suite::evidence::Evidence;
use fallproof_suite::requirement;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::secret::another;
use flate2::read::GzDecoder;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The scenarios that may be about one of these requirements, in the order of their ids.
fn about(codes: &[&str]) -> Vec<&'static Scenario> {
    let families = suite::families().expect("the folder of the suite can be read");
    let about = families.iter().filter(|family| suite::mentions(family, codes));
    let cases = about.map(|family| suite::cases(family).unwrap_or_else(|error| panic!("{error}")));
    let mut scenarios: Vec<_> = cases.flatten().collect();
    scenarios.sort_by(|one, other| one.id.cmp(&other.id));
    scenarios
}

/// All that proves anything.
fn whole_suite() -> Vec<&'static Scenario> {
    about(&["FP-"])
}

/// Whether every saboteur meets every scenario.
fn all_of_it() -> bool {
    std::env::var_os("FALLPROOF_ALL").is_some()
}

/// The codes that the suite finds broken in this router, each with a scenario that shows it; `own`
/// are those that it must.
fn broken_by(
    saboteur: &'static Saboteur,
    own: &BTreeSet<&str>,
    runtime: &Runtime,
) -> Result<BTreeMap<&'static str, String>, Failed> {
    let is_about =
        |scenario: &Scenario| scenario.proves.iter().any(|code| own.contains(code.as_str()));
    let own_codes: Vec<_> = own.iter().copied().collect();
    let scenarios = if all_of_it() { whole_suite() } else { about(&own_codes) };
    // Waiting for a time limit proves nothing that a quick failure does not, nor does a second
    // case of one family.
    let quick = |scenario: &&Scenario| !scenario.tags.iter().any(|tag| tag == "slow");
    let mut all: Vec<_> =
        scenarios.into_iter().filter(quick).filter(|it| all_of_it() || is_about(it)).collect();
    all.dedup_by_key(|scenario| scenario.family().to_owned());
    let size = if all_of_it() { all.len() } else { AT_A_TIME };
    let mut broken = BTreeMap::new();
    for some in all.chunks(size) {
        let target = ReferenceTarget { saboteur: Some(saboteur) };
        let runner = runtime
            .block_on(Runner::start(some, &target, timeout(saboteur)))
            .expect("the runner listens on ports that the system chooses");
        let ran = runner.run_all(runtime.handle(), some, 8);
        let judged: Vec<_> = (some.iter().zip(&ran))
            .map(|(scenario, evidence)| judge_case(scenario, runner.facts(scenario), evidence))
            .collect();
        for (scenario, judgment) in some.iter().zip(&judged) {
            let codes = judgment.violations.iter().filter_map(|violation| violation.requirement);
            broken.extend(codes.map(|code| (code.as_str(), scenario.id.clone())));
        }
        is_kept_without_the_key(&runner, some, &ran, &judged)?;
        if own.iter().all(|code| broken.contains_key(code)) {
            break;
        }
    }
    Ok(broken)
}

/// The evidence is judged the same after it was kept, and what was kept does not have the client's
/// key, as if that were the user's own.
fn is_kept_without_the_key(
    runner: &Runner,
    scenarios: &[&Scenario],
    ran: &[Evidence],
    judged: &[Judgment],
) -> Result<(), Failed> {
    let facts = runner.facts(scenarios[0]);
    let evidence: Vec<_> = ran.iter().collect();
    let file = kept::keep(scenarios, runner.plan(), facts, &evidence, true);
    let mut text = String::new();
    GzDecoder::new(&*file).read_to_string(&mut text)?;
    let keys = [facts.gateway_key, &another(facts.gateway_key)];
    if let Some(key) = keys.into_iter().find(|key| text.contains(key)) {
        return Err(format!("`{key}` is in what was kept").into());
    }
    let (again, placeholder) = kept::judged_again(&file);
    let keys = [facts.gateway_key, &placeholder];
    let pairs = judged.iter().zip(&again);
    pairs.into_iter().try_for_each(|(one, (_, other))| Ok(kept::same(one, other, &keys)?))
}

/// Scenarios between two looks whether a saboteur is caught.
const AT_A_TIME: usize = 8;

/// Those that are seen only when a time limit is over.
const WAITS_LONG: [&str; 4] =
    ["outlives-the-client", "ignores-timeout", "ignores-total-timeout", "leaves-hanging"];

/// One that never answers is given up soon, as is one that reads a stream whole before it passes it
/// on: a client that leaves within the stream waits for it in vain.
fn timeout(saboteur: &Saboteur) -> Duration {
    Duration::from_secs(match saboteur.name {
        "leaves-hanging" | "outlives-the-client" => 1,
        _ => 6,
    })
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Some wait for a time limit: they wait together, and begin first.
    arguments.test_threads.get_or_insert(8);
    let runtime = Arc::new(Runtime::new().expect("a runtime can be had"));
    let mut saboteurs: Vec<_> = saboteur::all().iter().collect();
    saboteurs.sort_by_key(|saboteur| !WAITS_LONG.contains(&saboteur.name));
    let mut trials: Vec<_> = saboteurs
        .into_iter()
        .map(|saboteur| {
            let runtime = Arc::clone(&runtime);
            Trial::test(saboteur.name, move || is_caught(saboteur, &runtime))
        })
        .collect();
    let name = "every_requirement_has_a_saboteur_a_source_and_a_scenario";
    trials.push(Trial::test(name, || requirements_are_proven(&whole_suite())));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// By its own check, and by no other than its entry tells of.
fn is_caught(saboteur: &'static Saboteur, runtime: &Runtime) -> Result<(), Failed> {
    let own: BTreeSet<_> = requirement::all()
        .iter()
        .filter(|requirement| requirement.saboteurs.iter().any(|name| name == saboteur.name))
        .map(|requirement| requirement.code.as_str())
        .collect();
    if own.is_empty() {
        return Err("no requirement in scenarios/requirements.yaml names it".into());
    }
    let expected: BTreeSet<_> = own.iter().chain(saboteur.also).copied().collect();
    let shown = broken_by(saboteur, &own, runtime)?;
    let broken: BTreeSet<_> = shown.keys().copied().collect();
    let sentence = |code: &str| requirement::find(code).map_or("", |it| it.sentence.trim());
    let told = |codes: BTreeSet<&str>, what: &str| {
        let line = |code| {
            let place = shown.get(code).map_or_else(String::new, |id| format!(" in {id}"));
            format!("{code} {what}{place}: {}", sentence(code))
        };
        codes.into_iter().map(line).collect::<Vec<_>>()
    };
    let spared: BTreeSet<_> = saboteur.also.iter().copied().filter(|_| all_of_it()).collect();
    let wrong = [
        told(&own - &broken, "names it, and did not catch it"),
        told(&broken - &expected, "is not in its entry in the catalogue, and caught it"),
        told(&spared - &broken, "did not catch it, and its entry in the catalogue says so"),
    ]
    .concat();
    if wrong.is_empty() {
        return Ok(());
    }
    let Saboteur { name, breaks, .. } = saboteur;
    let wrong = wrong.join("\n");
    Err(format!("{name} {breaks}:\n{wrong}\nsee: cargo run -- run --saboteur {name}").into())
}

fn requirements_are_proven(scenarios: &[&Scenario]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for requirement in requirement::all() {
        let code = requirement.code;
        if requirement.saboteurs.is_empty() {
            wrong.push(format!("{code} has no saboteur"));
        }
        if requirement.sources.is_empty() {
            wrong.push(format!("{code} has no source"));
        }
        let unknown = requirement.saboteurs.iter().filter(|name| saboteur::find(name).is_none());
        wrong.extend(unknown.map(|name| format!("{code} names `{name}`, which does not exist")));
        if !scenarios.iter().any(|scenario| scenario.proves.contains(&code)) {
            wrong.push(format!("no scenario proves {code}"));
        }
    }
    all_right(&wrong)
}

fn all_right(wrong: &[String]) -> Result<(), Failed> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
