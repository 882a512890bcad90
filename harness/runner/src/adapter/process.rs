//! Starts gateway processes, waits until they are ready, and stops them with their child processes.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::time::{sleep, timeout};

use super::admin::AdminError;
use super::environment;
use super::file::{Adapter, Ready, Signal};
use super::fill::RenderError;
use super::log::{self, Log};
use super::render::Configuration;
use super::site::Site;
use super::watchdog::Watchdog;

/// Maximum time from the stop signal to the exit of a gateway.
const GRACE: Duration = Duration::from_secs(10);
/// First pause between two readiness checks. It doubles after each check.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause between two readiness checks.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// A gateway process started by Fallproof. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Box<dyn ChildWrapper>,
    /// Kills the process if Fallproof itself is killed.
    watchdog: Option<Watchdog>,
    stop: Signal,
    /// `host:port` that the gateway listens on.
    pub authority: String,
    /// API key that clients send to the gateway.
    key: String,
    /// Path of the gateway's log.
    pub log: PathBuf,
    /// Whether the log is kept when the run has ended.
    log_is_kept: bool,
    /// Time from start to ready.
    pub ready_after: Duration,
}

/// A gateway could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The adapter is invalid.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The files could not be written. Holds the directory.
    #[error("cannot write the gateway's files to {folder}: {1}", folder = .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The program could not be started.
    #[error("cannot start {program}: {1}", program = .0.display())]
    Start(PathBuf, #[source] io::Error),
    /// The gateway exited before it was ready. Holds the status and the end of the log.
    #[error("the gateway exited before it was ready ({0}); {1}")]
    Ended(ExitStatus, Log),
    /// The gateway was not ready in time. Holds the time waited, the last problem, and the end of
    /// the log.
    #[error("the gateway was not ready after {waited:.1} s: {1}; {2}", waited = .0.as_secs_f64())]
    NotReady(Duration, String, Log),
    /// An admin call failed.
    #[error("the gateway could not be configured: {0}; {1}")]
    Admin(#[source] AdminError, Log),
}

impl Adapter {
    /// Writes the configuration, starts the gateway, waits until it is ready, and makes the admin
    /// calls.
    pub async fn launch(
        &self,
        configuration: &Configuration,
        site: &Site,
    ) -> Result<Process, LaunchError> {
        let folder = &site.folder;
        let in_folder = |error| LaunchError::Folder(folder.clone(), error);
        configuration.write(folder).map_err(in_folder)?;
        let log = log::next(folder);
        let out = File::create(&log).map_err(in_folder)?;
        let started = Instant::now();
        let mut watchdog = Watchdog::start(site.scratch.as_ref().map(|folder| folder.path()));
        let mut child =
            command(configuration, site, out, watchdog.is_some() && fits_a_shell(configuration))
                .and_then(|mut command| command.spawn())
                .map_err(|error| LaunchError::Start(site.installation.program.clone(), error))?;
        if let Some(watchdog) = &mut watchdog {
            watchdog.release(&mut *child).await;
        }
        let authority = site.authority();
        let ready_after = Duration::ZERO;
        let (stop, key) = (self.launch.stop, site.key.clone());
        let log_is_kept = site.scratch.is_none();
        let mut process =
            Process { child, watchdog, stop, authority, key, log, log_is_kept, ready_after };
        self.make_ready(&mut process, configuration).await?;
        process.ready_after = started.elapsed();
        Ok(process)
    }

    /// Gives a running gateway a new configuration, waits until it is loaded, and makes the admin
    /// calls.
    pub async fn reload(
        &self,
        mut process: Process,
        configuration: &Configuration,
        site: &Site,
    ) -> Result<Process, LaunchError> {
        let in_folder = |error| LaunchError::Folder(site.folder.clone(), error);
        configuration.write(&site.folder).map_err(in_folder)?;
        process.signal(self.launch.reload.0.as_ref().map(|reload| reload.value));
        self.make_ready(&mut process, configuration).await?;
        Ok(process)
    }

    async fn make_ready(
        &self,
        process: &mut Process,
        configuration: &Configuration,
    ) -> Result<(), LaunchError> {
        process.wait_ready(&self.launch.ready, configuration).await?;
        self.configure(configuration, &process.authority)
            .await
            .map_err(|error| LaunchError::Admin(error, process.end_of_log()))
    }
}

/// Whether a shell passes on all variables of the gateway's environment. It drops those whose names it
/// cannot use itself.
fn fits_a_shell(configuration: &Configuration) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    configuration.environment.iter().all(|(name, _)| name.bytes().all(is_part))
}

/// The command that starts the gateway. If it `waits`, its watchdog must release it.
fn command(
    configuration: &Configuration,
    site: &Site,
    out: File,
    waits: bool,
) -> io::Result<CommandWrap> {
    let err = out.try_clone()?;
    let program = &site.installation.program;
    let (words, stdin) = if waits {
        (Watchdog::waiting(program)?.to_vec(), Stdio::piped())
    } else {
        (vec![program.into()], Stdio::null())
    };
    let mut wrap = CommandWrap::with_new(&words[0], |command| {
        environment::clear(command.as_std_mut(), &site.folder);
        command
            .args(&words[1..])
            .args(&configuration.arguments)
            .current_dir(&site.folder)
            .envs(configuration.environment.iter().map(|(name, value)| (name, value)))
            .stdin(stdin)
            .stdout(out)
            .stderr(err);
    });
    wrap.wrap(KillOnDrop);
    #[cfg(unix)]
    wrap.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    wrap.wrap(process_wrap::tokio::JobObject);
    Ok(wrap)
}

impl Process {
    /// Returns the exit status if the process has exited.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits up to `limit` for the process to exit. The wait is needed because a process stops
    /// responding shortly before its exit can be observed.
    pub async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        if limit.is_zero() {
            return self.ended();
        }
        timeout(limit, self.child.wait()).await.ok()?.ok()
    }

    /// Stops the process and its children with the stop signal. Kills them after a grace period, or
    /// when `hurry` completes.
    pub async fn stop(mut self, hurry: impl Future<Output = ()>) {
        #[cfg(unix)]
        if self.child.signal(self.stop.number()).is_ok() {
            tokio::select! {
                _ = timeout(GRACE, self.child.wait()) => {}
                () = hurry => {}
            }
        }
        #[cfg(not(unix))]
        drop(hurry);
        let _ = self.child.start_kill();
        let _ = timeout(GRACE, self.child.wait()).await;
    }

    fn end_of_log(&self) -> Log {
        Log::of(&self.log, self.log_is_kept)
    }

    /// Sends a signal. Does nothing on systems other than Unix.
    fn signal(&self, signal: Option<Signal>) {
        #[cfg(unix)]
        if let Some(signal) = signal {
            let _ = self.child.signal(signal.number());
        }
        #[cfg(not(unix))]
        let _ = signal;
    }

    async fn wait_ready(
        &mut self,
        ready: &Ready,
        configuration: &Configuration,
    ) -> Result<(), LaunchError> {
        let limit = ready.limit(configuration.scope.groups.len());
        let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            if let Some(status) = self.ended() {
                return Err(LaunchError::Ended(status, self.end_of_log()));
            }
            let checked = match self.address(ready) {
                Ok(()) => {
                    ready.check(&self.authority, &self.key, configuration.contains.as_deref()).await
                }
                Err(text) => Err(format!("the gateway has not printed `{text}`")),
            };
            let Err(problem) = checked else { return Ok(()) };
            if started.elapsed() >= limit {
                return Err(LaunchError::NotReady(limit, problem, self.end_of_log()));
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// If the gateway chooses its own address, reads the address from the log. The error is the
    /// text that the gateway has not printed yet.
    fn address<'a>(&mut self, ready: &'a Ready) -> Result<(), &'a str> {
        let Some(text) = ready.address_after.0.as_deref() else { return Ok(()) };
        let log = log::beginning(&self.log).unwrap_or_default();
        let after = log.split_once(text).map(|(_, after)| after).ok_or(text)?;
        let is_part =
            |character: char| character.is_ascii_alphanumeric() || ".:[]-".contains(character);
        let end = after.find(|character| !is_part(character)).ok_or(text)?;
        after[..end].clone_into(&mut self.authority);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Kills the whole process group, even if its first process has ended: that may have started
        // others.
        let _ = self.child.start_kill();
        // Only now: if Fallproof is killed before this line, the watchdog must still act.
        drop(self.watchdog.take());
    }
}

#[cfg(unix)]
impl Signal {
    /// Number of the signal, which is the same on every Unix.
    fn number(self) -> i32 {
        match self {
            Self::Hup => 1,
            Self::Int => 2,
            Self::Term => 15,
        }
    }
}
