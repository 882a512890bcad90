//! Drafts: what a generated case is made of, before it is spelled out as a scenario.

use std::path::PathBuf;
use std::time::Duration;

use fallproof_protocol::behaviour::Behaviour;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;

use super::body::least;
use super::fit::Taker;
use super::grammar::Grammar;
use super::layout::Layout;
use fallproof_protocol::json::Tree;
use fallproof_suite::profile::Profile;
use fallproof_suite::scenario::{
    Body, Call, ClientKey, Cooldown, DEFAULT_API_VERSION, Expect, Group, ONLY_GROUP, Planned,
    Scenario, Step, Upstream,
};

/// Names of the deployments, by their place in the chain.
const NAMES: [&str; 4] = ["primary", "backup", "third", "fourth"];

/// The longest chain.
pub const MOST_LINKS: usize = NAMES.len();

/// A case: a chain, how its group must behave, and what happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Where its calls go.
    pub endpoint: Endpoint,
    /// The scenario whose group the target has for it; it has one of its own where there is none.
    pub group: Option<String>,
    /// The deployments, the first to be tried first; one to four.
    pub chain: Vec<Link>,
    /// Further attempts at the same deployment before the next one is asked.
    pub retries: u32,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// When a deployment is put aside.
    pub cooldown: Option<Cooldown>,
    /// What happens, in order; never empty.
    pub moves: Vec<Move>,
}

/// A deployment of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who takes its requests.
    pub taker: Taker,
    /// The name that requests must use.
    pub deployment: String,
    /// What it does at its attempts, in order, the last one for ever; never empty.
    pub script: Vec<Behaviour>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// A client call.
    Ask(Request),
    /// The clock is moved on.
    Wait(Duration),
}

/// A client call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Headers beside those that every call has.
    pub headers: Vec<(String, String)>,
    /// The body without `model`.
    pub body: Tree,
    /// How it is written.
    pub layout: Layout,
}

impl Draft {
    /// A group of [`fixed_groups`](super::arena::fixed_groups) as a scenario that a plan can be made
    /// of.
    pub fn plannable(&self) -> Scenario {
        let mut draft = self.clone();
        for link in &mut draft.chain {
            link.script = vec![Behaviour::named("ok")];
        }
        let body = least(Grammar::of(draft.chain[0].taker.surface, draft.endpoint));
        let request = Request { headers: Vec::new(), body, layout: Layout::default() };
        draft.moves = vec![Move::Ask(request)];
        draft.scenario(self.group.as_deref().unwrap_or_default(), Vec::new())
    }

    /// Whether something in it hangs until its time is over.
    pub fn is_slow(&self) -> bool {
        self.timeout.is_some()
    }

    /// Whether every deployment of the chain takes what is asked.
    pub fn is_taken(&self) -> bool {
        self.requests().all(|request| {
            let text = request.layout.text(&request.body);
            self.chain.iter().all(|link| link.taker.complaint(self.endpoint, &text).is_none())
        })
    }

    /// The calls in their order.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.moves.iter().filter_map(|it| match it {
            Move::Ask(request) => Some(request),
            Move::Wait(_) => None,
        })
    }

    /// The case as a scenario of this id, with what is expected of each call, in their order.
    pub fn scenario(&self, id: &str, expected: Vec<Expect>) -> Scenario {
        let mut expected = expected.into_iter();
        let steps = self.moves.iter().map(|it| match it {
            Move::Wait(by) => Step::Advance(*by),
            Move::Ask(request) => Step::Calls(vec![Planned {
                send: request.call(self.endpoint),
                expect: expected.next().unwrap_or_default(),
            }]),
        });
        let steps = steps.collect();
        let upstreams = self.chain.iter().zip(NAMES);
        let upstreams = upstreams.map(|(link, name)| (name.to_owned(), self.upstream(link)));
        let group = Group {
            chain: NAMES[..self.chain.len()].iter().map(|&name| name.to_owned()).collect(),
            retries: (self.retries > 0).then_some(self.retries),
            timeout: self.timeout,
            cooldown: self.cooldown,
            ..Group::default()
        };
        Scenario {
            id: id.to_owned(),
            file: PathBuf::new(),
            title: "A generated case".to_owned(),
            why: None,
            links: Vec::new(),
            profile: Profile::Core,
            proves: Vec::new(),
            tags: Vec::new(),
            upstreams: upstreams.collect(),
            groups: IndexMap::from([(ONLY_GROUP.to_owned(), group)]),
            steps,
        }
    }

    fn upstream(&self, link: &Link) -> Upstream {
        let attempts = (1 + self.retries as usize) * self.requests().count();
        Upstream {
            surface: link.taker.surface,
            model: link.taker.model.clone(),
            deployment: link.deployment.clone(),
            api_version: (link.taker.surface == Surface::AzureLegacy)
                .then(|| DEFAULT_API_VERSION.to_owned()),
            script: link.script.clone(),
            repeat_last: link.script.len() < attempts,
        }
    }
}

impl Request {
    fn call(&self, endpoint: Endpoint) -> Call {
        Call {
            group: ONLY_GROUP.to_owned(),
            endpoint,
            key: ClientKey::Right,
            headers: self.headers.iter().cloned().collect(),
            body: Body::Text(self.layout.text(&self.body)),
            leave: None,
            read_once_sent: None,
        }
    }

    /// The value of a member of the body.
    pub fn member(&self, name: &str) -> Option<&Tree> {
        self.body.member(name)
    }
}

/// The name of the deployment at this place of a chain.
pub fn name(place: usize) -> &'static str {
    NAMES[place]
}
