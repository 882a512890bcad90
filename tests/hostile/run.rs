//! Runs the command against a hostile target, and measures what it takes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io};

use flate2::read::MultiGzDecoder;
use tempfile::TempDir;

use crate::behavior::Behavior;
use crate::scratch::{folder_of, free_ports};
use crate::server::{self, Plan};

/// The scenarios that are played: a fallback, a stream that the client leaves, and calls at the same
/// time.
const SCENARIOS: [&str; 3] = [
    "routing/rate-limited-goes-on",
    "streaming/client-leaves",
    "concurrency/one-fails-the-others-do-not",
];

/// The client's key.
pub(crate) const KEY: &str = "canary-5d9f2c-0123456789-key";

/// How often the memory of the command is read.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a run may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Duration. A run that takes longer is killed.
    pub(crate) time: Duration,
    /// Peak of the resident memory.
    pub(crate) memory: u64,
    /// Number of bytes in the folder of reports, on stdout and on stderr.
    pub(crate) written: u64,
}

/// The limits of every hostile target. A run has few calls, which time out soon; the rest of the time
/// is for a slow machine.
pub(crate) const LIMITS: Limits =
    Limits { time: Duration::from_secs(120), memory: 500 << 20, written: 50 << 20 };

/// What a run took and wrote.
pub(crate) struct Ran {
    pub(crate) took: Duration,
    /// Peak of the resident memory; `None` on a system that does not tell.
    pub(crate) memory: Option<u64>,
    pub(crate) written: u64,
    /// The exit code; `None` if the run was killed.
    pub(crate) code: Option<i32>,
    /// Everything that can be read afterwards, each with its name.
    pub(crate) artifacts: Vec<(String, Vec<u8>)>,
    /// The keys that no artifact may contain.
    pub(crate) keys: Vec<String>,
}

impl Ran {
    /// What the run took more of than it may.
    pub(crate) fn beyond(&self, limits: &Limits) -> Vec<String> {
        let mut beyond = Vec::new();
        if self.code.is_none() || self.took > limits.time {
            beyond.push(format!("took {:?} of {:?}", self.took, limits.time));
        }
        if let Some(memory) = self.memory.filter(|memory| *memory > limits.memory) {
            beyond.push(format!("memory: {} of {} MiB", memory >> 20, limits.memory >> 20));
        }
        if self.written > limits.written {
            beyond.push(format!("wrote {} of {} KiB", self.written >> 10, limits.written >> 10));
        }
        beyond
    }

    /// Everything that was printed to this stream, as text.
    pub(crate) fn printed(&self, name: &str) -> String {
        let found = self.artifacts.iter().find(|(it, _)| it == name);
        found.map_or_else(String::new, |(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// Runs the scenarios against a target with this behavior.
pub(crate) fn run(behavior: &Behavior, limits: &Limits) -> io::Result<Ran> {
    let listen = free_ports().to_string();
    let plan = plan(&listen)?;
    let target = server::start(behavior.clone(), &plan);
    let folder = TempDir::new()?;
    let [report, stdout, stderr, summary] =
        ["report", "stdout", "stderr", "summary.md"].map(|it| folder.path().join(it));
    let mut command = fallproof();
    command
        .args(["run", "--verbose", "--jobs", "3", "--listen", &listen, "--key", KEY])
        .args(["--timeout", &behavior.timeout.to_string()])
        .args(["--target", &format!("http://{target}/v1"), "--report"])
        .arg(&report)
        .args(behavior.trace.then_some("--trace"))
        .env("GITHUB_STEP_SUMMARY", &summary)
        .stdin(Stdio::null())
        .stdout(File::create(&stdout)?)
        .stderr(File::create(&stderr)?);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let (code, memory) = watch(&mut child, started + limits.time)?;
    let took = started.elapsed();
    let mut artifacts = Vec::new();
    let mut written = 0;
    for file in files(folder.path())? {
        let bytes = fs::read(&file)?;
        written += bytes.len() as u64;
        let name = file.strip_prefix(folder.path()).unwrap_or(&file);
        let name = name.to_string_lossy().into_owned();
        artifacts.push((
            name,
            if file.ends_with("evidence.ndjson.gz") {
                let mut plain = Vec::new();
                let _ = MultiGzDecoder::new(&*bytes).take(1 << 30).read_to_end(&mut plain);
                plain
            } else {
                bytes
            },
        ));
    }
    let keys = plan.keys().map(str::to_owned).chain([KEY.to_owned()]).collect();
    Ok(Ran { took, memory, written, code, artifacts, keys })
}

/// Waits until the command has ended, or kills it when its time is over. Returns its exit code and
/// the peak of its memory.
fn watch(child: &mut Child, until: Instant) -> io::Result<(Option<i32>, Option<u64>)> {
    let mut memory = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status.code(), memory));
        }
        memory = peak(child.id()).or(memory);
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            return Ok((None, memory));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// The peak of the memory of a process so far, in bytes.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// The command: the one that was built with the tests, or another one that the environment names.
pub(crate) fn fallproof() -> Command {
    let other = env::var_os("FALLPROOF_BINARY").map(PathBuf::from);
    let mut command = Command::new(other.unwrap_or_else(|| env!("CARGO_BIN_EXE_fallproof").into()));
    command.current_dir(suite()).env_remove("GITHUB_STEP_SUMMARY").env_remove("GITHUB_ACTIONS");
    command
}

fn plan(listen: &str) -> io::Result<Plan> {
    let planned = fallproof().args(["plan", "--json", "--listen", listen]).output()?;
    serde_json::from_slice(&planned.stdout).map_err(|error| {
        let mut message = error.to_string();
        let _ = write!(message, ": {}", String::from_utf8_lossy(&planned.stderr));
        io::Error::other(message)
    })
}

/// A folder with a suite of the chosen scenarios.
fn suite() -> &'static Path {
    static SUITE: LazyLock<PathBuf> = LazyLock::new(|| {
        let all = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = SCENARIOS.iter().map(|id| format!("scenarios/{id}.yaml"));
        let files = files.chain(["scenarios/requirements.yaml".to_owned()]);
        let read = |file: String| {
            let content = fs::read(all.join(&file)).expect("the suite can be read");
            (file.into(), content)
        };
        folder_of(files.map(read).collect())
    });
    &SUITE
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    Ok(files)
}
