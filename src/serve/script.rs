//! What the served providers do at their attempts, as files and the admin address spell it.

use std::path::Path;

use fallproof_protocol::behavior::behavior_names;
use fallproof_protocol::behavior::{Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED};
use serde::Deserialize;

use fallproof_suite::yaml::{At, Diagnostic, LoadError, Source};

/// What cannot be played at a port that listens.
const DEAD_ENDS: [&str; 2] = [CONNECTION_REFUSED, CONNECT_TIMEOUT];

/// What a provider does at its attempts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// In order.
    pub(super) script: Vec<At<Behavior>>,
    /// After its last behavior the script repeats it; otherwise one more attempt is refused.
    #[serde(default)]
    pub(super) repeat_last: bool,
}

/// A script file: what each provider does at its attempts. One that is not named answers `ok` for
/// ever.
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
    /// It cannot be read, or is no script that can be played; they tell the place.
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
    /// Reads one provider's script.
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
        let error = source.error(span, format!("`{name}` cannot be played at a port that listens"));
        return Some(error.help("use `connection_reset`, or an address where nobody listens"));
    }
    let playable = || behavior_names().filter(|known| !DEAD_ENDS.contains(known));
    let known = playable().any(|known| known == name);
    (!known).then(|| {
        source.error(span, format!("unknown behavior `{name}`")).expected(name, playable())
    })
}
