//! A generated case, in the form that is used for generating and shrinking.

use std::path::PathBuf;
use std::time::Duration;

use fallproof_protocol::behavior::Behavior;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;

use super::body::minimal_body;
use super::formatting::Formatting;
use super::grammar::Grammar;
use super::repair::Acceptor;
use fallproof_protocol::json::Tree;
use fallproof_suite::profile::Profile;
use fallproof_suite::scenario::{
    self, Body, Call, ClientKey, Cooldown, DEFAULT_API_VERSION, DeadEnd, Deployment, Expect,
    Freedom, Group, Level, MODEL_PLACEHOLDER, ONLY_GROUP, Planned, Scenario, Settings,
};

/// Names of the deployments, by index in the chain.
const NAMES: [&str; 4] = ["primary", "backup", "third", "fourth"];

/// A case: a fallback chain, the policy of its group, and the steps.
#[derive(Debug, Clone, PartialEq)]
pub struct FuzzCase {
    /// Endpoint of all calls.
    pub endpoint: Endpoint,
    /// If the case uses a group that the target is already configured for, the id of that group's
    /// scenario. `None` if the case has its own group.
    pub group: Option<String>,
    /// One to four deployments, in fallback order.
    pub chain: Vec<CaseDeployment>,
    /// Number of retries at the same deployment before a fallback.
    pub retries: u32,
    /// Time limit of one attempt.
    pub timeout: Option<Duration>,
    /// Time limit of a whole call.
    pub total_timeout: Option<Duration>,
    /// When a deployment starts to cool down, and for how long.
    pub cooldown: Option<Cooldown>,
    /// Limit of the wait that a deployment can request with `Retry-After`. `None` stands for the
    /// default limit.
    pub max_retry_after: Option<Duration>,
    /// The steps, in order; never empty.
    pub steps: Vec<Step>,
}

/// A deployment of a fallback chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseDeployment {
    /// Decides which requests the deployment accepts.
    pub acceptor: Acceptor,
    /// Model name that requests must use.
    pub name: String,
    /// Behavior at each attempt, in order; the last one repeats forever. Never empty.
    pub script: Vec<Behavior>,
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A client call.
    Call(Request),
    /// Advances the clock.
    Advance(Duration),
}

/// A client call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Headers in addition to those that every call has.
    pub headers: Vec<(String, String)>,
    /// The body without `model`.
    pub body: Tree,
    /// How the body is formatted.
    pub formatting: Formatting,
}

impl FuzzCase {
    /// Converts a group from [`fixed_groups`](super::executor::fixed_groups) to a scenario, from
    /// which a plan is built.
    pub fn plan_scenario(&self) -> Scenario {
        let mut case = self.clone();
        for deployment in &mut case.chain {
            deployment.script = vec![Behavior::named("ok")];
        }
        let body = minimal_body(Grammar::of(case.chain[0].acceptor.surface, case.endpoint));
        let request = Request { headers: Vec::new(), body, formatting: Formatting::default() };
        case.steps = vec![Step::Call(request)];
        case.scenario(self.group.as_deref().unwrap_or_default(), Vec::new())
    }

    /// Whether a deployment hangs until the timeout.
    pub fn is_slow(&self) -> bool {
        self.timeout.is_some()
    }

    /// Whether every deployment of the chain accepts every call.
    pub fn is_accepted(&self) -> bool {
        self.requests().all(|request| {
            let text = request.text();
            self.chain
                .iter()
                .all(|deployment| deployment.acceptor.violation(self.endpoint, &text).is_none())
        })
    }

    /// The calls, in order.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.steps.iter().filter_map(|it| match it {
            Step::Call(request) => Some(request),
            Step::Advance(_) => None,
        })
    }

    /// Converts the case to a scenario with this id. `expected` holds one entry per call, in order.
    pub fn scenario(&self, id: &str, expected: Vec<Expect>) -> Scenario {
        let mut expected = expected.into_iter();
        let steps = self.steps.iter().map(|it| match it {
            Step::Advance(by) => scenario::Step::Advance(*by),
            Step::Call(request) => scenario::Step::Calls(vec![Planned {
                send: request.call(self.endpoint),
                expect: expected.next().unwrap_or_default(),
            }]),
        });
        let steps = steps.collect();
        let deployments = self.chain.iter().zip(NAMES);
        let deployments =
            deployments.map(|(deployment, name)| (name.to_owned(), self.deployment(deployment)));
        let group = Group {
            chain: NAMES[..self.chain.len()].iter().map(|&name| name.to_owned()).collect(),
            retries: (self.retries > 0).then_some(self.retries),
            timeout: self.timeout,
            total_timeout: self.total_timeout,
            cooldown: self.cooldown,
            max_retry_after: self.max_retry_after,
            ..Group::default()
        };
        Scenario {
            id: id.to_owned(),
            file: PathBuf::new(),
            title: "A generated case".to_owned(),
            why: None,
            links: Vec::new(),
            profile: Profile::Core,
            level: Level::Conformance,
            up_to_target: Freedom::ALL.to_vec(),
            proves: Vec::new(),
            tags: Vec::new(),
            deployments: deployments.collect(),
            groups: IndexMap::from([(ONLY_GROUP.to_owned(), group)]),
            steps,
        }
    }

    fn deployment(&self, deployment: &CaseDeployment) -> Deployment {
        let attempts = (1 + self.retries as usize) * self.requests().count();
        Deployment {
            surface: deployment.acceptor.surface,
            model: deployment.acceptor.model.clone(),
            deployment_name: deployment.name.clone(),
            api_version: (deployment.acceptor.surface == Surface::AzureLegacy)
                .then(|| DEFAULT_API_VERSION.to_owned()),
            settings: Settings::default(),
            script: deployment.script.clone(),
            repeat_last: deployment.script.len() < attempts,
        }
    }
}

impl CaseDeployment {
    /// How connections to the deployment fail, if they do. Attempts at such a deployment cannot be
    /// observed.
    pub fn dead_end(&self) -> Option<DeadEnd> {
        self.script.iter().find_map(|behavior| DeadEnd::named(&behavior.reply))
    }

    /// The behavior at the attempt with this index, from 0.
    pub fn scheduled(&self, attempt: usize) -> &Behavior {
        let times = self.script.iter().flat_map(|it| std::iter::repeat_n(it, it.count as usize));
        times.take(attempt + 1).last().expect("a script is never empty")
    }
}

impl Request {
    fn call(&self, endpoint: Endpoint) -> Call {
        Call {
            group: ONLY_GROUP.to_owned(),
            endpoint,
            key: ClientKey::Right,
            headers: self.headers.iter().cloned().collect(),
            body: Body::Text(self.text()),
            encoding: None,
            disconnect: None,
            delay_read_until_sent_by: None,
        }
    }

    /// The body as it is sent, with a placeholder for the model name.
    pub fn text(&self) -> String {
        self.formatting.text(&self.body, MODEL_PLACEHOLDER)
    }

    /// The value of a member of the body.
    pub fn member(&self, name: &str) -> Option<&Tree> {
        self.body.member(name)
    }
}

/// The name of the deployment at this index of a chain.
pub fn deployment_name(chain_index: usize) -> &'static str {
    NAMES[chain_index]
}
