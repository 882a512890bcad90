//! `fallproof run`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anstream::{eprintln, println};
use clap::Args;
use fallproof::client::BaseUrl;
use fallproof::drive::{Outcome, Rig, Target};
use fallproof::report::text;
use fallproof::saboteur;

use super::{Selection, Stop, runtime};

/// Scenarios that run side by side against the reference router. An external gateway gets one at a
/// time.
const SIDE_BY_SIDE: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    selection: Selection,
    /// A gateway's base URL, e.g. `http://127.0.0.1:4000/v1`; the reference router unless said
    #[arg(long, value_name = "URL", requires = "upstreams")]
    target: Option<String>,
    /// The key that the gateway wants from its clients
    #[arg(long, value_name = "KEY", default_value = "sk-fallproof-client", requires = "target")]
    key: String,
    /// Where the gateway expects the upstreams, as `fallproof plan --upstreams` printed them
    #[arg(long, value_name = "ADDR", requires = "target")]
    upstreams: Option<SocketAddr>,
    /// How many seconds a client call waits for its answer
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    patience: Duration,
    /// Run against the reference router broken on purpose (`fallproof saboteurs` lists them)
    #[arg(long, value_name = "NAME", conflicts_with = "target")]
    saboteur: Option<String>,
}

impl Run {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let scenarios = self.selection.load()?;
        let target = self.target()?;
        let started = Instant::now();
        let runtime = runtime()?;
        let selected: Vec<_> = scenarios.iter().collect();
        let rig = runtime.block_on(Rig::start(&selected, &target, self.patience))?;
        let workers = if matches!(target, Target::Reference(_)) { SIDE_BY_SIDE } else { 1 };
        let cases = rig.run_all(runtime.handle(), &selected, workers);

        for (case, scenario) in cases.iter().zip(&scenarios) {
            let Some(group) = rig.plan().group(&scenario.id) else { continue };
            let told = text::case(case, scenario, group, &self.replay(&scenario.id));
            if !told.is_empty() {
                println!("{told}");
            }
        }
        eprintln!("{} in {:.2} s", text::summary(&cases), started.elapsed().as_secs_f64());
        let fine = |outcome: &Outcome| {
            matches!(outcome, Outcome::Pass | Outcome::Warn | Outcome::Skipped(_))
        };
        if cases.iter().all(|case| fine(&case.outcome)) { Ok(()) } else { Err(Stop::NotConformant) }
    }

    fn target(&self) -> Result<Target, Stop> {
        if let (Some(url), Some(upstreams)) = (&self.target, self.upstreams) {
            let url = BaseUrl::parse(url).map_err(Stop::usage)?;
            return Ok(Target::External { url, key: self.key.clone(), upstreams });
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
    fn replay(&self, scenario: &str) -> String {
        let mut command = format!("fallproof run {scenario}");
        if let (Some(target), Some(upstreams)) = (&self.target, self.upstreams) {
            let _ = write!(command, " --target {target} --upstreams {upstreams} --key …");
        }
        if let Some(saboteur) = &self.saboteur {
            let _ = write!(command, " --saboteur {saboteur}");
        }
        command
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
