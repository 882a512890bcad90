//! Commands that print what there is: requirements, behaviors and saboteurs.

use anstream::println;
use fallproof_protocol::behavior;
use fallproof_reference::saboteur;
use fallproof_suite::requirement::{self, Level, Requirement, Severity};
use owo_colors::OwoColorize as _;

use super::Stop;

pub(super) fn requirements() {
    for requirement in requirement::all() {
        println!("{}  {}", requirement.code.bold(), requirement.sentence);
    }
}

pub(super) fn explain(code: &str) -> Result<(), Stop> {
    let Some(requirement) = requirement::find(&code.to_ascii_uppercase()) else {
        return Err(Stop::usage(format!(
            "there is no requirement `{code}`; `fallproof requirements` lists them"
        )));
    };
    let Requirement { code, level, severity, profile, sentence, why, sources, saboteurs } =
        requirement;
    let level = match level {
        Level::Invariant => "invariant: holds for every gateway",
        Level::Policy => "policy: holds for a gateway that claims it",
        Level::Observation => "observation: noted, and held against nobody",
    };
    let severity = match severity {
        Severity::Must => "MUST: breaking it fails",
        Severity::Should => "SHOULD: breaking it warns",
    };
    println!("{}\n{sentence}\n\n{}\n", code.bold(), why.trim_end());
    println!("  {severity}\n  {level}\n  profile {profile}");
    println!("  sources");
    for source in sources {
        println!("    {source}");
    }
    println!("  see it fail");
    for saboteur in saboteurs {
        println!("    fallproof run --saboteur {saboteur}");
    }
    Ok(())
}

pub(super) fn behaviors() {
    for behavior in behavior::behaviors() {
        println!("{:28} {}", behavior.name.bold(), behavior.what);
    }
}

pub(super) fn saboteurs() {
    for saboteur in saboteur::all() {
        println!("{}  {}", saboteur.name.bold(), saboteur.breaks);
    }
}
