//! Runs a folder of the suite from Rust and prints each violation:
//!
//! ```text
//! cargo run --example run_suite -- responses-compact invented-metadata
//! ```
//!
//! The first argument names a folder of `scenarios/`. The second one names a saboteur; without a
//! second argument, the target is the reference router.

use std::env;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use fallproof_judge::judge_case;
use fallproof_reference::{ReferenceTarget, saboteur};
use fallproof_runner::Runner;
use fallproof_suite::scenario::{Scenario, Suite};
use tokio::runtime::Runtime;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "responses-compact".to_owned());
    let saboteur = arguments.next().map(|name| saboteur::find(&name).ok_or("no such saboteur"));

    // 1. Load the scenarios.
    let suite = Suite::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))?;
    let is_chosen = |it: &&Scenario| it.id.starts_with(&format!("{folder}/"));
    let scenarios: Vec<_> = suite.scenarios.iter().filter(is_chosen).collect();

    // 2. Start the mock providers and the target, and run the scenarios: this yields evidence.
    let target = match saboteur.transpose()? {
        Some(saboteur) => ReferenceTarget { saboteur: Some(saboteur) },
        None => ReferenceTarget::default(),
    };
    let runtime = Runtime::new()?;
    let runner = runtime.block_on(Runner::start(&scenarios, &target, Duration::from_secs(60)))?;
    let evidence = runner.run_all(runtime.handle(), &scenarios, 8);

    // 3. Judge the evidence: a pure function.
    for (scenario, evidence) in scenarios.iter().zip(&evidence) {
        let judgment = judge_case(scenario, runner.facts(scenario), evidence);
        println!("{}: {:?}", scenario.id, judgment.outcome);
        for violation in &judgment.violations {
            println!("  {violation}");
        }
    }
    Ok(())
}
