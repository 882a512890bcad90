//! Runs cases: on a target that is configured for each batch, or on a fixed set of groups.

use std::time::Duration;

use fallproof_protocol::provider::{Endpoint, Surface};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::case::{CaseDeployment, FuzzCase};
use super::generate::Scope;
use super::model_names::model_names;
use super::oracle;
use super::repair::Acceptor;
use fallproof_judge::{Case, ExpectationViolation, Outcome, Verdict, Violation};
use fallproof_runner::Runner;
use fallproof_runner::error::StartError;
use fallproof_runner::target::Target;
use fallproof_suite::evidence::{Ending, Inconclusive};
use fallproof_suite::scenario::Scenario;

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
    Fixed(Box<Runner>),
}

/// The result of running a case.
#[derive(Debug)]
pub struct Execution {
    /// The violations, without notes.
    pub violations: Vec<Violation>,
    /// Error of Fallproof itself, if any.
    pub harness_error: Option<String>,
    /// Why the case is inconclusive, if it is.
    pub inconclusive: Option<Inconclusive>,
}

/// Number of cases that run concurrently on one thread.
const SIDE_BY_SIDE: usize = 8;

impl Executor {
    /// Whether chain and policy of a case cannot be changed.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// Runs these cases and returns the results in the same order.
    ///
    /// # Errors
    /// The target or the deployments could not be started.
    pub async fn run(&self, cases: &[FuzzCase]) -> Result<Vec<Execution>, StartError> {
        let scenarios: Vec<_> =
            cases.iter().enumerate().map(|(at, case)| scenario(at, case)).collect();
        match self {
            Self::Fixed(runner) => {
                let mut executions = Vec::new();
                for (scenario, case) in scenarios.iter().zip(cases) {
                    executions.push(Execution::of(judged(runner, scenario).await, case));
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
        let (harness_error, inconclusive) = match judgment.outcome {
            Outcome::HarnessError(message) => (Some(message), None),
            Outcome::Inconclusive(unclear) => (None, Some(unclear)),
            Outcome::Skipped(reason) => (None, Some(Inconclusive::Skipped(reason))),
            Outcome::Pass | Outcome::Warn | Outcome::Fail | Outcome::NotRobust => (None, None),
        };
        if inconclusive.is_some() {
            return Self { violations: Vec::new(), harness_error, inconclusive };
        }
        let mut violations = judgment.violations;
        violations.retain(|violation| violation.verdict > Verdict::Note);
        // Missed expectations are then a consequence of the breach.
        let is_breach = |it: &Violation| it.requirement.is_some() && it.verdict == Verdict::Fail;
        if violations.iter().any(is_breach) {
            violations.retain(|violation| violation.requirement.is_some());
        }
        let refused = evidence.calls().iter().enumerate().filter(|(_, step)| {
            let refused = step.exchange.status.is_some_and(|it| (400..500).contains(&it));
            refused && step.requests.is_empty() && step.exchange.ending == Ending::Complete
        });
        // Without an oracle, only this check finds that a valid request was not forwarded.
        if case.group.is_some() && case.is_accepted() {
            violations.extend(refused.map(|(at, step)| by_itself(at, &step.exchange.body)));
        }
        Self { violations, harness_error, inconclusive }
    }
}

/// Violation: the target itself refused a request that its providers accept.
fn by_itself(call: usize, answer: &[u8]) -> Violation {
    let answer: String = String::from_utf8_lossy(answer).chars().take(300).collect();
    Violation {
        requirement: None,
        call,
        attempt: None,
        deployment: None,
        pointer: None,
        kind: ExpectationViolation::RefusedByTarget { answer }.into(),
        verdict: Verdict::Fail,
        declared: None,
    }
}

/// The groups of a target that can only be configured once: one for each endpoint and pair of
/// surfaces.
pub fn fixed_groups(scope: &Scope) -> Vec<FuzzCase> {
    let mut groups = Vec::new();
    for &endpoint in &scope.endpoints {
        let surfaces = || Surface::ALL.into_iter().filter(|&surface| endpoint.is_on(surface));
        let pairs = surfaces().flat_map(|one| surfaces().map(move |other| [one, other]));
        let models = model_names(endpoint).iter().cycle();
        groups.extend({ pairs }.zip(models).map(|(pair, model)| group(endpoint, pair, model)));
    }
    groups
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
        cooldown: None,
        steps: Vec::new(),
    }
}
