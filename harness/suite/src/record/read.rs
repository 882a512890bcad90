//! Reads an evidence file, record by record.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fallproof_protocol::encoding::Bytes;
use flate2::bufread::GzDecoder;
use serde::Deserialize;

use super::error::{Inconsistency, Problem, RecordError};
use super::lines::Lines;
use super::{
    Case, End, FORMAT, FORMAT_NAME, Header, MOST_BYTES_HELD, MOST_BYTES_OF_A_CASE, Record, check,
    large,
};
use crate::evidence::{CaseResult, Evidence};
use crate::plan::{Group, Plan};
use crate::scenario::Scenario;

/// Reader of an evidence file. Its results are valid only if it reads the file to the end without
/// an error.
pub struct Reader<R = BufReader<File>> {
    file: PathBuf,
    lines: Lines<R>,
    /// Facts about the entire run.
    pub header: Header,
    /// The selected scenarios, in order.
    pub scenarios: Vec<Scenario>,
    /// The indices of the scenarios by id.
    indices: HashMap<String, usize>,
    /// For each scenario, by index: the number of the latest start that serves it, and the plan of
    /// that start. Processes that run side by side have different plans.
    plans: HashMap<usize, (usize, Arc<Plan>)>,
    starts: usize,
    /// The index of each scenario that has a case, with the number of the case's start.
    cases: HashMap<usize, Option<usize>>,
    /// The record that was read last but not returned yet.
    next: Option<Record>,
    /// Number of bytes that the reader still accepts for scenarios and plans.
    room: usize,
    is_through: bool,
    took: Duration,
}

/// An event of the run.
pub enum Entry {
    /// A case was run. It replaces an earlier case of the same scenario.
    Case(Ended),
    /// The cases of the scenarios with these indices do not count.
    Discarded(Vec<usize>),
}

/// A case that was run.
pub struct Ended {
    /// Index of its scenario among those of the run.
    pub scenario: usize,
    /// The plan from which the target was configured; `None` if the steps of the case were not
    /// played.
    pub plan: Option<Arc<Plan>>,
    /// The evidence.
    pub evidence: Evidence,
}

impl Ended {
    /// All groups that the same start of the target served.
    pub fn all_groups(&self) -> &[Group] {
        self.plan.as_ref().map_or(&[], |plan| &plan.groups)
    }

    /// The groups that the target was configured to serve for this case.
    pub fn groups(&self) -> &[Group] {
        self.plan.as_ref().map_or(&[], |plan| plan.groups_of(&self.evidence.scenario))
    }
}

/// The part of the first line that all versions of the format have.
#[derive(Deserialize)]
struct First {
    run: Named,
}

#[derive(Deserialize)]
struct Named {
    format: String,
}

impl Reader {
    /// Opens the file and reads the header and the scenarios.
    ///
    /// # Errors
    /// If the file cannot be read or is invalid.
    pub fn open(file: &Path) -> Result<Self, RecordError> {
        // Open only regular files, because opening a pipe may block forever.
        let open = match fs::metadata(file) {
            Ok(found) if !found.is_file() => Err(Problem::NoFile),
            Ok(_) => File::open(file).map_err(Problem::Unreadable),
            Err(error) => Err(Problem::Unreadable(error)),
        };
        match open {
            Ok(open) => Self::of(file, BufReader::new(open)),
            Err(problem) => Err(RecordError { file: file.to_owned(), line: 0, problem }),
        }
    }
}

impl<R: BufRead> Reader<R> {
    /// Like [`open`](Reader::open), but reads the content of the file from `bytes`.
    ///
    /// # Errors
    /// Those of [`open`](Reader::open).
    pub fn of(file: &Path, bytes: R) -> Result<Self, RecordError> {
        let mut lines = Lines::new(bytes);
        let header = header(&mut lines).map_err(|problem| RecordError {
            file: file.to_owned(),
            line: lines.number,
            problem,
        })?;
        let mut reader = Self {
            file: file.to_owned(),
            lines,
            header,
            scenarios: Vec::new(),
            indices: HashMap::new(),
            plans: HashMap::new(),
            starts: 0,
            cases: HashMap::new(),
            next: None,
            room: MOST_BYTES_HELD,
            is_through: false,
            took: Duration::ZERO,
        };
        let scenarios = reader.read_scenarios();
        scenarios.map_err(|problem| reader.wrong(problem))?;
        Ok(reader)
    }

    /// Returns the next event; `None` after the end.
    ///
    /// # Errors
    /// If the next record is invalid. Earlier events are then not valid either.
    pub fn entry(&mut self) -> Result<Option<Entry>, RecordError> {
        self.read_entry().map_err(|problem| self.wrong(problem))
    }

    /// Duration of the run; zero until the end has been read.
    pub fn took(&self) -> Duration {
        self.took
    }

    fn wrong(&self, problem: Problem) -> RecordError {
        RecordError { file: self.file.clone(), line: self.lines.number, problem }
    }

    fn read_scenarios(&mut self) -> Result<(), Problem> {
        loop {
            match self.lines.record()? {
                Record::Scenario(scenario) => {
                    self.hold()?;
                    check::scenario(&scenario)?;
                    let index = self.scenarios.len();
                    if self.indices.insert(scenario.id.clone(), index).is_some() {
                        return Err(Problem::ScenarioTwice(scenario.id));
                    }
                    self.scenarios.push(*scenario);
                }
                _ if self.scenarios.is_empty() => return Err(Problem::NoScenarios),
                other => {
                    self.next = Some(other);
                    return Ok(());
                }
            }
        }
    }

    /// Limits the data that is kept in memory until the end.
    fn hold(&mut self) -> Result<(), Problem> {
        self.room = self.room.checked_sub(self.lines.length()).ok_or(Problem::TooMuch)?;
        Ok(())
    }

    fn read_entry(&mut self) -> Result<Option<Entry>, Problem> {
        if self.is_through {
            return Ok(None);
        }
        let mut blobs = Vec::new();
        let mut remaining = MOST_BYTES_OF_A_CASE;
        loop {
            let record = match self.next.take() {
                Some(record) => record,
                None => self.lines.record()?,
            };
            match record {
                Record::Blob(Bytes(bytes)) => {
                    remaining = remaining.checked_sub(bytes.len()).ok_or(Problem::TooMuch)?;
                    blobs.push(bytes.into_owned());
                }
                Record::Case(case) => return self.case(*case, &blobs).map(Some),
                other if !blobs.is_empty() => return Err(out_of_order(&other, "`blob` or `case`")),
                Record::Start(plan) => {
                    self.hold()?;
                    check::plan(&plan, |id| Some(&self.scenarios[*self.indices.get(id)?]))?;
                    self.starts += 1;
                    let plan = Arc::new(plan);
                    for group in &plan.groups {
                        let start = (self.starts, Arc::clone(&plan));
                        self.plans.insert(self.indices[&group.scenario], start);
                    }
                }
                Record::Discarded(ids) => return self.discarded(&ids).map(Some),
                Record::End(end) => return self.end(&end).map(|()| None),
                other => {
                    return Err(out_of_order(
                        &other,
                        "`start`, `blob`, `case`, `discarded` or `end`",
                    ));
                }
            }
        }
    }

    fn case(&mut self, case: Case, blobs: &[Vec<u8>]) -> Result<Entry, Problem> {
        let Case { mut evidence, large } = case;
        let scenario = self.index(&evidence.scenario)?;
        let wrong = |wrong, evidence: Evidence| Problem::Case(evidence.scenario, wrong);
        if let Err(it) = large::put_back(&mut evidence, blobs, &large) {
            return Err(wrong(it, evidence));
        }
        let is_played = matches!(evidence.result, CaseResult::Played(_));
        let (start, plan) = self.plans.get(&scenario).cloned().unzip();
        let plan = plan.filter(|_| is_played);
        let ended = Ended { scenario, plan, evidence };
        let fits = check::case(&self.scenarios[scenario], ended.groups(), &ended.evidence);
        if let Err(it) = fits {
            return Err(wrong(it, ended.evidence));
        }
        if self.cases.insert(scenario, start) == Some(start) && is_played {
            return Err(wrong(Inconsistency::Twice, ended.evidence));
        }
        Ok(Entry::Case(ended))
    }

    fn discarded(&mut self, ids: &[String]) -> Result<Entry, Problem> {
        let indices = ids.iter().map(|id| {
            let index = self.index(id)?;
            let was_there = self.cases.remove(&index).is_some();
            let wrong = || Problem::Case(id.clone(), Inconsistency::NotThere);
            was_there.then_some(index).ok_or_else(wrong)
        });
        indices.collect::<Result<_, _>>().map(Entry::Discarded)
    }

    fn end(&mut self, end: &End) -> Result<(), Problem> {
        let (found, expected) = (self.cases.len(), end.cases);
        if found != expected {
            return Err(Problem::Missing { found, expected });
        }
        if !self.lines.is_at_end()? {
            return Err(Problem::GoesOn);
        }
        self.is_through = true;
        self.took = end.took;
        Ok(())
    }

    fn index(&self, id: &str) -> Result<usize, Problem> {
        self.indices.get(id).copied().ok_or_else(|| Problem::NoScenario(id.to_owned()))
    }
}

/// Whether the file starts like an evidence file of any version. Does not check the rest of the
/// file.
pub fn is_evidence(file: &Path) -> bool {
    const BEGINNING: u64 = 1024;
    let open = || {
        let is_file = fs::metadata(file).is_ok_and(|found| found.is_file());
        is_file.then(|| File::open(file).ok()).flatten()
    };
    let Some(open) = open() else { return false };
    let mut start = Vec::new();
    // If the file is shorter than `BEGINNING`, or damaged, use the bytes that could be read.
    let _ = GzDecoder::new(BufReader::new(open)).take(BEGINNING).read_to_end(&mut start);
    let start = String::from_utf8_lossy(&start);
    start.starts_with("{\"run\":") && start.contains(FORMAT_NAME)
}

fn header<R: BufRead>(lines: &mut Lines<R>) -> Result<Header, Problem> {
    let line = lines.next()?;
    let First { run: Named { format } } =
        serde_json::from_slice(line).map_err(|_| Problem::SomethingElse)?;
    match format.strip_prefix(FORMAT_NAME) {
        Some(version) if version == FORMAT.to_string() => {}
        Some(version) => return Err(Problem::Format(version.chars().take(20).collect())),
        None => return Err(Problem::SomethingElse),
    }
    match serde_json::from_slice(line).map_err(Problem::NoRecord)? {
        Record::Run(run) => check::header(&run.header).map(|()| run.header),
        other => Err(out_of_order(&other, "`run`")),
    }
}

fn out_of_order(found: &Record, expected: &'static str) -> Problem {
    Problem::OutOfOrder { found: found.kind(), expected }
}
