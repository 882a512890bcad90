//! What the served providers do at their attempts, as files and the admin address spell it.

use std::path::Path;

use fallproof_protocol::behaviour::behaviour_names;
use fallproof_protocol::behaviour::{Behaviour, CONNECT_TIMEOUT, CONNECTION_REFUSED};
use serde::Deserialize;

use fallproof_suite::yaml::{At, Diagnostic, LoadError, Source};

/// What cannot be played at a port that listens.
const DEAD_ENDS: [&str; 2] = [CONNECTION_REFUSED, CONNECT_TIMEOUT];

/// What a provider does at its attempts.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// In order.
    pub(super) script: Vec<Behaviour>,
    /// After its last behaviour the script repeats it; otherwise one more attempt is refused.
    pub(super) repeat_last: bool,
}

/// A script file: what each provider does at its attempts. One that is not named answers `ok` for
/// ever.
#[derive(Debug, Clone, Default)]
pub struct Scripts {
    pub(super) openai: Script,
    pub(super) azure: Script,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptsFile {
    #[serde(default)]
    openai: Option<ScriptFile>,
    #[serde(default)]
    azure: Option<ScriptFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptFile {
    script: Vec<At<Behaviour>>,
    #[serde(default)]
    repeat_last: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self { script: vec![Behaviour::named("ok")], repeat_last: true }
    }
}

impl Scripts {
    /// Reads a script file.
    ///
    /// # Errors
    /// It cannot be read, or is no script that can be played; they tell the place.
    pub fn load(file: &Path) -> Result<Self, LoadError> {
        let source = Source::read(file)?;
        let ScriptsFile { openai, azure } = source.parse()?;
        let script = |file: Option<ScriptFile>| match file {
            Some(file) => file.checked(&source),
            None => Ok(Script::default()),
        };
        Ok(Self { openai: script(openai)?, azure: script(azure)? })
    }
}

impl Script {
    /// Reads one provider's script.
    pub(super) fn parse(text: &str) -> Result<Self, LoadError> {
        let source = Source::new(Path::new("script"), text.as_bytes())?;
        source.parse::<ScriptFile>()?.checked(&source)
    }
}

impl ScriptFile {
    fn checked(self, source: &Source) -> Result<Script, LoadError> {
        match self.script.iter().find_map(|behaviour| fault(behaviour, source)) {
            Some(fault) => Err(fault.into()),
            None => Ok(Script {
                script: self.script.into_iter().map(|behaviour| behaviour.value).collect(),
                repeat_last: self.repeat_last,
            }),
        }
    }
}

fn fault(behaviour: &At<Behaviour>, source: &Source) -> Option<Diagnostic> {
    let (name, span) = (&behaviour.value.reply, &behaviour.span);
    if DEAD_ENDS.contains(&name.as_str()) {
        let error = source.error(span, format!("`{name}` cannot be played at a port that listens"));
        return Some(error.help("use `connection_reset`, or an address where nobody listens"));
    }
    let playable = || behaviour_names().filter(|known| !DEAD_ENDS.contains(known));
    let known = playable().any(|known| known == name);
    (!known).then(|| {
        source.error(span, format!("unknown behaviour `{name}`")).expected(name, playable())
    })
}
