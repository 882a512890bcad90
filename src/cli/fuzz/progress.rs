//! The progress of a campaign.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fallproof_fuzz::stats::Stats;
use fallproof_report::phrases::counted;
use parking_lot::Mutex;

/// Prints the progress until `done` is set. A terminal shows one line that is updated; any other
/// output gets a new line each time, and less often.
pub(super) fn progress(
    stats: &Mutex<Stats>,
    cases: Option<u64>,
    started: Instant,
    done: &AtomicBool,
) {
    const TICK: Duration = Duration::from_millis(100);
    let is_terminal = stderr().is_terminal();
    let every = if is_terminal { 5 } else { 100 };
    for tick in 1_u32.. {
        // `run` unparks this thread when the campaign is done.
        thread::park_timeout(TICK);
        let is_done = done.load(Ordering::Relaxed);
        if is_terminal && (is_done || tick % every == 0) {
            // An error is ignored: the campaign continues if the terminal was closed.
            let _ = write!(stderr(), "\r\x1b[2K");
        }
        if is_done {
            return;
        }
        if tick % every == 0 {
            let line = line(stats, cases, started);
            let _ =
                if is_terminal { write!(stderr(), "{line}") } else { writeln!(stderr(), "{line}") };
        }
    }
}

fn line(stats: &Mutex<Stats>, cases: Option<u64>, started: Instant) -> String {
    let (played, found) = {
        let stats = stats.lock();
        (stats.cases, stats.failures.len())
    };
    let of = cases.map_or_else(String::new, |cases| format!("/{cases}"));
    let rate = rate(played, started.elapsed().as_secs_f64());
    let found = match found {
        0 => String::new(),
        count => format!("  {}", counted(count, "symptom")),
    };
    format!("{played}{of}  {rate:.0} cases/s{found}")
}

pub(super) fn rate(cases: u64, seconds: f64) -> f64 {
    f64::from(u32::try_from(cases).unwrap_or(u32::MAX)) / seconds.max(0.001)
}
