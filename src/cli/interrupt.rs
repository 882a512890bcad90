//! How a run is ended by its user.

use std::process;
use std::time::Duration;

use anstream::eprintln;
use fallproof_runner::adapter::Process;
use fallproof_runner::drive::stopped;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{INTERRUPTED, Stop, interrupted};

/// How long a run that was asked twice may take to leave nothing behind.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// What the user has asked for.
pub(super) struct Interrupt {
    /// Holds true once the run is to end.
    pub(super) stop: watch::Receiver<bool>,
    /// Holds true once nothing is to be waited for any more.
    pub(super) hurry: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on.
    pub(super) fn listen(runtime: &Runtime) -> Result<Self, Stop> {
        let (stop, stop_asked) = watch::channel(false);
        let (hurry, hurry_asked) = watch::channel(false);
        let _in_runtime = runtime.enter();
        let asked = interrupted()?;
        runtime.spawn(async move {
            asked.await;
            stop.send_replace(true);
            eprintln!("ending the run; once more ends it without a report");
            if let Ok(asked_again) = interrupted() {
                asked_again.await;
                hurry.send_replace(true);
                tokio::time::sleep(LAST_GRACE).await;
                process::exit(INTERRUPTED.into());
            }
        });
        Ok(Self { stop: stop_asked, hurry: hurry_asked })
    }

    /// Whether the run is to end.
    pub(super) fn is_asked(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends a gateway that was started here, where one was: politely, unless there is hurry.
    pub(super) async fn end(&self, gateway: Option<Process>) {
        if let Some(gateway) = gateway {
            gateway.stop(stopped(self.hurry.clone())).await;
        }
    }
}

/// What comes of this work, unless `asked` holds true before: then it is given up, with the gateway
/// that it may be starting, which must not be left behind.
pub(super) async fn unless<T>(
    asked: &watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = stopped(asked.clone()) => None,
    }
}
