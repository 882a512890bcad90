//! How far a run is, on one line of a terminal.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::event::RunEvent;
use crate::model::Outcome;
use crate::reporter::{ReportError, Reporter};

/// No longer than any terminal is wide: a line that wraps cannot be drawn over.
const WIDTH: usize = 79;

/// Draws a line over the one before, and takes the last one away.
#[derive(Debug)]
pub struct Progress<W: Write> {
    started: Instant,
    cases: usize,
    screen: W,
    ended: usize,
    failed: usize,
}

impl<W: Write> Progress<W> {
    /// The progress of a run of so many cases that starts now, on this terminal.
    pub fn new(cases: usize, screen: W) -> Self {
        Self { started: Instant::now(), cases, screen, ended: 0, failed: 0 }
    }

    fn update(&mut self, id: &str) {
        let line = line(self.ended, self.cases, self.failed, self.started.elapsed(), id);
        draw(&mut self.screen, &line);
    }
}

impl<W: Write + Send> Reporter for Progress<W> {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        match event {
            RunEvent::Started { .. } | RunEvent::TargetStarted { .. } => {}
            RunEvent::CaseStarted { id } => self.update(id),
            RunEvent::CaseFinished { case, .. } => {
                self.ended += 1;
                self.failed += usize::from(case.outcome == Outcome::Fail);
                self.update(&case.id);
            }
            RunEvent::Finished { .. } => draw(&mut self.screen, ""),
        }
        Ok(())
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
    fn each_line_is_drawn_over_the_one_before() {
        let mut screen = Vec::new();
        let mut progress = Progress::new(1, &mut screen);
        let event = RunEvent::CaseStarted { id: "a/b" };
        progress.event(&event).expect("it never fails");
        assert_eq!(screen, b"\r\x1b[2K0/1  0.0 cases/s  a/b");
    }
}
