//! A helper process that ends a gateway when Fallproof is killed.
//!
//! A signal that Fallproof can handle stops the gateway in order. SIGKILL cannot be handled, so a
//! shell waits for the end of a pipe that only Fallproof holds open. The pipe ends with Fallproof,
//! however that dies. The shell then kills the process group of the gateway, and removes the
//! temporary folder, which holds keys.
//!
//! The gateway starts only when its watchdog knows it. Until then, its process is a shell that waits
//! for a line from Fallproof, and ends without one.

use std::ffi::OsString;
use std::io;
#[cfg(unix)]
use std::io::Write as _;
use std::path::Path;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};

use process_wrap::tokio::ChildWrapper;

/// Reads the process group, waits for the end of the pipe, then kills the group and removes the folder
/// `$1`.
#[cfg(unix)]
const SCRIPT: &str = r#"
read -r group; read -r _
[ -z "$group" ] || kill -s KILL -- "-$group" 2>/dev/null
[ -z "$1" ] || rm -rf -- "$1"
"#;

/// Waits for a line, then becomes the program `$0`. Variables of the shell's own do not reach it.
#[cfg(unix)]
const WAIT: &str = r#"read -r _ && unset PWD OLDPWD SHLVL _ && exec "$0" "$@" </dev/null"#;

/// The helper process. When this value is dropped, it ends without doing anything.
#[derive(Debug)]
pub(super) struct Watchdog {
    #[cfg(unix)]
    shell: Child,
}

#[cfg(unix)]
impl Watchdog {
    /// Starts a watchdog. Returns `None` where there is no shell.
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

    /// The first words of a command that starts the program when it is [released](Self::release).
    ///
    /// # Errors
    /// The program is not an executable file. The shell could say so only in the gateway's log.
    pub(super) fn waiting(program: &Path) -> io::Result<[OsString; 4]> {
        use std::os::unix::fs::PermissionsExt as _;
        let found = program.metadata()?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(["/bin/sh".into(), "-c".into(), WAIT.into(), program.into()])
    }

    /// Watches over the process group of a waiting program, and lets the program start.
    pub(super) async fn release(&mut self, child: &mut dyn ChildWrapper) {
        if let (Some(leader), Some(pipe)) = (child.id(), &mut self.shell.stdin) {
            // If the shell is gone, the gateway still ends with Fallproof in all other ways.
            let _ = pipe.write_all(format!("{leader}\n").as_bytes());
        }
        if let Some(mut stdin) = child.stdin().take() {
            // An error means that the process has ended, which the readiness check reports.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, b"\n").await;
        }
    }
}

#[cfg(not(unix))]
impl Watchdog {
    /// On Windows, job objects end with Fallproof by themselves.
    pub(super) fn start(_: Option<&Path>) -> Option<Self> {
        None
    }

    pub(super) fn waiting(program: &Path) -> io::Result<[OsString; 1]> {
        Ok([program.into()])
    }

    pub(super) async fn release(&mut self, _: &mut dyn ChildWrapper) {}
}

#[cfg(unix)]
impl Drop for Watchdog {
    fn drop(&mut self) {
        // The pipe is still open, so the shell has not gone past `read`.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
