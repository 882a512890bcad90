//! `fallproof judge`: judges recorded evidence again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fallproof_judge::Case;
use fallproof_report::baseline::Baseline;
use fallproof_report::record::Recorder;
use fallproof_report::redact::Redactor;
use fallproof_report::report_dir::LOG;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::read;
use fallproof_suite::record::{self, Ended, Entry, Reader};
use fallproof_suite::scenario::Scenario;

use super::output::Output;
use super::{DEFAULT_MOCKS, Selection, Stop};

/// Maximum size of the gateway's log. A run keeps a megabyte of each start.
const MAX_LOG: u64 = 256 << 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof judge target/fallproof
  fallproof judge target/fallproof --baseline known.yaml --report target/again")]
pub(super) struct Judge {
    /// Folder that `fallproof run --report` wrote, or the evidence file in it
    #[arg(value_name = "DIR|FILE")]
    evidence: PathBuf,
    #[command(flatten)]
    output: Output,
}

impl Judge {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let file = match &self.evidence {
            folder if folder.is_dir() => folder.join(record::FILE),
            file => file.clone(),
        };
        self.check_kept(&file)?;
        let log = log(&file);
        // Reads the whole file first, so that nothing is printed if any part of it is invalid.
        let plan = played(&file)?;
        let mut reader = Reader::open(&file).map_err(Stop::usage)?;
        let (header, scenarios) = (reader.header.clone(), reader.scenarios.clone());

        let mut output = self.output.open(self.baseline(&scenarios)?)?;
        if let Some(dir) = &output.dir {
            let copied = fs::copy(&file, dir.evidence());
            copied.map_err(|error| Stop::usage(format!("{}: {error}", file.display())))?;
        }
        let reporters = output.reporters();
        let recorder = Recorder {
            redactor: &Redactor::new(&plan, &header.gateway_key),
            header: &header,
            reporters: &reporters,
            writes_hars: output.dir.is_some(),
        };
        recorder.run_started(scenarios.len());
        let mut cases = BTreeMap::new();
        while let Some(entry) = reader.entry().map_err(Stop::usage)? {
            match entry {
                Entry::Case(Ended { scenario: place, plan, evidence }) => {
                    let scenario = &scenarios[place];
                    recorder.started(scenario);
                    let groups = plan.as_ref().map_or(&[][..], |it| it.groups_of(&scenario.id));
                    let all_groups = plan.as_ref().map_or(&[][..], |it| &it.groups);
                    let facts = header.facts(groups, all_groups);
                    let case = Case::new(scenario, facts, evidence);
                    cases.insert(place, recorder.ended(scenario, groups, &case));
                }
                Entry::Discarded(places) => cases.retain(|place, _| !places.contains(place)),
            }
        }
        let ended = header.started + reader.took();
        let chosen: Vec<_> = scenarios.iter().collect();
        let cases = cases.into_values().collect();
        output.finish(&chosen, cases, ended, &recorder, &log)
    }

    /// Refuses to write the reports into the folder of the evidence: this would delete the
    /// evidence.
    fn check_kept(&self, file: &Path) -> Result<(), Stop> {
        let Some(report) = &self.output.report else { return Ok(()) };
        // A folder that does not exist yet cannot contain the evidence.
        let Ok(report) = report.canonicalize() else { return Ok(()) };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        // The folder in which the file is named, and the file itself if the name is a symbolic
        // link.
        let places = [folder.unwrap_or(Path::new(".")).canonicalize(), file.canonicalize()];
        if places.iter().flatten().any(|place| place.starts_with(&report)) {
            return Err(Stop::usage(
                "--report would delete the evidence in that folder; choose another folder for the reports",
            ));
        }
        Ok(())
    }

    /// Loads the baseline. It can name scenarios of the evidence and of the current suite.
    fn baseline(&self, scenarios: &[Scenario]) -> Result<Option<Baseline>, Stop> {
        if self.output.baseline.is_none() {
            return Ok(None);
        }
        let mut suite = Selection::whole(None).load()?.suite;
        suite.scenarios.extend(scenarios.iter().cloned());
        self.output.known(&suite)
    }
}

/// Reads all evidence, and returns one plan with the groups from the plans of all starts.
fn played(file: &Path) -> Result<Plan, Stop> {
    let mut reader = Reader::open(file).map_err(Stop::usage)?;
    let mut plans = Vec::<Arc<Plan>>::new();
    while let Some(entry) = reader.entry().map_err(Stop::usage)? {
        if let Entry::Case(Ended { plan: Some(plan), .. }) = entry
            && !plans.last().is_some_and(|last| Arc::ptr_eq(last, &plan))
        {
            plans.push(plan);
        }
    }
    let groups = plans.iter().flat_map(|plan| plan.groups.iter().cloned()).collect();
    Ok(Plan { groups, ..Plan::new([], &Addresses::stable(DEFAULT_MOCKS)) })
}

/// The log of the gateway, if the folder of the evidence contains it. Empty if it does not.
fn log(file: &Path) -> String {
    let log = file.with_file_name(LOG);
    // Only a regular file is opened: to open a named pipe could block forever.
    read::regular(&log, MAX_LOG)
        .map_or_else(|_| String::new(), |log| String::from_utf8_lossy(&log).into_owned())
}
