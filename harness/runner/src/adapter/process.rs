//! A gateway as a process: started, waited for, and stopped with all that it started.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::time::{sleep, timeout};

use super::admin::AdminError;
use super::file::{Adapter, Ready, Signal};
use super::fill::RenderError;
use super::log::{self, Log};
use super::render::Configuration;
use super::site::Site;

/// What a gateway gets of our environment: a key or a proxy of the user's must not reach it.
const INHERITED: [&str; 8] =
    ["PATH", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "COMSPEC", "PATHEXT"];
/// How long a gateway may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A gateway that was started here. It does not outlive this value.
#[derive(Debug)]
pub struct Process {
    child: Box<dyn ChildWrapper>,
    stop: Signal,
    /// `host:port` where it listens.
    pub authority: String,
    /// The key that its clients have.
    key: String,
    /// What it prints.
    pub log: PathBuf,
    /// How long it took to be ready.
    pub ready_after: Duration,
}

/// Why a gateway is not running.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The adapter is wrong.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Its files could not be written. Holds the folder.
    #[error("its files cannot be written to {folder}: {1}", folder = .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The program could not be started.
    #[error("{program} cannot be started: {1}", program = .0.display())]
    Start(PathBuf, #[source] io::Error),
    /// It ended before it was ready. Holds how, and the end of its log.
    #[error("the gateway ended before it was ready ({0}); {1}")]
    Ended(ExitStatus, Log),
    /// It was not ready in time. Holds how long was waited, what was seen last, and the end of its
    /// log.
    #[error("the gateway was not ready after {waited:.1} s: {1}; {2}", waited = .0.as_secs_f64())]
    NotReady(Duration, String, Log),
    /// A call that configures it failed.
    #[error("the gateway could not be configured: {0}; {1}")]
    Admin(#[source] AdminError, Log),
}

impl Adapter {
    /// Writes the configuration, starts the gateway with it, waits until it is ready, and makes the
    /// calls that configure it.
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
        let child = command(configuration, site, out)
            .and_then(|mut command| command.spawn())
            .map_err(|error| LaunchError::Start(site.installation.program.clone(), error))?;
        let authority = site.authority();
        let ready_after = Duration::ZERO;
        let (stop, key) = (self.launch.stop, site.key.clone());
        let mut process = Process { child, stop, authority, key, log, ready_after };
        self.make_ready(&mut process, configuration).await?;
        process.ready_after = started.elapsed();
        Ok(process)
    }

    /// Gives a running gateway another configuration, waits until it has read it, and makes the calls
    /// that configure it.
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
            .map_err(|error| LaunchError::Admin(error, Log::of(&process.log)))
    }
}

fn command(configuration: &Configuration, site: &Site, out: File) -> io::Result<CommandWrap> {
    let err = out.try_clone()?;
    let own = [("HOME", site.folder.as_os_str().to_owned()), ("NO_PROXY", "*".into())];
    let inherited = INHERITED.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
    let mut wrap = CommandWrap::with_new(&site.installation.program, |command| {
        command
            .args(&configuration.arguments)
            .current_dir(&site.folder)
            .env_clear()
            .envs(inherited.chain(own))
            .envs(configuration.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
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
    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The same, waited for: it stops answering a moment before it is seen to have ended.
    pub async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        if limit.is_zero() {
            return self.ended();
        }
        timeout(limit, self.child.wait()).await.ok()?.ok()
    }

    /// Ends it and all that it started: politely until `hurry` is done, then not.
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

    /// Elsewhere than on Unix there are none, and what was to be seen is not.
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
                return Err(LaunchError::Ended(status, Log::of(&self.log)));
            }
            let seen = match self.address(ready) {
                Ok(()) => {
                    ready.seen(&self.authority, &self.key, configuration.contains.as_deref()).await
                }
                Err(words) => Err(format!("it has not printed `{words}`")),
            };
            let Err(seen) = seen else { return Ok(()) };
            if started.elapsed() >= limit {
                return Err(LaunchError::NotReady(limit, seen, Log::of(&self.log)));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Reads where it listens, if that is its own choice; fails with the words that it has not
    /// printed yet.
    fn address<'a>(&mut self, ready: &'a Ready) -> Result<(), &'a str> {
        let Some(words) = ready.address_after.0.as_deref() else { return Ok(()) };
        let said = fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let after = said.split_once(words).map(|(_, after)| after).ok_or(words)?;
        let is_part =
            |character: char| character.is_ascii_alphanumeric() || ".:[]-".contains(character);
        let end = after.find(|character| !is_part(character)).ok_or(words)?;
        after[..end].clone_into(&mut self.authority);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The whole group, where it still runs.
        if self.ended().is_none() {
            let _ = self.child.start_kill();
        }
    }
}

#[cfg(unix)]
impl Signal {
    /// The same on every Unix.
    fn number(self) -> i32 {
        match self {
            Self::Hup => 1,
            Self::Int => 2,
            Self::Term => 15,
        }
    }
}
