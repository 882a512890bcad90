//! The option `--key`: the API key that clients send to a gateway.

use std::env;

use clap::Args;
use fallproof_reference::REFERENCE_CLIENT_KEY;
use fallproof_suite::secret::LONGEST;

/// The environment variable for the key, which keeps it out of command lines.
const VARIABLE: &str = "FALLPROOF_KEY";

/// Stands for a key in a command that is shown to the user.
const PLACEHOLDER: &str = "…";

#[derive(Debug, Args)]
pub(super) struct Key {
    /// The API key that the gateway expects from its clients
    #[arg(
        long,
        value_name = "KEY",
        value_parser = key,
        env = VARIABLE,
        hide_env_values = true,
        default_value = REFERENCE_CLIENT_KEY
    )]
    pub(super) key: String,
}

impl Key {
    /// The key if it is not the default.
    pub(super) fn own(&self) -> Option<&str> {
        Some(self.key.as_str()).filter(|key| *key != REFERENCE_CLIENT_KEY)
    }

    /// A `--key` option with a placeholder, for a command that the user can run again. `None` if
    /// the key comes from the environment or is the default.
    pub(super) fn again(&self) -> Option<String> {
        let key = self.own()?;
        (env::var(VARIABLE).ok().as_deref() != Some(key)).then(|| format!("--key {PLACEHOLDER}"))
    }

    /// The words of such a command, with the default key in place of the placeholder.
    pub(super) fn filled_in(words: Vec<String>) -> impl Iterator<Item = String> {
        words.into_iter().map(|word| match word.as_str() {
            PLACEHOLDER => REFERENCE_CLIENT_KEY.to_owned(),
            _ => word,
        })
    }
}

/// Parses a key, which must be valid in an HTTP header.
fn key(text: &str) -> Result<String, String> {
    if text.len() > LONGEST {
        Err(format!("a key has at most {LONGEST} bytes"))
    } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "a key consists of visible ASCII characters; pass the gateway's with --key or {VARIABLE}"
        ))
    }
}
