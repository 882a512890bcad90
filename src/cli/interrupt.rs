//! Handles Ctrl-C during a run.

use std::process;
use std::time::Duration;

use fallproof_runner::interrupt::Interrupt;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::print::eprintln;
use super::signals::interrupted;
use super::{INTERRUPTED, Stop};

/// How long a run may clean up after the second Ctrl-C.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// Starts to listen for Ctrl-C. The first Ctrl-C stops the run, which then still writes its report.
/// The second one ends the run without a report.
pub(super) fn listen(runtime: &Runtime) -> Result<Interrupt, Stop> {
    let (stop, stop_asked) = watch::channel(false);
    let (hurry, hurry_asked) = watch::channel(false);
    let _in_runtime = runtime.enter();
    let asked = interrupted()?;
    runtime.spawn(async move {
        asked.await;
        stop.send_replace(true);
        eprintln!("ending the run; press Ctrl-C again to end it without a report");
        if let Ok(asked_again) = interrupted() {
            asked_again.await;
            hurry.send_replace(true);
            tokio::time::sleep(LAST_GRACE).await;
            process::exit(INTERRUPTED.into());
        }
    });
    Ok(Interrupt { stop: stop_asked, hurry: hurry_asked })
}
