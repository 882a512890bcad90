//! Progress of a run, on one line of the terminal.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

use crate::event::RunEvent;
use crate::model::Outcome;
use crate::reporter::{ReportError, Reporter};

/// Redraw interval when nothing happens.
const TICK: Duration = Duration::from_millis(500);

/// Draws the progress line if stderr is a terminal, and clears it at the end.
#[derive(Debug)]
pub struct Progress {
    line: ProgressBar,
    failed: usize,
}

impl Progress {
    /// Creates the progress line of a run that starts now.
    pub fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(terminal: ProgressDrawTarget) -> Self {
        let style = ProgressStyle::with_template("{pos}/{len}  {rate} cases/s{prefix}  {wide_msg}")
            .expect("the template is valid")
            .with_key("rate", |state: &ProgressState, line: &mut dyn fmt::Write| {
                let ended = f64::from(u32::try_from(state.pos()).unwrap_or(u32::MAX));
                let _ = write!(line, "{:.1}", ended / state.elapsed().as_secs_f64().max(0.001));
            });
        let line = ProgressBar::with_draw_target(None, terminal)
            .with_style(style)
            .with_finish(ProgressFinish::AndClear);
        line.enable_steady_tick(TICK);
        Self { line, failed: 0 }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Reporter for Progress {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        match *event {
            RunEvent::Started { cases, .. } => self.line.set_length(cases as u64),
            RunEvent::TargetStarted { .. } => {}
            RunEvent::CaseStarted { id } => self.line.set_message(id.to_owned()),
            RunEvent::CaseFinished { case, .. } => {
                if case.outcome == Outcome::Fail {
                    self.failed += 1;
                    self.line.set_prefix(format!("  {} failed", self.failed));
                }
                self.line.inc(1);
            }
            RunEvent::Finished { .. } => self.line.finish_and_clear(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{self, Sender};

    use indicatif::TermLike;

    use super::*;

    /// A narrow terminal that records what is written to it.
    #[derive(Debug)]
    struct Narrow(Sender<String>);

    impl TermLike for Narrow {
        fn width(&self) -> u16 {
            50
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.send(text.to_owned()).map_err(io::Error::other)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.write_str("cleared")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_shows_position_rate_and_case_and_fits_the_terminal_and_is_cleared() {
        let (sender, drawn) = mpsc::channel();
        let mut progress = Progress::on(ProgressDrawTarget::term_like(Box::new(Narrow(sender))));
        progress.line.set_length(412);
        let id = &"a-very-long-name".repeat(9);
        progress.event(&RunEvent::CaseStarted { id }).expect("it never fails");
        drop(progress);
        let drawn: Vec<_> = drawn.iter().collect();
        let line = drawn.iter().rfind(|it| it.contains("0/412")).expect("it is drawn");
        assert!(line.starts_with("0/412  0.0 cases/s  a-very-long-name"), "{line}");
        assert!(line.trim_end().chars().count() <= 50, "{line}");
        assert_eq!(drawn.last().map(String::as_str), Some("cleared"), "{drawn:?}");
    }
}
