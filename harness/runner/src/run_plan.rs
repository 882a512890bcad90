//! The plan of a run: which scenarios run against which start of the target.

use std::fmt::Write as _;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use fallproof_suite::plan::{Addresses, MockAddress};
use fallproof_suite::record::TargetName;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::skip::SkipReason;
use tempfile::TempDir;

use crate::adapter::{Adapter, ConfigBatch, Installation, RenderError, Site, Unsupported};
use crate::gateway::{LaunchedGateway, RunningGateway};
use crate::target::{Target, named};

/// Maximum number of scenarios that run in parallel.
pub const MAX_JOBS: usize = 1024;

/// Plan of a complete run.
pub struct RunPlan<'a> {
    /// Batches, started in this order.
    pub batches: Vec<Batch<'a>>,
    /// Number of batches that run at the same time, each with its own process of the target.
    pub processes: usize,
    /// Scenarios that are skipped for this target, with the reason.
    pub left_out: Vec<(&'a Scenario, SkipReason)>,
}

/// Scenarios that one start of a target can serve.
pub struct Batch<'a> {
    /// The target, configured for these scenarios.
    pub target: Box<dyn Target>,
    /// Scenarios to run against it.
    pub scenarios: Vec<&'a Scenario>,
    /// Number of scenarios that may run in parallel.
    pub jobs: usize,
    /// Heading for the user, e.g. `batch 1 of 2: retries 1`. Empty if there is only one batch.
    pub heading: String,
}

/// Where the files and logs of a gateway are written.
#[derive(Debug)]
pub enum Work {
    /// In a folder of the user's, which is kept.
    Kept(PathBuf),
    /// In a temporary folder. Only this user can read it: it holds keys.
    Temporary(TempDir),
}

/// A run could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The adapter is invalid.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// There is no batch with this number. Holds the number and the number of batches.
    #[error(
        "`--batch {0}` is out of range: there {verb} {1}",
        verb = if *.1 == 1 { "is" } else { "are" }
    )]
    NoBatch(usize, usize),
    /// No port is free for the gateway.
    #[error("no port is free for the gateway: {0}")]
    NoPort(#[source] io::Error),
}

impl<'a> RunPlan<'a> {
    /// Plans all scenarios in one batch, `jobs` in parallel.
    pub fn at_once(target: Box<dyn Target>, scenarios: &'a [Scenario], jobs: usize) -> Self {
        let scenarios = scenarios.iter().collect();
        let batch = Batch { target, scenarios, jobs, heading: String::new() };
        Self { batches: vec![batch], processes: 1, left_out: Vec::new() }
    }

    /// Plans a run against a gateway that is already running, configured for the batch with this
    /// number, from 1. The scenarios of the other batches are skipped.
    ///
    /// # Errors
    /// The adapter is invalid, or there is no such batch.
    pub fn running(
        gateway: &RunningGateway,
        number: usize,
        scenarios: &'a [Scenario],
    ) -> Result<Self, PlanError> {
        let Some(adapter) = &gateway.adapter else {
            if number != 1 {
                return Err(PlanError::NoBatch(number, 1));
            }
            return Ok(Self::at_once(Box::new(gateway.clone()), scenarios, 1));
        };
        let (batches, left_out) = split(adapter, scenarios, &gateway.mocks.planned())?;
        if number == 0 || number > batches.len().max(1) {
            return Err(PlanError::NoBatch(number, batches.len()));
        }
        let mut plan = Self { batches: Vec::new(), processes: 1, left_out };
        for (known, batch) in (1..).zip(&batches) {
            let scenarios = those_of(scenarios, &batch.scenarios);
            if known == number {
                let (target, jobs) = (Box::new(gateway.clone()), adapter.jobs.clamp(1, MAX_JOBS));
                plan.batches.push(Batch { target, scenarios, jobs, heading: String::new() });
            } else {
                let settings = described(batch);
                let reason = SkipReason::OtherBatch { batch: known, settings };
                plan.left_out.extend(scenarios.into_iter().map(|it| (it, reason.clone())));
            }
        }
        Ok(plan)
    }

    /// Plans a run against a gateway that is started once for each batch. A gateway that can reload
    /// is started only once. The gateway's files and logs are written below `work`; a temporary
    /// folder is removed with the plan.
    ///
    /// # Errors
    /// The adapter is invalid, or no port is free.
    pub fn launched(
        adapter: &Arc<Adapter>,
        installation: &Installation,
        mocks: &MockAddress,
        key: &str,
        work: Work,
        scenarios: &'a [Scenario],
    ) -> Result<Self, PlanError> {
        // The ports are known when the mocks listen. They make no difference here.
        let (batches, left_out) = split(adapter, scenarios, &mocks.planned())?;
        let (work, scratch) = match work {
            Work::Kept(folder) => (folder, None),
            Work::Temporary(folder) => (folder.path().to_owned(), Some(Arc::new(folder))),
        };
        let site = |number: usize| {
            let folder = work.join(number.to_string());
            let site = Site::here(folder, key.to_owned(), installation.clone());
            let site = site.map_err(PlanError::NoPort)?;
            Ok::<_, PlanError>(Site { scratch: scratch.clone(), ..site })
        };
        let one_for_all = adapter.reloads().then(|| site(1)).transpose()?;
        let jobs = adapter.jobs.clamp(1, MAX_JOBS);
        let batch = |(number, batch): (usize, &ConfigBatch)| {
            let site = match &one_for_all {
                Some(site) => site.clone(),
                None => site(number)?,
            };
            let heading = match batches.len() {
                1 => String::new(),
                all => format!("batch {number} of {all}: {}", described(batch)),
            };
            let (adapter, mocks) = (Arc::clone(adapter), mocks.clone());
            let target = Box::new(LaunchedGateway { adapter, site, mocks });
            let scenarios = those_of(scenarios, &batch.scenarios);
            Ok(Batch { target, scenarios, jobs, heading })
        };
        let batches = (1..).zip(&batches).map(batch).collect::<Result<_, PlanError>>()?;
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let processes = if adapter.reloads() { 1 } else { adapter.processes.min(processors) };
        Ok(Self { batches, processes: processes.max(1), left_out })
    }

    /// If the user gives a number of parallel scenarios, it applies to all processes together.
    pub fn side_by_side(&mut self, jobs: Option<NonZeroUsize>) {
        let Some(jobs) = jobs.map(NonZeroUsize::get) else { return };
        self.processes = self.processes.min(jobs).min(self.batches.len()).max(1);
        for batch in &mut self.batches {
            batch.jobs = jobs / self.processes;
        }
    }

    /// Returns the identity of the target, for reports.
    pub async fn identity(&self) -> TargetName {
        match self.batches.first() {
            Some(batch) => batch.target.identity().await,
            None => named(None),
        }
    }

    /// Returns the output of all starts of the gateway. If there are several, each one has a
    /// heading.
    pub fn log(&self) -> String {
        let mut log = String::new();
        let mut folders = Vec::new();
        for Batch { target, heading, .. } in &self.batches {
            let Some(site) = target.site().filter(|site| !folders.contains(&&site.folder)) else {
                continue;
            };
            folders.push(&site.folder);
            let starts = site.printed();
            for (start, text) in (1..).zip(&starts) {
                let start = (starts.len() > 1).then(|| format!("start {start}"));
                let heading = Some(heading.clone()).filter(|it| !it.is_empty());
                let heading: Vec<_> = heading.into_iter().chain(start).collect();
                if !(heading.is_empty() || text.is_empty()) {
                    let _ = writeln!(log, "== {}", heading.join(", "));
                }
                log += text;
                if !(text.is_empty() || text.ends_with('\n')) {
                    log.push('\n');
                }
            }
        }
        log
    }
}

/// Describes a batch if there are several, e.g. `retries 1, 120 groups`.
fn described(batch: &ConfigBatch) -> String {
    let (settings, groups) = (batch.in_words(), batch.groups);
    let separator = if settings.is_empty() { "" } else { ", " };
    format!("{settings}{separator}{groups} groups")
}

/// Skipped scenarios, with the reason.
type LeftOut<'a> = Vec<(&'a Scenario, SkipReason)>;

/// Splits the scenarios that the gateway supports into batches. The other scenarios are skipped.
fn split<'a>(
    adapter: &Adapter,
    scenarios: &'a [Scenario],
    addresses: &Addresses,
) -> Result<(Vec<ConfigBatch>, LeftOut<'a>), RenderError> {
    let (mut supported, mut left_out) = (Vec::new(), Vec::new());
    for scenario in scenarios {
        match adapter.capabilities.skip_reason(scenario) {
            Some(reason) => left_out.push((scenario, reason)),
            None => supported.push(scenario),
        }
    }
    let batches = adapter.split(&adapter.plan(supported, addresses))?;
    for Unsupported { scenario, reason } in &batches.unfit {
        let scenario = scenarios.iter().find(|it| it.id == *scenario);
        let reason = reason.clone();
        left_out.extend(scenario.map(|it| (it, SkipReason::NotConfigurable { reason })));
    }
    Ok((batches.batches, left_out))
}

/// Returns the scenarios with these ids.
fn those_of<'a>(scenarios: &'a [Scenario], ids: &[String]) -> Vec<&'a Scenario> {
    scenarios.iter().filter(|scenario| ids.contains(&scenario.id)).collect()
}

#[cfg(test)]
mod tests;
