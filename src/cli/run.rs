//! `fallproof run`.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use anstream::eprintln;
use chrono::{DateTime, Utc};
use clap::Args;
use fallproof_reference::ReferenceTarget;
use fallproof_report::assemble::{self, About};
use fallproof_report::baseline::Baseline;
use fallproof_report::model::{self, Report, Verdict};
use fallproof_report::new_baseline::NewBaseline;
use fallproof_report::progress::Progress;
use fallproof_report::record::Recorder;
use fallproof_report::redact::Redactor;
use fallproof_report::report_dir::ReportDir;
use fallproof_report::reporter::{Reporter, Reporters};
use fallproof_report::terminal::Terminal;
use fallproof_report::words;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::record::SuiteFacts;
use fallproof_suite::scenario::{Scenario, Suite};
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use tokio::runtime::Runtime;

use super::gateway::{Gateway, Kind, Part, Whole};
use super::interrupt::Interrupt;
use super::parts::Parts;
use super::{DEFAULT_UPSTREAMS, Selected, Selection, Stop, github, runtime, saboteur};

/// Scenarios that run side by side against the reference router.
const SIDE_BY_SIDE: usize = 64;

/// How many seconds a client call waits unless said.
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
    patience: Duration,
    /// Run against the reference router broken on purpose (`fallproof saboteurs` lists them)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "adapter"])]
    saboteur: Option<String>,
    /// Failures that are known, in a YAML file: told, but they fail the run no more
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write each failure of this run into a new file for --baseline
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Begin the scenarios in an order of chance, which N tells; made up and printed unless said
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "not asked for, asked for, and with a seed")]
    shuffle: Option<Option<u64>>,
    /// Show every byte of each case, both ways, with times
    #[arg(long)]
    trace: bool,
    /// Write the reports into this folder: new, empty, or holding an earlier report, which goes
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

impl Run {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { suite, scenarios } = self.selected()?;
        let baseline = self.known(&suite)?;
        let new_baseline = self.write_baseline.as_deref().map(NewBaseline::at);
        let new_baseline = new_baseline.transpose().map_err(Stop::usage)?;
        let whole = self.whole(&scenarios)?;
        let dir = self.report.as_deref().map(ReportDir::take).transpose().map_err(Stop::usage)?;
        let (started, clock) = (SystemTime::now(), Instant::now());
        let runtime = runtime()?;
        let target = self.gateway.described(&whole, &runtime);
        let reporters = self.reporters(&whole, clock, new_baseline, dir)?;

        // Its keys are those of every part, wherever the upstreams listen.
        let plan = Plan::new(&scenarios, Addresses::stable(DEFAULT_UPSTREAMS));
        let recorder = Recorder {
            redactor: &Redactor::new(&plan, self.gateway.key()),
            replay: &|scenario: &Scenario| self.replay(&scenario.id),
            reporters: &reporters,
            keeps_hars: self.report.is_some(),
        };
        let chosen: Vec<_> = scenarios.iter().collect();
        let suite = SuiteFacts::new(&suite, &chosen);
        recorder.run_started(started, &target, &suite, scenarios.len());
        let mut cases = self.play(&whole, &recorder, &runtime, clock)?;

        let today = DateTime::<Utc>::from(started).date_naive();
        let about = About {
            target,
            suite: &suite,
            chosen: &chosen,
            patterns: &self.selection.patterns,
            tags: &self.selection.tags,
            started,
            ended: SystemTime::now(),
            baseline: baseline.map(|baseline| baseline.apply(&mut cases, today)),
        };
        let report = assemble::report(about, cases);
        let report = recorder.run_ended(report, &whole.log());
        ended(&report.map_err(Stop::harness)?)
    }

    /// The scenarios, and as much of the suite as is told of.
    fn selected(&self) -> Result<Selected, Stop> {
        // What is kept tells how much of the whole suite was run.
        let is_kept =
            self.report.is_some() || self.baseline.is_some() || github::summary().is_some();
        if is_kept { self.selection.load() } else { self.selection.choose() }
    }

    /// The failures that are known.
    fn known(&self, suite: &Suite) -> Result<Option<Baseline>, Stop> {
        let baseline = self.baseline.as_deref().map(|file| Baseline::load(file, suite));
        baseline.transpose().map_err(|error| Stop::File(error.styled()))
    }

    /// What is run against which target, in which order.
    fn whole<'a>(&self, scenarios: &'a [Scenario]) -> Result<Whole<'a>, Stop> {
        let mut whole = match self.gateway.split(scenarios)? {
            Some(whole) => whole,
            None => self.reference(scenarios)?,
        };
        whole.side_by_side(self.jobs);
        self.put_in_order(&mut whole);
        Ok(whole)
    }

    /// Who is told of the run, in this order.
    fn reporters(
        &self,
        whole: &Whole<'_>,
        clock: Instant,
        new_baseline: Option<NewBaseline>,
        dir: Option<ReportDir>,
    ) -> Result<Reporters, Stop> {
        let mut all: Vec<Box<dyn Reporter>> = Vec::new();
        if !whole.is_reference() {
            all.push(Box::new(Progress::new()));
        }
        if let Some(new_baseline) = new_baseline {
            all.push(Box::new(new_baseline));
        }
        // What is kept is kept also where nothing can be printed.
        if let Some(dir) = &dir {
            all.extend(dir.reporters().map_err(Stop::usage)?);
        }
        all.push(Box::new(Terminal::new(clock, self.trace, dir)));
        all.extend(github::reporters());
        Ok(Reporters::new(all))
    }

    /// Runs everything; cases that had not ended when the user broke it off are missing.
    fn play(
        &self,
        whole: &Whole<'_>,
        recorder: &Recorder<'_>,
        runtime: &Runtime,
        clock: Instant,
    ) -> Result<Vec<model::Case>, Stop> {
        let interrupt = &Interrupt::listen(runtime)?;
        let (recorder, patience) = (recorder.clone(), self.patience);
        Parts { recorder, runtime, interrupt, patience, clock }.run(whole)
    }

    /// Everything against the reference router.
    fn reference<'a>(&self, scenarios: &'a [Scenario]) -> Result<Whole<'a>, Stop> {
        let saboteur = self.saboteur.as_deref().map(saboteur::find).transpose()?;
        let part = Part {
            target: Box::new(ReferenceTarget { saboteur }),
            launched: None,
            scenarios: scenarios.iter().collect(),
            jobs: SIDE_BY_SIDE,
            heading: String::new(),
        };
        Ok(Whole { parts: vec![part], left_out: Vec::new(), kind: Kind::Reference(saboteur) })
    }

    /// Those that wait longest begin first, so that nobody waits for them in the end; or by chance.
    fn put_in_order(&self, whole: &mut Whole<'_>) {
        let Some(seed) = self.shuffle else {
            for part in &mut whole.parts {
                part.scenarios.sort_by_key(|scenario| Reverse(scenario.longest_wait()));
            }
            return;
        };
        let seed = seed.unwrap_or_else(|| rand::random::<u32>().into());
        eprintln!("shuffled by {seed}: --shuffle={seed} gives this order again");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for part in &mut whole.parts {
            part.scenarios.shuffle(&mut rng);
        }
    }

    /// The command that runs one scenario again in the same way.
    fn replay(&self, scenario: &str) -> String {
        let mut words = vec!["fallproof run".to_owned(), scenario.to_owned()];
        words.extend(self.selection.folder_again());
        if seconds(DEFAULT_PATIENCE) != Ok(self.patience) {
            words.push(format!("--patience {}", self.patience.as_secs_f64()));
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

/// How a run ends that found this.
fn ended(report: &Report) -> Result<(), Stop> {
    match report.verdict {
        Verdict::Conformant => Ok(()),
        Verdict::NotConformant => Err(Stop::NotConformant),
        Verdict::Interrupted => Err(Stop::Interrupted),
        Verdict::HarnessError => Err(Stop::Harness(words::headline(report))),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    let some = seconds.filter(|seconds| !seconds.is_zero());
    some.ok_or_else(|| "expected a number of seconds, more than none".to_owned())
}
