//! Writes a run into a file while it goes.

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
    Case, End, FORMAT, FORMAT_NAME, Header, LONGEST_LINE, MOST_BYTES, MOST_BYTES_OF_A_CASE, Run,
    large,
};
use crate::evidence::{CaseResult, Evidence, Inconclusive};
use crate::plan::{Group, Plan};
use crate::scenario::Scenario;
use crate::secret::another;

/// Keeps a run: it is told what happens, in order.
pub struct Writer<W: Write = BufWriter<File>> {
    file: GzEncoder<W>,
    /// How many bytes were written, uncompressed.
    bytes: u64,
    mask: Mask,
    scenarios: HashMap<String, Scenario>,
    /// The keys that the target knows.
    keys: HashSet<String>,
    /// The ids of the scenarios that have a case.
    cases: BTreeSet<String>,
}

impl Writer {
    /// Begins the file of a run in which these scenarios are played.
    ///
    /// # Errors
    /// The file cannot be written to.
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
    /// The same of a file that is written elsewhere.
    ///
    /// # Errors
    /// It cannot be written to.
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
        writer.tell("run", &Run { format, header: header.clone() })?;
        for scenario in scenarios {
            let scenario = played(scenario);
            writer.tell("scenario", &scenario)?;
            writer.scenarios.insert(scenario.id.clone(), scenario);
        }
        Ok(writer)
    }

    /// The target was started with this plan, for the cases that follow.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn start(&mut self, plan: &Plan) -> io::Result<()> {
        let deployments = plan.groups.iter().flat_map(Group::deployments);
        self.keys.extend(deployments.map(|deployment| self.mask.text(&deployment.key)));
        self.tell("start", plan)
    }

    /// A case of one of the scenarios has ended, for the first time or again.
    ///
    /// # Errors
    /// It cannot be written.
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

    /// The run has ended, after so long; the cases of these scenarios count. Gives back what it was
    /// written to.
    ///
    /// # Errors
    /// It cannot be written.
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
            self.tell("discarded", &discarded)?;
        }
        self.tell("end", &End { cases: kept.len(), took })?;
        let mut file = self.file.finish()?;
        file.flush()?;
        Ok(file)
    }

    /// The record of a case, and before it the blobs that it needs.
    fn lines(&self, scenario: &Scenario, evidence: &Evidence) -> Result<Vec<u8>, TooLong> {
        let ours = Ours { keys: &self.keys, scenario, evidence, said: OnceLock::new() };
        let mut evidence = evidence.clone();
        self.mask.bytes(&mut evidence, &ours);
        let (blobs, large) = large::take(&mut evidence);
        if large.iter().map(large::Large::length).sum::<usize>() > MOST_BYTES_OF_A_CASE {
            return Err(TooLong);
        }
        let mut case = plain(&Case { evidence, large });
        self.mask.texts(&mut case, &ours);
        let mut lines = Vec::new();
        for blob in blobs {
            put(&mut lines, "blob", &Bytes(blob.into()))?;
        }
        put(&mut lines, "case", &case)?;
        // There must be room for what may still come.
        let bytes = self.bytes + lines.len() as u64;
        if bytes > MOST_BYTES / 8 * 7 { Err(TooLong) } else { Ok(lines) }
    }

    /// Writes a record that is of no case.
    fn tell(&mut self, kind: &str, record: &impl Serialize) -> io::Result<()> {
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

/// More than can be read again.
struct TooLong;

/// Why nothing can be said of a case that was.
const TOO_LONG: &str = "its evidence is too long to be kept";

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

/// The scenario as it is kept: nobody learns where on the disk its file lies.
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
