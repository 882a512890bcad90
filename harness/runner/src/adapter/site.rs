//! Location of a gateway: address, directory and installation.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::installation::Installation;
use super::log;

/// Ports for gateways started by Fallproof, below the ephemeral ports of the system.
const PORTS: Range<u16> = 20_000..32_000;

/// Maximum number of these ports to try.
const TRIES: usize = 50;

/// Where one gateway runs, and what it needs in addition to the plan.
#[derive(Debug, Clone)]
pub struct Site {
    /// Host to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// API key that clients send to the gateway.
    pub key: String,
    /// Directory of the gateway's files.
    pub folder: PathBuf,
    /// The temporary folder that holds the directory, if it is not to be kept. It is removed with
    /// the last clone of this value.
    pub scratch: Option<Arc<TempDir>>,
    /// Number of logs in the directory from starts before this run.
    pub earlier_logs: usize,
    /// The installation to start.
    pub installation: Installation,
}

impl Site {
    /// Creates a site on this machine with a free port.
    ///
    /// # Errors
    /// No port is free.
    pub fn here(folder: PathBuf, key: String, installation: Installation) -> io::Result<Self> {
        let (host, port) = (Ipv4Addr::LOCALHOST.to_string(), free_port()?);
        let earlier_logs = log::starts_in(&folder);
        Ok(Self { host, port, key, folder, scratch: None, earlier_logs, installation })
    }

    /// Output of the gateway at each start of this run, in order. Only the last megabyte of each
    /// output is kept.
    pub fn printed(&self) -> Vec<String> {
        log::printed(&self.folder, self.earlier_logs)
    }

    /// `host:port`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Value of `gateway` in templates.
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

/// Returns a free port for a gateway, which binds it later. The port is not an ephemeral one, so
/// that the system does not assign it to another process in the meantime.
fn free_port() -> io::Result<u16> {
    let any = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let mut drawn = std::iter::repeat_with(|| rand::random_range(PORTS)).take(TRIES);
    match drawn.find(|&port| any(port).is_ok()) {
        Some(port) => Ok(port),
        None => Ok(any(0)?.local_addr()?.port()),
    }
}
