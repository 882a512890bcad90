//! Writes an evidence file during a run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use fallproof_protocol::encoding::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;

use super::mask::{Mask, Ours};
use super::{
    Case, End, FORMAT, FORMAT_NAME, Header, LONGEST_LINE, MOST_BYTES, MOST_BYTES_OF_A_CASE,
    MOST_UNCOMPRESSED_OF_A_CASE, MOST_WRITTEN_OF_A_CASE, Run, large,
};
use crate::evidence::{CaseResult, Evidence, Inconclusive};
use crate::plan::{Group, Plan};
use crate::scenario::Scenario;
use crate::secret::another;

/// Writer of an evidence file. Call its methods in the order of the events.
pub struct Writer<W: Write = BufWriter<File>> {
    file: GzEncoder<W>,
    /// Number of bytes written, uncompressed.
    bytes: u64,
    mask: Mask,
    scenarios: HashMap<String, Scenario>,
    /// The API keys that the target knows.
    keys: HashSet<String>,
    /// The ids of the scenarios that have a case.
    cases: BTreeSet<String>,
}

impl Writer {
    /// Creates the evidence file for a run of these scenarios.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(
        file: &Path,
        header: &Header,
        scenarios: &[&Scenario],
        mask: Mask,
    ) -> io::Result<Self> {
        Self::of(BufWriter::new(File::create(file)?), header, scenarios, mask)
    }
}

impl<W: Write> Writer<W> {
    /// Like [`create`](Self::create), for another output.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn of(file: W, header: &Header, scenarios: &[&Scenario], mask: Mask) -> io::Result<Self> {
        let keys = [header.gateway_key.clone(), another(&header.gateway_key)];
        let mut writer = Self {
            file: GzEncoder::new(file, Compression::fast()),
            bytes: 0,
            keys: keys.iter().map(|key| mask.text(key)).collect(),
            mask,
            scenarios: HashMap::new(),
            cases: BTreeSet::new(),
        };
        let format = format!("{FORMAT_NAME}{FORMAT}");
        writer.write_record("run", &Run { format, header: header.clone() })?;
        for scenario in scenarios {
            let scenario = played(scenario);
            writer.write_record("scenario", &scenario)?;
            writer.scenarios.insert(scenario.id.clone(), scenario);
        }
        Ok(writer)
    }

    /// Records a start of the target with this plan, which applies to the cases that follow.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn start(&mut self, plan: &Plan) -> io::Result<()> {
        let deployments = plan.groups.iter().flat_map(Group::deployments);
        self.keys.extend(deployments.map(|deployment| self.mask.text(&deployment.key)));
        self.write_record("start", plan)
    }

    /// Records the evidence of a case. It replaces an earlier case of the same scenario.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn case(&mut self, evidence: &Evidence) -> io::Result<()> {
        let Some(scenario) = self.scenarios.get(&evidence.scenario) else { return Ok(()) };
        let lines = self.lines(scenario, evidence).or_else(|TooLong| {
            let result = CaseResult::Inconclusive(Inconclusive::TooLong);
            let Evidence { started, took, .. } = *evidence;
            let without = Evidence { started, took, ..Evidence::without_calls(scenario, result) };
            self.lines(scenario, &without)
        });
        self.cases.insert(evidence.scenario.clone());
        self.write(&lines.map_err(|TooLong| io::Error::other(TOO_LONG))?)
    }

    /// Records the end of the run and its duration; `counting` holds the ids of the scenarios whose
    /// cases count. Returns the output.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn end<'a>(
        mut self,
        took: Duration,
        counting: impl IntoIterator<Item = &'a str>,
    ) -> io::Result<W> {
        let counting: HashSet<_> = counting.into_iter().collect();
        let (kept, discarded): (Vec<_>, Vec<_>) = std::mem::take(&mut self.cases)
            .into_iter()
            .partition(|case| counting.contains(case.as_str()));
        if !discarded.is_empty() {
            self.write_record("discarded", &discarded)?;
        }
        self.write_record("end", &End { cases: kept.len(), took })?;
        let mut file = self.file.finish()?;
        file.flush()?;
        Ok(file)
    }

    /// Serializes the record of a case, preceded by its blobs.
    fn lines(&self, scenario: &Scenario, evidence: &Evidence) -> Result<Vec<u8>, TooLong> {
        let ours = Ours { keys: &self.keys, scenario, evidence, known: OnceLock::new() };
        let mut evidence = evidence.clone();
        self.mask.bytes(&mut evidence, &ours);
        let (blobs, large) = large::take(&mut evidence);
        let of_fields = large.iter().map(large::Large::length).sum::<usize>();
        let of_blobs = blobs.iter().map(Vec::len).sum::<usize>();
        if of_fields > MOST_BYTES_OF_A_CASE || of_blobs > MOST_UNCOMPRESSED_OF_A_CASE {
            return Err(TooLong);
        }
        let mut case = plain(&Case { evidence, large });
        self.mask.texts(&mut case, &ours);
        let mut lines = Vec::new();
        for blob in blobs {
            put(&mut lines, "blob", &Bytes(blob.into()))?;
        }
        put(&mut lines, "case", &case)?;
        if lines.len() > MOST_UNCOMPRESSED_OF_A_CASE || is_too_long_compressed(&lines) {
            return Err(TooLong);
        }
        // Reserve room for the remaining records.
        let bytes = self.bytes + lines.len() as u64;
        if bytes > MOST_BYTES / 8 * 7 { Err(TooLong) } else { Ok(lines) }
    }

    /// Writes a record that does not belong to a case.
    fn write_record(&mut self, kind: &str, record: &impl Serialize) -> io::Result<()> {
        let mut record = plain(record);
        self.mask.json(&mut record);
        let mut line = Vec::new();
        put(&mut line, kind, &record).map_err(|TooLong| {
            io::Error::other(format!("a record `{kind}` is longer than {LONGEST_LINE} bytes"))
        })?;
        self.write(&line)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.bytes += lines.len() as u64;
        self.file.write_all(lines)
    }
}

/// Whether these lines are long even when they are compressed.
fn is_too_long_compressed(lines: &[u8]) -> bool {
    if lines.len() <= MOST_WRITTEN_OF_A_CASE {
        return false;
    }
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    let written = compressed.write_all(lines).and_then(|()| compressed.finish());
    written.is_ok_and(|bytes| bytes.len() > MOST_WRITTEN_OF_A_CASE)
}

/// The error for output beyond the limits of the format.
struct TooLong;

/// The message for a run whose evidence is too long.
const TOO_LONG: &str = "the evidence of the run is too long to be saved";

fn plain(record: &impl Serialize) -> Value {
    serde_json::to_value(record).expect("records are plain data")
}

fn put(lines: &mut Vec<u8>, kind: &str, record: &impl Serialize) -> Result<(), TooLong> {
    let before = lines.len();
    lines.extend_from_slice(format!("{{\"{kind}\":").as_bytes());
    serde_json::to_writer(&mut *lines, record).expect("records are plain data");
    lines.extend_from_slice(b"}\n");
    if lines.len() - before > LONGEST_LINE { Err(TooLong) } else { Ok(()) }
}

/// The scenario, with a file path that does not reveal where the file is on disk.
fn played(scenario: &Scenario) -> Scenario {
    let here = std::env::current_dir().unwrap_or_default();
    let file = scenario.file.strip_prefix(here).unwrap_or(&scenario.file);
    let file = if file.is_absolute() {
        PathBuf::from(format!("{}.yaml", scenario.family()))
    } else {
        PathBuf::from(file.to_string_lossy().into_owned())
    };
    Scenario { file, ..scenario.clone() }
}
