//! `fallproof probe`: drafts the capabilities of a gateway.

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use fallproof::probe::{self, Difference, Item};
use fallproof_judge::Case;
use fallproof_runner::Runner;
use fallproof_runner::interrupt::unless;
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::scenario::Scenario;

use super::gateway::Gateway;
use super::print::{eprintln, print, println};
use super::{Stop, interrupt, jobs, runtime};

/// Timeout of each call.
const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct Probe {
    /// Ask at most this many questions in parallel
    ///
    /// [default: what the adapter allows; 1 without an adapter]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// Write the draft into a new file [default: print it]
    ///
    /// If the adapter already declares capabilities, only the differences are printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    gateway: Gateway,
}

impl Probe {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let questions = probe::questions().map_err(|error| Stop::Harness(error.to_string()))?;
        let Some(mut plan) = self.gateway.plan(&questions)? else {
            return Err(Stop::usage(
                "probe needs a gateway: --target URL, or --adapter NAME --launch",
            ));
        };
        plan.side_by_side(self.jobs);
        let runtime = runtime()?;
        let interrupt = interrupt::listen(&runtime)?;
        let mut answers = Vec::new();
        for batch in &plan.batches {
            let runner = Runner::start(&batch.scenarios, &*batch.target, TIMEOUT);
            let runner =
                runtime.block_on(unless(&interrupt.stop, runner)).ok_or(Stop::Interrupted)??;
            let (asked, stop) = (&batch.scenarios, &interrupt.stop);
            let cases = runner.run_observed(runtime.handle(), asked, batch.jobs, &(), stop);
            let judged = |it: &Scenario, seen| Case::new(it, runner.facts(it), seen);
            let answered =
                asked.iter().zip(cases).filter_map(|(it, seen)| Some((*it, judged(it, seen?))));
            answers.extend(answered);
            runtime.block_on(runner.stop(&interrupt));
        }
        if interrupt.is_asked() {
            return Err(Stop::Interrupted);
        }
        let unseen = |(_, case): &(_, Case)| {
            case.evidence.calls().iter().all(|step| step.requests.is_empty())
        };
        if answers.iter().all(unseen) {
            return Err(Stop::usage(
                "the target cannot be probed: no question reached a mock deployment; \
                 `fallproof doctor` shows why",
            ));
        }
        let draft = probe::draft(answers.iter().map(|(scenario, case)| (*scenario, case)));
        let text = probe::yaml(&draft);
        let adapter = plan.batches.first().and_then(|batch| batch.target.adapter());
        let declared = adapter.map(|adapter| &adapter.capabilities);
        let is_filled = declared.is_some_and(|it| *it != Capabilities::default());
        match &self.out {
            None if is_filled => eprintln!("--out FILE writes the whole draft"),
            None => print!("{text}"),
            Some(file) => {
                let written =
                    File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
                written.map_err(|error| Stop::usage(format!("{}: {error}", file.display())))?;
                println!("{}", file.display());
            }
        }
        eprintln!("{} questions asked, {} left out", answers.len(), plan.left_out.len());
        if let Some(declared) = declared {
            // The probe has no questions for some items, and skips questions about unsupported
            // features. So a declared item that was not detected may not have been tested.
            let all = probe::differences(declared, &draft.capabilities);
            let is_asked = |difference: &&Difference| {
                difference.is_new || matches!(difference.item, Item::FallsBackOn(_))
            };
            let (differences, unseen): (Vec<_>, Vec<_>) = all.iter().partition(is_asked);
            eprintln!("{} differences from the capabilities in the adapter", differences.len());
            for difference in differences {
                eprintln!("  {difference}");
            }
            if !unseen.is_empty() {
                let unseen: Vec<_> = unseen.iter().map(|it| it.item.to_string()).collect();
                eprintln!(
                    "declared in the adapter, but not tested by the probe: {}",
                    unseen.join("; ")
                );
            }
        }
        Ok(())
    }
}
