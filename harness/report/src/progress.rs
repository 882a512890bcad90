//! How far a run is, on one line of a terminal.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::model::{Case, Outcome};
use super::record::Listen;

/// No longer than any terminal is wide: a line that wraps cannot be drawn over.
const WIDTH: usize = 79;

/// Draws a line over the one before.
#[derive(Debug)]
pub struct Progress<W> {
    started: Instant,
    cases: usize,
    state: Mutex<State<W>>,
}

#[derive(Debug)]
struct State<W> {
    screen: W,
    ended: usize,
    failed: usize,
}

impl<W: Write> Progress<W> {
    /// The progress of a run of so many cases that starts now, on this terminal.
    pub fn new(cases: usize, screen: W) -> Self {
        let state = Mutex::new(State { screen, ended: 0, failed: 0 });
        Self { started: Instant::now(), cases, state }
    }

    /// Takes the line away.
    pub fn clear(self) {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        draw(&mut state.screen, "");
    }

    fn update(&self, id: &str, ended: Option<&Case>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(case) = ended {
            state.ended += 1;
            state.failed += usize::from(case.outcome == Outcome::Fail);
        }
        let line = line(state.ended, self.cases, state.failed, self.started.elapsed(), id);
        draw(&mut state.screen, &line);
    }
}

impl<W: Write + Send> Listen for Progress<W> {
    fn case_started(&self, id: &str) {
        self.update(id, None);
    }

    fn case_ended(&self, case: &Case) {
        self.update(&case.id, Some(case));
    }
}

/// A terminal that is gone is no reason to stop.
fn draw(screen: &mut impl Write, line: &str) {
    let _ = write!(screen, "\r\x1b[2K{line}");
    let _ = screen.flush();
}

fn line(ended: usize, cases: usize, failed: usize, elapsed: Duration, id: &str) -> String {
    let ended_so_far = u32::try_from(ended).unwrap_or(u32::MAX);
    let rate = f64::from(ended_so_far) / elapsed.as_secs_f64().max(0.001);
    let failed = if failed == 0 { String::new() } else { format!("  {failed} failed") };
    let line = format!("{ended}/{cases}  {rate:.1} cases/s{failed}  {id}");
    line.chars().take(WIDTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_how_fast_how_well_and_fits() {
        let told = line(30, 412, 2, Duration::from_secs(4), "routing/every-endpoint@chat");
        assert_eq!(told, "30/412  7.5 cases/s  2 failed  routing/every-endpoint@chat");
        let id = "a-very-long-name".repeat(9);
        assert_eq!(line(0, 412, 0, Duration::ZERO, &id).chars().count(), WIDTH);
    }

    #[test]
    fn each_line_is_drawn_over_the_one_before_and_the_last_is_taken_away() {
        let mut screen = Vec::new();
        let progress = Progress::new(1, &mut screen);
        progress.case_started("a/b");
        progress.clear();
        assert_eq!(screen, b"\r\x1b[2K0/1  0.0 cases/s  a/b\r\x1b[2K");
    }
}
