//! `fallproof fuzz`: searches for violations with random cases.

mod progress;
mod shrinking;
mod text;

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, value_parser};
use fallproof_fuzz::campaign::Campaign;
use fallproof_fuzz::case::FuzzCase;
use fallproof_fuzz::executor::{Executor, fixed_groups};
use fallproof_fuzz::finding::{Finding, findings};
use fallproof_fuzz::found;
use fallproof_fuzz::generate::Scope;
use fallproof_fuzz::minimize::minimize;
use fallproof_fuzz::saving::{self, SavedFailure};
use fallproof_fuzz::stats::{Failure, Stats, Verdict};
use fallproof_judge::Violation;
use fallproof_protocol::provider::Endpoint;
use fallproof_reference::ReferenceTarget;
use fallproof_report::phrases::counted;
use fallproof_runner::Runner;
use fallproof_runner::error::StartError;
use fallproof_runner::interrupt::{Interrupt, unless};
use fallproof_runner::target::Target;
use fallproof_suite::plan::{MockAddress, Plan};
use fallproof_suite::scenario::Scenario;
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use self::shrinking::Shrinking;
use super::gateway::Gateway;
use super::print::{eprintln, println};
use super::{SCENARIOS, Stop, interrupt, runtime, saboteur};

/// Number of cases if neither `--cases` nor `--time` is given.
const DEFAULT_CASES: u64 = 10_000;

/// Total time for shrinking all findings.
const DEFAULT_SHRINKING: &str = "5m";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof fuzz --time 60s
  fallproof fuzz --cases 500 --seed 7 --endpoint responses
  fallproof fuzz --adapter litellm --launch --cases 200
  fallproof fuzz --saboteur invented-metadata")]
pub(super) struct Fuzz {
    /// Print as JSON what to configure in a gateway that has no adapter, and exit
    #[arg(long, conflicts_with_all = ["target", "adapter"])]
    plan: bool,
    /// Fuzz this saboteur: the reference router, broken on purpose
    ///
    /// `fallproof list saboteurs` shows the names.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "adapter"])]
    saboteur: Option<String>,
    /// Call only this endpoint, e.g. `responses`; can be repeated [default: all]
    #[arg(long = "endpoint", value_name = "ENDPOINT", value_parser = endpoint)]
    endpoints: Vec<Endpoint>,
    /// Stop after this many cases [default: 10000, or no limit with --time]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    cases: Option<u64>,
    /// Stop after this time, e.g. `60s`, `5m`
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// Seed of all random choices; the same seed gives the same cases
    ///
    /// [default: random; it is printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Timeout of each client call, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = time)]
    timeout: Duration,
    /// Limit the total time for shrinking the findings, e.g. `30s`, `10m`
    ///
    /// When the time for a finding is up, the simplest case so far is saved.
    #[arg(long, value_name = "TIME", default_value = DEFAULT_SHRINKING, value_parser = time)]
    shrink_budget: Duration,
    /// Save findings in `found/` below this folder of scenarios
    #[arg(long, value_name = "DIR", default_value = SCENARIOS)]
    scenarios: PathBuf,
    #[command(flatten)]
    gateway: Gateway,
}

/// A finding, and the file of its example.
struct Found {
    finding: Finding,
    /// `None` if the file did not reproduce the example and was removed.
    saved: Option<SavedFailure>,
}

impl Fuzz {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let mut scope = Scope::default();
        if !self.endpoints.is_empty() {
            scope.endpoints.clone_from(&self.endpoints);
        }
        if self.plan {
            return print_plan(&scope, &self.gateway.mocks()?);
        }
        saving::check(&self.scenarios).map_err(|error| {
            let folder = self.scenarios.join(found::FOLDER);
            let folder = folder.display();
            Stop::usage(format!("cannot write to {folder}, where findings are saved: {error}"))
        })?;
        let runtime = runtime()?;
        let interrupt = interrupt::listen(&runtime)?;
        let executor = self.executor(&mut scope, &runtime, &interrupt)?;
        let campaign = Campaign {
            scope,
            seed: self.seed.unwrap_or_else(|| rand::random::<u32>().into()),
            cases: self.cases.or_else(|| self.time.is_none().then_some(DEFAULT_CASES)),
            until: self.time.map(|time| Instant::now() + time),
            threads: thread::available_parallelism().map_or(2, NonZeroUsize::get),
        };
        let stats = Mutex::default();
        let ran = run(&campaign, &executor, &stats, &interrupt);
        let stats = stats.into_inner();
        let found = ran.and_then(|took| {
            let findings = findings(&campaign, &stats);
            text::summary(&stats, findings.len(), campaign.seed, took);
            let minimize = |failure: &Failure, limit: Duration, tried: &dyn Fn(usize)| {
                let hurry = &interrupt.hurry;
                runtime.block_on(minimize(failure, &executor, limit, hurry, tried))
            };
            self.save(findings, campaign.seed, minimize)
        });
        if let Executor::Fixed { runner, .. } = executor {
            runtime.block_on(runner.stop(&interrupt));
        }
        let mut found = found?;
        self.run_again(&mut found, &runtime, &interrupt)?;
        if self.save_whole(&mut found, campaign.seed)? {
            self.run_again(&mut found, &runtime, &interrupt)?;
        }
        self.leave_out(&mut found)?;
        self.print(&found);
        match stats.verdict() {
            Verdict::HarnessError(case, message) => Err(Stop::Harness(format!(
                "{}; first case {case} of seed {}: {message}",
                counted(stats.harness_errors.len(), "case"),
                campaign.seed
            ))),
            Verdict::Fail => Err(Stop::NotConformant),
            _ if interrupt.is_asked() => Err(Stop::Interrupted),
            Verdict::Inconclusive(reason) => {
                Err(Stop::usage(format!("the target cannot be judged: {reason}")))
            }
            Verdict::Pass => Ok(()),
        }
    }

    /// Shrinks and saves the example of each finding.
    fn save(
        &self,
        findings: Vec<Finding>,
        seed: u64,
        minimize: impl Fn(
            &Failure,
            Duration,
            &dyn Fn(usize),
        ) -> Result<(FuzzCase, Violation), StartError>,
    ) -> Result<Vec<Found>, Stop> {
        let mut shrinking = Shrinking::of(findings.len(), self.shrink_budget);
        let mut all = Vec::new();
        for finding in findings {
            let limit = shrinking.next(&finding.cause.id);
            let failure = finding.example.clone();
            let (case, violation) = minimize(&failure, limit, &|tries| shrinking.tried(tries))?;
            let saved = SavedFailure::save(failure, (&case, violation), seed, &self.scenarios);
            all.push(Found { finding, saved: Some(saved.map_err(self.in_folder())?) });
        }
        Ok(all)
    }

    /// For each failure that its minimized case did not reproduce, saves the original case instead.
    /// Returns whether there are any.
    fn save_whole(&self, found: &mut [Found], seed: u64) -> Result<bool, Stop> {
        let failures = found.iter_mut().flat_map(|it| &mut it.saved);
        let mut any = false;
        for failure in failures.filter(|it| it.shows_again == Some(false)) {
            failure.save_whole(seed, &self.scenarios).map_err(self.in_folder())?;
            any = true;
        }
        Ok(any)
    }

    /// Removes the saved files that do not reproduce their failures.
    fn leave_out(&self, found: &mut [Found]) -> Result<(), Stop> {
        for it in found {
            if let Some(failure) = it.saved.take_if(|it| it.shows_again == Some(false)) {
                failure.remove().map_err(self.in_folder())?;
            }
        }
        Ok(())
    }

    /// Converts an error about the folder of the saved files.
    fn in_folder(&self) -> impl Fn(io::Error) -> Stop {
        |error| Stop::usage(format!("{}: {error}", self.scenarios.display()))
    }

    fn reference(&self) -> Result<ReferenceTarget, Stop> {
        let saboteur = self.saboteur.as_deref().map(saboteur::find).transpose()?;
        Ok(ReferenceTarget { saboteur })
    }

    /// Creates the executor of the cases. For a gateway, also limits the scope to the groups that
    /// are configured in the gateway.
    fn executor(
        &self,
        scope: &mut Scope,
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Executor, Stop> {
        let groups = fixed_groups(scope, self.gateway.limits_waits()?);
        let scenarios = configured(&groups);
        let Some(plan) = self.gateway.plan(&scenarios)? else {
            let target = Box::new(self.reference()?);
            return Ok(Executor::Fresh { target, timeout: self.timeout });
        };
        let Some(batch) = plan.batches.first() else {
            let reason =
                plan.left_out.first().map_or_else(String::new, |(_, reason)| reason.to_string());
            return Err(Stop::usage(format!(
                "the gateway cannot be configured for any case: {reason}"
            )));
        };
        let is_there = |id: &str| batch.scenarios.iter().any(|scenario| scenario.id == id);
        scope.groups = groups;
        let capabilities = batch.target.capabilities();
        scope.groups.retain(|group| {
            group.group.as_deref().is_some_and(is_there)
                && capabilities.skip_reason(&group.plan_scenario()).is_none()
        });
        let elsewhere: usize = plan.batches[1..].iter().map(|batch| batch.scenarios.len()).sum();
        if elsewhere > 0 {
            let more = counted(elsewhere, "group");
            eprintln!("left out: {more}, which need another start of the gateway");
        }
        if let Some((scenario, reason)) = plan.left_out.first() {
            let more = counted(plan.left_out.len(), "group");
            eprintln!("left out: {more}, such as {} ({reason})", scenario.id);
        }
        let runner = Runner::start(&batch.scenarios, &*batch.target, self.timeout);
        let runner =
            runtime.block_on(unless(&interrupt.stop, runner)).ok_or(Stop::Interrupted)??;
        Ok(Executor::fixed(runner))
    }

    /// Loads the saved scenarios from their files and runs them, to check that they reproduce the
    /// findings. Skips scenarios for which the target cannot be configured.
    fn run_again(
        &self,
        found: &mut [Found],
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<(), Stop> {
        let mut scenarios = Vec::new();
        let is_open = |it: &&SavedFailure| it.shows_again.is_none();
        for failure in found.iter().flat_map(|it| &it.saved).filter(is_open) {
            let loaded = failure.load().map_err(|error| Stop::Harness(error.to_string()))?;
            scenarios.extend(loaded);
        }
        let mut run = |chosen: &[&Scenario], target: &dyn Target| {
            // After the first Ctrl-C, the campaign still runs the saved scenarios and reports its
            // findings. A second Ctrl-C ends this, too.
            let hurry = &interrupt.hurry;
            let runner = Runner::start(chosen, target, self.timeout);
            let runner = runtime.block_on(unless(hurry, runner)).ok_or(Stop::Interrupted)??;
            let ran = runtime.block_on(unless(hurry, async {
                for failure in found.iter_mut().flat_map(|it| &mut it.saved) {
                    failure.run_again(&runner, chosen).await;
                }
            }));
            runtime.block_on(runner.stop(interrupt));
            ran.ok_or(Stop::Interrupted)
        };
        if scenarios.is_empty() {
            return Ok(());
        }
        match self.gateway.plan(&scenarios)? {
            None => run(&scenarios.iter().collect::<Vec<_>>(), &self.reference()?),
            Some(plan) => {
                let mut launched =
                    plan.batches.iter().filter(|batch| batch.target.site().is_some());
                launched.try_for_each(|batch| run(&batch.scenarios, &*batch.target))
            }
        }
    }
}

/// Runs a campaign. Returns how long it took.
fn run(
    campaign: &Campaign,
    executor: &Executor,
    stats: &Mutex<Stats>,
    interrupt: &Interrupt,
) -> Result<Duration, Stop> {
    eprintln!("seed {}", campaign.seed);
    let started = Instant::now();
    let done = AtomicBool::new(false);
    let ran = thread::scope(|scope| {
        let progress = scope.spawn(|| progress::progress(stats, campaign.cases, started, &done));
        let ran = campaign.run(executor, stats, &interrupt.stop);
        done.store(true, Ordering::Relaxed);
        progress.thread().unpark();
        ran
    });
    ran?;
    Ok(started.elapsed())
}

/// Prints as JSON what to configure in a gateway.
fn print_plan(scope: &Scope, mocks: &MockAddress) -> Result<(), Stop> {
    let scenarios = configured(&fixed_groups(scope, true));
    let plan = Plan::new(&scenarios, &mocks.planned());
    let json = serde_json::to_string_pretty(&plan);
    println!("{}", json.map_err(|error| Stop::Harness(error.to_string()))?);
    Ok(())
}

/// Converts the fixed groups of a gateway to scenarios, from which a plan can be made.
fn configured(groups: &[FuzzCase]) -> Vec<Scenario> {
    groups.iter().map(FuzzCase::plan_scenario).collect()
}

fn endpoint(path: &str) -> Result<Endpoint, String> {
    let endpoints = || Endpoint::ALL.into_iter().filter(|endpoint| !endpoint.is_multipart());
    endpoints().find(|endpoint| endpoint.path() == path).ok_or_else(|| {
        let known: Vec<_> = endpoints().map(Endpoint::path).collect();
        format!("not an endpoint with JSON requests; one of {}", known.join(", "))
    })
}

fn time(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok());
    let number = number.filter(|&number| number > 0);
    let time = number.zip(seconds).and_then(|(number, seconds)| number.checked_mul(seconds));
    let time = time.map(Duration::from_secs).ok_or("expected a time such as 60s, 5m or 1h")?;
    match Instant::now().checked_add(time) {
        Some(_) => Ok(time),
        None => Err("the time is too long for the clock; give a shorter one".to_owned()),
    }
}
