//! `fallproof run`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anstream::{eprintln, println};
use clap::Args;
use fallproof::client::BaseUrl;
use fallproof::drive::{Rig, Target};
use fallproof::report::assemble::{self, About};
use fallproof::report::folder::{self, Folder};
use fallproof::report::model::{self, Report, Verdict};
use fallproof::report::record::Recorder;
use fallproof::report::redact::Redactor;
use fallproof::report::text;
use fallproof::saboteur;
use fallproof::scenario::Scenario;
use tokio::sync::watch;

use super::{SCENARIOS, Selected, Selection, Stop, runtime};

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
    /// Write the reports into this folder: new, empty, or holding an earlier report, which goes
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

impl Run {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { suite, scenarios } = self.selection.load()?;
        let target = self.target()?;
        let folder = self.report.as_deref().map(Folder::take).transpose().map_err(Stop::usage)?;
        let started = SystemTime::now();
        let runtime = runtime()?;
        let chosen: Vec<_> = scenarios.iter().collect();
        let rig = runtime.block_on(Rig::start(&chosen, &target, self.patience))?;
        let workers = if matches!(target, Target::Reference(_)) { SIDE_BY_SIDE } else { 1 };
        let redactor = Redactor::new(rig.plan(), rig.gateway_key());
        let replay = |scenario: &Scenario| self.replay(&target, &scenario.id);
        let recorder = Recorder::new(&rig, &redactor, &replay);
        let (_stop, stop) = watch::channel(false);
        let cases = rig.run_watched(runtime.handle(), &chosen, workers, &recorder, &stop);

        let about = About {
            target: described(&target),
            suite: &suite,
            chosen: &chosen,
            patterns: &self.selection.patterns,
            tags: &self.selection.tags,
            started,
            ended: SystemTime::now(),
            interrupted: false,
            baseline: None,
        };
        let report =
            redactor.clean(&assemble::report(about, cases.into_iter().flatten().collect()));
        for told in report.cases.iter().map(text::case).filter(|told| !told.is_empty()) {
            println!("{told}");
        }
        let took = started.elapsed().unwrap_or_default();
        eprintln!("{} in {:.2} s", text::summary(&report.counts), took.as_secs_f64());
        if let Some(folder) = folder {
            write(folder, &report).map_err(Stop::Harness)?;
        }
        match report.verdict {
            Verdict::Conformant => Ok(()),
            Verdict::HarnessError => Err(Stop::Harness("see above".to_owned())),
            _ => Err(Stop::NotConformant),
        }
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
        let mut command = format!("fallproof run {scenario}");
        if self.selection.scenarios != Path::new(SCENARIOS) {
            let _ = write!(command, " --scenarios {}", quoted(&self.selection.scenarios));
        }
        if seconds(DEFAULT_PATIENCE) != Ok(self.patience) {
            let _ = write!(command, " --patience {}", self.patience.as_secs_f64());
        }
        match target {
            Target::Reference(None) => {}
            Target::Reference(Some(saboteur)) => {
                let _ = write!(command, " --saboteur {}", saboteur.name);
            }
            Target::External { url, upstreams, .. } => {
                let _ = write!(command, " --target {url} --upstreams {upstreams}");
                if self.key != DEFAULT_KEY {
                    let _ = write!(command, " --key \"${KEY_VARIABLE}\"");
                }
            }
        }
        command
    }
}

/// The target as reports name it.
fn described(target: &Target) -> model::Target {
    let (name, version, address) = match target {
        Target::Reference(None) => {
            ("reference router".to_owned(), Some(env!("CARGO_PKG_VERSION").to_owned()), None)
        }
        Target::Reference(Some(saboteur)) => {
            (format!("reference router with the saboteur {}", saboteur.name), None, None)
        }
        Target::External { url, .. } => ("gateway".to_owned(), None, Some(url.authority.clone())),
    };
    model::Target { name, version, adapter: None, address }
}

/// Writes the report and says what was written.
fn write(mut folder: Folder, report: &Report) -> Result<(), String> {
    folder.write(folder::REPORT, report.to_json())?;
    for file in folder.written() {
        eprintln!("wrote {}", file.display());
    }
    Ok(())
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
