//! `fallproof fuzz`.

mod progress;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{eprintln, println};
use clap::{Args, value_parser};
use fallproof_fuzz::arena::{Arena, fixed_groups};
use fallproof_fuzz::dice;
use fallproof_fuzz::draft::Draft;
use fallproof_fuzz::draw::Scope;
use fallproof_fuzz::found::{self, Saved};
use fallproof_fuzz::hunt::{Find, Hunt, Tally, shrink};
use fallproof_judge::{Violation, judge_case};
use fallproof_protocol::provider::Endpoint;
use fallproof_reference::ReferenceTarget;
use fallproof_report::words::counted;
use fallproof_runner::drive::Rig;
use fallproof_runner::shell::quoted;
use fallproof_runner::target::Target;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Scenario;
use owo_colors::OwoColorize as _;
use tokio::runtime::Runtime;

use super::gateway::Gateway;
use super::interrupt::{Interrupt, unless};
use super::{SCENARIOS, Stop, runtime, saboteur};

/// Cases where neither their number nor a time is given.
const DEFAULT_CASES: u64 = 10_000;

/// A finding is made simpler for so long at most.
const MOST_SHRINKING: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(super) struct Fuzz {
    #[command(flatten)]
    gateway: Gateway,
    /// Print what a gateway without an adapter must be configured with, and do nothing else
    #[arg(long, conflicts_with_all = ["target", "adapter"])]
    plan: bool,
    /// Fuzz the reference router broken on purpose (`fallproof saboteurs` lists them)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "adapter"])]
    saboteur: Option<String>,
    /// Only calls to this endpoint, e.g. `responses` (may be given again)
    #[arg(long = "endpoint", value_name = "ENDPOINT", value_parser = endpoint)]
    endpoints: Vec<Endpoint>,
    /// How many cases; 10000 unless --time is given
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    cases: Option<u64>,
    /// For how long, e.g. `60s`, `5m`
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// The number that tells every case: the same gives the same; made up and printed unless said
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many seconds a client call waits for its answer
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = time)]
    patience: Duration,
    /// So many findings of each requirement are made simple and saved; the others are only named
    #[arg(long, value_name = "N", default_value = "3")]
    most: NonZeroUsize,
    /// The folder of scenarios where findings go, below `found/`
    #[arg(long, value_name = "DIR", default_value = SCENARIOS)]
    scenarios: PathBuf,
}

/// A finding at its simplest.
struct Told<'a> {
    find: &'a Find,
    violation: Violation,
    saved: Saved,
    scenario: Scenario,
}

impl Fuzz {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let mut scope = Scope::default();
        if !self.endpoints.is_empty() {
            scope.endpoints.clone_from(&self.endpoints);
        }
        if self.plan {
            return print_plan(&scope, self.gateway.upstreams());
        }
        self.can_save()?;
        let runtime = runtime()?;
        let interrupt = Interrupt::listen(&runtime)?;
        let arena = self.arena(&mut scope, &runtime, &interrupt)?;
        let seed = self.seed.unwrap_or_else(dice::made_up);
        let cases = self.cases.or_else(|| self.time.is_none().then_some(DEFAULT_CASES));
        let threads = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let until = self.time.map(|time| Instant::now() + time);
        let hunt = Hunt { scope, seed, cases, until, threads };
        let tally = Tally::default();
        let hunted = self::hunt(&hunt, &arena, &tally, &interrupt);
        let finds = tally.finds();
        let told = hunted.and_then(|()| self.simplest(&finds, &hunt, &arena, &interrupt, &runtime));
        if let Arena::Fixed(rig) = arena {
            runtime.block_on(interrupt.end(rig.release()));
        }
        let told = told?;
        let again = self.again(&told, &runtime, &interrupt)?;
        self.tell(&finds, &told, &again);
        let errors = tally.harness_errors();
        if let Some((case, words)) = errors.first() {
            let more = counted(errors.len(), "case");
            return Err(Stop::Harness(format!(
                "{more}; first case {case} of seed {seed}: {words}"
            )));
        }
        let unjudged = tally.unjudged();
        let says_nothing = unjudged.is_gone || unjudged.count == tally.cases();
        match (finds.is_empty(), interrupt.is_asked()) {
            (false, _) => Err(Stop::NotConformant),
            (true, true) => Err(Stop::Interrupted),
            (true, false) if unjudged.count > 0 && says_nothing => {
                Err(Stop::usage(format!("nothing can be said of the target: {}", unjudged.reason)))
            }
            (true, false) => Ok(()),
        }
    }

    /// Whether findings can be saved: none is to be lost at the end of a long hunt. Leaves nothing.
    fn can_save(&self) -> Result<(), Stop> {
        let folder = self.scenarios.join(found::FOLDER);
        let file = folder.join(".fallproof");
        let new: Vec<_> = folder.ancestors().take_while(|it| !it.exists()).collect();
        let tried = fs::create_dir_all(&folder).and_then(|()| File::create(&file));
        let _ = fs::remove_file(&file);
        for folder in new {
            let _ = fs::remove_dir(folder);
        }
        tried.map(drop).map_err(|error| {
            let folder = folder.display();
            Stop::usage(format!("findings are saved in {folder}, which cannot be written: {error}"))
        })
    }

    fn reference(&self) -> Result<ReferenceTarget, Stop> {
        let saboteur = self.saboteur.as_deref().map(saboteur::find).transpose()?;
        Ok(ReferenceTarget { saboteur })
    }

    /// Where cases are played. What a gateway is configured for is put into the scope.
    fn arena(
        &self,
        scope: &mut Scope,
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Arena, Stop> {
        let groups = fixed_groups(scope);
        let scenarios = configured(&groups);
        let Some(whole) = self.gateway.split(&scenarios)? else {
            return Ok(Arena::Fresh {
                target: Box::new(self.reference()?),
                patience: self.patience,
            });
        };
        let Some(part) = whole.parts.first() else {
            let reason =
                whole.left_out.first().map_or_else(String::new, |(_, reason)| reason.to_string());
            return Err(Stop::usage(format!(
                "the gateway can be configured for nothing: {reason}"
            )));
        };
        let is_there = |id: &str| part.scenarios.iter().any(|scenario| scenario.id == id);
        scope.groups = groups;
        scope.groups.retain(|group| group.group.as_deref().is_some_and(is_there));
        if let Some((scenario, reason)) = whole.left_out.first() {
            let more = counted(whole.left_out.len(), "group");
            eprintln!("left out: {more}, such as {} ({reason})", scenario.id);
        }
        let rig = Rig::start(&part.scenarios, &*part.target, self.patience);
        let rig = runtime.block_on(unless(&interrupt.stop, rig)).ok_or(Stop::Interrupted)??;
        Ok(Arena::Fixed(Box::new(rig)))
    }

    /// Makes the first findings of each requirement as simple as they get, and saves them.
    fn simplest<'a>(
        &self,
        finds: &'a [Find],
        hunt: &Hunt,
        arena: &Arena,
        interrupt: &Interrupt,
        runtime: &Runtime,
    ) -> Result<Vec<Told<'a>>, Stop> {
        let mut told = Vec::new();
        for find in by_requirement(finds)
            .into_iter()
            .flat_map(|it| { it }.into_iter().take(self.most.get()))
        {
            let (draft, violation) =
                runtime.block_on(shrink(find, arena, MOST_SHRINKING, &interrupt.hurry))?;
            let how = format!("Found in case {} of seed {}.", find.case, hunt.seed);
            let scenario = found::scenario(&draft, &violation, &how);
            let saved = found::save(&scenario, &self.scenarios)
                .map_err(|error| Stop::usage(format!("{}: {error}", self.scenarios.display())))?;
            told.push(Told { find, violation, saved, scenario });
        }
        Ok(told)
    }

    /// Which of the saved scenarios show their finding again when they are read from their files
    /// and run as any other; `None` where nobody can configure the gateway for them.
    fn again(
        &self,
        told: &[Told<'_>],
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Vec<Option<bool>>, Stop> {
        let mut scenarios = Vec::new();
        for told in told {
            let read =
                found::load(&told.saved).map_err(|error| Stop::Harness(error.to_string()))?;
            scenarios.extend(read.into_iter().filter(|it| it.id == told.scenario.id));
        }
        let mut violations: Vec<(&str, Vec<Violation>)> = Vec::new();
        let mut play = |chosen: &[&Scenario], target: &dyn Target| {
            // A hunt that was ended still tells what it found; only hurry ends this too.
            let hurry = &interrupt.hurry;
            let rig = Rig::start(chosen, target, self.patience);
            let rig = runtime.block_on(unless(hurry, rig)).ok_or(Stop::Interrupted)??;
            let played = unless(hurry, async {
                for Told { saved, .. } in told {
                    if let Some(scenario) = chosen.iter().find(|it| it.id == saved.id) {
                        let (facts, seen) = (rig.facts(scenario), rig.run(scenario).await);
                        violations.push((&saved.id, judge_case(scenario, facts, &seen).violations));
                    }
                }
            });
            let played = runtime.block_on(played);
            runtime.block_on(interrupt.end(rig.release()));
            played.ok_or(Stop::Interrupted)
        };
        if !scenarios.is_empty() {
            match self.gateway.split(&scenarios)? {
                None => {
                    let all: Vec<_> = scenarios.iter().collect();
                    play(&all, &self.reference()?)?;
                }
                Some(whole) => {
                    for part in whole.parts.iter().filter(|part| part.launched.is_some()) {
                        play(&part.scenarios, &*part.target)?;
                    }
                }
            }
        }
        let shown = |told: &Told<'_>| {
            let (_, violations) = violations.iter().find(|(id, _)| *id == told.saved.id)?;
            Some(told.find.cause.is_among(violations))
        };
        Ok(told.iter().map(shown).collect())
    }

    fn tell(&self, finds: &[Find], told: &[Told<'_>], again: &[Option<bool>]) {
        for of_one in by_requirement(finds) {
            println!("\n{}", headline(of_one[0]));
            for find in of_one.iter().take(self.most.get()) {
                let place = told.iter().position(|told| told.find.cause == find.cause);
                let Some(place) = place else { continue };
                let Told { violation, saved, .. } = &told[place];
                let again = match again[place] {
                    Some(true) => "shows it again:",
                    Some(false) => "does not show it again, which it should:",
                    None => "is for a gateway that is configured for it:",
                };
                println!("\n  {}\n  {}", violation.to_string().replace('\n', "\n  "), met(find));
                println!("  {} {again}\n  {}", saved.file.display(), self.replay(&saved.id));
            }
            let named: Vec<_> =
                of_one.iter().skip(self.most.get()).map(|find| find.cause.about.as_str()).collect();
            if !named.is_empty() {
                println!("\n  likewise, in {}: {}", counted(named.len(), "way"), named.join(", "));
            }
        }
    }

    /// The command that runs a saved scenario.
    fn replay(&self, id: &str) -> String {
        let mut command = format!("fallproof run {id}");
        if self.scenarios != Path::new(SCENARIOS) {
            let _ =
                write!(command, " --scenarios {}", quoted(&self.scenarios.display().to_string()));
        }
        if let Some(saboteur) = &self.saboteur {
            let _ = write!(command, " --saboteur {saboteur}");
        }
        for option in self.gateway.again() {
            let _ = write!(command, " {option}");
        }
        command
    }
}

/// Hunts, and says how it went.
fn hunt(hunt: &Hunt, arena: &Arena, tally: &Tally, interrupt: &Interrupt) -> Result<(), Stop> {
    let seed = hunt.seed;
    eprintln!("seed {seed}");
    let started = Instant::now();
    let done = AtomicBool::new(false);
    let hunted = thread::scope(|scope| {
        scope.spawn(|| progress::progress(tally, hunt.cases, started, &done));
        let hunted = hunt.run(arena, tally, &interrupt.stop);
        done.store(true, Ordering::Relaxed);
        hunted
    });
    hunted?;
    let took = started.elapsed().as_secs_f64();
    let cases = usize::try_from(tally.cases()).unwrap_or(usize::MAX);
    eprintln!(
        "{} in {took:.1} s, {:.0} cases/s, seed {seed}: {}",
        counted(cases, "case"),
        progress::rate(tally.cases(), took),
        counted(tally.finds().len(), "finding"),
    );
    if tally.unsteady() > 0 {
        let times = usize::try_from(tally.unsteady()).unwrap_or(usize::MAX);
        let times = counted(times, "finding");
        eprintln!("{times} did not come again when the case was played alone, and are left out");
    }
    let unjudged = tally.unjudged();
    if unjudged.count > 0 {
        let of = counted(usize::try_from(unjudged.count).unwrap_or(usize::MAX), "case");
        eprintln!("nothing can be said of {of}, such as: {}", unjudged.reason);
    }
    if unjudged.is_gone {
        eprintln!("the target went away, which ended the hunt");
    }
    Ok(())
}

/// Prints what a gateway must be configured with, for a machine.
fn print_plan(scope: &Scope, upstreams: SocketAddr) -> Result<(), Stop> {
    let scenarios = configured(&fixed_groups(scope));
    let plan = Plan::new(&scenarios, Addresses::stable(upstreams));
    let json = serde_json::to_string_pretty(&plan);
    println!("{}", json.map_err(|error| Stop::Harness(error.to_string()))?);
    Ok(())
}

/// The groups of a target that is configured for no others, as scenarios that a plan is made from.
fn configured(groups: &[Draft]) -> Vec<Scenario> {
    groups.iter().map(Draft::plannable).collect()
}

/// The findings of each requirement together, those of the first cases first.
fn by_requirement(finds: &[Find]) -> Vec<Vec<&Find>> {
    let chunks = finds.chunk_by(|one, other| one.cause.requirement == other.cause.requirement);
    let sorted = chunks.map(|of_one| {
        let mut of_one: Vec<_> = of_one.iter().collect();
        of_one.sort_by_key(|find| find.case);
        of_one
    });
    sorted.collect()
}

fn headline(find: &Find) -> String {
    match find.cause.requirement.map(Code::requirement) {
        Some(requirement) => {
            format!("{}  {}", requirement.code.red().bold(), requirement.sentence.trim())
        }
        None => format!("{}", "not as the model of a router has it".red().bold()),
    }
}

/// Where and how often it was met.
fn met(find: &Find) -> String {
    let endpoints: Vec<_> = find.endpoints.iter().map(|endpoint| endpoint.path()).collect();
    let cases = counted(usize::try_from(find.count).unwrap_or(usize::MAX), "case");
    format!("in {cases}, first in case {}; at {}", find.case, endpoints.join(", "))
}

fn endpoint(path: &str) -> Result<Endpoint, String> {
    let endpoints = || Endpoint::ALL.into_iter().filter(|endpoint| !endpoint.is_multipart());
    endpoints().find(|endpoint| endpoint.path() == path).ok_or_else(|| {
        let known: Vec<_> = endpoints().map(Endpoint::path).collect();
        format!("no endpoint whose requests are JSON; one of {}", known.join(", "))
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
        None => {
            Err("it would end after all that the clock can tell; name a shorter time".to_owned())
        }
    }
}
