//! `fallproof doctor`.

use std::time::Duration;

use anstream::{eprintln, println};
use clap::Args;
use fallproof::drive::Rig;
use owo_colors::OwoColorize as _;

use super::gateway::Gateway;
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
        let (mut wired, mut ill) = (0, 0);
        for part in &whole.parts {
            runtime.block_on(async {
                let rig = Rig::start(&part.scenarios, &part.target, PATIENCE).await?;
                for scenario in &part.scenarios {
                    match rig.diagnose(scenario).await {
                        None => wired += 1,
                        Some(unclear) => {
                            ill += 1;
                            let reason = unclear.reason;
                            println!("{} {}\n  {reason}", "not wired".red().bold(), scenario.id);
                        }
                    }
                }
                if let Some(process) = rig.release() {
                    process.stop(std::future::pending()).await;
                }
                Ok::<_, Stop>(())
            })?;
        }
        let left_out = whole.left_out.len();
        eprintln!("{wired} scenarios wired, {ill} not, {left_out} not for this gateway");
        if ill == 0 { Ok(()) } else { Err(Stop::NotConformant) }
    }
}
