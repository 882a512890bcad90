//! The signals that stop a command.

#[cfg(unix)]
use tokio::signal::unix::{self, SignalKind};

use super::Stop;

/// Completes when the user stops the command with Ctrl-C, by SIGTERM, which service managers send, or
/// by closing its terminal.
#[cfg(unix)]
pub(super) fn interrupted() -> Result<impl Future<Output = ()> + Send, Stop> {
    let ended = terminated()?;
    let mut hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ended => {}
            _ = hung_up => {}
        }
    })
}

/// Like [`interrupted`], but SIGHUP has another meaning to the command.
#[cfg(unix)]
pub(super) fn terminated() -> Result<impl Future<Output = ()> + Send, Stop> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Installs a signal handler. This is done at once, not at the first poll: a command can be stopped
/// as soon as it has printed that it is ready.
#[cfg(unix)]
fn signal(kind: SignalKind) -> Result<unix::Signal, Stop> {
    unix::signal(kind).map_err(|error| Stop::Harness(format!("cannot listen for signals: {error}")))
}

/// Whether the command was started by `nohup`, and so must outlive its terminal. Known only on Linux.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is signal 1, the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|it| it & 1 == 1)
}

/// Like [`interrupted`].
#[cfg(not(unix))]
pub(super) fn terminated() -> Result<impl Future<Output = ()> + Send, Stop> {
    interrupted()
}

/// Completes when the user stops the command with Ctrl-C.
#[cfg(not(unix))]
pub(super) fn interrupted() -> Result<impl Future<Output = ()> + Send, Stop> {
    Ok(async {
        // No handler could be installed: never completes, and Ctrl-C kills the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
