//! A helper process that ends a gateway when Fallproof is killed.
//!
//! A signal that Fallproof can handle stops the gateway in order. SIGKILL cannot be handled, so a
//! shell waits for the end of a pipe that only Fallproof holds open. The pipe ends with Fallproof,
//! however that dies. The shell then kills the process group of the gateway, and removes the
//! temporary folder, which holds keys.

use std::path::Path;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};

/// Waits for the end of the pipe, then kills the group `$1` and removes the folder `$2`.
#[cfg(unix)]
const SCRIPT: &str = r#"read -r _; kill -KILL -- "-$1" 2>/dev/null; [ -z "$2" ] || rm -rf -- "$2""#;

/// The helper process. When this value is dropped, it ends without doing anything.
#[derive(Debug)]
pub(super) struct Watchdog {
    #[cfg(unix)]
    shell: Child,
}

impl Watchdog {
    /// Starts a watchdog over the process group of `leader`. Returns `None` where there is no shell,
    /// and on Windows, whose job objects end with Fallproof by themselves.
    #[cfg(unix)]
    pub(super) fn start(leader: Option<u32>, scratch: Option<&Path>) -> Option<Self> {
        use std::os::unix::process::CommandExt as _;
        let scratch = scratch.map(Path::as_os_str).unwrap_or_default();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "fallproof-watchdog", &leader?.to_string()]).arg(scratch);
        shell.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: Ctrl-C on the terminal must not end it before Fallproof.
        shell.process_group(0).spawn().ok().map(|shell| Self { shell })
    }

    #[cfg(not(unix))]
    pub(super) fn start(_: Option<u32>, _: Option<&Path>) -> Option<Self> {
        None
    }
}

#[cfg(unix)]
impl Drop for Watchdog {
    fn drop(&mut self) {
        // The pipe is still open, so the shell has not gone past `read`.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
