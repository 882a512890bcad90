//! Each check is proven by a router that breaks its requirement, and by nothing else than it must.
//!
//! By itself each saboteur meets the scenarios that were written for what it breaks. With
//! `FALLPROOF_ALL=1`, as in CI, each meets the whole suite, which takes minutes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use fallproof::drive::{Rig, Target};
use fallproof::requirement;
use fallproof::saboteur::{self, Saboteur};
use fallproof::scenario::{Scenario, Suite};
use tokio::runtime::Runtime;

fn suite() -> Vec<Scenario> {
    Suite::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))
        .unwrap_or_else(|error| panic!("{error}"))
        .scenarios
}

/// Whether every saboteur meets every scenario.
fn all_of_it() -> bool {
    std::env::var_os("FALLPROOF_ALL").is_some()
}

/// The codes that the suite finds broken in this router; `codes` are those that are expected.
fn broken_by(
    saboteur: &'static Saboteur,
    codes: &BTreeSet<&str>,
    scenarios: &[Scenario],
    runtime: &Runtime,
) -> BTreeSet<&'static str> {
    let about =
        |scenario: &Scenario| scenario.proves.iter().any(|code| codes.contains(code.as_str()));
    // Waiting for a time limit proves nothing that a quick failure does not, nor does a second
    // case of one family.
    let quick = |scenario: &&Scenario| !scenario.tags.iter().any(|tag| tag == "slow");
    let mut all: Vec<_> =
        scenarios.iter().filter(quick).filter(|it| all_of_it() || about(it)).collect();
    all.dedup_by_key(|scenario| scenario.family().to_owned());
    let target = Target::Reference(Some(saboteur));
    let rig = runtime
        .block_on(Rig::start(&all, &target, Duration::from_secs(60)))
        .expect("the rig listens on ports that the system chooses");
    rig.run_all(runtime.handle(), &all, 8)
        .iter()
        .flat_map(|case| &case.findings)
        .filter_map(|finding| finding.requirement)
        .collect()
}

/// What each saboteur breaks beside the requirements that name it, and cannot help breaking.
fn by_the_way(saboteur: &str) -> &'static [&'static str] {
    match saboteur {
        // What is only on the later leg is both new and a difference between the legs.
        // One client sends a `model_group` of its own, which is overwritten.
        "invented-metadata" => &["FP-PAYLOAD-03", "FP-PAYLOAD-05"],
        "leg-two-loses" => &["FP-PAYLOAD-02"],
        // A rounded number that happens to be equal is still spelled otherwise.
        "rounded-numbers" => &["FP-PAYLOAD-07"],
        // The last deployment's failure is where a reversed walk ends, whatever the client wrote.
        "reversed-chain" => &["FP-ROUTE-03", "FP-STREAM-11", "FP-CONTROL-01", "FP-CONTROL-02"],
        "gives-up" => &["FP-STREAM-11", "FP-CONTROL-01", "FP-CONTROL-02"],
        // The rest of the chain is asked as if it were the whole.
        "obeys-metadata" | "obeys-headers" => &["FP-ROUTE-01"],
        // What was put before an answer makes it another one.
        "splices-answers" => &["FP-CLIENT-01"],
        // An address holds the group's name here.
        "tells-the-chain" => &["FP-LEAK-03"],
        "endless-loop" => &["FP-ROUTE-05"],
        // Where the fallback has answered, the rest of the chain has it once more.
        "asks-everyone" => &["FP-ROUTE-01", "FP-ROUTE-05", "FP-STREAM-06"],
        // Whoever puts two answers together has asked for both.
        "splices-streams" => &["FP-STREAM-06"],
        _ => &[],
    }
}

#[test]
fn every_saboteur_is_caught_by_its_own_check_and_by_no_other() {
    let scenarios = suite();
    let runtime = Runtime::new().expect("a runtime can be had");
    let mut wrong = Vec::new();
    for saboteur in saboteur::all() {
        let own: BTreeSet<_> = requirement::all()
            .iter()
            .filter(|requirement| requirement.saboteurs.iter().any(|name| name == saboteur.name))
            .map(|requirement| requirement.code.as_str())
            .collect();
        let expected: BTreeSet<_> = own.iter().chain(by_the_way(saboteur.name)).copied().collect();
        let broken = broken_by(saboteur, &own, &scenarios, &runtime);
        let precise = broken == expected || !all_of_it() && broken.is_subset(&expected);
        if own.is_empty() || !own.is_subset(&broken) || !precise {
            wrong.push(format!(
                "{}: expected {expected:?}, the suite found {broken:?}",
                saboteur.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_requirement_has_a_saboteur_a_source_and_a_scenario() {
    let scenarios = suite();
    for requirement in requirement::all() {
        let code = &requirement.code;
        assert!(!requirement.saboteurs.is_empty(), "{code} has no saboteur");
        assert!(!requirement.sources.is_empty(), "{code} has no source");
        for name in &requirement.saboteurs {
            assert!(saboteur::find(name).is_some(), "{code} names `{name}`, which does not exist");
        }
        assert!(
            scenarios.iter().any(|scenario| scenario.proves.contains(code)),
            "no scenario proves {code}"
        );
    }
}

#[test]
fn every_scenario_proves_requirements_that_exist() {
    for scenario in suite() {
        assert!(!scenario.proves.is_empty(), "{} proves nothing", scenario.id);
        for code in &scenario.proves {
            assert!(
                requirement::find(code).is_some(),
                "{} proves {code}, which does not exist",
                scenario.id
            );
        }
    }
}
