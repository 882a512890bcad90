//! `fallproof doctor`: checks that a gateway reaches the mock deployments.

use std::time::Duration;

use clap::Args;
use fallproof_report::model::Target;
use fallproof_runner::interrupt::{Interrupt, unless};
use fallproof_runner::{Batch, Runner};
use owo_colors::OwoColorize as _;

use super::gateway::Gateway;
use super::print::{eprintln, println};
use super::{Selected, Selection, Stop, interrupt, runtime};

/// Timeout of each call.
const TIMEOUT: Duration = Duration::from_secs(20);

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
            return Err(Stop::usage(
                "doctor needs a gateway: --target URL, or --adapter NAME --launch",
            ));
        };
        let runtime = runtime()?;
        let interrupt = interrupt::listen(&runtime)?;
        let mut unreachable = 0;
        for batch in &plan.batches {
            unreachable += runtime.block_on(unreachable_in(batch, &interrupt))?;
        }
        let reachable =
            plan.batches.iter().map(|batch| batch.scenarios.len()).sum::<usize>() - unreachable;
        let left_out = plan.left_out.len();
        let target = Target::from(runtime.block_on(plan.identity()));
        eprintln!(
            "{target}: {reachable} scenarios reachable, {unreachable} unreachable, {left_out} not applicable"
        );
        if unreachable == 0 { Ok(()) } else { Err(Stop::NotConformant) }
    }
}

/// Prints the scenarios of a batch whose mock deployments the gateway does not reach. Returns their
/// number.
async fn unreachable_in(batch: &Batch<'_>, interrupt: &Interrupt) -> Result<usize, Stop> {
    let runner = Runner::start(&batch.scenarios, &*batch.target, TIMEOUT);
    let runner = unless(&interrupt.stop, runner).await.ok_or(Stop::Interrupted)??;
    let diagnoses = async {
        let mut unreachable = 0;
        for scenario in &batch.scenarios {
            if let Some(unclear) = runner.diagnose(scenario).await {
                unreachable += 1;
                println!("{} {}\n  {unclear}", "unreachable".red().bold(), scenario.id);
            }
        }
        unreachable
    };
    let unreachable = unless(&interrupt.stop, diagnoses).await;
    runner.stop(interrupt).await;
    unreachable.ok_or(Stop::Interrupted)
}
