//! The runner: mocks and target, up and listening, and how a scenario is run on them.
//!
//! A run of a scenario, in order: it may be [skipped](Runner::run) or found out to be of a group
//! that is not wired ([preflight]); its scripts begin anew ([mocks]); its steps are [played](play),
//! call by call ([call]); each attempt is [attributed](attribution) to the call that led to it.

mod attribution;
mod call;
mod mocks;
mod play;
mod preflight;
mod schedule;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant, SystemTime};

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{CaseResult, Evidence, Inconclusive, TargetFacts};
use fallproof_suite::plan::Plan;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::skip::SkipReason;
use futures_util::FutureExt as _;
use tokio::sync::Mutex;

use self::mocks::Mocks;
use crate::error::StartError;
use crate::interrupt::Interrupt;
use crate::target::{RunningTarget, Setup, Target};

/// No scenario waits longer than this for the clock on the wall.
const MOST_WAITING: Duration = Duration::from_secs(30);

/// Everything that a run needs, up and listening: the mocks, the plan and the target.
pub struct Runner {
    mocks: Mocks,
    plan: Plan,
    running: Box<dyn RunningTarget>,
    capabilities: Capabilities,
    /// How long a client call waits for its answer.
    timeout: Duration,
    /// When the times of all evidence begin.
    clock: Instant,
    /// Of each group that was asked by the preflight, why it is not wired to the mocks, if it is not.
    wiring: Mutex<HashMap<String, Option<Inconclusive>>>,
}

impl Runner {
    /// Brings up the mocks for these scenarios, and the target. A client call waits for its answer
    /// no longer than `timeout`.
    ///
    /// # Errors
    /// The mocks or the target could not be started.
    pub async fn start(
        scenarios: &[&Scenario],
        target: &dyn Target,
        timeout: Duration,
    ) -> Result<Self, StartError> {
        Self::start_with(None, scenarios, target, timeout).await
    }

    /// The same with a target that is at work, where there is one: it is given another configuration.
    ///
    /// # Errors
    /// The mocks or the target could not be started, or it did not take the configuration.
    pub async fn start_with(
        running: Option<Box<dyn RunningTarget>>,
        scenarios: &[&Scenario],
        target: &dyn Target,
        timeout: Duration,
    ) -> Result<Self, StartError> {
        let mocks = Mocks::listen(target.mocks_address(), scenarios).await?;
        let plan = target.plan(scenarios, mocks.addresses);
        for scenario in scenarios {
            mocks.script(scenario, &plan)?;
        }
        let capabilities = target.capabilities().into_owned();
        let setup = Setup { plan: &plan, scenarios };
        let running = match running {
            Some(running) => running.reload(setup).await?,
            None => target.start(setup).await?,
        };
        let clock = mocks.wire.started();
        Ok(Self { mocks, plan, running, capabilities, timeout, clock, wiring: Mutex::default() })
    }

    /// Has the times of all evidence count from here, which is before the start.
    #[must_use]
    pub fn counted_from(self, clock: Instant) -> Self {
        Self { clock, ..self }
    }

    /// The target, which goes on without the mocks.
    pub fn release(self) -> Box<dyn RunningTarget> {
        self.running
    }

    /// Ends mocks and target.
    pub async fn stop(self, interrupt: &Interrupt) {
        interrupt.end(self.release()).await;
    }

    /// The key that the client gives to the target.
    pub fn gateway_key(&self) -> &str {
        self.running.gateway_key()
    }

    /// What must be known of the target to judge a case of this scenario.
    pub fn facts(&self, scenario: &Scenario) -> TargetFacts<'_> {
        TargetFacts {
            groups: self.plan.groups_of(&scenario.id),
            capabilities: &self.capabilities,
            gateway_key: self.gateway_key(),
            started: SystemTime::now() - self.clock.elapsed(),
        }
    }

    /// What the target is configured with.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs one scenario from the start of its scripts.
    pub async fn run(&self, scenario: &Scenario) -> Evidence {
        let started = self.clock.elapsed();
        let result = self.result(scenario).await;
        let took = self.clock.elapsed().saturating_sub(started);
        Evidence { scenario: scenario.id.clone(), started, took, result }
    }

    async fn result(&self, scenario: &Scenario) -> CaseResult {
        if let Some(reason) = self.skip(scenario) {
            return CaseResult::Skipped(reason);
        }
        if self.running.needs_preflight()
            && let Some(unclear) = self.diagnose(scenario).await
        {
            return CaseResult::Inconclusive(unclear);
        }
        match caught(self.play(scenario)).await {
            Ok(calls) => CaseResult::Played(calls),
            Err(panic) => CaseResult::HarnessError(panic),
        }
    }

    /// Why this scenario cannot be run here, if it cannot.
    fn skip(&self, scenario: &Scenario) -> Option<SkipReason> {
        if let Some(error) = self.mocks.lack(scenario) {
            return Some(SkipReason::NoSilentAddress(error.to_owned()));
        }
        if let Some(reason) = self.capabilities.skip_reason(scenario) {
            return Some(reason);
        }
        if !self.running.has_own_clock() && scenario.waits() > MOST_WAITING {
            return Some(SkipReason::TooSlow { seconds: scenario.waits().as_secs() });
        }
        None
    }
}

/// What comes of this, or the words of its panic: a fault of ours is told as ours, and the other
/// cases go on.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        words.unwrap_or("a panic").to_owned()
    })
}
