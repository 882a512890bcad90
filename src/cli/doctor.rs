//! `fallproof doctor`.

use std::time::Duration;

use anstream::{eprintln, println};
use clap::Args;
use fallproof_runner::interrupt::{Interrupt, unless};
use fallproof_runner::{Batch, Runner};
use owo_colors::OwoColorize as _;

use super::gateway::Gateway;
use super::{Selected, Selection, Stop, interrupt, runtime};

/// How long a plain call waits for its answer.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    gateway: Gateway,
}

impl Doctor {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { scenarios, .. } = self.selection.choose()?;
        let Some(plan) = self.gateway.plan(&scenarios)? else {
            return Err(Stop::usage("a doctor needs a gateway: --target URL, or --adapter NAME"));
        };
        let runtime = runtime()?;
        let interrupt = interrupt::listen(&runtime)?;
        let mut ill = 0;
        for batch in &plan.batches {
            ill += runtime.block_on(ill_of(batch, &interrupt))?;
        }
        let wired = plan.batches.iter().map(|batch| batch.scenarios.len()).sum::<usize>() - ill;
        let left_out = plan.left_out.len();
        eprintln!("{wired} scenarios wired, {ill} not, {left_out} not for this gateway");
        if ill == 0 { Ok(()) } else { Err(Stop::NotConformant) }
    }
}

/// Tells of each scenario of a batch that is not wired, and how many these are.
async fn ill_of(batch: &Batch<'_>, interrupt: &Interrupt) -> Result<usize, Stop> {
    let runner = Runner::start(&batch.scenarios, &*batch.target, PATIENCE);
    let runner = unless(&interrupt.stop, runner).await.ok_or(Stop::Interrupted)??;
    let diagnoses = async {
        let mut ill = 0;
        for scenario in &batch.scenarios {
            if let Some(unclear) = runner.diagnose(scenario).await {
                ill += 1;
                println!("{} {}\n  {unclear}", "not wired".red().bold(), scenario.id);
            }
        }
        ill
    };
    let ill = unless(&interrupt.stop, diagnoses).await;
    runner.stop(interrupt).await;
    ill.ok_or(Stop::Interrupted)
}
