//! The command line: arguments, dispatch to the commands, and exit codes.

mod adapter;
mod check;
mod config;
mod doctor;
mod fuzz;
mod gateway;
mod github;
mod init;
mod interrupt;
mod judge;
mod judging;
mod key;
mod list;
mod mocks;
mod new;
mod output;
mod print;
mod probe;
mod remote;
mod report;
mod router;
mod run;
mod saboteur;
mod serve;
mod show;
mod signals;
mod site;

use std::any::Any;
use std::fmt::Display;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use fallproof_report::phrases;
use fallproof_report::reporter::ReportError;
use fallproof_runner::adapter::{LaunchError, RenderError};
use fallproof_runner::descriptors;
use fallproof_runner::error::StartError;
use fallproof_runner::gateway::DEFAULT_MOCKS;
use fallproof_runner::shell::quoted;
use fallproof_runner::{MAX_JOBS, PlanError};
use fallproof_suite::plan::Plan;
use fallproof_suite::scenario::{Scenario, SelectError, Suite};
use fallproof_suite::yaml::LoadError;
use owo_colors::OwoColorize as _;

use self::mocks::Mocks;
use self::print::{Unprintable, eprintln, print, println};

/// Folder of a team's own scenarios. In Fallproof's own repository, it holds the suite.
const SCENARIOS: &str = "scenarios";

/// Test whether the fallbacks of an LLM gateway work.
///
/// Fallproof plays both sides of a gateway: the client in front of it, and strict mocks of OpenAI
/// and Azure OpenAI behind it. It scripts failures, records what the gateway sends to each
/// deployment, and reports which requirements are violated.
///
/// Exit codes: 0 the target conforms, 1 it does not, 2 wrong usage or an invalid file, 3 an
/// internal error of Fallproof, 130 the run was interrupted (Ctrl-C) before anything failed.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios against a gateway, or against the reference router
    ///
    /// Prints the causes of all failures, worst first, and a summary. Without --target or --adapter,
    /// the target is the reference router, which is built in.
    Run(run::Run),
    /// Find violations with random requests and faults
    ///
    /// Saves its findings as scenarios, each shrunk to the smallest case that still fails.
    Fuzz(fuzz::Fuzz),
    /// Print what to configure in a gateway for these scenarios
    Plan(PlanArgs),
    /// Write the configuration that a gateway needs for these scenarios, using its adapter
    Config(config::Config),
    /// Check with one call per group that a gateway reaches the mock deployments
    Doctor(doctor::Doctor),
    /// Detect the behavior of a gateway, and draft the capabilities of its adapter
    Probe(probe::Probe),
    /// Compare the reports of several gateways or versions
    Report(report::Report),
    /// Judge the evidence of an earlier `run --report` again, without its gateway
    Judge(judge::Judge),
    /// Serve the strict mocks of OpenAI and Azure OpenAI, for other tests
    Serve(serve::Serve),
    /// Serve the reference router, or one that is broken on purpose
    Router(router::RouterArgs),
    /// List scenarios, requirements, behaviors, saboteurs or adapters
    List(list::List),
    /// Show a scenario, requirement, behavior, saboteur or adapter
    Show(show::Show),
    /// Check a scenario or adapter file, without running it
    Check(check::Check),
    /// Write a commented scenario to start from
    New(new::New),
    /// Set up a folder with a first scenario and a CI workflow
    Init(init::Init),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Selects scenarios.
#[derive(Debug, Args)]
struct Selection {
    /// Scenarios by id, folder, glob or file [default: all]
    patterns: Vec<String>,
    /// Use only scenarios with this tag; can be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Leave out scenarios with this tag; can be repeated
    #[arg(long = "skip-tag", value_name = "TAG")]
    skipped_tags: Vec<String>,
    /// Leave out scenarios that wait for a real clock
    ///
    /// The clock of the reference router is Fallproof's own, so only scenarios with the tag `slow`
    /// are left out there. With a gateway, so is every scenario that waits for more than a second.
    #[arg(long)]
    quick: bool,
    /// Use the suite in this folder, not ./scenarios or the built-in suite
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct PlanArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    mocks: Mocks,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Exit code if the user interrupted the command. Shells use the same code for Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Exit code if stdout is a closed pipe. Shells use the same code for SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// The exit code of an internal error.
const HARNESS: u8 = 3;

/// Why a command exits with a code other than 0.
enum Stop {
    /// The target does not conform.
    NotConformant,
    /// The user must correct something, such as an option. Holds the message.
    Usage(String),
    /// A file is invalid. Holds the rendered diagnostics, which have their own headings.
    File(String),
    /// Fallproof itself failed. Holds the message.
    Harness(String),
    /// The user interrupted the command.
    Interrupted,
    /// Stdout is a pipe that its reader has closed.
    BrokenPipe,
}

impl Stop {
    fn usage(message: impl Display) -> Self {
        Self::Usage(message.to_string())
    }

    fn harness(message: impl Display) -> Self {
        Self::Harness(message.to_string())
    }
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Self {
        Self::File(error.styled())
    }
}

impl From<SelectError> for Stop {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::Load(error) => error.into(),
            other => Self::usage(other),
        }
    }
}

impl From<ReportError> for Stop {
    fn from(error: ReportError) -> Self {
        if error.is_broken_pipe() { Self::BrokenPipe } else { Self::harness(error) }
    }
}

impl From<RenderError> for Stop {
    fn from(error: RenderError) -> Self {
        Self::File(error.styled())
    }
}

impl From<StartError> for Stop {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Launch(LaunchError::Render(error)) => error.into(),
            error if error.is_out_of_descriptors() => Self::harness(error),
            // What a gateway printed or answered must not style the terminal.
            other => Self::usage(phrases::printable(&other.to_string())),
        }
    }
}

impl From<PlanError> for Stop {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Render(error) => error.into(),
            PlanError::NoBatch(..) => Self::usage(error),
            PlanError::NoPort(_) => Self::Harness(error.to_string()),
        }
    }
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    descriptors::raise_limit();
    // A separate thread, so that a panic of Fallproof is not reported as a failure of the target.
    let ended = std::thread::spawn(|| dispatch(cli.command)).join();
    let ended = ended.unwrap_or_else(|panic| Err(unwound(&*panic)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::NotConformant) => ExitCode::from(1),
        Err(Stop::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Stop::BrokenPipe) => ExitCode::from(BROKEN_PIPE),
        Err(Stop::Usage(message)) => {
            complain(2, &format!("{} {}", "error:".red().bold(), message.trim_end()))
        }
        Err(Stop::File(diagnostics)) => complain(2, &diagnostics),
        Err(Stop::Harness(message)) => {
            complain(HARNESS, &format!("{} {}", "harness error:".red().bold(), message.trim_end()))
        }
    }
}

/// Converts the panic payload of the command's thread.
fn unwound(payload: &(dyn Any + Send)) -> Stop {
    match payload.downcast_ref::<Unprintable>() {
        Some(Unprintable(error)) if error.kind() == ErrorKind::BrokenPipe => Stop::BrokenPipe,
        Some(Unprintable(error)) => Stop::Harness(format!("failed printing to stdout: {error}")),
        None => Stop::Harness("this is a bug in Fallproof, not in the target".to_owned()),
    }
}

/// Prints the message to stderr and returns the exit code. If stderr cannot be written to, returns
/// the exit code of an internal error.
fn complain(code: u8, message: &str) -> ExitCode {
    let printed = fallproof_report::print::stderr(&format!("{message}\n"));
    ExitCode::from(if printed.is_ok() { code } else { HARNESS })
}

fn dispatch(command: Command) -> Result<(), Stop> {
    match command {
        Command::Run(arguments) => arguments.execute(),
        Command::Fuzz(arguments) => arguments.execute(),
        Command::Plan(arguments) => plan(&arguments),
        Command::Config(arguments) => arguments.execute(),
        Command::Doctor(arguments) => arguments.execute(),
        Command::Probe(arguments) => arguments.execute(),
        Command::Report(arguments) => arguments.execute(),
        Command::Judge(arguments) => arguments.execute(),
        Command::Serve(arguments) => arguments.execute(),
        Command::Router(arguments) => arguments.execute(),
        Command::List(arguments) => arguments.execute(),
        Command::Show(arguments) => arguments.execute(),
        Command::Check(arguments) => arguments.execute(),
        Command::New(arguments) => arguments.execute(),
        Command::Init(arguments) => arguments.execute(),
        Command::Completions { shell } => {
            completions(shell);
            Ok(())
        }
    }
}

fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fallproof", &mut script);
    print!("{}", String::from_utf8_lossy(&script));
}

/// A suite, and the scenarios that were selected from it.
struct Selected {
    suite: Suite,
    scenarios: Vec<Scenario>,
}

impl Selection {
    /// The arguments that make the same selection again, each after a space.
    fn again(&self) -> String {
        let patterns = self.patterns.iter().map(|pattern| format!(" {}", quoted(pattern)));
        let tags = self.tags.iter().map(|tag| format!(" --tag {}", quoted(tag)));
        let skipped = self.skipped_tags.iter().map(|tag| format!(" --skip-tag {}", quoted(tag)));
        let quick = self.quick.then(|| " --quick".to_owned());
        let folder = self.folder_again().map(|words| format!(" {words}"));
        patterns.chain(tags).chain(skipped).chain(quick).chain(folder).collect()
    }

    /// The `--scenarios` option that names the same folder again; `None` without a folder.
    fn folder_again(&self) -> Option<String> {
        let folder = self.scenarios.as_ref()?;
        Some(format!("--scenarios {}", quoted(&folder.to_string_lossy())))
    }

    fn whole(scenarios: Option<&Path>) -> Self {
        let scenarios = scenarios.map(Path::to_owned);
        let (patterns, tags, skipped_tags) = (Vec::new(), Vec::new(), Vec::new());
        Self { patterns, tags, skipped_tags, quick: false, scenarios }
    }

    /// The selected scenarios, and only the part of the suite that the selection needs. Other files
    /// are not read, so that an unfinished scenario does not stop the user from running others.
    fn choose(&self) -> Result<Selected, Stop> {
        self.quick(self.chosen()?, false)
    }

    /// Leaves out the scenarios that wait for a real clock, if asked to.
    fn quick(&self, selected: Selected, has_own_clock: bool) -> Result<Selected, Stop> {
        if !self.quick {
            return Ok(selected);
        }
        let Selected { suite, mut scenarios } = selected;
        let all = scenarios.len();
        scenarios.retain(|scenario| !scenario.waits_for_real(has_own_clock));
        let left_out = all - scenarios.len();
        eprintln!("--quick leaves out {left_out} of {all} scenarios, which wait for a real clock");
        if scenarios.is_empty() {
            Err(SelectError::Nothing.into())
        } else {
            Ok(Selected { suite, scenarios })
        }
    }

    /// Like [`Self::choose`], without leaving out what waits for a real clock.
    fn chosen(&self) -> Result<Selected, Stop> {
        // Only the whole suite has all tags.
        let has_tags = !self.tags.is_empty() || !self.skipped_tags.is_empty();
        if self.patterns.is_empty() || has_tags {
            return self.load();
        }
        match self.part()? {
            Some(suite) => self.of(suite),
            None => self.load(),
        }
    }

    /// The selected scenarios; `None` if a pattern matches no scenario.
    fn find(&self) -> Result<Option<Vec<Scenario>>, Stop> {
        let Some(suite) = self.part()? else { return Ok(None) };
        match suite.select(&self.patterns, &self.tags) {
            Ok(scenarios) => Ok(Some(scenarios)),
            Err(SelectError::NoSuchScenario { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The part of the suite that the patterns can match; `None` if a pattern matches no file.
    fn part(&self) -> Result<Option<Suite>, LoadError> {
        match self.folder() {
            Some(folder) => Suite::load_chosen(folder, &self.patterns),
            None => {
                Suite::embedded_chosen(Path::new(SCENARIOS), &self.patterns).map_err(with_reason)
            }
        }
    }

    /// The selected scenarios, and the whole suite.
    fn load(&self) -> Result<Selected, Stop> {
        let suite = match self.folder() {
            Some(folder) => Suite::load(folder),
            None => Suite::embedded(Path::new(SCENARIOS)).map_err(with_reason),
        };
        self.of(suite?)
    }

    /// The folder of the suite; `None` for the built-in suite.
    fn folder(&self) -> Option<&Path> {
        let here = Path::new(SCENARIOS);
        // In Fallproof's own repository, the suite on disk is newer than the built-in one.
        let own = here.join("requirements.yaml").is_file().then_some(here);
        self.scenarios.as_deref().or(own)
    }

    fn of(&self, suite: Suite) -> Result<Selected, Stop> {
        let scenarios = suite.select(&self.patterns, &self.tags)?;
        let scenarios = suite.skip_tags(scenarios, &self.skipped_tags)?;
        Ok(Selected { suite, scenarios })
    }
}

/// Explains in an error why a file in the user's folder was read, although no argument names it.
fn with_reason(mut error: LoadError) -> LoadError {
    for problem in error.diagnostics.iter_mut().filter(|it| it.file.starts_with(SCENARIOS)) {
        let reason =
            format!("Fallproof reads every .yaml file in ./{SCENARIOS} as one of your scenarios");
        problem.help = Some(match problem.help.take() {
            Some(help) => format!("{help}\n{reason}"),
            None => reason,
        });
    }
    error
}

fn plan(arguments: &PlanArgs) -> Result<(), Stop> {
    let Selected { scenarios, .. } = arguments.selection.choose()?;
    let plan = Plan::new(&scenarios, &arguments.mocks.fixed()?.planned());
    if arguments.json {
        let json = serde_json::to_string_pretty(&plan)
            .map_err(|error| Stop::Harness(error.to_string()))?;
        println!("{}", fallproof_report::print::json(&json));
    } else {
        println!("{}", plan.to_text().trim_end());
    }
    Ok(())
}

/// Parses the value of `--jobs`.
fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = text.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= MAX_JOBS);
    jobs.ok_or_else(|| format!("expected a whole number from 1 to {MAX_JOBS}"))
}

/// Creates the async runtime of a command.
fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Harness(format!("cannot start the async runtime: {error}")))
}
