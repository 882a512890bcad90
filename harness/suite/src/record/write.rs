//! Writes a run into a file while it goes.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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
use crate::evidence::{CaseResult, Evidence};
use crate::plan::{Group, Plan};
use crate::scenario::Scenario;
use crate::secret::another;

/// Keeps a run. It is told of all that happens, on the threads that do it.
pub struct Writer<W: Write = BufWriter<File>> {
    mask: Mask,
    scenarios: HashMap<String, Scenario>,
    state: Mutex<State<W>>,
}

/// What is behind the lock.
struct State<W: Write> {
    /// The first error ends the writing, and is kept.
    file: io::Result<GzEncoder<W>>,
    /// The keys that the target knows.
    keys: Arc<HashSet<String>>,
    starts: usize,
    cases: usize,
    /// How many bytes were written, uncompressed.
    bytes: u64,
}

impl Writer {
    /// Begins the file of a run in which these scenarios are played.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(
        file: &Path,
        header: &Header,
        scenarios: &[&Scenario],
        mask: Mask,
    ) -> io::Result<Self> {
        Ok(Self::of(BufWriter::new(File::create(file)?), header, scenarios, mask))
    }
}

impl<W: Write> Writer<W> {
    /// The same of a file that is written elsewhere.
    pub fn of(file: W, header: &Header, scenarios: &[&Scenario], mask: Mask) -> Self {
        let file = GzEncoder::new(file, Compression::fast());
        let keys = [header.gateway_key.clone(), another(&header.gateway_key)];
        let keys = keys.map(|key| mask.text(&key)).into_iter().collect();
        let state = Mutex::new(State {
            file: Ok(file),
            keys: Arc::new(keys),
            starts: 0,
            cases: 0,
            bytes: 0,
        });
        let played = scenarios.iter().map(|scenario| (scenario.id.clone(), played(scenario)));
        let writer = Self { mask, scenarios: played.collect(), state };
        let format = format!("{FORMAT_NAME}{FORMAT}");
        writer.tell("run", &Run { format, header: header.clone() });
        for scenario in scenarios {
            writer.tell("scenario", &writer.scenarios[&scenario.id]);
        }
        writer
    }

    /// The target was started with this plan; which start that is, from 0.
    pub fn start(&self, plan: &Plan) -> usize {
        self.tell("start", plan);
        let hops = plan.groups.iter().flat_map(Group::hops);
        let mut state = self.state();
        Arc::make_mut(&mut state.keys).extend(hops.map(|hop| self.mask.text(&hop.key)));
        state.starts += 1;
        state.starts - 1
    }

    /// A case of one of the scenarios has ended; it was played at this start if it was played.
    pub fn case(&self, start: Option<usize>, evidence: &Evidence) {
        let Some(scenario) = self.scenarios.get(&evidence.scenario) else { return };
        let lines = self.lines(scenario, start, evidence);
        let lines = lines.and_then(|lines| self.state().fitting(lines)).unwrap_or_else(|TooLong| {
            let reason = "its evidence is too long to be kept".to_owned();
            let Evidence { started, took, .. } = *evidence;
            let result = CaseResult::Inconclusive(reason.into());
            let instead = Evidence { started, took, ..Evidence::without_calls(scenario, result) };
            self.lines(scenario, None, &instead).unwrap_or_default()
        });
        let mut state = self.state();
        state.cases += 1;
        state.write(&lines);
    }

    /// Cases that have ended do not count: they may be played again.
    pub fn discard<'a>(&self, cases: impl IntoIterator<Item = &'a str>) {
        let cases: Vec<_> = cases.into_iter().collect();
        if !cases.is_empty() {
            self.tell("discarded", &cases);
            self.state().cases -= cases.len();
        }
    }

    /// The run has ended, after so long. Gives back what it was written to.
    ///
    /// # Errors
    /// This or anything before could not be written.
    pub fn end(self, took: Duration) -> io::Result<W> {
        let cases = self.state().cases;
        self.tell("end", &End { cases, took });
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut file = state.file?.finish()?;
        file.flush()?;
        Ok(file)
    }

    /// The record of a case, and before it the blobs that it needs.
    fn lines(
        &self,
        scenario: &Scenario,
        start: Option<usize>,
        evidence: &Evidence,
    ) -> Result<Vec<u8>, TooLong> {
        let keys = Arc::clone(&self.state().keys);
        let ours = Ours { keys: &keys, scenario, evidence, said: OnceLock::new() };
        let mut evidence = evidence.clone();
        self.mask.bytes(&mut evidence, &ours);
        let (blobs, large) = large::take(&mut evidence);
        if large.iter().map(large::Large::length).sum::<usize>() > MOST_BYTES_OF_A_CASE {
            return Err(TooLong);
        }
        let mut case = plain(&Case { start, evidence, large });
        self.mask.texts(&mut case, &ours);
        let mut lines = Vec::new();
        for blob in blobs {
            put(&mut lines, "blob", &Bytes(blob.into()))?;
        }
        put(&mut lines, "case", &case)?;
        Ok(lines)
    }

    /// Writes a record that is of no case.
    fn tell(&self, kind: &str, record: &impl Serialize) {
        let mut record = plain(record);
        self.mask.json(&mut record);
        let mut line = Vec::new();
        let is_put = put(&mut line, kind, &record).is_ok();
        let mut state = self.state();
        if is_put {
            state.write(&line);
        } else {
            let error = format!("a record `{kind}` is longer than {LONGEST_LINE} bytes");
            state.file = Err(io::Error::other(error));
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    /// These lines, where there is room for them and for what may still come.
    fn fitting(&self, lines: Vec<u8>) -> Result<Vec<u8>, TooLong> {
        let bytes = self.bytes + lines.len() as u64;
        if bytes > MOST_BYTES / 8 * 7 { Err(TooLong) } else { Ok(lines) }
    }

    fn write(&mut self, lines: &[u8]) {
        self.bytes += lines.len() as u64;
        if let Ok(file) = &mut self.file
            && let Err(error) = file.write_all(lines)
        {
            self.file = Err(error);
        }
    }
}

/// More than can be read again.
struct TooLong;

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
