//! Benchmarks of loading the suite and running a part of it: `cargo bench --bench suite`.

use std::path::Path;
use std::time::Duration;

use fallproof_judge::judge_case;
use fallproof_reference::ReferenceTarget;
use fallproof_runner::Runner;
use fallproof_suite::scenario::{Scenario, Suite};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

fn suite() -> Suite {
    Suite::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Reads the files and expands all cases.
#[divan::bench(sample_count = 20)]
fn load_suite() -> usize {
    suite().scenarios.len()
}

/// Runs and judges 100 cases that do not wait for a clock, eight in parallel.
#[divan::bench(sample_count = 20)]
fn run_100_cases(bencher: divan::Bencher<'_, '_>) {
    let suite = suite();
    let quick = |scenario: &&Scenario| scenario.longest_wait().is_none();
    let cases: Vec<_> = suite.scenarios.iter().filter(quick).step_by(7).take(100).collect();
    assert_eq!(cases.len(), 100);
    let runtime = Runtime::new().expect("a runtime");
    bencher.bench_local(|| {
        let target = ReferenceTarget::default();
        let runner = runtime
            .block_on(Runner::start(&cases, &target, Duration::from_secs(60)))
            .expect("the runner starts");
        let evidence = runner.run_all(runtime.handle(), &cases, 8);
        let judged = cases.iter().zip(&evidence);
        judged
            .map(|(case, seen)| judge_case(case, runner.facts(case), seen).violations.len())
            .sum::<usize>()
    });
}
