//! `fallproof run`: runs scenarios against a target and reports the verdict.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, Parser as _};
use fallproof_reference::{REFERENCE_CLIENT_KEY, ReferenceTarget};
use fallproof_report::evidence_file::EvidenceFile;
use fallproof_report::hints::Hints;
use fallproof_report::model;
use fallproof_report::progress::Progress;
use fallproof_report::record::Recorder;
use fallproof_runner::interrupt::Interrupt;
use fallproof_runner::{Batches, RunPlan, shell};
use fallproof_suite::record::{Header, Mask, SuiteFacts};
use fallproof_suite::scenario::Scenario;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use tokio::runtime::Runtime;

use super::gateway::{Gateway, hide};
use super::judging::Judging;
use super::key::Key;
use super::output::Output;
use super::print::eprintln;
use super::{Cli, Command, Selected, Selection, Stop, interrupt, jobs, runtime, saboteur};

/// Number of scenarios that run in parallel against the reference router.
const SIDE_BY_SIDE: usize = 64;

/// Default timeout of a client's call, in seconds.
const DEFAULT_TIMEOUT: &str = "60";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof run                                     all scenarios, against the reference router
  fallproof run --adapter litellm --launch --quick  without waits for a real clock
  fallproof run 'responses*/**' --adapter litellm --launch --report out
  fallproof run --target http://127.0.0.1:4000/v1
  fallproof run --adapter ./gateway.yaml --launch --baseline known.yaml
  fallproof run responses-compact --saboteur invented-metadata")]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Run at most this many scenarios in parallel
    ///
    /// [default: what the adapter allows; 1 against a gateway without an adapter, 64 against the
    /// reference router]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// Timeout of each client call, in seconds
    #[arg(long, value_name = "SECONDS", default_value = DEFAULT_TIMEOUT, value_parser = seconds)]
    timeout: Duration,
    /// Run against this saboteur: the reference router, broken on purpose
    ///
    /// `fallproof list saboteurs` shows the names.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "adapter"])]
    saboteur: Option<String>,
    /// Run the scenarios in random order; the same SEED gives the same order
    ///
    /// [default seed: random; it is printed]
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "not asked for, asked for, and with a seed")]
    shuffle: Option<Option<u64>>,
    #[command(flatten)]
    pub(super) gateway: Gateway,
    #[command(flatten)]
    output: Output,
}

impl Run {
    /// Parses a command from a report, which runs a scenario again; `None` if it is another one.
    pub(super) fn of_replay(command: &str) -> Option<Self> {
        match Cli::try_parse_from(Key::filled_in(shell::words(command)?)).ok()?.command {
            Command::Run(run) => Some(run),
            _ => None,
        }
    }

    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { suite, scenarios } = self.selected()?;
        let baseline = self.output.known(&suite)?;
        let run = self.planned(&scenarios)?;
        let runtime = runtime()?;
        // Check this before `open` removes an earlier report, so that the report is kept if the
        // gateway cannot be reached.
        self.gateway.is_there(&runtime)?;
        // Listen before `open` removes an earlier report, so that a run that is interrupted after
        // that still writes a new report.
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
        output.reporters.insert(0, Box::new(Progress::new()));
        output.hints = self.hints();
        let reporters = output.reporters();
        let recorder = Recorder {
            redactor: hide(&scenarios, self.client_key()),
            header: &header,
            reporters: &reporters,
            writes_hars: output.dir.is_some(),
        };
        recorder.run_started(scenarios.len());
        let cases = self.play(&run, &recorder, &runtime, &interrupt, clock)?;
        output.finish(&chosen, cases, SystemTime::now(), &recorder, &run.log())
    }

    /// The facts about the run as a whole, for the evidence file and the reports.
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
            gateway_key: self.client_key().to_owned(),
            capabilities: target.unwrap_or_default(),
        }
    }

    /// The selected scenarios. Loads the whole suite if an output needs it.
    fn selected(&self) -> Result<Selected, Stop> {
        let whole = self.output.is_kept();
        let selected = if whole { self.selection.load() } else { self.selection.chosen() }?;
        self.selection.quick(selected, !self.gateway.is_named())
    }

    /// The hints that a run against a gateway may need.
    fn hints(&self) -> Option<Hints> {
        let is_declared = self.gateway.has_adapter();
        let one_at_a_time = self.jobs.is_none() && !is_declared;
        self.gateway.is_named().then_some(Hints { one_at_a_time, is_declared })
    }

    /// The key that the target expects of clients. The reference router always has the same one.
    fn client_key(&self) -> &str {
        if self.gateway.is_named() { self.gateway.key() } else { REFERENCE_CLIENT_KEY }
    }

    /// Plans which scenarios run against which target, and in which order.
    fn planned<'a>(&self, scenarios: &'a [Scenario]) -> Result<RunPlan<'a>, Stop> {
        let mut run = match self.gateway.plan(scenarios)? {
            Some(run) => run,
            None => self.reference(scenarios)?,
        };
        run.side_by_side(self.jobs);
        self.put_in_order(&mut run);
        Ok(run)
    }

    /// Runs all batches. Cases that an interrupt left unfinished are missing from the result.
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

    /// Plans a run of all scenarios against the reference router.
    fn reference<'a>(&self, scenarios: &'a [Scenario]) -> Result<RunPlan<'a>, Stop> {
        let saboteur = self.saboteur.as_deref().map(saboteur::find).transpose()?;
        let target = Box::new(ReferenceTarget { saboteur });
        Ok(RunPlan::at_once(target, scenarios, SIDE_BY_SIDE))
    }

    /// Sorts the scenarios by their longest wait, longest first, so that the run does not end with
    /// a wait for one of them. With `--shuffle`, puts them in random order.
    fn put_in_order(&self, run: &mut RunPlan<'_>) {
        let Some(seed) = self.shuffle else {
            for batch in &mut run.batches {
                batch.scenarios.sort_by_key(|scenario| Reverse(scenario.longest_wait()));
            }
            return;
        };
        let seed = seed.unwrap_or_else(|| rand::random::<u32>().into());
        eprintln!("random order, seed {seed}: --shuffle={seed} gives this order again");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for batch in &mut run.batches {
            batch.scenarios.shuffle(&mut rng);
        }
    }

    /// The command that runs one scenario again with the same options.
    fn replay(&self, scenario: &str) -> String {
        let mut words = vec!["fallproof run".to_owned(), scenario.to_owned()];
        words.extend(self.selection.folder_again());
        if seconds(DEFAULT_TIMEOUT) != Ok(self.timeout) {
            words.push(format!("--timeout {}", self.timeout.as_secs_f64()));
        }
        if let Some(saboteur) = &self.saboteur {
            words.push(format!("--saboteur {saboteur}"));
        }
        words.extend(self.gateway.again());
        words.join(" ")
    }
}

/// The current time, truncated to milliseconds: the precision with which it is printed and stored.
fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(since.as_secs())
        + Duration::from_millis(since.subsec_millis().into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    let some = seconds.filter(|seconds| !seconds.is_zero());
    some.ok_or_else(|| "expected a number of seconds greater than 0".to_owned())
}
