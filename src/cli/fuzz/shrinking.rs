//! The progress and the budget of shrinking.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use fallproof_judge::CauseId;

/// Time between two progress lines if the output is not a terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows the progress of shrinking, and divides the time among the findings.
pub(super) struct Shrinking {
    all: usize,
    /// Number of the current finding, from 1.
    number: usize,
    about: String,
    until: Instant,
    printed: Cell<Option<Instant>>,
}

impl Shrinking {
    /// Starts the time budget for shrinking this many findings.
    pub(super) fn of(all: usize, budget: Duration) -> Self {
        let until = Instant::now() + budget;
        Self { all, number: 0, about: String::new(), until, printed: Cell::new(None) }
    }

    /// Moves to the next finding. Returns its share of the remaining time.
    pub(super) fn next(&mut self, cause: &CauseId) -> Duration {
        self.number += 1;
        self.about = cause.to_string();
        self.tried(0);
        let left = self.until.saturating_duration_since(Instant::now());
        share(left, self.all, self.number)
    }

    /// Shows that this many simpler cases were tried.
    pub(super) fn tried(&self, tries: usize) {
        let is_terminal = stderr().is_terminal();
        let is_due = self.printed.get().is_none_or(|printed| printed.elapsed() >= PAUSE);
        if !is_terminal && !is_due {
            return;
        }
        self.printed.set(Some(Instant::now()));
        let left = self.until.saturating_duration_since(Instant::now()).as_secs();
        let Self { number, all, about, .. } = self;
        let line = format!("shrinking {number} of {all}: {about}, {tries} tried, {left} s left");
        // Shrinking continues even if the terminal was closed.
        let _ = if is_terminal {
            write!(stderr(), "\r\x1b[2K{line}")
        } else {
            writeln!(stderr(), "{line}")
        };
    }
}

/// Clears the progress line on a terminal.
impl Drop for Shrinking {
    fn drop(&mut self) {
        if stderr().is_terminal() {
            let _ = write!(stderr(), "\r\x1b[2K");
        }
    }
}

/// An equal share of the time that is left for the findings from this number on.
fn share(left: Duration, all: usize, number: usize) -> Duration {
    left / u32::try_from((all + 1).saturating_sub(number).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_one_finding_does_not_need_is_left_to_the_next() {
        let seconds = Duration::from_secs;
        assert_eq!(share(seconds(300), 3, 1), seconds(100));
        assert_eq!(share(seconds(290), 3, 2), seconds(145));
        assert_eq!(share(seconds(30), 3, 3), seconds(30));
        assert_eq!(share(seconds(0), 3, 3), seconds(0));
    }
}
