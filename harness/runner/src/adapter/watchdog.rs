//! A helper process that ends a gateway when Fallproof is killed.
//!
//! A signal that Fallproof can handle stops the gateway in order. SIGKILL cannot be handled, so a
//! shell waits for the end of a pipe that only Fallproof holds open. The pipe ends with Fallproof,
//! however that dies. The shell then kills the process group of the gateway, and removes the
//! temporary folder, which holds keys.

#[cfg(unix)]
use std::io::Write as _;
use std::path::Path;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};

/// Reads the process group, waits for the end of the pipe, then kills the group and removes the folder
/// `$1`.
#[cfg(unix)]
const SCRIPT: &str = r#"
read -r group; read -r _
[ -z "$group" ] || kill -s KILL -- "-$group" 2>/dev/null
[ -z "$1" ] || rm -rf -- "$1"
"#;

/// The helper process. When this value is dropped, it ends without doing anything.
#[derive(Debug)]
pub(super) struct Watchdog {
    #[cfg(unix)]
    shell: Child,
}

#[cfg(unix)]
impl Watchdog {
    /// Starts a watchdog, before the gateway: only the time until [`watch`](Self::watch) is not
    /// covered. Returns `None` where there is no shell.
    pub(super) fn start(scratch: Option<&Path>) -> Option<Self> {
        use std::os::unix::process::CommandExt as _;
        let scratch = scratch.map(Path::as_os_str).unwrap_or_default();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "fallproof-watchdog"]).arg(scratch);
        shell.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: Ctrl-C on the terminal must not end it before Fallproof.
        shell.process_group(0).spawn().ok().map(|shell| Self { shell })
    }

    /// Watches over the process group of `leader`.
    pub(super) fn watch(&mut self, leader: Option<u32>) {
        if let (Some(leader), Some(pipe)) = (leader, &mut self.shell.stdin) {
            // If the shell is gone, the gateway still ends with Fallproof in all other ways.
            let _ = pipe.write_all(format!("{leader}\n").as_bytes());
        }
    }
}

#[cfg(not(unix))]
impl Watchdog {
    /// On Windows, job objects end with Fallproof by themselves.
    pub(super) fn start(_: Option<&Path>) -> Option<Self> {
        None
    }

    pub(super) fn watch(&mut self, _: Option<u32>) {}
}

#[cfg(unix)]
impl Drop for Watchdog {
    fn drop(&mut self) {
        // The pipe is still open, so the shell has not gone past `read`.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
