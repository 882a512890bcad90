//! Where cases are played: against a target that is configured anew for them, or over a fixed set
//! of groups.

use std::time::Duration;

use fallproof_protocol::provider::{Endpoint, Surface};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::draft::{Draft, Link};
use super::draw::Scope;
use super::fit::Taker;
use super::model;
use super::models::models;
use fallproof_judge::{Case, ExpectationViolation, Outcome, Verdict, Violation};
use fallproof_runner::drive::Rig;
use fallproof_runner::error::StartError;
use fallproof_runner::target::Target;
use fallproof_suite::evidence::{Ending, Inconclusive};
use fallproof_suite::scenario::Scenario;

/// Where cases are played.
pub enum Arena {
    /// A target that is started with a group of its own for each case.
    Fresh {
        /// What is started.
        target: Box<dyn Target>,
        /// How long a client call waits.
        patience: Duration,
    },
    /// A target that is configured for the groups of [`fixed_groups`] and stays so.
    Fixed(Box<Rig>),
}

/// What became of a case.
#[derive(Debug)]
pub struct Played {
    /// What was found, notes left out.
    pub violations: Vec<Violation>,
    /// What went wrong in Fallproof itself.
    pub harness_error: Option<String>,
    /// Why nothing can be said of the target, if it is so.
    pub unjudged: Option<Inconclusive>,
}

/// Cases that are under way at the same time on one thread.
const SIDE_BY_SIDE: usize = 8;

impl Arena {
    /// Whether chain and policy of a case cannot be changed.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// Plays these cases; what became of them comes in their order.
    ///
    /// # Errors
    /// The target or the upstreams could not be started.
    pub async fn play(&self, drafts: &[Draft]) -> Result<Vec<Played>, StartError> {
        let scenarios: Vec<_> =
            drafts.iter().enumerate().map(|(at, draft)| scenario(at, draft)).collect();
        match self {
            Self::Fixed(rig) => {
                let mut played = Vec::new();
                for (scenario, draft) in scenarios.iter().zip(drafts) {
                    played.push(Played::of(play(rig, scenario).await, draft));
                }
                Ok(played)
            }
            Self::Fresh { target, patience } => {
                let chosen: Vec<_> = scenarios.iter().collect();
                let rig = &Rig::start(&chosen, &**target, *patience).await?;
                let runs = scenarios.iter().zip(drafts).map(|(scenario, draft)| async move {
                    Played::of(play(rig, scenario).await, draft)
                });
                // What hangs costs time, and nothing else.
                let all_hang = drafts.iter().all(Draft::is_slow);
                let at_once = if all_hang { SIDE_BY_SIDE.max(drafts.len()) } else { SIDE_BY_SIDE };
                Ok(stream::iter(runs).buffered(at_once).collect().await)
            }
        }
    }
}

async fn play(rig: &Rig, scenario: &Scenario) -> Case {
    Case::new(scenario, rig.facts(scenario), rig.run(scenario).await)
}

fn scenario(at: usize, draft: &Draft) -> Scenario {
    match &draft.group {
        Some(group) => draft.scenario(group, Vec::new()),
        None => draft.scenario(&format!("fuzz/case-{at}"), model::expect(draft)),
    }
}

impl Played {
    fn of(case: Case, draft: &Draft) -> Self {
        let Case { evidence, judgment } = case;
        let (harness_error, unjudged) = match judgment.outcome {
            Outcome::HarnessError(words) => (Some(words), None),
            Outcome::Inconclusive(unclear) => (None, Some(unclear)),
            Outcome::Skipped(reason) => (None, Some(Inconclusive::Skipped(reason))),
            Outcome::Pass | Outcome::Warn | Outcome::Fail => (None, None),
        };
        if unjudged.is_some() {
            return Self { violations: Vec::new(), harness_error, unjudged };
        }
        let mut violations = judgment.violations;
        violations.retain(|violation| violation.verdict > Verdict::Note);
        // What else did not go as the model has it is so because of it.
        let is_breach = |it: &Violation| it.requirement.is_some() && it.verdict == Verdict::Fail;
        if violations.iter().any(is_breach) {
            violations.retain(|violation| violation.requirement.is_some());
        }
        let refused = evidence.calls().iter().enumerate().filter(|(_, step)| {
            let refused = step.exchange.status.is_some_and(|it| (400..500).contains(&it));
            refused && step.hits.is_empty() && step.exchange.ending == Ending::Complete
        });
        // Where there is no model, nothing else says that it should have been sent on.
        if draft.group.is_some() && draft.is_taken() {
            violations.extend(refused.map(|(at, step)| by_itself(at, &step.exchange.body)));
        }
        Self { violations, harness_error, unjudged }
    }
}

/// That the target refused by itself what its providers take.
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

/// The groups that a target is configured for that cannot be configured for each case: one for each
/// endpoint and each pair of surfaces.
pub fn fixed_groups(scope: &Scope) -> Vec<Draft> {
    let mut groups = Vec::new();
    for &endpoint in &scope.endpoints {
        let surfaces = || scope.surfaces.iter().filter(|&&surface| endpoint.is_on(surface));
        let pairs = surfaces().flat_map(|one| surfaces().map(move |other| [*one, *other]));
        let models = models(endpoint).iter().cycle();
        groups.extend({ pairs }.zip(models).map(|(pair, model)| group(endpoint, pair, model)));
    }
    groups
}

fn group(endpoint: Endpoint, pair: [Surface; 2], model: &str) -> Draft {
    let link = |surface| Link {
        taker: Taker { surface, model: model.to_owned() },
        deployment: model.to_owned(),
        script: Vec::new(),
    };
    let [one, other] = pair.map(Surface::name);
    let endpoint_name = endpoint.path().replace('/', "-");
    Draft {
        endpoint,
        group: Some(format!("fuzz/{endpoint_name}-{one}-{other}")),
        chain: pair.into_iter().map(link).collect(),
        retries: 0,
        timeout: None,
        cooldown: None,
        moves: Vec::new(),
    }
}
