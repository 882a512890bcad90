//! The key that clients show to a gateway, as commands take it.

use std::env;

use clap::Args;
use fallproof_reference::REFERENCE_CLIENT_KEY;
use fallproof_suite::secret::LONGEST;

/// The environment variable that keeps the key out of command lines.
const VARIABLE: &str = "FALLPROOF_KEY";

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
    /// The key where the user gives one.
    pub(super) fn own(&self) -> Option<&str> {
        Some(self.key.as_str()).filter(|key| *key != REFERENCE_CLIENT_KEY)
    }

    /// The option that gives the same key again, to be filled in; `None` where the environment or the
    /// default gives it.
    pub(super) fn again(&self) -> Option<String> {
        let key = self.own()?;
        (env::var(VARIABLE).ok().as_deref() != Some(key)).then(|| "--key …".to_owned())
    }
}

/// A key as a header can carry it.
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
