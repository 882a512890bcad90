//! Turns what happens in a run into events for the reporters. API keys are redacted here, and text
//! is made safe to print.

use fallproof_judge as judge;
use fallproof_suite::plan::{Group, Plan};
use fallproof_suite::record::Header;
use fallproof_suite::scenario::Scenario;

use crate::convert::{self, Context};
use crate::event::{Raw, RunEvent};
use crate::model::{Case, Report, Target};
use crate::redact::Redactor;
use crate::reporter::{ReportError, Reporters};
use crate::texts::Texts;
use crate::{assemble, bounds, har, phrases};

/// Emits the events of a run, with API keys redacted.
#[derive(Clone)]
pub struct Recorder<'a> {
    /// Redacts the API keys.
    pub redactor: &'a Redactor,
    /// Facts about the run.
    pub header: &'a Header,
    /// Receivers of the events.
    pub reporters: &'a Reporters,
    /// Whether a HAR file is written for each case that failed or is inconclusive.
    pub writes_hars: bool,
}

impl Recorder<'_> {
    /// Redacts the API keys in every string, then turns each string into one printable line that a
    /// CI runner cannot interpret as a command. Redaction comes first: it inserts names from the
    /// scenario, which must be made safe too.
    fn clean(&self, value: &mut impl Texts) {
        self.redactor.clean(value);
        value.each(&mut phrases::make_safe);
    }

    /// Emits the start of the run. `cases` is the number of selected cases.
    pub fn run_started(&self, cases: usize) {
        let header = self.header;
        let mut target = Target::from(header.target.clone());
        self.clean(&mut target);
        let (at, target, suite) = (header.started, &target, &assemble::suite(&header.suite));
        self.reporters.emit(&RunEvent::Started { at, target, suite, cases });
    }

    /// Emits the event that the target was started with this configuration. The cases that follow
    /// run on it.
    pub fn target_started(&self, plan: &Plan) {
        self.reporters.emit(&RunEvent::TargetStarted { plan });
    }

    /// Emits the start of a case.
    pub fn started(&self, scenario: &Scenario) {
        let mut id = scenario.id.clone();
        self.clean(&mut id);
        let id = &id;
        self.reporters.emit(&RunEvent::CaseStarted { id });
    }

    /// Emits the event of a case that has ended and was judged. `groups` are the model groups that
    /// the target was configured to serve. Returns the reported case.
    pub fn ended(&self, scenario: &Scenario, groups: &[Group], judged: &judge::Case) -> Case {
        let context = Context { scenario, groups, replay: &self.header.replay_of(&scenario.id) };
        let mut case = convert::case(judged, context);
        // `why` is prose and keeps its line breaks, so it is cleaned separately.
        let why = case.why.take();
        self.clean(&mut case);
        bounds::cut_case(&mut case);
        case.why = why.map(|why| phrases::printable(&self.redactor.text(&why)));
        let raw = Raw { judged, context, redactor: self.redactor };
        case.har = (self.writes_hars && har::is_written(&case, raw)).then(|| har::file(&case.id));
        self.reporters.emit(&RunEvent::CaseFinished { case: &case, raw });
        case
    }

    /// Emits the end of the run. `log` is the output of the gateway, if Fallproof started one.
    /// Returns the redacted report.
    ///
    /// # Errors
    /// The first error that a reporter returned.
    pub fn run_ended(&self, mut report: Report, log: &str) -> Result<Report, ReportError> {
        self.redactor.clean(&mut report);
        self.clean(&mut report.target);
        self.clean(&mut report.suite);
        self.clean(&mut report.run);
        self.clean(&mut report.causes);
        report.causes.each(&mut bounds::cut_text);
        bounds::cut_examples(&mut report.causes);
        report.claims.each(&mut bounds::cut_text);
        self.clean(&mut report.not_run);
        // The baseline was applied after the cases had ended, so the strings from it are not
        // redacted yet.
        for violation in report.cases.iter_mut().flat_map(|case| &mut case.violations) {
            violation.cause.each(&mut |text| {
                self.redactor.clean(text);
                bounds::cut_text(text);
            });
            violation.expected.each(&mut |text| self.redactor.clean(text));
        }
        let log = &self.redactor.text(log);
        self.reporters.emit(&RunEvent::Finished { report: &report, log });
        self.reporters.check().map(|()| report)
    }
}
