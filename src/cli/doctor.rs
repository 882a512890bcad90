//! `fallproof doctor`.

use std::time::Duration;

use anstream::{eprintln, println};
use clap::Args;
use fallproof_runner::drive::Rig;
use owo_colors::OwoColorize as _;

use super::gateway::{Gateway, Part};
use super::interrupt::{Interrupt, unless};
use super::{Selected, Selection, Stop, runtime};

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
        let Some(whole) = self.gateway.split(&scenarios)? else {
            return Err(Stop::usage("a doctor needs a gateway: --target URL, or --adapter NAME"));
        };
        let runtime = runtime()?;
        let interrupt = Interrupt::listen(&runtime)?;
        let mut ill = 0;
        for part in &whole.parts {
            ill += runtime.block_on(ill_of(part, &interrupt))?;
        }
        let wired = whole.parts.iter().map(|part| part.scenarios.len()).sum::<usize>() - ill;
        let left_out = whole.left_out.len();
        eprintln!("{wired} scenarios wired, {ill} not, {left_out} not for this gateway");
        if ill == 0 { Ok(()) } else { Err(Stop::NotConformant) }
    }
}

/// Tells of each scenario of a part that is not wired, and how many these are.
async fn ill_of(part: &Part<'_>, interrupt: &Interrupt) -> Result<usize, Stop> {
    let rig = Rig::start(&part.scenarios, &*part.target, PATIENCE);
    let rig = unless(&interrupt.stop, rig).await.ok_or(Stop::Interrupted)??;
    let diagnoses = async {
        let mut ill = 0;
        for scenario in &part.scenarios {
            if let Some(unclear) = rig.diagnose(scenario).await {
                ill += 1;
                println!("{} {}\n  {unclear}", "not wired".red().bold(), scenario.id);
            }
        }
        ill
    };
    let ill = unless(&interrupt.stop, diagnoses).await;
    interrupt.end(rig.release()).await;
    ill.ok_or(Stop::Interrupted)
}
