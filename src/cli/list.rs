//! `fallproof list`: prints scenarios, requirements and other items, one per line.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use fallproof_protocol::behavior;
use fallproof_reference::saboteur;
use fallproof_runner::adapter;
use fallproof_suite::requirement;
use fallproof_suite::scenario::Scenario;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::print::println;
use super::{Selected, Selection, Stop};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof list scenarios
  fallproof list scenarios 'streaming/**' --tag reported
  fallproof list requirements --json")]
pub(super) struct List {
    #[command(subcommand)]
    kind: Kind,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// List scenarios, one line for each file
    Scenarios {
        #[command(flatten)]
        selection: Selection,
        /// Print one line for each case
        #[arg(long)]
        cases: bool,
    },
    /// List the requirements that gateways are tested against
    Requirements,
    /// List the behaviors that a script can name
    Behaviors,
    /// List the routers that are broken on purpose, for `run --saboteur`
    Saboteurs,
    /// List the gateways that Fallproof can configure and start
    Adapters,
}

impl List {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        match &self.kind {
            Kind::Scenarios { selection, cases } => {
                let Selected { scenarios, .. } = selection.choose()?;
                if self.json {
                    print_json(&scenarios.iter().map(scenario_json).collect::<Vec<_>>())
                } else {
                    print_scenarios(&scenarios, *cases);
                    Ok(())
                }
            }
            Kind::Requirements => self.print(requirement::all(), |it| {
                let (code, sentence) = (it.code.as_str(), it.sentence.trim_end());
                (
                    format!("{}  {sentence}", code.bold()),
                    json!({
                        "code": code, "level": it.level, "severity": it.severity,
                        "profile": it.profile, "sentence": sentence, "why": it.why.trim_end(),
                        "sources": it.sources, "saboteurs": it.saboteurs,
                    }),
                )
            }),
            Kind::Behaviors => self.print(behavior::behaviors(), |it| {
                let (name, what) = (&it.name, &it.what);
                (format!("{:28}  {what}", name.bold()), json!({ "name": name, "what": what }))
            }),
            Kind::Saboteurs => self.print(saboteur::all(), |it| {
                let (name, breaks) = (it.name, it.breaks);
                (format!("{:28}  {breaks}", name.bold()), json!({ "name": name, "breaks": breaks }))
            }),
            Kind::Adapters => self.print(adapter::all(), |it| {
                let versions: Vec<_> = it.versions().iter().map(|it| it.version.as_str()).collect();
                let variants: Vec<_> = it.variants.keys().map(String::as_str).collect();
                let mut line = format!(
                    "{:16}  {}\n{:16}  tested versions: {}",
                    it.id.bold(),
                    it.about,
                    "",
                    versions.join(", ")
                );
                if !variants.is_empty() {
                    let _ = write!(line, "\n{:16}  variants: {}", "", variants.join(", "));
                }
                (
                    line,
                    json!({
                        "name": it.id, "product": it.name, "about": it.about, "home": it.home,
                        "license": it.license, "versions": versions, "variants": variants,
                    }),
                )
            }),
        }
    }

    /// Prints one line for each item, or all items as JSON.
    fn print<T>(&self, items: &[T], item: impl Fn(&T) -> (String, Value)) -> Result<(), Stop> {
        if self.json {
            return print_json(&items.iter().map(|it| item(it).1).collect::<Vec<_>>());
        }
        for it in items {
            println!("{}", item(it).0);
        }
        Ok(())
    }
}

fn print_json(items: &[Value]) -> Result<(), Stop> {
    let json = serde_json::to_string_pretty(items).map_err(Stop::harness)?;
    println!("{}", fallproof_report::print::json(&json));
    Ok(())
}

fn scenario_json(scenario: &Scenario) -> Value {
    let Scenario { id, file, title, why, profile, level, proves, tags, .. } = scenario;
    json!({
        "id": id, "file": file, "title": title, "why": why, "profile": profile, "level": level,
        "proves": proves, "tags": tags,
    })
}

/// Prints one line for each file, or one for each case.
pub(super) fn print_scenarios(scenarios: &[Scenario], cases: bool) {
    let is_same = |one: &Scenario, other: &Scenario| !cases && one.family() == other.family();
    for family in scenarios.chunk_by(is_same) {
        let Some(first) = family.first() else { continue };
        match family {
            [only] => println!("{}  {}", only.id.bold(), only.title.trim_end()),
            more => {
                let (family, first, count) = (first.family(), first.title.trim_end(), more.len());
                println!("{}  {count} cases, such as: {first}", family.bold());
            }
        }
    }
}
