//! `fallproof run`.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anstream::{eprintln, print, println};
use chrono::{DateTime, Utc};
use clap::Args;
use fallproof::baseline::{self, Baseline};
use fallproof::client::BaseUrl;
use fallproof::drive::{Rig, Target};
use fallproof::report::assemble::{self, About};
use fallproof::report::events::Events;
use fallproof::report::folder::Folder;
use fallproof::report::model::{self, Verdict};
use fallproof::report::progress::Progress;
use fallproof::report::record::{Listen, Recorder};
use fallproof::report::redact::Redactor;
use fallproof::report::{text, words};
use fallproof::saboteur;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{INTERRUPTED, Selected, Selection, Stop, interrupted, runtime};

/// Scenarios that run side by side against the reference router. An external gateway gets one at a
/// time.
const SIDE_BY_SIDE: usize = 8;

/// How many seconds a client call waits unless said.
const DEFAULT_PATIENCE: &str = "60";

/// The client's key unless said.
const DEFAULT_KEY: &str = "sk-fallproof-client";

/// Where the client's key can stand, so that it is in no command line.
const KEY_VARIABLE: &str = "FALLPROOF_KEY";

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    selection: Selection,
    /// A gateway's base URL, e.g. `http://127.0.0.1:4000/v1`; the reference router unless said
    #[arg(long, value_name = "URL", requires = "upstreams")]
    target: Option<String>,
    /// What reports call the gateway, e.g. `LiteLLM`
    #[arg(long, value_name = "NAME", requires = "target")]
    target_name: Option<String>,
    /// Its version, for the reports
    #[arg(long, value_name = "VERSION", requires = "target")]
    target_version: Option<String>,
    /// The key that the gateway wants from its clients
    #[arg(
        long,
        value_name = "KEY",
        env = KEY_VARIABLE,
        hide_env_values = true,
        default_value = DEFAULT_KEY
    )]
    key: String,
    /// Where the gateway expects the upstreams, as `fallproof plan --upstreams` printed them
    #[arg(long, value_name = "ADDR", requires = "target")]
    upstreams: Option<SocketAddr>,
    /// How many seconds a client call waits for its answer
    #[arg(long, value_name = "SECONDS", default_value = DEFAULT_PATIENCE, value_parser = seconds)]
    patience: Duration,
    /// Run against the reference router broken on purpose (`fallproof saboteurs` lists them)
    #[arg(long, value_name = "NAME", conflicts_with = "target")]
    saboteur: Option<String>,
    /// Failures that are known, in a YAML file: told, but they fail the run no more
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write each failure of this run into a new file for --baseline
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Write the reports into this folder: new, empty, or holding an earlier report, which goes
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

impl Run {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { suite, scenarios } = self.selection.load()?;
        let baseline = self.baseline.as_deref().map(|file| Baseline::load(file, &suite));
        let baseline = baseline.transpose().map_err(|error| Stop::File(error.styled()))?;
        if let Some(file) = self.write_baseline.as_deref().filter(|file| file.exists()) {
            return Err(Stop::usage(format!("{} exists already", file.display())));
        }
        let target = self.target()?;
        let mut folder =
            self.report.as_deref().map(Folder::take).transpose().map_err(Stop::usage)?;
        let (started, clock) = (SystemTime::now(), Instant::now());
        let runtime = runtime()?;
        let chosen: Vec<_> = scenarios.iter().collect();
        let rig = runtime.block_on(Rig::start(&chosen, &target, self.patience))?;
        let redactor = Redactor::new(rig.plan(), rig.gateway_key());
        let described = self.described(&target);

        let events = folder.as_mut().map(|folder| {
            let file = folder.events();
            Events::begin(&file, &redactor, &described, &suite, started, chosen.len())
                .map_err(|error| Stop::Usage(format!("{}: {error}", file.display())))
        });
        let events = events.transpose()?;
        let is_watched = matches!(target, Target::External { .. }) && stderr().is_terminal();
        let progress = is_watched.then(|| Progress::new(chosen.len(), stderr()));
        let recorder = Recorder {
            rig: &rig,
            redactor: &redactor,
            started: clock,
            replay: &|scenario| self.replay(&target, &scenario.id),
            listeners: [
                events.as_ref().map(|events| events as &dyn Listen),
                progress.as_ref().map(|progress| progress as &dyn Listen),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let workers = if matches!(target, Target::Reference(_)) { SIDE_BY_SIDE } else { 1 };
        let stop = until_interrupted(&runtime)?;
        let cases = rig.run_watched(runtime.handle(), &chosen, workers, &recorder, &stop);
        if let Some(progress) = progress {
            progress.clear();
        }

        let mut cases: Vec<_> = cases.into_iter().flatten().collect();
        let today = DateTime::<Utc>::from(started).date_naive();
        if let Some(file) = &self.write_baseline {
            write_baseline(file, &baseline::write(&described.to_string(), &cases, today))?;
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
        for told in report.cases.iter().map(text::case).filter(|told| !told.is_empty()) {
            println!("{told}");
        }
        print!("{}", text::baseline(report.baseline.as_ref()));
        eprintln!("{} in {:.2} s", text::summary(&report.counts), clock.elapsed().as_secs_f64());
        if let Some(mut folder) = folder {
            let events = events.map_or(Ok(()), |events| events.end(&report));
            events.map_err(|error| Stop::Harness(format!("events.ndjson: {error}")))?;
            folder.write_all(&report).map_err(Stop::Harness)?;
            for file in folder.written() {
                eprintln!("wrote {}", file.display());
            }
        }
        match report.verdict {
            Verdict::Conformant => Ok(()),
            Verdict::NotConformant => Err(Stop::NotConformant),
            Verdict::Interrupted => Err(Stop::Interrupted),
            Verdict::HarnessError => Err(Stop::Harness(words::headline(&report))),
        }
    }

    /// The target as reports name it.
    fn described(&self, target: &Target) -> model::Target {
        let (name, version, address) = match target {
            Target::Reference(None) => {
                ("reference router".to_owned(), Some(env!("CARGO_PKG_VERSION").to_owned()), None)
            }
            Target::Reference(Some(saboteur)) => {
                (format!("reference router with the saboteur {}", saboteur.name), None, None)
            }
            Target::External { url, .. } => (
                self.target_name.clone().unwrap_or_else(|| "gateway".to_owned()),
                self.target_version.clone(),
                Some(url.authority.clone()),
            ),
        };
        model::Target { name, version, adapter: None, address }
    }

    fn target(&self) -> Result<Target, Stop> {
        if let (Some(url), Some(upstreams)) = (&self.target, self.upstreams) {
            let url = BaseUrl::parse(url).map_err(Stop::usage)?;
            let declaration = Box::default();
            return Ok(Target::External { url, key: self.key.clone(), upstreams, declaration });
        }
        let saboteur = self.saboteur.as_deref().map(|name| {
            saboteur::find(name).ok_or_else(|| {
                Stop::usage(format!(
                    "there is no saboteur `{name}`; `fallproof saboteurs` lists them"
                ))
            })
        });
        Ok(Target::Reference(saboteur.transpose()?))
    }

    /// The command that runs one scenario again in the same way.
    fn replay(&self, target: &Target, scenario: &str) -> String {
        let mut words = vec!["fallproof run".to_owned(), scenario.to_owned()];
        if let Some(folder) = &self.selection.scenarios {
            words.push(format!("--scenarios {}", quoted(folder)));
        }
        if seconds(DEFAULT_PATIENCE) != Ok(self.patience) {
            words.push(format!("--patience {}", self.patience.as_secs_f64()));
        }
        match target {
            Target::Reference(None) => {}
            Target::Reference(Some(saboteur)) => {
                words.push(format!("--saboteur {}", saboteur.name));
            }
            Target::External { url, upstreams, .. } => {
                words.push(format!("--target {url} --upstreams {upstreams}"));
                if self.key != DEFAULT_KEY {
                    words.push(format!("--key \"${KEY_VARIABLE}\""));
                }
            }
        }
        words.join(" ")
    }
}

/// Writes a file that is not there yet, and says so.
fn write_baseline(file: &Path, (text, entries): &(String, usize)) -> Result<(), Stop> {
    let written = File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Stop::Harness(format!("{}: {error}", file.display())))?;
    let noun = if *entries == 1 { "failure" } else { "failures" };
    eprintln!("wrote {}: {entries} expected {noun}", file.display());
    Ok(())
}

/// Holds true once the user has asked the run to end; who asks twice does not wait for anything.
fn until_interrupted(runtime: &Runtime) -> Result<watch::Receiver<bool>, Stop> {
    let (stop, stopped) = watch::channel(false);
    let _in_runtime = runtime.enter();
    let asked = interrupted()?;
    runtime.spawn(async move {
        asked.await;
        stop.send_replace(true);
        eprintln!("ending the run; once more ends it without a report");
        if let Ok(asked_again) = interrupted() {
            asked_again.await;
            std::process::exit(INTERRUPTED.into());
        }
    });
    Ok(stopped)
}

/// The path as a shell reads it.
fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let is_plain = |character: char| character.is_alphanumeric() || "/._-".contains(character);
    if path.chars().all(is_plain) {
        path.into_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
