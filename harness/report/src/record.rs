//! From what happens in a run to what its reporters are told: the one place where keys are taken out,
//! and whatever a terminal would take for more than a letter.

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
use crate::{assemble, har, phrases};

/// Makes the events of a run, free of keys.
#[derive(Clone)]
pub struct Recorder<'a> {
    /// Takes the keys out.
    pub redactor: &'a Redactor,
    /// What holds for the run as a whole.
    pub header: &'a Header,
    /// Who is told.
    pub reporters: &'a Reporters,
    /// Whether the bytes of each case that failed are kept.
    pub keeps_hars: bool,
}

impl Recorder<'_> {
    /// Takes out of every text of the value what must not be told: keys first, since what stands in
    /// their place names a scenario and a deployment. Each text is one line then, and a
    /// command to nobody.
    fn clean(&self, value: &mut impl Texts) {
        self.redactor.clean(value);
        value.each(&mut |text| *text = phrases::no_command(&phrases::line(text)).into_owned());
    }

    /// The run begins; so many cases of the suite were chosen.
    pub fn run_started(&self, cases: usize) {
        let header = self.header;
        let mut target = Target::from(header.target.clone());
        self.clean(&mut target);
        let (at, target, suite) = (header.started, &target, &assemble::suite(&header.suite));
        self.reporters.tell(&RunEvent::Started { at, target, suite, cases });
    }

    /// The target was started, configured so, for the cases that follow.
    pub fn target_started(&self, plan: &Plan) {
        self.reporters.tell(&RunEvent::TargetStarted { plan });
    }

    /// A case begins.
    pub fn started(&self, scenario: &Scenario) {
        let mut id = scenario.id.clone();
        self.clean(&mut id);
        let id = &id;
        self.reporters.tell(&RunEvent::CaseStarted { id });
    }

    /// A case of a target that was configured with these groups has ended and was judged. Gives its
    /// report.
    pub fn ended(&self, scenario: &Scenario, groups: &[Group], judged: &judge::Case) -> Case {
        let context = Context { scenario, groups, replay: &self.header.replay_of(&scenario.id) };
        let mut case = convert::case(judged, context);
        // It is prose of more than one line.
        let why = case.why.take();
        self.clean(&mut case);
        case.why = why.map(|why| phrases::printable(&self.redactor.text(&why)));
        let raw = Raw { judged, context, redactor: self.redactor };
        case.har = (self.keeps_hars && har::is_kept(&case, raw)).then(|| har::file(&case.id));
        self.reporters.tell(&RunEvent::CaseFinished { case: &case, raw });
        case
    }

    /// The run has ended. Gives its report as it is told; `log` is what a gateway that was started for
    /// it has printed.
    ///
    /// # Errors
    /// The first thing that could not be written.
    pub fn run_ended(&self, mut report: Report, log: &str) -> Result<Report, ReportError> {
        self.redactor.clean(&mut report);
        self.clean(&mut report.target);
        self.clean(&mut report.suite);
        self.clean(&mut report.run);
        self.clean(&mut report.not_run);
        // What a baseline says of cases came to them after they had ended.
        for violation in report.cases.iter_mut().flat_map(|case| &mut case.violations) {
            violation.expected.each(&mut |text| self.redactor.clean(text));
        }
        let log = &self.redactor.text(log);
        self.reporters.tell(&RunEvent::Finished { report: &report, log });
        self.reporters.check().map(|()| report)
    }
}
