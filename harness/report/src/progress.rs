//! Progress of a run: a line on a terminal that is redrawn, or else a line from time to time; and the
//! first failures.

mod tally;

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use owo_colors::OwoColorize as _;

use self::tally::Tally;
use crate::event::RunEvent;
use crate::print::eprintln;
use crate::reporter::{ReportError, Reporter};
use crate::wrap::cut;

/// Redraw interval when nothing happens.
const TICK: Duration = Duration::from_millis(500);

/// A run that takes less shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// Returns the time since the start of the run.
type Clock = Box<dyn Fn() -> Duration + Send>;

/// Shows the progress of a run on stderr.
pub struct Progress {
    clock: Clock,
    screen: Screen,
    tally: Tally,
    /// Failures to print, held back until the run has taken a while.
    failures: Vec<String>,
}

enum Screen {
    /// A terminal, and where the line will be drawn once the run has taken a while.
    Terminal { line: ProgressBar, later: Option<ProgressDrawTarget> },
    /// No terminal. `last` is when the last line was written.
    Plain { out: Box<dyn Write + Send>, last: Duration },
}

impl Progress {
    /// Creates the progress of a run that starts now.
    pub fn new() -> Self {
        let start = Instant::now();
        let clock = Box::new(move || start.elapsed());
        let stderr = ProgressDrawTarget::stderr();
        if stderr.is_hidden() {
            Self::plain(clock, Box::new(anstream::stderr()))
        } else {
            Self::terminal(clock, stderr)
        }
    }

    fn plain(clock: Clock, out: Box<dyn Write + Send>) -> Self {
        let screen = Screen::Plain { out, last: Duration::ZERO };
        Self { clock, screen, tally: Tally::default(), failures: Vec::new() }
    }

    fn terminal(clock: Clock, terminal: ProgressDrawTarget) -> Self {
        let style = ProgressStyle::with_template("{prefix}  {wide_msg}");
        let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
            .with_style(style.expect("the template is valid"))
            .with_finish(ProgressFinish::AndClear);
        let screen = Screen::Terminal { line, later: Some(terminal) };
        Self { clock, screen, tally: Tally::default(), failures: Vec::new() }
    }

    /// Shows the state of the run, unless it has only just started.
    fn show(&mut self) {
        let now = (self.clock)();
        if now < PATIENCE {
            return;
        }
        let failures = std::mem::take(&mut self.failures);
        let width = textwrap::termwidth();
        match &mut self.screen {
            Screen::Terminal { line, later } => {
                if let Some(terminal) = later.take() {
                    line.set_draw_target(terminal);
                    line.enable_steady_tick(TICK);
                }
                line.set_prefix(self.tally.line(now));
                let failures: Vec<_> = failures.iter().map(|it| styled(it, width)).collect();
                if !failures.is_empty() {
                    line.suspend(|| failures.iter().for_each(|failure| eprintln!("{failure}")));
                }
            }
            Screen::Plain { out, last } => {
                // Nobody may be listening; the run continues all the same.
                for failure in failures {
                    let _ = writeln!(out, "{}", styled(&failure, width));
                }
                if now >= *last + INTERVAL {
                    *last = now;
                    let _ = writeln!(out, "{}", self.tally.plain(now));
                }
            }
        }
    }
}

/// A failure, on one line.
fn styled(failure: &str, width: usize) -> String {
    cut(failure, width).replacen("FAIL", &"FAIL".red().bold().to_string(), 1)
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Reporter for Progress {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        match *event {
            RunEvent::Started { cases, .. } => self.tally.cases = cases,
            RunEvent::TargetStarted { .. } => {}
            RunEvent::CaseStarted { id } => {
                self.tally.case_started((self.clock)());
                if let Screen::Terminal { line, .. } = &self.screen {
                    line.set_message(id.to_owned());
                }
            }
            RunEvent::CaseFinished { case, .. } => {
                self.failures.extend(self.tally.case_ended(case));
            }
            RunEvent::Finished { .. } => {
                if let Screen::Terminal { line, .. } = &self.screen {
                    line.finish_and_clear();
                }
                return Ok(());
            }
        }
        self.show();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{self, Sender};

    use indicatif::TermLike;

    use super::*;

    /// A clock that the test sets, in seconds.
    fn clock() -> (Arc<AtomicU64>, Clock) {
        let seconds = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&seconds);
        (seconds, Box::new(move || Duration::from_secs(read.load(Ordering::Relaxed))))
    }

    /// Sends what is written to it.
    struct Sending(Sender<String>);

    impl Write for Sending {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let sent = self.0.send(String::from_utf8_lossy(text).into_owned());
            sent.map(|()| text.len()).map_err(io::Error::other)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

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
        let (seconds, clock) = clock();
        let terminal = ProgressDrawTarget::term_like(Box::new(Narrow(sender)));
        let mut progress = Progress::terminal(clock, terminal);
        progress.tally.cases = 412;
        let id = &"a-very-long-name".repeat(9);
        progress.event(&RunEvent::CaseStarted { id }).expect("it never fails");
        assert!(drawn.try_recv().is_err(), "a short run shows no progress");
        seconds.store(1, Ordering::Relaxed);
        progress.event(&RunEvent::CaseStarted { id }).expect("it never fails");
        drop(progress);
        let drawn: Vec<_> = drawn.iter().collect();
        let line = drawn.iter().rfind(|it| it.contains("0/412")).expect("it is drawn");
        assert!(line.starts_with("0/412  0.0 cases/s  a-very-long-name"), "{line}");
        assert!(line.trim_end().chars().count() <= 50, "{line}");
        assert_eq!(drawn.last().map(String::as_str), Some("cleared"), "{drawn:?}");
    }

    #[test]
    fn without_a_terminal_a_line_is_written_every_ten_seconds() {
        let (sender, written) = mpsc::channel();
        let (seconds, clock) = clock();
        let mut progress = Progress::plain(clock, Box::new(Sending(sender)));
        progress.tally.cases = 8;
        for second in 0..=30 {
            seconds.store(second, Ordering::Relaxed);
            progress.event(&RunEvent::CaseStarted { id: "a/b" }).expect("it never fails");
        }
        drop(progress);
        let written: String = written.iter().collect();
        assert_eq!(written, "0/8 cases\n".repeat(3));
    }
}
