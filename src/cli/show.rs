//! `fallproof show`: one scenario, requirement, behavior, saboteur or adapter, by its name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fallproof_protocol::behavior::{self, WireFault};
use fallproof_reference::saboteur::{self, Saboteur};
use fallproof_report::phrases::counted;
use fallproof_runner::adapter::{self, Adapter};
use fallproof_suite::requirement::{
    self, FAILURE_RULES, FailureRule, Level, Requirement, Severity,
};
use fallproof_suite::scenario::{self, Scenario};
use fallproof_suite::yaml::nearest;
use owo_colors::OwoColorize as _;
use serde_json::json;

use super::adapter::find as find_adapter;
use super::list::print_scenarios;
use super::print::{print, println};
use super::{Selection, Stop};

/// The kinds of items that can be shown, for messages.
const KINDS: &str = "scenario, requirement, behavior, saboteur or adapter";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof show routing/retries-then-next           the file of a scenario
  fallproof show streaming/all-fail@overloaded.chat  one case of a file with a matrix
  fallproof show payload-1                           the requirement FP-PAYLOAD-01
  fallproof show rate_limited                        a behavior that a script can name
  fallproof show invented-metadata                   a saboteur
  fallproof show litellm                             the file of an adapter
  fallproof show litellm@1.82.6                      how this version is installed
  fallproof show litellm@1.82.6 --install | sh -e")]
pub(super) struct Show {
    /// The name of a scenario, requirement, behavior, saboteur or adapter
    ///
    /// `fallproof list` shows the names. Case and leading zeros do not matter in the code of a
    /// requirement. If several items have the name, all are shown.
    name: String,
    /// Print only the commands that install the gateway of this adapter
    ///
    /// Without @VERSION, the commands install the newest version.
    #[arg(long)]
    install: bool,
    /// Use the suite in this folder, not ./scenarios or the built-in suite
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

/// An item that can be shown.
enum Item {
    Requirement(&'static Requirement),
    Behavior(&'static behavior::Entry),
    Saboteur(&'static Saboteur),
    Adapter(Arc<Adapter>, Option<usize>),
    Scenarios(Vec<Scenario>),
}

impl Show {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        if self.install {
            let (adapter, version) = find_adapter(&self.name)?;
            let version = &adapter.versions()[version.unwrap_or(0)];
            adapter.install_lines(version)?.iter().for_each(|line| println!("{line}"));
            return Ok(());
        }
        let items = self.items()?;
        if items.is_empty() {
            return Err(self.unknown());
        }
        for (index, item) in items.iter().enumerate() {
            if items.len() > 1 {
                let separator = if index == 0 { "" } else { "\n" };
                println!("{separator}{}", format_args!("# {}", item.kind()).bold());
            }
            item.print(&self.name)?;
        }
        Ok(())
    }

    fn items(&self) -> Result<Vec<Item>, Stop> {
        let name = self.name.as_str();
        if is_adapter_file(Path::new(name)) {
            return find_adapter(name)
                .map(|(adapter, version)| vec![Item::Adapter(adapter, version)]);
        }
        let lower = name.to_ascii_lowercase();
        let (kebab, snake) = (lower.replace('_', "-"), lower.replace('-', "_"));
        let mut items = Vec::new();
        items.extend(requirement::find(&code(name)).map(Item::Requirement));
        items.extend(behavior::find(&snake).map(Item::Behavior));
        items.extend(saboteur::find(&kebab).map(Item::Saboteur));
        let product = lower.split_once('@').map_or(&*lower, |(product, _)| product);
        if adapter::all().iter().any(|adapter| adapter.id == product) {
            let (adapter, version) = find_adapter(&lower)?;
            items.push(Item::Adapter(adapter, version));
        }
        items.extend(self.selection().find()?.map(Item::Scenarios));
        Ok(items)
    }

    fn selection(&self) -> Selection {
        Selection {
            patterns: vec![self.name.clone()],
            ..Selection::whole(self.scenarios.as_deref())
        }
    }

    /// The error for a name that no item has.
    fn unknown(&self) -> Stop {
        let name = &self.name;
        // The scenarios are used only for suggestions, so an invalid file is not reported here.
        let suite = Selection::whole(self.scenarios.as_deref()).load().ok();
        let mut known: Vec<&str> = behavior::behavior_names().collect();
        known.extend(saboteur::all().iter().map(|it| it.name));
        known.extend(adapter::all().iter().map(|it| it.id.as_str()));
        known.extend(suite.iter().flat_map(|selected| selected.suite.ids_and_folders()));
        let codes = requirement::all().iter().map(|it| it.code.as_str());
        let is_numbered = name.ends_with(|last: char| last.is_ascii_digit());
        let near = is_numbered.then(|| nearest(&code(name), codes)).flatten();
        let near = near.or_else(|| nearest(name, known));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`fallproof list` shows all names".to_owned(),
        };
        Stop::usage(format!("there is no {KINDS} named `{name}`; {hint}"))
    }
}

/// Expands a short code of a requirement, such as `payload-1` to `FP-PAYLOAD-01`.
fn code(name: &str) -> String {
    let upper = name.to_ascii_uppercase().replace(['_', ' '], "-");
    let short = upper.strip_prefix("FP-").unwrap_or(&upper);
    match short.rsplit_once('-') {
        Some((family, number)) => format!("FP-{family}-{number:0>2}"),
        None => format!("FP-{short}"),
    }
}

/// Whether this is the path of a valid adapter file.
fn is_adapter_file(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|it| it == "yaml") && adapter::read(path).is_ok()
}

impl Item {
    fn kind(&self) -> &'static str {
        match self {
            Self::Requirement(_) => "requirement",
            Self::Behavior(_) => "behavior",
            Self::Saboteur(_) => "saboteur",
            Self::Adapter(..) => "adapter",
            Self::Scenarios(_) => "scenario",
        }
    }

    fn print(&self, name: &str) -> Result<(), Stop> {
        match self {
            Self::Requirement(requirement) => print_requirement(requirement),
            Self::Behavior(behavior) => print_behavior(behavior),
            Self::Saboteur(saboteur) => print_saboteur(saboteur),
            Self::Adapter(adapter, None) => print!("{}", adapter.text()),
            Self::Adapter(adapter, Some(version)) => print_version(adapter, *version)?,
            Self::Scenarios(scenarios) => print_scenario(scenarios, name)?,
        }
        Ok(())
    }
}

fn print_requirement(requirement: &Requirement) {
    let Requirement { code, level, severity, profile, sentence, why, sources, saboteurs } =
        requirement;
    let level = match level {
        Level::Invariant => "invariant: applies to every gateway",
        Level::Policy => "policy: applies to a gateway that claims it",
        Level::Observation => "observation: informational, never a failure",
    };
    let severity = match severity {
        Severity::Must => "MUST: a violation fails the case",
        Severity::Should => "SHOULD: a violation is a warning",
    };
    println!("{}\n{}\n\n{}\n", code.bold(), sentence.trim_end(), why.trim_end());
    println!("  {severity}\n  {level}\n  profile: {profile}");
    if FailureRule::explain(*code) {
        println!("  failures:");
        for rule in &FAILURE_RULES {
            let FailureRule { failure, falls_back, is_retried, counts, .. } = rule;
            println!("    {failure}");
            println!("      tries the next deployment: {falls_back}");
            println!("      retries the same deployment: {is_retried}");
            println!("      counts toward a cooldown: {counts}");
        }
    }
    println!("  sources:");
    for source in sources {
        println!("    {source}");
    }
    println!("  see it fail:");
    for saboteur in saboteurs {
        println!("    fallproof run --saboteur {saboteur}");
    }
}

fn print_behavior(behavior: &behavior::Entry) {
    println!("{}\n{}\n", behavior.name.bold(), behavior.what);
    if behavior.wire != WireFault::default() {
        println!("  wire: {}", json!(behavior.wire));
    }
    println!("  in a script: [{}, ok]", behavior.name);
}

fn print_saboteur(saboteur: &Saboteur) {
    println!("{}\n{}\n", saboteur.name.bold(), saboteur.breaks);
    let named = |it: &&Requirement| it.saboteurs.iter().any(|name| name == saboteur.name);
    let broken: Vec<_> =
        requirement::all().iter().filter(named).map(|it| it.code.as_str()).collect();
    println!("  breaks: {}", broken.join(", "));
    println!("  see it fail: fallproof run --saboteur {}", saboteur.name);
    println!("  serve it: fallproof router --saboteur {}", saboteur.name);
}

/// Prints how to install one version of a gateway.
fn print_version(adapter: &Adapter, version: usize) -> Result<(), Stop> {
    let version = &adapter.versions()[version];
    println!("{} {}", adapter.name.bold(), version.version.bold());
    println!("{}\n{}, {}", adapter.about, adapter.home, adapter.license);
    if let Some(about) = &version.about.0 {
        println!("{about}");
    }
    println!("\n  install:");
    for line in adapter.install_lines(version)? {
        println!("    {line}");
    }
    println!("  run: fallproof run --adapter {}@{} --launch", adapter.id, version.version);
    for (name, variant) in &adapter.variants {
        println!("  --variant {name}: {}", variant.about);
    }
    Ok(())
}

/// Prints the file of the scenarios, or only the case with this id. If the scenarios are in several
/// files, prints one line for each file.
fn print_scenario(scenarios: &[Scenario], name: &str) -> Result<(), Stop> {
    let Some(first) = scenarios.first() else { return Ok(()) };
    if scenarios.iter().any(|other| other.file != first.file) {
        print_scenarios(scenarios, false);
        return Ok(());
    }
    let file = first.file.display();
    if let [only] = scenarios
        && name == only.id
        && let Some(case) = scenario::case_text(&only.file, &only.id)?
    {
        println!("# {}, a case of {file}", only.id);
        print!("{case}");
        return Ok(());
    }
    println!("# {file}");
    print!("{}", scenario::text(&first.file)?);
    if first.id.contains('@') {
        println!(
            "\n# {}; to show one case with its values: fallproof show ID",
            counted(scenarios.len(), "case")
        );
        for case in scenarios {
            println!("# {}", case.id);
        }
    }
    Ok(())
}
