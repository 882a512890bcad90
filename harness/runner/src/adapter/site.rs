//! Where a gateway runs.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::installation::Installation;
use super::log;

/// Where a gateway listens that is started here: below what the system draws from for connections.
const PORTS: Range<u16> = 20_000..32_000;

/// How many of these ports are tried.
const TRIES: usize = 50;

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
    /// A site of its own on this machine, at a port that is free.
    ///
    /// # Errors
    /// There is no such port.
    pub fn here(folder: PathBuf, key: String, installation: Installation) -> io::Result<Self> {
        let (host, port) = (Ipv4Addr::LOCALHOST.to_string(), free_port()?);
        let earlier_logs = log::starts_in(&folder);
        Ok(Self { host, port, key, folder, earlier_logs, installation })
    }

    /// What the gateway has printed at each start of this run, in order; of much the last.
    pub fn printed(&self) -> Vec<String> {
        log::printed(&self.folder, self.earlier_logs)
    }

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

/// A port for a gateway, which will bind it only in a while. Until then nobody else is given it by
/// the system, which draws from above, for connections too.
fn free_port() -> io::Result<u16> {
    let any = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let mut drawn = std::iter::repeat_with(|| rand::random_range(PORTS)).take(TRIES);
    match drawn.find(|&port| any(port).is_ok()) {
        Some(port) => Ok(port),
        None => Ok(any(0)?.local_addr()?.port()),
    }
}
