//! Properties over generated cases: whatever holds in the suite holds for all of them, and the model
//! of the router agrees with what happened.
//!
//! The budget is fixed, and so is the seed unless `FALLPROOF_SEED` gives another. A case that fails
//! is printed when it is as small as it gets, and its seed is kept in
//! `proptest-regressions/properties.txt`, to be tried first from then on.

use std::time::Duration;

use fallproof::check::Verdict;
use fallproof::drive::{Rig, Target};
use fallproof::fuzz::draft::Draft;
use fallproof::fuzz::draw::Scope;
use fallproof::fuzz::model;
use fallproof::fuzz::strategy::Drafts;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};
use tokio::runtime::Runtime;

/// How many cases each run tries.
const CASES: u32 = 200;

fn seed() -> u64 {
    let given = std::env::var("FALLPROOF_SEED").ok();
    given.map_or(6, |seed| seed.parse().expect("FALLPROOF_SEED is a whole number"))
}

/// Plays a case against the reference router. The error says what was found.
fn play(runtime: &Runtime, draft: &Draft) -> Result<(), TestCaseError> {
    let scenario = draft.scenario("fuzz/case", model::expect(draft));
    let case = runtime.block_on(async {
        let target = Target::Reference(None);
        let rig = Rig::start(&[&scenario], &target, Duration::from_secs(60)).await;
        rig.expect("the rig listens on ports that the system chooses").run(&scenario).await
    });
    let found = case.findings.iter().filter(|finding| finding.verdict > Verdict::Note);
    let found: Vec<_> = found.map(|it| (it.requirement, it.message.as_str())).collect();
    if found.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{found:#?}"))) }
}

#[test]
fn the_reference_router_keeps_every_requirement_in_every_generated_case() {
    let runtime = Runtime::new().expect("a runtime can be had");
    let seed = seed();
    println!("{CASES} cases of seed {seed}; FALLPROOF_SEED gives another");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt");
    let config = Config {
        cases: CASES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        ..Config::default()
    };
    // What hangs would cost real seconds.
    let drafts = Drafts(Scope { slow: 0, ..Scope::default() });
    TestRunner::new_with_rng(config, rng)
        .run(&drafts, |draft| play(&runtime, &draft))
        .unwrap_or_else(|error| panic!("{error}"));
}
