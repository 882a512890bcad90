//! Runs cases: on a target that is configured for each batch, or on a fixed set of groups.

use std::time::{Duration, Instant};

use fallproof_protocol::provider::{Endpoint, Surface};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::case::{CaseDeployment, FuzzCase};
use super::cooldowns::Cooldowns;
use super::generate::{SHORT_WAIT, Scope};
use super::model_names::model_names;
use super::oracle;
use super::repair::Acceptor;
use fallproof_judge::{CallFacts, Case, ExpectationViolation, Outcome, Verdict, Violation};
use fallproof_runner::Runner;
use fallproof_runner::error::StartError;
use fallproof_runner::target::Target;
use fallproof_suite::evidence::{CallEvidence, Ending, Evidence, Inconclusive};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::{Cooldown, Scenario};

/// Runs cases on a target.
pub enum Executor {
    /// A target that is started for each batch, with one group per case.
    Fresh {
        /// The target to start.
        target: Box<dyn Target>,
        /// How long a client call waits for its response.
        timeout: Duration,
    },
    /// A target that is configured once, for the groups of [`fixed_groups`].
    Fixed {
        /// The target and its mocks.
        runner: Box<Runner>,
        /// When each group returns to its usual state.
        cooldowns: Cooldowns,
    },
}

/// The result of running a case.
#[derive(Debug)]
pub struct Execution {
    /// The violations, without notes.
    pub violations: Vec<Violation>,
    /// The facts about each call.
    pub calls: Vec<CallFacts>,
    /// Error of Fallproof itself, if any.
    pub harness_error: Option<String>,
    /// Why the case is inconclusive, if it is.
    pub inconclusive: Option<Inconclusive>,
    /// The way that each call took.
    pub ways: Vec<Way>,
}

/// The way that a call took: the deployments that were tried, and whether the client got a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    attempts: Vec<Option<String>>,
    is_success: bool,
}

/// Maximum number of plain calls that test whether a group is back in its usual state.
const MOST_TRIES: usize = 12;

/// Time between two of these plain calls.
const PAUSE: Duration = Duration::from_secs(1);

/// Time limit of an attempt in the groups that have one.
const ATTEMPT_LIMIT: Duration = Duration::from_millis(600);

/// Time limit of a call in the groups that have one: it ends before an attempt that hangs does.
const CALL_LIMIT: Duration = Duration::from_millis(400);

/// Number of cases that run concurrently on one thread.
const SIDE_BY_SIDE: usize = 8;

impl Executor {
    /// Whether the chain and the policy of a case cannot be changed.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed { .. })
    }

    /// A target that is configured once, for the groups of [`fixed_groups`].
    pub fn fixed(runner: Runner) -> Self {
        Self::Fixed { runner: Box::new(runner), cooldowns: Cooldowns::default() }
    }

    /// Runs a case on a target without state of earlier cases. Such a target is either fresh, or
    /// sends a plain call for the case's group to the first deployment again, as it did before the
    /// first case. Returns `None` if its plain calls keep going elsewhere.
    ///
    /// # Errors
    /// The target or the deployments could not be started.
    pub async fn run_after_cooldown(
        &self,
        case: &FuzzCase,
    ) -> Result<Option<Execution>, StartError> {
        if let Self::Fixed { runner, cooldowns } = self {
            let scenario = scenario(0, case);
            let mut tries = 0;
            while cooldowns.began_at_first(&scenario.id) && !runner.goes_to_first(&scenario).await {
                tries += 1;
                if tries == MOST_TRIES {
                    return Ok(None);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(self.run(std::slice::from_ref(case)).await?.pop())
    }

    /// Runs these cases and returns the results in the same order.
    ///
    /// # Errors
    /// The target or the deployments could not be started.
    pub async fn run(&self, cases: &[FuzzCase]) -> Result<Vec<Execution>, StartError> {
        let scenarios: Vec<_> =
            cases.iter().enumerate().map(|(at, case)| scenario(at, case)).collect();
        match self {
            Self::Fixed { runner, cooldowns } => {
                let mut executions = Vec::new();
                for (scenario, case) in scenarios.iter().zip(cases) {
                    tokio::time::sleep(cooldowns.left(&scenario.id, Instant::now())).await;
                    if cooldowns.is_new(&scenario.id) {
                        cooldowns.begin(&scenario.id, runner.goes_to_first(scenario).await);
                    } else if case.cooldown.is_some() {
                        runner.end_failures(scenario).await;
                    }
                    let judged = judged(runner, scenario).await;
                    if let Some(Cooldown { duration, .. }) = case.cooldown {
                        cooldowns.rest(&scenario.id, duration, Instant::now());
                    }
                    // If the target ignores `Retry-After`, there is nothing to wait for.
                    if runner.facts(scenario).capabilities.waives(Code::Route06).is_none() {
                        let calls = judged.evidence.calls().iter();
                        let attempts = calls.flat_map(CallEvidence::all_requests);
                        let most = case.max_retry_after.unwrap_or(SHORT_WAIT);
                        cooldowns.note(&scenario.id, attempts, most, Instant::now());
                    }
                    executions.push(Execution::of(judged, case));
                }
                Ok(executions)
            }
            Self::Fresh { target, timeout } => {
                let chosen: Vec<_> = scenarios.iter().collect();
                let runner = &Runner::start(&chosen, &**target, *timeout).await?;
                let runs = scenarios.iter().zip(cases).map(|(scenario, case)| async move {
                    Execution::of(judged(runner, scenario).await, case)
                });
                // Slow cases only wait, so all of them can run at once.
                let all_hang = cases.iter().all(FuzzCase::is_slow);
                let at_once = if all_hang { SIDE_BY_SIDE.max(cases.len()) } else { SIDE_BY_SIDE };
                Ok(stream::iter(runs).buffered(at_once).collect().await)
            }
        }
    }
}

async fn judged(runner: &Runner, scenario: &Scenario) -> Case {
    Case::new(scenario, runner.facts(scenario), runner.run(scenario).await)
}

fn scenario(at: usize, case: &FuzzCase) -> Scenario {
    match &case.group {
        Some(group) => case.scenario(group, Vec::new()),
        None => case.scenario(&format!("fuzz/case-{at}"), oracle::expect(case)),
    }
}

impl Execution {
    fn of(judged: Case, case: &FuzzCase) -> Self {
        let Case { evidence, judgment } = judged;
        let calls = judgment.facts.calls;
        let ways = evidence.calls().iter().map(Way::of).collect();
        // A fixed group has no oracle, so only this check finds requests that were not forwarded.
        let by_itself: Vec<_> = match &case.group {
            Some(_) => by_itself(&evidence, case).collect(),
            None => Vec::new(),
        };
        let (harness_error, inconclusive) = match judgment.outcome {
            Outcome::HarnessError(message) => (Some(message), None),
            // A plain call has reached the group's deployments, so the target itself has failed.
            Outcome::Inconclusive(Inconclusive::NoAttempt { .. }) if !by_itself.is_empty() => {
                let (harness_error, inconclusive) = (None, None);
                return Self { violations: by_itself, calls, harness_error, inconclusive, ways };
            }
            Outcome::Inconclusive(unclear) => (None, Some(unclear)),
            Outcome::Skipped(reason) => (None, Some(Inconclusive::Skipped(reason))),
            Outcome::Pass | Outcome::Warn | Outcome::Fail | Outcome::NotRobust => (None, None),
        };
        if inconclusive.is_some() {
            return Self { violations: Vec::new(), calls, harness_error, inconclusive, ways };
        }
        let mut violations = judgment.violations;
        violations.retain(|violation| violation.verdict > Verdict::Note);
        // If a requirement is violated, the missed expectations are only a consequence.
        let is_breach = |it: &Violation| it.requirement.is_some() && it.verdict == Verdict::Fail;
        if violations.iter().any(is_breach) {
            violations.retain(|violation| violation.requirement.is_some());
        }
        violations.extend(by_itself);
        Self { violations, calls, harness_error, inconclusive, ways }
    }
}

impl Way {
    fn of(call: &CallEvidence) -> Self {
        let attempts = call.all_requests().map(|recorded| recorded.prefix.clone()).collect();
        let is_success = call.exchange.status.is_some_and(|status| status < 400);
        Self { attempts, is_success }
    }
}

/// Returns a violation for each call in which the target itself refused a request that its
/// providers accept, or failed without an attempt.
///
/// After failures of earlier calls, all deployments may be cooling down. The judge knows that.
fn by_itself<'a>(evidence: &'a Evidence, case: &FuzzCase) -> impl Iterator<Item = Violation> + 'a {
    let is_accepted = case.is_accepted();
    let may_cool_down = case.cooldown.is_some();
    evidence.calls().iter().enumerate().filter_map(move |(call, step)| {
        let status = step.exchange.status.filter(|_| call == 0 || !may_cool_down)?;
        let is_own = step.requests.is_empty() && step.exchange.ending == Ending::Complete;
        let answer = || String::from_utf8_lossy(&step.exchange.body).chars().take(300).collect();
        let kind = match status {
            400..500 if is_own && is_accepted => {
                ExpectationViolation::RefusedByTarget { answer: answer() }
            }
            500..600 if is_own => ExpectationViolation::FailedByItself { status, answer: answer() },
            _ => return None,
        };
        Some(Violation {
            requirement: None,
            call,
            attempt: None,
            deployment: None,
            pointer: None,
            kind: kind.into(),
            verdict: Verdict::Fail,
            declared: None,
        })
    })
}

/// The groups of a target that can only be configured once: one for each endpoint, pair of surfaces
/// and policy.
///
/// The policy is always explicit. If the target `limits_waits`, it also sets a short limit for the
/// wait that a provider can request.
pub fn fixed_groups(scope: &Scope, limits_waits: bool) -> Vec<FuzzCase> {
    let max_retry_after = limits_waits.then_some(SHORT_WAIT);
    let mut groups = Vec::new();
    for &endpoint in &scope.endpoints {
        let surfaces = || Surface::ALL.into_iter().filter(|&surface| endpoint.is_on(surface));
        let pairs = surfaces().flat_map(|one| surfaces().map(move |other| [one, other]));
        for (pair, model) in pairs.zip(model_names(endpoint).iter().cycle()) {
            let plain = FuzzCase { max_retry_after, ..group(endpoint, pair, model) };
            groups.extend(Policy::ALL.into_iter().map(|policy| policy.of(&plain)));
        }
    }
    groups
}

/// What distinguishes groups with the same deployments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// No retries and no cooldown.
    Plain,
    /// A retry at each deployment.
    Retries,
    /// A cooldown after two failures.
    Cooldown,
    /// Time limits for an attempt and for the whole call.
    Limited,
}

impl Policy {
    const ALL: [Self; 4] = [Self::Plain, Self::Retries, Self::Cooldown, Self::Limited];

    /// This group, with this policy and a name of its own.
    fn of(self, plain: &FuzzCase) -> FuzzCase {
        let mut group = plain.clone();
        let suffix = match self {
            Self::Plain => return group,
            Self::Retries => {
                group.retries = 1;
                "retries"
            }
            Self::Cooldown => {
                let duration = SHORT_WAIT;
                group.cooldown = Some(Cooldown { after_failures: 2, duration });
                "cooldown"
            }
            Self::Limited => {
                group.timeout = Some(ATTEMPT_LIMIT);
                group.total_timeout = Some(CALL_LIMIT);
                "limits"
            }
        };
        group.group = group.group.map(|id| format!("{id}-{suffix}"));
        group
    }
}

fn group(endpoint: Endpoint, pair: [Surface; 2], model: &str) -> FuzzCase {
    let deployment = |surface| CaseDeployment {
        acceptor: Acceptor { surface, model: model.to_owned() },
        name: model.to_owned(),
        script: Vec::new(),
    };
    let [one, other] = pair.map(Surface::name);
    let endpoint_name = endpoint.path().replace('/', "-");
    FuzzCase {
        endpoint,
        group: Some(format!("fuzz/{endpoint_name}-{one}-{other}")),
        chain: pair.into_iter().map(deployment).collect(),
        retries: 0,
        timeout: None,
        total_timeout: None,
        cooldown: None,
        max_retry_after: None,
        steps: Vec::new(),
    }
}
