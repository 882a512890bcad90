//! How a run is ended by its user.

use std::process;
use std::time::Duration;

use anstream::eprintln;
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
        let (stop, stopped) = watch::channel(false);
        let (hurry, hurried) = watch::channel(false);
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
        Ok(Self { stop: stopped, hurry: hurried })
    }

    /// Whether the run is to end.
    pub(super) fn is_asked(&self) -> bool {
        *self.stop.borrow()
    }
}
