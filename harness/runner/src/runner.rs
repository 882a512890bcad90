//! The runner holds the running mocks and target, and runs scenarios against them.
//!
//! A scenario is [run](Runner::run) in these steps:
//!
//! 1. Check whether it must be skipped.
//! 2. Make the [preflight] calls. If one fails, the case is inconclusive.
//! 3. Reset the scripts of its [mocks].
//! 4. [Play](play) its steps, [call] by call.
//! 5. [Attribute](attribution) each attempt to the call that caused it.

mod attribution;
mod call;
mod delay;
mod limit;
mod mocks;
mod play;
mod preflight;
mod schedule;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{CallEvidence, CaseResult, Evidence, Inconclusive, TargetFacts};
use fallproof_suite::plan::Plan;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::skip::SkipReason;
use futures_util::FutureExt as _;
use parking_lot::Mutex;

use self::delay::{RealTime, measured};
use self::mocks::Mocks;
pub use self::mocks::mock_deployment;
use crate::descriptors;
use crate::error::StartError;
use crate::interrupt::Interrupt;
use crate::target::{RunningTarget, Setup, Target};

/// Maximum real time that a scenario may wait. Slower scenarios are skipped.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The message of a case during which a connection failed for want of file descriptors.
const OUT_OF_DESCRIPTORS: &str = "there were no file descriptors left during the case; allow more \
                                  (`ulimit -n 4096`), or run fewer cases side by side (`--jobs 1`)";

/// The running mocks and target, with the plan from which they were configured.
pub struct Runner {
    mocks: Mocks,
    plan: Plan,
    running: Box<dyn RunningTarget>,
    capabilities: Capabilities,
    /// Timeout of a client call.
    timeout: Duration,
    /// Origin of all times in the evidence.
    clock: Instant,
    /// Result of the preflight, by group: the reason why the group does not reach the mocks, or
    /// `None` if it does.
    preflights: Mutex<HashMap<String, Option<Inconclusive>>>,
    /// Whether a call of any case has led to an attempt.
    has_reached_mocks: AtomicBool,
}

impl Runner {
    /// Starts the mocks for these scenarios, and the target. `timeout` applies to each client call.
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

    /// Like [`start`](Self::start), but reloads the `running` target, if there is one.
    ///
    /// # Errors
    /// The mocks or the target could not be started, or the target could not be reloaded.
    pub async fn start_with(
        running: Option<Box<dyn RunningTarget>>,
        scenarios: &[&Scenario],
        target: &dyn Target,
        timeout: Duration,
    ) -> Result<Self, StartError> {
        let mocks = Mocks::listen(&target.mocks(), scenarios).await?;
        let plan = target.plan(scenarios, &mocks.addresses);
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
        Ok(Self {
            mocks,
            plan,
            running,
            capabilities,
            timeout,
            clock,
            preflights: Mutex::default(),
            has_reached_mocks: AtomicBool::new(false),
        })
    }

    /// Sets the origin of all times in the evidence, which must be earlier than the start of the
    /// mocks.
    #[must_use]
    pub fn counted_from(self, clock: Instant) -> Self {
        Self { clock, ..self }
    }

    /// Stops the mocks, so that their ports are free again, and returns the target, which keeps
    /// running.
    pub async fn release(self) -> Box<dyn RunningTarget> {
        self.mocks.wire.shutdown().await;
        self.running
    }

    /// Stops the mocks and the target.
    pub async fn stop(self, interrupt: &Interrupt) {
        interrupt.end(self.release().await).await;
    }

    /// API key that clients send to the target.
    pub fn gateway_key(&self) -> &str {
        self.running.gateway_key()
    }

    /// Facts about the target that are needed to judge a case of this scenario.
    pub fn facts(&self, scenario: &Scenario) -> TargetFacts<'_> {
        TargetFacts {
            groups: self.plan.groups_of(&scenario.id),
            all_groups: &self.plan.groups,
            capabilities: &self.capabilities,
            gateway_key: self.gateway_key(),
            started: SystemTime::now() - self.clock.elapsed(),
        }
    }

    /// The plan from which the target was configured.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Resets the scripts of one scenario, and runs it.
    pub async fn run(&self, scenario: &Scenario) -> Evidence {
        let _reserved = descriptors::reserve(scenario).await;
        let started = self.clock.elapsed();
        let result = Box::pin(self.result(scenario));
        let (result, delay) = measured(result, RealTime(self.clock)).await;
        let took = self.clock.elapsed().saturating_sub(started);
        let wired = self.is_wired(scenario, &result).await;
        self.running.case_ended(scenario);
        Evidence {
            scenario: scenario.id.clone(),
            started,
            took,
            delay,
            simulated_clock: self.running.has_own_clock(),
            wired,
            result,
        }
    }

    /// Whether the target is known to reach the mocks. This is tested only if a call of the case
    /// failed and no call led to an attempt, because then the target may not be connected to them.
    async fn is_wired(&self, scenario: &Scenario, result: &CaseResult) -> bool {
        let CaseResult::Played(calls) = result else { return false };
        let has_failed = |call: &CallEvidence| call.exchange.status.is_some_and(|it| it >= 500);
        if calls.iter().any(|call| !call.requests.is_empty()) {
            self.has_reached_mocks.store(true, Ordering::Relaxed);
            return false;
        }
        if !calls.iter().any(has_failed) {
            return false;
        }
        if scenario.deployments.values().all(|it| it.dead_end().is_none()) {
            return self.diagnose(scenario).await.is_none();
        }
        // Where connections are refused, a plain call may fail as the case did. Then other groups
        // tell: they are configured in the same way.
        !self.running.needs_preflight()
            || self.has_reached_mocks.load(Ordering::Relaxed)
            || self.reaches_mocks(scenario).await
    }

    async fn result(&self, scenario: &Scenario) -> CaseResult {
        if let Some(reason) = self.skip(scenario) {
            return CaseResult::Skipped(reason);
        }
        if let Err(error) = self.running.case_starts(scenario) {
            return CaseResult::HarnessError(format!("the target cannot listen: {error}"));
        }
        let missed_before = self.missed_connections();
        let has_own_clock = self.running.has_own_clock();
        let limit = limit::of(scenario, self.timeout, !has_own_clock);
        let played = caught(self.unless_unclear(scenario));
        let played = played.map(|result| result.unwrap_or_else(CaseResult::HarnessError));
        let result = limit::within(limit, played).await;
        if self.missed_connections() > missed_before {
            return CaseResult::HarnessError(OUT_OF_DESCRIPTORS.to_owned());
        }
        result
    }

    /// Number of connections that failed or were late because there were no file descriptors left.
    fn missed_connections(&self) -> u64 {
        self.mocks.wire.out_of_descriptors() + descriptors::missed()
    }

    /// Plays the scenario unless its preflight fails.
    async fn unless_unclear(&self, scenario: &Scenario) -> CaseResult {
        if self.running.needs_preflight()
            && let Some(unclear) = self.diagnose(scenario).await
        {
            return CaseResult::Inconclusive(unclear);
        }
        let dropped = || self.mocks.wire.dropped().0;
        let before = dropped();
        let played = self.play(scenario).await;
        // Some of the dropped requests may have belonged to this case.
        if dropped() > before {
            return CaseResult::Inconclusive(Inconclusive::TooManyRequests);
        }
        played
    }

    /// Reason why this scenario must be skipped, if any.
    fn skip(&self, scenario: &Scenario) -> Option<SkipReason> {
        if let Some(error) = self.mocks.missing(scenario) {
            return Some(SkipReason::NoSilentAddress(error.to_owned()));
        }
        if let Some(reason) = self.capabilities.skip_reason(scenario) {
            return Some(reason);
        }
        if !self.running.has_own_clock() && scenario.waits() > MAX_WAIT {
            return Some(SkipReason::TooSlow { seconds: scenario.waits().as_secs() });
        }
        None
    }
}

/// Returns the result of `work`, or the message of its panic. So a bug in Fallproof is reported as
/// a harness error, and the other cases continue.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        message.unwrap_or("a panic").to_owned()
    })
}
