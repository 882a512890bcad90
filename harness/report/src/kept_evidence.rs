//! The evidence of a run, kept so that it can be judged again.

use std::path::PathBuf;
use std::time::SystemTime;

use chrono::DateTime;
use fallproof_suite::record::{Header, Mask, TargetName, Writer};
use fallproof_suite::scenario::Scenario;

use crate::event::RunEvent;
use crate::model::Target;
use crate::reporter::{ReportError, Reporter};

/// Writes what was played and seen into a file.
pub struct KeptEvidence {
    file: PathBuf,
    started: SystemTime,
    /// `None` once the run has ended.
    writer: Option<Writer>,
}

impl KeptEvidence {
    /// Begins the file of a run in which these scenarios are played; the mask knows the user's keys.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(
        file: PathBuf,
        header: &Header,
        scenarios: &[&Scenario],
        mask: Mask,
    ) -> Result<Self, ReportError> {
        let writer = Writer::create(&file, header, scenarios, mask);
        let writer = Some(writer.map_err(ReportError::at(&file))?);
        Ok(Self { file, started: header.started, writer })
    }
}

impl Reporter for KeptEvidence {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = match event {
            RunEvent::Started { .. } | RunEvent::CaseStarted { .. } => Ok(()),
            RunEvent::TargetStarted { plan } => writer.start(plan),
            RunEvent::CaseFinished { raw, .. } => writer.case(&raw.judged.evidence),
            RunEvent::Finished { report, .. } => {
                let ended = DateTime::parse_from_rfc3339(&report.run.ended);
                let ended = ended.map_or(self.started, SystemTime::from);
                let took = ended.duration_since(self.started).unwrap_or_default();
                let counting = report.cases.iter().map(|case| case.id.as_str());
                let writer = self.writer.take().expect("it was there a moment ago");
                writer.end(took, counting).map(drop)
            }
        };
        written.map_err(ReportError::at(&self.file))
    }
}

impl From<TargetName> for Target {
    fn from(target: TargetName) -> Self {
        let TargetName { name, version, adapter, address } = target;
        Self { name, version, adapter, address }
    }
}
