//! Reporters: everything that a run writes or shows is one, from the line of progress to the badge.
//!
//! To add an output format:
//!
//! 1. Write a file with a type that implements [`Reporter`]. It is told of each [`RunEvent`] and takes
//!    up those that it needs; what it is shown is free of keys, but for [`Raw`](crate::event::Raw). It
//!    needs no lock: events come one at a time, whatever threads the cases ran on. A format that is
//!    made from the finished report alone needs only a function from [`Report`](crate::model::Report)
//!    to text.
//! 2. Name it in the list. For a file in the folder of `--report` that is
//!    [`ReportDir`](crate::report_dir::ReportDir), where a function is one line of `AT_END`; for
//!    anything else it is `Run::reporters` of the command line.
//!
//! Reporters are told in the order of the list, and those that print do so in that order.

use std::io;
use std::path::Path;

use parking_lot::Mutex;

use crate::event::RunEvent;

/// Writes or shows something of a run.
pub trait Reporter: Send {
    /// Takes up what happens. After an error it is told nothing more.
    ///
    /// # Errors
    /// What cannot be written, and why.
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError>;
}

/// Something cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct ReportError {
    /// The file, or what was tried.
    what: String,
    source: io::Error,
}

impl ReportError {
    /// Of what could not be done, in words.
    pub fn new(what: &str, source: io::Error) -> Self {
        Self { what: what.to_owned(), source }
    }

    /// Of this file, for `map_err`.
    pub fn at(file: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self { what: file.display().to_string(), source }
    }

    /// Of the terminal, or of where its output is sent.
    pub(crate) fn stdout(source: io::Error) -> Self {
        Self::new("failed printing to stdout", source)
    }
}

/// Tells all reporters of a run what happens, one event at a time.
pub struct Reporters {
    all: Mutex<All>,
}

struct All {
    working: Vec<Box<dyn Reporter>>,
    first_error: Option<ReportError>,
}

impl Reporters {
    /// They are told in this order.
    pub fn new(working: Vec<Box<dyn Reporter>>) -> Self {
        Self { all: Mutex::new(All { working, first_error: None }) }
    }

    /// Tells them. One that fails is left out from then on, and the others go on.
    pub fn tell(&self, event: &RunEvent<'_>) {
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

    /// Whether all could be written so far.
    ///
    /// # Errors
    /// The first thing that could not; it is told once.
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

    /// Tells of each case that begins, but for one that it fails at.
    struct Told(&'static str, mpsc::Sender<String>);

    impl Reporter for Told {
        fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
            let RunEvent::CaseStarted { id } = event else { return Ok(()) };
            if *id == self.0 {
                return Err(ReportError::at(Path::new("some/file"))(io::Error::other("disk full")));
            }
            self.1.send((*id).to_owned()).map_err(io::Error::other).map_err(ReportError::stdout)
        }
    }

    #[test]
    fn one_that_fails_is_told_no_more_and_the_others_go_on() {
        let (sender, told) = mpsc::channel();
        let failing = Told("b", sender.clone());
        let reporters = Reporters::new(vec![Box::new(failing), Box::new(Told("", sender))]);
        for id in ["a", "b", "c"] {
            reporters.tell(&RunEvent::CaseStarted { id });
        }
        let error = reporters.check().expect_err("one has failed").to_string();
        assert_eq!(error, "some/file: disk full");
        assert!(reporters.check().is_ok(), "an error is told once");
        drop(reporters);
        assert_eq!(told.iter().collect::<Vec<_>>(), ["a", "a", "b", "c"]);
    }

    #[test]
    fn cases_end_on_any_thread() {
        let (sender, told) = mpsc::channel();
        let reporters = Reporters::new(vec![Box::new(Told("", sender))]);
        thread::scope(|scope| {
            for id in ["a", "b", "c"] {
                let reporters = &reporters;
                scope.spawn(move || reporters.tell(&RunEvent::CaseStarted { id }));
            }
        });
        drop(reporters);
        let mut told: Vec<_> = told.iter().collect();
        told.sort();
        assert_eq!(told, ["a", "b", "c"]);
    }
}
