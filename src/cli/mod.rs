//! The command line: what can be asked for, and how it ends.

mod adapters;
mod config;
mod doctor;
mod document;
mod fuzz;
mod gateway;
mod github;
mod init;
mod interrupt;
mod judge;
mod judging;
mod key;
mod new;
mod output;
mod probe;
mod report;
mod router;
mod run;
mod saboteur;
mod serve;
mod site;

use std::fmt::Display;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::println;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use fallproof_runner::PlanError;
use fallproof_runner::adapter::{LaunchError, RenderError};
use fallproof_runner::error::StartError;
use fallproof_runner::gateway::DEFAULT_MOCKS;
use fallproof_runner::shell::quoted;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::scenario::{Scenario, SelectError, Suite};
use fallproof_suite::yaml::LoadError;
use owo_colors::OwoColorize as _;

/// Where a team has its own scenarios, and Fallproof's repository the suite.
const SCENARIOS: &str = "scenarios";

/// Proves that an LLM gateway's fallbacks work.
///
/// Fallproof plays both sides of a gateway: the client in front of it, and strict mock OpenAI and
/// Azure OpenAI providers behind it. It scripts failures, watches what the gateway sends at each
/// deployment, and says which requirement was broken.
///
/// Exit codes: 0 the target conforms, 1 it does not, 2 wrong usage or a wrong scenario,
/// 3 an error of Fallproof's own, 130 the run was broken off (Ctrl-C) before anything failed.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios against the reference router, or against a gateway (--target)
    Run(run::Run),
    /// Judge a run again that `run --report` kept, with the checks of today and without its target
    Judge(judge::Judge),
    /// Try requests and faults that nobody thought of, and save the smallest that break something
    Fuzz(fuzz::Fuzz),
    /// Print what a gateway must be configured with for these scenarios
    Plan(PlanArgs),
    /// Write a gateway's configuration for these scenarios, as its adapter has it
    Config(config::Config),
    /// List the gateways that Fallproof knows how to configure and start, or tell of one
    Adapters(adapters::Adapters),
    /// Ask a gateway by one plain call per group whether it is wired to the deployments
    Doctor(doctor::Doctor),
    /// Learn what a gateway does, and draft the capabilities of its adapter
    Probe(probe::Probe),
    /// Show reports of several targets or versions beside each other: what is better, what is worse
    Report(report::Report),
    /// Run the strict OpenAI and Azure mocks as servers, for anybody's tests
    Serve(serve::Serve),
    /// Run the reference router alone
    Router(router::RouterArgs),
    /// List the requirements
    Requirements,
    /// Tell one requirement whole
    Explain {
        /// Its code, e.g. FP-PAYLOAD-01
        code: String,
    },
    /// List the behaviors that a script can name
    Behaviors,
    /// List the routers that are broken on purpose, for `run --saboteur`
    Saboteurs,
    /// Serve one of them, configured for these scenarios
    Saboteur(saboteur::SaboteurArgs),
    /// Write a folder to start from: a scenario of your own, and CI that runs it
    Init(init::Init),
    /// Write a scenario to start from, with comments; it passes at once
    New(new::New),
    /// Print completions for your shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Which scenarios.
#[derive(Debug, Args)]
struct Selection {
    /// Scenarios by id, folder, glob or file; all of them by default
    patterns: Vec<String>,
    /// Only scenarios with this tag (may be given again)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The folder that holds the suite, instead of the one that Fallproof brings along and your own
    /// scenarios in `scenarios/` beside it
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct PlanArgs {
    #[command(flatten)]
    selection: Selection,
    /// Where the mock providers will listen; the two ports after it are theirs too
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_MOCKS)]
    mocks: SocketAddr,
    /// Print JSON for a machine
    #[arg(long)]
    json: bool,
}

/// The exit code of what the user has broken off, as shells have it for Ctrl-C.
const INTERRUPTED: u8 = 130;

/// The exit code of an error of Fallproof's own.
const HARNESS: u8 = 3;

/// Why a command ends with another code than 0.
enum Stop {
    /// The target does not conform.
    NotConformant,
    /// The user must change something. Holds the message.
    Usage(String),
    /// A file is wrong. Holds the rendered diagnostics, which have headings of their own.
    File(String),
    /// Fallproof itself failed. Holds the message.
    Harness(String),
    /// The user broke it off.
    Interrupted,
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

impl From<RenderError> for Stop {
    fn from(error: RenderError) -> Self {
        Self::File(error.styled())
    }
}

impl From<StartError> for Stop {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Launch(LaunchError::Render(error)) => error.into(),
            other => Self::usage(other),
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
    // A thread of its own, so that a panic of ours is told apart from a target's failure.
    let ended = std::thread::spawn(|| dispatch(cli.command)).join().unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map_or("", String::as_str);
        // That is how the macros for printing end where nothing can be printed.
        Err(Stop::Harness(if words.starts_with("failed printing to") {
            words.to_owned()
        } else {
            "this is a bug in Fallproof, not in the target".to_owned()
        }))
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::NotConformant) => ExitCode::from(1),
        Err(Stop::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Stop::Usage(message)) => {
            complain(2, &format!("{} {}", "error:".red().bold(), message.trim_end()))
        }
        Err(Stop::File(diagnostics)) => complain(2, &diagnostics),
        Err(Stop::Harness(message)) => {
            complain(HARNESS, &format!("{} {}", "harness error:".red().bold(), message.trim_end()))
        }
    }
}

/// Ends with this code, or as an error of Fallproof's own where nobody can be told why.
fn complain(code: u8, message: &str) -> ExitCode {
    let printed = writeln!(anstream::stderr(), "{message}");
    ExitCode::from(if printed.is_ok() { code } else { HARNESS })
}

fn dispatch(command: Command) -> Result<(), Stop> {
    match command {
        Command::Run(run) => run.execute()?,
        Command::Judge(arguments) => arguments.execute()?,
        Command::Fuzz(arguments) => arguments.execute()?,
        Command::Plan(arguments) => plan(&arguments)?,
        Command::Config(config) => config.execute()?,
        Command::Adapters(arguments) => arguments.execute()?,
        Command::Doctor(arguments) => arguments.execute()?,
        Command::Probe(arguments) => arguments.execute()?,
        Command::Report(arguments) => arguments.execute()?,
        Command::Serve(arguments) => arguments.execute()?,
        Command::Router(arguments) => arguments.execute()?,
        Command::Requirements => document::requirements(),
        Command::Explain { code } => document::explain(&code)?,
        Command::Behaviors => document::behaviors(),
        Command::Saboteurs => document::saboteurs(),
        Command::Saboteur(arguments) => arguments.execute()?,
        Command::Init(arguments) => arguments.execute()?,
        Command::New(arguments) => arguments.execute()?,
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "fallproof", &mut std::io::stdout());
        }
    }
    Ok(())
}

/// A suite, and what was chosen of it.
struct Selected {
    suite: Suite,
    scenarios: Vec<Scenario>,
}

impl Selection {
    /// The words that choose the same again, each with a blank in front.
    fn again(&self) -> String {
        let patterns = self.patterns.iter().map(|pattern| format!(" {}", quoted(pattern)));
        let tags = self.tags.iter().map(|tag| format!(" --tag {}", quoted(tag)));
        let folder = self.folder_again().map(|words| format!(" {words}"));
        patterns.chain(tags).chain(folder).collect()
    }

    /// The words that name the same folder again, where one is named.
    fn folder_again(&self) -> Option<String> {
        let folder = self.scenarios.as_ref()?;
        Some(format!("--scenarios {}", quoted(&folder.to_string_lossy())))
    }

    fn whole(scenarios: Option<&Path>) -> Self {
        let scenarios = scenarios.map(Path::to_owned);
        Self { patterns: Vec::new(), tags: Vec::new(), scenarios }
    }

    /// What was chosen, and as much of the suite as that takes. Other files are not looked into, so
    /// that one that is being written is in nobody's way.
    fn choose(&self) -> Result<Selected, Stop> {
        if self.patterns.is_empty() || !self.tags.is_empty() {
            return self.load();
        }
        let suite = match self.folder() {
            Some(folder) => Suite::load_chosen(folder, &self.patterns),
            None => Suite::embedded_chosen(Path::new(SCENARIOS), &self.patterns),
        };
        match suite? {
            Some(suite) => self.of(suite),
            None => self.load(),
        }
    }

    /// What was chosen, and the whole suite.
    fn load(&self) -> Result<Selected, Stop> {
        let suite = match self.folder() {
            Some(folder) => Suite::load(folder),
            None => Suite::embedded(Path::new(SCENARIOS)),
        };
        self.of(suite?)
    }

    /// The suite's folder, where it is not the one that was built in.
    fn folder(&self) -> Option<&Path> {
        let here = Path::new(SCENARIOS);
        // Fallproof's own repository: what is there is newer than what was built in.
        let own = here.join("requirements.yaml").is_file().then_some(here);
        self.scenarios.as_deref().or(own)
    }

    fn of(&self, suite: Suite) -> Result<Selected, Stop> {
        let chosen = suite.select(&self.patterns, &self.tags);
        let scenarios = chosen.map_err(|error| match error {
            SelectError::Load(error) => error.into(),
            other => Stop::usage(other),
        })?;
        Ok(Selected { suite, scenarios })
    }
}

fn plan(arguments: &PlanArgs) -> Result<(), Stop> {
    let Selected { scenarios, .. } = arguments.selection.choose()?;
    let plan = Plan::new(&scenarios, Addresses::stable(arguments.mocks));
    if arguments.json {
        let json = serde_json::to_string_pretty(&plan)
            .map_err(|error| Stop::Harness(error.to_string()))?;
        println!("{json}");
    } else {
        println!("{}", plan.to_text().trim_end());
    }
    Ok(())
}

/// Done when the user asks the command to end: by Ctrl-C, or by the signal that service managers
/// send. It listens from the call on, so whoever was told that the command is ready can end it.
#[cfg(unix)]
fn interrupted() -> Result<impl Future<Output = ()> + Send, Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| Stop::Harness(format!("no signals: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done when the user asks the command to end, by Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> Result<impl Future<Output = ()> + Send, Stop> {
    Ok(async {
        // Without a handler there is only the hard way to stop.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// The one runtime of a command.
fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Harness(format!("no runtime: {error}")))
}
