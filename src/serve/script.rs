//! Scripts of the served providers, as read from files and from the admin API.

use std::path::Path;

use fallproof_protocol::behavior::behavior_names;
use fallproof_protocol::behavior::{Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED};
use serde::Deserialize;

use fallproof_suite::yaml::{At, Diagnostic, LoadError, Source};

/// Behaviors that a port cannot have while it listens.
const DEAD_ENDS: [&str; 2] = [CONNECTION_REFUSED, CONNECT_TIMEOUT];

/// Script of one provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The behaviors, one for each attempt, in order.
    pub(super) script: Vec<At<Behavior>>,
    /// Whether the last behavior repeats. If not, the mock rejects further attempts.
    #[serde(default)]
    pub(super) repeat_last: bool,
}

/// A script file, with one script for each provider. A provider without a script always replies
/// `ok`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scripts {
    pub(super) openai: Option<Script>,
    pub(super) azure: Option<Script>,
}

impl Default for Script {
    fn default() -> Self {
        let ok = At { value: Behavior::named("ok"), span: 0..0 };
        Self { script: vec![ok], repeat_last: true }
    }
}

impl Scripts {
    /// Reads a script file.
    ///
    /// # Errors
    /// The file cannot be read or is invalid. The error shows the position.
    pub fn load(file: &Path) -> Result<Self, LoadError> {
        let source = Source::read(file)?;
        let scripts: Self = source.parse()?;
        for script in [&scripts.openai, &scripts.azure].into_iter().flatten() {
            script.check(&source)?;
        }
        Ok(scripts)
    }
}

impl Script {
    /// Parses the script of one provider.
    pub(super) fn parse(text: &str) -> Result<Self, LoadError> {
        let source = Source::new(Path::new("script"), text.as_bytes())?;
        let script: Self = source.parse()?;
        script.check(&source)?;
        Ok(script)
    }

    fn check(&self, source: &Source) -> Result<(), LoadError> {
        let fault = self.script.iter().find_map(|behavior| fault(behavior, source));
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }
}

fn fault(behavior: &At<Behavior>, source: &Source) -> Option<Diagnostic> {
    let (name, span) = (&behavior.value.reply, &behavior.span);
    if DEAD_ENDS.contains(&name.as_str()) {
        let error =
            source.error(span, format!("`{name}` is not available: this port always listens"));
        return Some(error.help("use `connection_reset`, or an address where no server listens"));
    }
    let playable = || behavior_names().filter(|known| !DEAD_ENDS.contains(known));
    let known = playable().any(|known| known == name);
    (!known).then(|| {
        source.error(span, format!("unknown behavior `{name}`")).expected(name, playable())
    })
}
