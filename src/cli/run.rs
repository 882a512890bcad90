//! `fallproof run`.

use std::cmp::Reverse;
use std::fs::File;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anstream::{eprintln, print, println};
use chrono::{DateTime, Utc};
use clap::Args;
use fallproof_reference::ReferenceTarget;
use fallproof_report::assemble::{self, About};
use fallproof_report::baseline::{self, Baseline};
use fallproof_report::events::Events;
use fallproof_report::folder::Folder;
use fallproof_report::model::{Case, Outcome, Report, Verdict};
use fallproof_report::progress::Progress;
use fallproof_report::raw::Raw;
use fallproof_report::record::{Listen, Recorder};
use fallproof_report::redact::Redactor;
use fallproof_report::{text, words};
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::scenario::Scenario;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;

use super::gateway::{Gateway, Kind, Part, Whole};
use super::interrupt::Interrupt;
use super::parts::Parts;
use super::{DEFAULT_UPSTREAMS, Selected, Selection, Stop, github, runtime, saboteur};

/// Scenarios that run side by side against the reference router.
const SIDE_BY_SIDE: usize = 64;

/// A target that is not wired is no wall of text.
const MOST_UNCLEAR: usize = 20;

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
        // What is kept tells how much of the whole suite was run.
        let is_kept =
            self.report.is_some() || self.baseline.is_some() || github::summary().is_some();
        let selected = if is_kept { self.selection.load() } else { self.selection.choose() };
        let Selected { suite, scenarios } = selected?;
        let baseline = self.baseline.as_deref().map(|file| Baseline::load(file, &suite));
        let baseline = baseline.transpose().map_err(|error| Stop::File(error.styled()))?;
        if let Some(file) = &self.write_baseline {
            can_be_written(file)?;
        }
        let mut whole = match self.gateway.split(&scenarios)? {
            Some(whole) => whole,
            None => self.reference(&scenarios)?,
        };
        whole.side_by_side(self.jobs);
        self.put_in_order(&mut whole);
        let mut folder =
            self.report.as_deref().map(Folder::take).transpose().map_err(Stop::usage)?;
        let (started, clock) = (SystemTime::now(), Instant::now());
        let runtime = runtime()?;
        let chosen: Vec<_> = scenarios.iter().collect();
        let described = self.gateway.described(&whole, &runtime);
        // Its keys are those of every part, wherever the upstreams listen.
        let plan = Plan::new(&scenarios, Addresses::stable(DEFAULT_UPSTREAMS));
        let redactor = Redactor::new(&plan, self.gateway.key());

        let events = folder.as_mut().map(|folder| {
            let file = folder.events();
            Events::begin(&file, &redactor, &described, &suite, started, chosen.len())
                .map_err(|error| Stop::Usage(format!("{}: {error}", file.display())))
        });
        let events = events.transpose()?;
        let is_watched = !whole.is_reference() && stderr().is_terminal();
        let progress = is_watched.then(|| Progress::new(chosen.len(), stderr()));
        let replay = |scenario: &Scenario| self.replay(&scenario.id);
        let raw = Raw::new(started, folder.is_some(), self.trace);
        let recorder = Recorder {
            redactor: &redactor,
            replay: &replay,
            raw: &raw,
            listeners: [
                events.as_ref().map(|events| events as &dyn Listen),
                progress.as_ref().map(|progress| progress as &dyn Listen),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let interrupt = Interrupt::listen(&runtime)?;
        let patience = self.patience;
        let parts = Parts { recorder, runtime: &runtime, interrupt: &interrupt, patience, clock };
        let mut cases = parts.run(&whole)?;
        drop(parts);
        if let Some(progress) = progress {
            progress.clear();
        }
        let place = |id: &str| chosen.iter().position(|scenario| scenario.id == id);
        cases.sort_by_cached_key(|case| place(&case.id));

        let today = DateTime::<Utc>::from(started).date_naive();
        if let Some(file) = &self.write_baseline {
            let written = baseline::write(&described.to_string(), &cases, today);
            write_baseline(file, &written, chosen.len() - judged(&cases))?;
        }
        let about = About {
            target: described,
            suite: &suite,
            chosen: &chosen,
            patterns: &self.selection.patterns,
            tags: &self.selection.tags,
            started,
            ended: SystemTime::now(),
            baseline: baseline.map(|baseline| baseline.apply(&mut cases, today)),
        };
        let report = redactor.clean(&assemble::report(about, cases));
        // What is kept is kept also where nothing can be printed.
        let log = redactor.text(&whole.log());
        let written = keep(folder, events, &report, &raw, &log).map_err(Stop::Harness)?;
        tell(&report, &raw);
        print!("{}", text::baseline(report.baseline.as_ref()));
        eprintln!("{} in {:.2} s", text::summary(&report.counts), clock.elapsed().as_secs_f64());
        for file in written {
            eprintln!("wrote {file}");
        }
        github::tell(&report);
        match report.verdict {
            Verdict::Conformant => Ok(()),
            Verdict::NotConformant => Err(Stop::NotConformant),
            Verdict::Interrupted => Err(Stop::Interrupted),
            Verdict::HarnessError => Err(Stop::Harness(words::headline(&report))),
        }
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

/// Whether a new file can be written there: to find that out when the run is over would lose it.
fn can_be_written(file: &Path) -> Result<(), Stop> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if file.exists() {
        Err(Stop::usage(format!("{} exists already", file.display())))
    } else if folder.is_some_and(|folder| !folder.is_dir()) {
        Err(Stop::usage(format!("{} is in no folder that there is", file.display())))
    } else {
        Ok(())
    }
}

/// Writes a file that is not there yet, and says so; so many cases are not in it that may fail.
fn write_baseline(
    file: &Path,
    (text, entries): &(String, usize),
    unjudged: usize,
) -> Result<(), Stop> {
    let written = File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Stop::Harness(format!("{}: {error}", file.display())))?;
    eprintln!("wrote {}: {}", file.display(), words::counted(*entries, "expected failure"));
    if unjudged > 0 {
        eprintln!("it says nothing of {}", words::counted(unjudged, "case"));
    }
    Ok(())
}

/// How many of the cases led to a verdict, or are not for this target.
fn judged(cases: &[Case]) -> usize {
    cases.iter().filter(|case| case.is_judged() || case.outcome == Outcome::Skipped).count()
}

/// Writes all that the folder of reports is to hold, if there is one, and tells what was written.
fn keep(
    folder: Option<Folder>,
    events: Option<Events<'_>>,
    report: &Report,
    raw: &Raw,
    log: &str,
) -> Result<Vec<String>, String> {
    let Some(mut folder) = folder else { return Ok(Vec::new()) };
    if let Some(events) = events {
        events.end(report).map_err(|error| format!("events.ndjson: {error}"))?;
    }
    folder.write_all(report, raw)?;
    folder.write_log(log)?;
    Ok(folder.written())
}

/// Prints each case that is worth it.
fn tell(report: &Report, raw: &Raw) {
    let mut unclear = 0;
    for case in &report.cases {
        let is_unclear = case.outcome == Outcome::Inconclusive;
        unclear += usize::from(is_unclear);
        if is_unclear && unclear > MOST_UNCLEAR {
            continue;
        }
        for told in [raw.trace(&case.id), text::case(case)] {
            if !told.is_empty() {
                println!("{told}");
            }
        }
    }
    if unclear > MOST_UNCLEAR {
        let more = words::counted(unclear - MOST_UNCLEAR, "more case");
        println!("INCONCLUSIVE in {more}, which --report tells\n");
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    let some = seconds.filter(|seconds| !seconds.is_zero());
    some.ok_or_else(|| "expected a number of seconds, more than none".to_owned())
}
