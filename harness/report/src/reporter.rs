//! Reporters. Each output of a run, from the progress line to the badge, has its own reporter.
//!
//! To add an output format:
//!
//! 1. Add a module with a type that implements [`Reporter`]. It gets every [`RunEvent`] and handles
//!    those it needs. API keys are redacted in all events, except in [`Raw`](crate::event::Raw) and
//!    in the plan of a target. No lock is needed: events arrive one at a time, even if cases run on
//!    several threads. A format that is made from the finished report alone needs only a function
//!    that turns a [`Report`](crate::model::Report) into text.
//! 2. Register the type or function. For a file in the `--report` directory, do this in
//!    [`ReportDir`](crate::report_dir::ReportDir); a function is one line of `AT_END` there. For
//!    any other output, do it in `Opened::reporters` of the command line.
//!
//! Each event is passed to the reporters in the order in which they are registered. Their output
//! appears in the same order.

use std::io;
use std::path::Path;

use parking_lot::Mutex;

use crate::event::RunEvent;

/// Receives the events of a run, and writes or shows them.
pub trait Reporter: Send {
    /// Handles an event. After an error, the reporter gets no further events.
    ///
    /// # Errors
    /// The output cannot be written.
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError>;
}

/// Output that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct ReportError {
    /// The file, or the failed action.
    what: String,
    source: io::Error,
}

impl ReportError {
    /// Creates an error with a description of the failed action.
    pub fn new(what: &str, source: io::Error) -> Self {
        Self { what: what.to_owned(), source }
    }

    /// Creates errors about this file, for `map_err`.
    pub fn at(file: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self { what: file.display().to_string(), source }
    }

    /// Whether the reader of the output has gone away, such as `head` after its last line.
    pub fn is_broken_pipe(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }

    /// Creates an error about stdout.
    pub(crate) fn stdout(source: io::Error) -> Self {
        Self::new("failed printing to stdout", source)
    }
}

/// Passes events to all reporters of a run, one event at a time.
pub struct Reporters {
    all: Mutex<All>,
}

struct All {
    working: Vec<Box<dyn Reporter>>,
    first_error: Option<ReportError>,
}

impl Reporters {
    /// Creates the list of reporters. Each event is passed to them in this order.
    pub fn new(working: Vec<Box<dyn Reporter>>) -> Self {
        Self { all: Mutex::new(All { working, first_error: None }) }
    }

    /// Passes an event to all reporters. A reporter that fails is dropped; the others continue.
    pub fn emit(&self, event: &RunEvent<'_>) {
        let mut all = self.all.lock();
        let All { working, first_error } = &mut *all;
        working.retain_mut(|reporter| match reporter.event(event) {
            Ok(()) => true,
            Err(error) => {
                first_error.get_or_insert(error);
                false
            }
        });
    }

    /// Checks whether all reporters have succeeded so far.
    ///
    /// # Errors
    /// The first error that a reporter returned. It is reported only once.
    pub fn check(&self) -> Result<(), ReportError> {
        let mut all = self.all.lock();
        all.first_error.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Sends the id of each started case, and fails at one case.
    struct Sending(&'static str, mpsc::Sender<String>);

    impl Reporter for Sending {
        fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
            let RunEvent::CaseStarted { id } = event else { return Ok(()) };
            if *id == self.0 {
                return Err(ReportError::at(Path::new("some/file"))(io::Error::other("disk full")));
            }
            self.1.send((*id).to_owned()).map_err(io::Error::other).map_err(ReportError::stdout)
        }
    }

    #[test]
    fn a_reporter_that_fails_is_dropped_and_the_others_continue() {
        let (sender, sent) = mpsc::channel();
        let failing = Sending("b", sender.clone());
        let reporters = Reporters::new(vec![Box::new(failing), Box::new(Sending("", sender))]);
        for id in ["a", "b", "c"] {
            reporters.emit(&RunEvent::CaseStarted { id });
        }
        let error = reporters.check().expect_err("one has failed").to_string();
        assert_eq!(error, "some/file: disk full");
        assert!(reporters.check().is_ok(), "an error is returned once");
        drop(reporters);
        assert_eq!(sent.iter().collect::<Vec<_>>(), ["a", "a", "b", "c"]);
    }

    #[test]
    fn events_may_come_from_any_thread() {
        let (sender, sent) = mpsc::channel();
        let reporters = Reporters::new(vec![Box::new(Sending("", sender))]);
        thread::scope(|scope| {
            for id in ["a", "b", "c"] {
                let reporters = &reporters;
                scope.spawn(move || reporters.emit(&RunEvent::CaseStarted { id }));
            }
        });
        drop(reporters);
        let mut sent: Vec<_> = sent.iter().collect();
        sent.sort();
        assert_eq!(sent, ["a", "b", "c"]);
    }
}
