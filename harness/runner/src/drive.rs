//! Drives scenarios: plays the client and collects what reached the providers.

mod doctor;
mod play;

use std::collections::HashMap;
use std::iter;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fallproof_mocks::wire::{Upstream, Wire};
use fallproof_protocol::provider::{Deployment, Names};
use fallproof_suite::declaration::Declaration;
use fallproof_suite::evidence::{CaseResult, Evidence, Inconclusive, TargetFacts};
use fallproof_suite::plan::{Addresses, Group, Hop, Plan};
use fallproof_suite::scenario::{self, DeadEnd, Scenario};
use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

use crate::adapter::Process;
use crate::error::StartError;
use crate::target::{RunningTarget, Setup, Target};

/// Everything that a run needs, up and listening: the upstreams, the plan and the target.
pub struct Rig {
    wire: Wire,
    plan: Plan,
    /// Why there is no address that answers no connection, where a scenario needs one.
    never_silent: Option<String>,
    running: Box<dyn RunningTarget>,
    /// When the times of all evidence begin.
    clock: Instant,
    declaration: Declaration,
    patience: Duration,
    /// Of each group that was asked, why it is not wired to the upstreams, if it is not.
    diagnoses: Mutex<HashMap<String, Option<Inconclusive>>>,
}

/// Who is told how a run goes, on the threads that do it.
pub trait Watch: Sync {
    /// What is kept of a case.
    type Kept: Send;

    /// A case begins.
    fn started(&self, scenario: &Scenario);

    /// A case has ended.
    fn ended(&self, scenario: &Scenario, evidence: Evidence) -> Self::Kept;
}

/// Nobody is told, and all is kept.
impl Watch for () {
    type Kept = Evidence;

    fn started(&self, _: &Scenario) {}

    fn ended(&self, _: &Scenario, evidence: Evidence) -> Evidence {
        evidence
    }
}

impl Rig {
    /// Brings up the mocks for these scenarios, and the target. A client call waits for its answer
    /// no longer than `patience`.
    pub async fn start(
        scenarios: &[&Scenario],
        target: &dyn Target,
        patience: Duration,
    ) -> Result<Self, StartError> {
        Self::start_with(None, scenarios, target, patience).await
    }

    /// The same with a gateway that was started before, which is to read another configuration.
    pub async fn start_with(
        process: Option<Process>,
        scenarios: &[&Scenario],
        target: &dyn Target,
        patience: Duration,
    ) -> Result<Self, StartError> {
        let listen = target.mocks_address();
        let wire =
            Wire::bind(listen).await.map_err(|error| StartError::Upstreams(listen, error))?;
        let silent = if scenarios.iter().any(|scenario| needs_silence(scenario)) {
            wire.silent_addr()
        } else {
            Ok(wire.refusing_addr())
        };
        let (silent, never_silent) = match silent {
            Ok(addr) => (addr, None),
            Err(error) => (wire.refusing_addr(), Some(error.to_string())),
        };
        let addresses = Addresses { wire: wire.addr(), refusing: wire.refusing_addr(), silent };
        let plan = target.plan(scenarios, addresses);
        for scenario in scenarios {
            plug(&wire, scenario, &plan)?;
        }
        let declaration = target.capabilities().into_owned();
        let running = target.start(Setup { plan: &plan, scenarios, process }).await?;
        Ok(Self {
            clock: wire.started(),
            wire,
            plan,
            never_silent,
            running,
            declaration,
            patience,
            diagnoses: Mutex::default(),
        })
    }

    /// Has the times of all evidence count from here, which is before the start.
    #[must_use]
    pub fn counted_from(self, clock: Instant) -> Self {
        Self { clock, ..self }
    }

    /// The gateway's process, where it was started here; it goes on.
    pub fn release(self) -> Option<Process> {
        self.running.release()
    }

    /// The key that the client gives to the target.
    pub fn gateway_key(&self) -> &str {
        self.running.gateway_key()
    }

    /// What must be known of the target to judge a case of this scenario.
    pub fn facts(&self, scenario: &Scenario) -> TargetFacts<'_> {
        TargetFacts {
            groups: self.plan.groups_of(&scenario.id),
            declaration: &self.declaration,
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
        // A fault of ours is told as ours, and the other cases go on.
        match AssertUnwindSafe(self.play(scenario)).catch_unwind().await {
            Ok(calls) => CaseResult::Played(calls),
            Err(panic) => {
                let words = panic.downcast_ref::<String>().map(String::as_str);
                let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
                CaseResult::HarnessError(words.unwrap_or("a panic").to_owned())
            }
        }
    }

    /// Runs these scenarios, `workers` at a time, on threads of its own; the cases come back in the
    /// scenarios' order.
    ///
    /// # Panics
    /// Where a worker panics; not to be called from within the runtime.
    pub fn run_all(
        &self,
        runtime: &Handle,
        scenarios: &[&Scenario],
        workers: usize,
    ) -> Vec<Evidence> {
        let (_never, stop) = watch::channel(false);
        self.run_watched(runtime, scenarios, workers, &(), &stop).into_iter().flatten().collect()
    }

    /// Like [`run_all`](Self::run_all), and tells `watch`. Once `stop` holds true, what has not
    /// ended is given up: it is `None`.
    ///
    /// # Panics
    /// Where a worker panics; not to be called from within the runtime.
    pub fn run_watched<W: Watch>(
        &self,
        runtime: &Handle,
        scenarios: &[&Scenario],
        workers: usize,
        watch: &W,
        stop: &watch::Receiver<bool>,
    ) -> Vec<Option<W::Kept>> {
        let next = AtomicUsize::new(0);
        let begin =
            || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < scenarios.len());
        let play = async |index: usize| {
            let scenario = scenarios[index];
            if *stop.borrow() {
                return None;
            }
            watch.started(scenario);
            let evidence = tokio::select! {
                evidence = self.run(scenario) => evidence,
                () = stopped(stop.clone()) => return None,
            };
            Some((index, watch.ended(scenario, evidence)))
        };
        let work = |at_once: usize| {
            let cases = stream::iter(iter::from_fn(begin)).map(play).buffer_unordered(at_once);
            runtime.block_on(cases.filter_map(future::ready).collect::<Vec<_>>())
        };
        // A thread for each that waits would take the processor from the router and the providers.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(workers);
        let shares = (0..threads).map(|thread| (workers + thread) / threads);
        let mut cases: Vec<_> = scenarios.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let workers: Vec<_> =
                shares.map(|at_once| scope.spawn(move || work(at_once))).collect();
            for worker in workers {
                for (index, case) in worker.join().unwrap_or_else(|panic| resume_unwind(panic)) {
                    cases[index] = Some(case);
                }
            }
        });
        cases
    }
}

/// Done when `stop` holds true.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}

/// Whether one of its deployments has the address that answers no connection.
fn needs_silence(scenario: &Scenario) -> bool {
    scenario.upstreams.values().any(|upstream| upstream.dead_end() == Some(DeadEnd::Silent))
}

/// Gives the scenario's upstreams their scripts, from the start.
fn plug(wire: &Wire, scenario: &Scenario, plan: &Plan) -> Result<(), StartError> {
    for hop in plan.groups_of(&scenario.id).iter().flat_map(Group::hops) {
        if let Some(described) = scenario.upstreams.get(&hop.upstream) {
            wire.plug(mock(hop, described))
                .map_err(|error| StartError::Script(scenario.id.clone(), error))?;
        }
    }
    Ok(())
}

/// What the mocks play for this deployment.
fn mock(hop: &Hop, described: &scenario::Upstream) -> Upstream {
    Upstream {
        prefix: hop.prefix.clone(),
        deployment: Deployment {
            surface: hop.surface(),
            model: hop.model.clone(),
            name: hop.deployment.clone(),
            key: hop.key.clone(),
        },
        names: Names::Own,
        script: described.script.clone(),
        repeat_last: described.repeat_last,
        marker: hop.marker(),
    }
}
