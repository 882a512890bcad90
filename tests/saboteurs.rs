//! Proves the checks with saboteurs, which are routers broken on purpose. There is one test for
//! each saboteur, with its name. A saboteur must violate its requirements and no others.
//!
//! By default, each saboteur runs the scenarios for its requirements until it is caught. With
//! `FALLPROOF_ALL=1`, each runs the complete suite, which takes minutes.

#[path = "common/evidence_file.rs"]
mod evidence_file;
#[path = "common/suite.rs"]
mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fallproof_judge::{Cause, Judgment, Outcome, causes, judge_case};
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

/// The scenarios whose files mention one of these requirements, sorted by id.
fn about(codes: &[&str]) -> Vec<&'static Scenario> {
    let families = suite::families().expect("the folder of the suite can be read");
    let about = families.iter().filter(|family| suite::mentions(family, codes));
    let cases = about.map(|family| suite::cases(family).unwrap_or_else(|error| panic!("{error}")));
    let mut scenarios: Vec<_> = cases.flatten().collect();
    scenarios.sort_by(|one, other| one.id.cmp(&other.id));
    scenarios
}

/// All scenarios that prove a requirement.
fn whole_suite() -> Vec<&'static Scenario> {
    about(&["FP-"])
}

/// Those of the scenarios that are about a requirement, without slow ones and with one case of each
/// family. The others prove no more.
fn quick(
    mut scenarios: Vec<&'static Scenario>,
    is_about: impl Fn(&Scenario) -> bool,
) -> Vec<&'static Scenario> {
    let is_slow = |scenario: &Scenario| scenario.tags.iter().any(|tag| tag == "slow");
    scenarios.retain(|scenario| is_about(scenario) && !is_slow(scenario));
    scenarios.dedup_by_key(|scenario| scenario.family().to_owned());
    scenarios
}

/// Whether every saboteur runs every scenario.
fn all_of_it() -> bool {
    std::env::var_os("FALLPROOF_ALL").is_some()
}

/// What the scenarios show of a saboteur.
struct Shown {
    /// The codes of the requirements that it violates, each with a scenario that shows it.
    broken: BTreeMap<&'static str, String>,
    /// The causes of its failures and warnings.
    causes: Vec<Cause>,
}

/// Runs scenarios against a saboteur. `own` are the codes that it must violate.
fn broken_by(
    saboteur: &'static Saboteur,
    own: &BTreeSet<&str>,
    runtime: &Runtime,
) -> Result<Shown, Failed> {
    let is_about =
        |scenario: &Scenario| scenario.proves.iter().any(|code| own.contains(code.as_str()));
    let own_codes: Vec<_> = own.iter().copied().collect();
    let all = if all_of_it() { whole_suite() } else { quick(about(&own_codes), is_about) };
    let size = if all_of_it() { all.len() } else { AT_A_TIME };
    let mut broken = BTreeMap::new();
    let mut facts = Vec::new();
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
        is_recorded_without_the_key(&runner, some, &ran, &judged)?;
        // A violation of a scenario with `level: robustness` has no cause.
        let has_causes = |it: &Judgment| it.outcome != Outcome::NotRobust;
        facts.extend(judged.into_iter().filter(has_causes).map(|it| it.facts));
        if !all_of_it() && own.iter().all(|code| broken.contains_key(code)) {
            break;
        }
    }
    let causes = causes(&facts.iter().collect::<Vec<_>>()).all;
    Ok(Shown { broken, causes })
}

/// Checks that evidence from an evidence file gets the same judgment as the original. Also checks
/// that the file does not contain the client's key, which counts as the user's own secret here.
fn is_recorded_without_the_key(
    runner: &Runner,
    scenarios: &[&Scenario],
    ran: &[Evidence],
    judged: &[Judgment],
) -> Result<(), Failed> {
    let facts = runner.facts(scenarios[0]);
    let evidence: Vec<_> = ran.iter().collect();
    let file = evidence_file::write(scenarios, runner.plan(), facts, &evidence, true);
    let mut text = String::new();
    GzDecoder::new(&*file).read_to_string(&mut text)?;
    let keys = [facts.gateway_key, &another(facts.gateway_key)];
    if let Some(key) = keys.into_iter().find(|key| text.contains(key)) {
        return Err(format!("the evidence file contains `{key}`").into());
    }
    let (again, placeholder) = evidence_file::judge(&file);
    let keys = [facts.gateway_key, &placeholder];
    let pairs = judged.iter().zip(&again);
    pairs.into_iter().try_for_each(|(one, (_, other))| Ok(evidence_file::same(one, other, &keys)?))
}

/// Number of scenarios to run before checking whether a saboteur is caught.
const AT_A_TIME: usize = 8;

/// Saboteurs that are caught only after a timeout.
const WAITS_LONG: [&str; 5] = [
    "outlives-the-client",
    "ignores-timeout",
    "ignores-total-timeout",
    "leaves-hanging",
    "buffers-streams",
];

/// Timeout of a call. It is short for the two saboteurs whose calls always run into it: one never
/// answers, the other continues a call after its client has disconnected.
fn timeout(saboteur: &Saboteur) -> Duration {
    Duration::from_secs(match saboteur.name {
        // A slow scenario takes two seconds.
        "leaves-hanging" | "outlives-the-client" if all_of_it() => 4,
        "leaves-hanging" | "outlives-the-client" => 1,
        _ => 6,
    })
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Saboteurs that wait for a timeout run in parallel and start first.
    arguments.test_threads.get_or_insert(8);
    let runtime = Arc::new(Runtime::new().expect("the runtime starts"));
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
    trials.push(Trial::test("few_saboteurs_have_many_causes", few_have_many_causes));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Checks that a saboteur violates the requirements that name it, and no others except those in its
/// `also` list.
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
    let Shown { broken: shown, causes } = broken_by(saboteur, &own, runtime)?;
    let broken: BTreeSet<_> = shown.keys().copied().collect();
    let sentence = |code: &str| requirement::find(code).map_or("", |it| it.sentence.trim());
    let lines = |codes: BTreeSet<&str>, what: &str| {
        let line = |code| {
            let scenario = shown.get(code).map_or_else(String::new, |id| format!(" in {id}"));
            format!("{code} {what}{scenario}: {}", sentence(code))
        };
        codes.into_iter().map(line).collect::<Vec<_>>()
    };
    let also: BTreeSet<_> = saboteur.also.iter().copied().filter(|_| all_of_it()).collect();
    let wrong = [
        lines(&own - &broken, "names it but did not catch it"),
        lines(&broken - &expected, "caught it but is not in its entry in the catalogue"),
        lines(&also - &broken, "is in its entry in the catalogue but did not catch it"),
    ]
    .concat();
    if wrong.is_empty() {
        return its_cause_comes_first(saboteur, &own, &causes);
    }
    let Saboteur { name, breaks, .. } = saboteur;
    let wrong = wrong.join("\n");
    Err(format!("{name} {breaks}:\n{wrong}\nsee: cargo run -- run --saboteur {name}").into())
}

/// Saboteurs with more than [`FEW_CAUSES`] causes in the whole suite, each with their number.
const MANY_CAUSES: [(&str, usize); 0] = [];

/// Saboteurs with a larger cause than their own in the whole suite: a consequence that shows in
/// cases that cannot show the fault itself, such as a call that is never answered.
const CONSEQUENCE_FIRST: [&str; 8] = [
    "buffers-streams",
    "ignores-timeout",
    "ignores-total-timeout",
    "limits-streams",
    "loses-large-events",
    "loses-retry-after",
    "respelled-events",
    "trusts-connections",
];

/// The number of causes that nearly all saboteurs have at most: each has one fault.
const FEW_CAUSES: usize = 3;

/// Checks that the worst cause of a saboteur's failures is the fault that it was made for, and that
/// it has few others.
fn its_cause_comes_first(
    saboteur: &Saboteur,
    own: &BTreeSet<&str>,
    causes: &[Cause],
) -> Result<(), Failed> {
    // Violations of an informational requirement have no cause.
    let is_informational = |code: &&str| {
        requirement::find(code).is_none_or(|it| it.level == requirement::Level::Observation)
    };
    if own.iter().all(is_informational) {
        return Ok(());
    }
    let worst = causes.iter().map(|cause| cause.verdict).max();
    let all = causes;
    let causes: Vec<_> = all.iter().filter(|cause| Some(cause.verdict) == worst).collect();
    let list: Vec<_> = causes.iter().map(|it| format!("{} ({})", it.id, it.cases.len())).collect();
    let list = list.join(", ");
    let Some(first) = causes.first() else {
        // Only scenarios of the level robustness find it.
        return Ok(());
    };
    let is_own = |cause: &Cause| {
        let mut codes = cause.symptoms.iter().filter_map(|it| it.requirement);
        codes.any(|code| own.contains(code.as_str()))
    };
    let is_known = all_of_it() && CONSEQUENCE_FIRST.contains(&saboteur.name);
    if !is_own(first) && !is_known {
        return Err(format!("the first cause is not its own: {list}").into());
    }
    if !all.iter().any(is_own) {
        return Err(format!("no cause is its own: {list}").into());
    }
    let known = MANY_CAUSES.iter().find(|(name, _)| *name == saboteur.name);
    let most = known.map_or(FEW_CAUSES, |(_, number)| *number);
    if causes.len() > most {
        return Err(format!("{} causes instead of {most}: {list}", causes.len()).into());
    }
    Ok(())
}

/// Checks that at least nine of ten saboteurs have few causes.
fn few_have_many_causes() -> Result<(), Failed> {
    let many = MANY_CAUSES.len();
    if many * 10 <= saboteur::all().len() {
        Ok(())
    } else {
        Err(format!("{many} have many").into())
    }
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
