//! Writes the evidence of a run to a file, so that it can be judged again.

use std::path::PathBuf;
use std::time::SystemTime;

use chrono::DateTime;
use fallproof_suite::record::{Header, Mask, TargetName, Writer};
use fallproof_suite::scenario::Scenario;

use crate::event::RunEvent;
use crate::model::Target;
use crate::reporter::{ReportError, Reporter};

/// Writes the evidence of a run to a file.
pub struct EvidenceFile {
    file: PathBuf,
    started: SystemTime,
    /// `None` once the run has ended.
    writer: Option<Writer>,
}

impl EvidenceFile {
    /// Creates the evidence file for a run of these scenarios. The mask hides the user's API keys.
    ///
    /// # Errors
    /// The file cannot be created.
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

impl Reporter for EvidenceFile {
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
                let counted = report.cases.iter().map(|case| case.id.as_str());
                let writer = self.writer.take().expect("checked above");
                writer.end(took, counted).map(drop)
            }
        };
        written.map_err(ReportError::at(&self.file))
    }
}

impl From<TargetName> for Target {
    fn from(target: TargetName) -> Self {
        let TargetName { name, version, adapter, variant, address } = target;
        Self { name, version, adapter, variant, address }
    }
}
