//! The key that clients show to a gateway, as commands take it.

use clap::Args;
use fallproof_reference::REFERENCE_CLIENT_KEY;
use fallproof_suite::secret::LONGEST;

/// Where the key can stand, so that it is in no command line.
const VARIABLE: &str = "FALLPROOF_KEY";

#[derive(Debug, Args)]
pub(super) struct Key {
    /// The key that the gateway wants from its clients
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
    /// The key where the user gives one.
    pub(super) fn own(&self) -> Option<&str> {
        Some(self.key.as_str()).filter(|key| *key != REFERENCE_CLIENT_KEY)
    }

    /// The words that give the same key again, without it.
    pub(super) fn again(&self) -> Option<String> {
        self.own().map(|_| format!("--key \"${VARIABLE}\""))
    }
}

/// A key as a header can carry it.
fn key(text: &str) -> Result<String, String> {
    if text.len() > LONGEST {
        Err(format!("a key has at most {LONGEST} bytes"))
    } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("a key is made of visible ASCII characters, without blanks and line ends".to_owned())
    }
}
