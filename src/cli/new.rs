//! `fallproof new`: writes a commented scenario to start from.

use std::path::PathBuf;

use clap::Args;
use fallproof_runner::shell::quoted;
use fallproof_suite::scenario;

use super::init::{is_new, write};
use super::print::println;
use super::{SCENARIOS, Stop};

const TEMPLATE: &str = include_str!("new/scenario.yaml");

/// File of the JSON Schema in the folder of the scenarios.
const SCHEMA: &str = "schema.json";

#[derive(Debug, Args)]
pub(super) struct New {
    /// Id of the scenario: folder and name, e.g. routing/limit-of-the-fallback
    id: String,
    /// Folder that holds the scenarios
    #[arg(long, value_name = "DIR", default_value = SCENARIOS)]
    scenarios: PathBuf,
}

impl New {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        // The user may also give the path of the file instead of the id.
        let id = self.id.strip_suffix(".yaml").unwrap_or(&self.id);
        let folder = self.scenarios.to_string_lossy().into_owned() + "/";
        let id = id.strip_prefix("./").unwrap_or(id);
        let id = id.strip_prefix(&folder).unwrap_or(id);
        if !scenario::is_id(id) {
            return Err(Stop::usage(format!(
                "`{id}` is not a valid id: an id consists of lower-case letters, digits and `-`, with \
                 `/` between folder and name; try `{}`",
                likely_id(id)
            )));
        }
        let file = self.scenarios.join(format!("{id}.yaml"));
        is_new(&file)?;
        let above = format!("{}{SCHEMA}", "../".repeat(id.matches('/').count()));
        let text = TEMPLATE.replace("{schema}", &above).replace("{id}", id);
        write(&file, &text)?;
        println!("{}", file.display());
        // The first line of the scenario names this schema, which editors use for completion.
        let schema = self.scenarios.join(SCHEMA);
        if !schema.exists() {
            write(&schema, &scenario::schema())?;
            println!("{} (for completion in editors)", schema.display());
        }
        let file = file.to_string_lossy();
        println!("next: fallproof check {}, then fallproof run {id}", quoted(&file));
        Ok(())
    }
}

/// Suggests a valid id: the text with `-` in place of characters that an id cannot have. If nothing
/// remains, returns an example.
fn likely_id(text: &str) -> String {
    let fits = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let part = |part: &str| {
        let words: String = part.to_ascii_lowercase().chars().map(fits).collect();
        words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
    };
    let parts: Vec<_> = text.split('/').map(part).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "routing/my-case".to_owned() } else { parts.join("/") }
}
