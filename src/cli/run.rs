//! `fallproof run`.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use anstream::eprintln;
use clap::Args;
use fallproof_reference::ReferenceTarget;
use fallproof_report::evidence_file::EvidenceFile;
use fallproof_report::model;
use fallproof_report::progress::Progress;
use fallproof_report::record::Recorder;
use fallproof_report::redact::Redactor;
use fallproof_runner::interrupt::Interrupt;
use fallproof_runner::{Batches, RunPlan};
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::record::{Header, Mask, SuiteFacts};
use fallproof_suite::scenario::Scenario;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use tokio::runtime::Runtime;

use super::gateway::Gateway;
use super::judging::Judging;
use super::output::Output;
use super::{DEFAULT_MOCKS, Selected, Selection, Stop, interrupt, runtime, saboteur};

/// Scenarios that run side by side against the reference router.
const SIDE_BY_SIDE: usize = 64;

/// How many seconds a client call waits by default.
const DEFAULT_PATIENCE: &str = "60";

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    gateway: Gateway,
    #[arg(long, value_name = "NUMBER", help = jobs_help())]
    jobs: Option<NonZeroUsize>,
    /// How many seconds a client call waits for its answer
    #[arg(long, value_name = "SECONDS", default_value = DEFAULT_PATIENCE, value_parser = seconds)]
    timeout: Duration,
    /// Run against the reference router broken on purpose (`fallproof saboteurs` lists them)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "adapter"])]
    saboteur: Option<String>,
    /// Begin the scenarios in an order of chance, which N tells; made up and printed by default
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "not asked for, asked for, and with a seed")]
    shuffle: Option<Option<u64>>,
    #[command(flatten)]
    output: Output,
}

impl Run {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { suite, scenarios } = self.selected()?;
        let baseline = self.output.known(&suite)?;
        let run = self.planned(&scenarios)?;
        let runtime = runtime()?;
        // Before the folder of reports is taken, in which there may be an earlier one.
        self.gateway.is_there(&runtime)?;
        // Before the folder of reports is taken, so that whoever ends the run finds a report there.
        let interrupt = interrupt::listen(&runtime)?;
        let mut output = self.output.open(baseline)?;
        let (started, clock) = (now(), Instant::now());
        let chosen: Vec<_> = scenarios.iter().collect();
        let header = self.header(&run, SuiteFacts::new(&suite, &chosen), started, &runtime);
        if let Some(dir) = &output.dir {
            let mask = Mask::new(self.gateway.own_key());
            let file = EvidenceFile::create(dir.evidence(), &header, &chosen, mask);
            output.reporters.push(Box::new(file.map_err(Stop::usage)?));
        }
        if self.gateway.is_named() {
            output.reporters.insert(0, Box::new(Progress::new()));
        }
        let reporters = output.reporters(clock);

        // Its keys are those of every part, wherever the deployments listen.
        let plan = Plan::new(&scenarios, Addresses::stable(DEFAULT_MOCKS));
        let recorder = Recorder {
            redactor: &Redactor::new(&plan, self.gateway.key()),
            header: &header,
            reporters: &reporters,
            writes_hars: output.dir.is_some(),
        };
        recorder.run_started(scenarios.len());
        let cases = self.play(&run, &recorder, &runtime, &interrupt, clock)?;
        output.finish(&chosen, cases, SystemTime::now(), &recorder, &run.log())
    }

    /// What holds for the run as a whole.
    fn header(
        &self,
        run: &RunPlan<'_>,
        suite: SuiteFacts,
        started: SystemTime,
        runtime: &Runtime,
    ) -> Header {
        let target = run.batches.first().map(|batch| batch.target.capabilities().into_owned());
        Header {
            fallproof: env!("CARGO_PKG_VERSION").to_owned(),
            target: runtime.block_on(run.identity()),
            suite,
            patterns: self.selection.patterns.clone(),
            tags: self.selection.tags.clone(),
            started,
            replay: self.replay(Header::SCENARIO),
            gateway_key: self.gateway.key().to_owned(),
            capabilities: target.unwrap_or_default(),
        }
    }

    /// The scenarios, and as much of the suite as is told of.
    fn selected(&self) -> Result<Selected, Stop> {
        if self.output.is_kept() { self.selection.load() } else { self.selection.choose() }
    }

    /// What is run against which target, in which order.
    fn planned<'a>(&self, scenarios: &'a [Scenario]) -> Result<RunPlan<'a>, Stop> {
        let mut run = match self.gateway.plan(scenarios)? {
            Some(run) => run,
            None => self.reference(scenarios)?,
        };
        run.side_by_side(self.jobs);
        self.put_in_order(&mut run);
        Ok(run)
    }

    /// Runs everything; cases that had not ended when the user broke it off are missing.
    fn play(
        &self,
        run: &RunPlan<'_>,
        recorder: &Recorder<'_>,
        runtime: &Runtime,
        interrupt: &Interrupt,
        clock: Instant,
    ) -> Result<Vec<model::Case>, Stop> {
        let (runtime, observer, timeout) = (runtime.handle(), &Judging(recorder), self.timeout);
        Ok(Batches { runtime, interrupt, observer, timeout, clock }.run(run)?)
    }

    /// Everything against the reference router.
    fn reference<'a>(&self, scenarios: &'a [Scenario]) -> Result<RunPlan<'a>, Stop> {
        let saboteur = self.saboteur.as_deref().map(saboteur::find).transpose()?;
        let target = Box::new(ReferenceTarget { saboteur });
        Ok(RunPlan::at_once(target, scenarios, SIDE_BY_SIDE))
    }

    /// Those that wait longest begin first, so that nobody waits for them in the end; or by chance.
    fn put_in_order(&self, run: &mut RunPlan<'_>) {
        let Some(seed) = self.shuffle else {
            for batch in &mut run.batches {
                batch.scenarios.sort_by_key(|scenario| Reverse(scenario.longest_wait()));
            }
            return;
        };
        let seed = seed.unwrap_or_else(|| rand::random::<u32>().into());
        eprintln!("shuffled by {seed}: --shuffle={seed} gives this order again");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for batch in &mut run.batches {
            batch.scenarios.shuffle(&mut rng);
        }
    }

    /// The command that runs one scenario again in the same way.
    fn replay(&self, scenario: &str) -> String {
        let mut words = vec!["fallproof run".to_owned(), scenario.to_owned()];
        words.extend(self.selection.folder_again());
        if seconds(DEFAULT_PATIENCE) != Ok(self.timeout) {
            words.push(format!("--timeout {}", self.timeout.as_secs_f64()));
        }
        if let Some(saboteur) = &self.saboteur {
            words.push(format!("--saboteur {saboteur}"));
        }
        words.extend(self.gateway.again());
        words.join(" ")
    }
}

fn jobs_help() -> String {
    format!(
        "How many scenarios run side by side, instead of what the adapter allows; {SIDE_BY_SIDE} \
         against the reference router, 1 against a gateway without an adapter"
    )
}

/// To the millisecond, as it is told and kept.
fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(since.as_secs())
        + Duration::from_millis(since.subsec_millis().into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    let some = seconds.filter(|seconds| !seconds.is_zero());
    some.ok_or_else(|| "expected a number of seconds, more than none".to_owned())
}
