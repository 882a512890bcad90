//! Where a gateway runs.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::installation::Installation;

/// Where one gateway runs and what it is given beside the plan.
#[derive(Debug, Clone)]
pub struct Site {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// The key that its clients have.
    pub key: String,
    /// The folder that its files are written into.
    pub folder: PathBuf,
    /// How many starts before this run have left their log there.
    pub earlier_logs: usize,
    /// What is started.
    pub installation: Installation,
}

impl Site {
    /// `host:port`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// `gateway` in templates.
    pub(super) fn context(&self) -> Value {
        json!({
            "host": self.host,
            "port": self.port,
            "url": format!("http://{}", self.authority()),
            "key": self.key,
            "folder": self.folder,
            "home": self.installation.home,
            "bin": self.installation.program.parent(),
            "program": self.installation.program,
        })
    }
}
