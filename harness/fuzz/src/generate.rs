//! Generates a random case: chain, policy, scripts and calls.

mod script;

use std::time::Duration;

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::Strength;
use rand::RngExt as _;

use super::body::{Richness, body, minimal_body};
use super::case::{CaseDeployment, FuzzCase, Request, Step};
use super::formatting::Formatting;
use super::goal::{Goal, goals};
use super::grammar::{Grammar, Node};
use super::headers::headers;
use super::model_names::model_names;
use super::mutate::{Defect, mutate};
use super::random::{CaseRng, chance, pick};
use super::repair::{Acceptor, MODEL, repair};
use fallproof_protocol::json::Tree;
use fallproof_suite::scenario::Cooldown;
pub(crate) use script::SHORT_WAIT;
use script::{script, shorten_waits};

/// What generated cases may contain.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// Endpoints to call. Never empty, and only endpoints with JSON requests.
    pub endpoints: Vec<Endpoint>,
    /// Percentage of cases that advance the clock between several calls, so that deployments cool
    /// down and come back.
    pub over_time: u32,
    /// Groups of a target that can only be configured once; empty for other targets. The
    /// deployments of these groups have no scripts.
    pub groups: Vec<FuzzCase>,
    /// Number of cases, out of ten thousand, in which a deployment hangs until the timeout.
    pub slow: usize,
}

impl Default for Scope {
    /// Everything that the reference router supports.
    fn default() -> Self {
        Self {
            endpoints: Endpoint::ALL.into_iter().filter(|it| !it.is_multipart()).collect(),
            over_time: 8,
            groups: Vec::new(),
            slow: 20,
        }
    }
}

impl Scope {
    /// Decides at random whether the case of this generator is slow. This must be the first use of
    /// the generator.
    pub(super) fn is_slow(&self, rng: &mut CaseRng) -> bool {
        self.has_slow() && rng.random_range(0..10_000) < self.slow
    }

    /// Whether there are slow cases at all.
    pub(super) fn has_slow(&self) -> bool {
        self.groups.is_empty() && self.slow > 0
    }
}

/// Maximum number of chains and bodies to try for a goal. Several may be necessary, since some
/// models do not accept the goal's parameter.
const MOST_TRIES: usize = 8;

/// Timeout in slow cases: short, but long enough for a busy machine.
const SHORT: Duration = Duration::from_millis(600);

/// How long after the end of a cooldown a call is made: the clock of the target may differ.
const MARGIN: Duration = Duration::from_millis(500);

/// Generates a case within this scope.
pub fn generate(scope: &Scope, rng: &mut CaseRng) -> FuzzCase {
    let is_slow = scope.is_slow(rng);
    if !scope.groups.is_empty() {
        return within(pick(&scope.groups, rng), rng);
    }
    let endpoint = *pick(&weighted(&scope.endpoints), rng);
    let goes_on = chance(scope.over_time, rng);
    let retries = if chance(30, rng) { rng.random_range(1..=2) } else { 0 };
    let surfaces: Vec<_> =
        Surface::ALL.into_iter().filter(|&surface| endpoint.is_on(surface)).collect();
    let first = *pick(&surfaces, rng);
    let length = *pick(&[1, 2, 2, 2, 2, 3, 3, 4], rng);
    let chains = |rng: &mut CaseRng| chain(endpoint, first, &surfaces, length, rng);
    let (chain, body) = fitting(endpoint, first, chains, rng);
    let mut case = FuzzCase {
        endpoint,
        group: None,
        chain,
        retries,
        timeout: is_slow.then_some(SHORT),
        total_timeout: None,
        cooldown: None,
        max_retry_after: None,
        steps: Vec::new(),
    };
    let request = Request { headers: headers(rng), body, formatting: Formatting::random(rng) };
    if goes_on && !is_slow {
        over_time(&mut case, &request, rng);
    } else {
        case.steps.push(Step::Call(request));
    }
    script(&mut case, is_slow, rng);
    case
}

/// Generates a case for an existing group.
fn within(group: &FuzzCase, rng: &mut CaseRng) -> FuzzCase {
    let mut case = group.clone();
    let chains = |_: &mut CaseRng| group.chain.clone();
    let (_, body) = fitting(group.endpoint, group.chain[0].acceptor.surface, chains, rng);
    let request = Request { headers: headers(rng), body, formatting: Formatting::random(rng) };
    case.steps.push(Step::Call(request.clone()));
    if let Some(cooldown) = case.cooldown {
        // Enough calls to start the cooldown, and now and then one after its end.
        case.steps.extend((0..rng.random_range(1..=3)).map(|_| Step::Call(request.clone())));
        if chance(8, rng) {
            case.steps.push(Step::Advance(cooldown.duration + MARGIN));
            case.steps.push(Step::Call(request));
        }
    }
    // Each of these cases takes as long as the timeout.
    let hangs = case.timeout.is_some() && chance(5, rng);
    script(&mut case, hangs, rng);
    shorten_waits(&mut case);
    case
}

/// The endpoints, each repeated by its weight. Endpoints with many parameters occur most often.
fn weighted(endpoints: &[Endpoint]) -> Vec<Endpoint> {
    let weight = |endpoint: Endpoint| match endpoint {
        Endpoint::ChatCompletions | Endpoint::Responses => 5,
        Endpoint::ResponsesCompact => 3,
        Endpoint::Completions => 2,
        _ => 1,
    };
    endpoints.iter().flat_map(|&it| std::iter::repeat_n(it, weight(it))).collect()
}

/// Draws one of these chains, and a body that all of its deployments accept. In 8% of the cases,
/// only the first deployment has to accept the body. Independently, 8% of the bodies are made
/// invalid.
fn fitting(
    endpoint: Endpoint,
    first: Surface,
    chains: impl Fn(&mut CaseRng) -> Vec<CaseDeployment>,
    rng: &mut CaseRng,
) -> (Vec<CaseDeployment>, Tree) {
    let grammar = Grammar::of(first, endpoint);
    let goal = pick(goals(first, endpoint), rng);
    let stream = chance(20, rng);
    let for_all = !chance(8, rng);
    let mut made = None;
    for _ in 0..MOST_TRIES {
        let chain = chains(rng);
        let mut body = body(grammar, &goal.route, Richness::random(rng), rng);
        if stream {
            put(grammar, &mut body, "stream", "true");
        }
        // Long vectors are slow and test nothing that short ones do not.
        if body.member("dimensions").is_none() && !chance(10, rng) {
            put(grammar, &mut body, "dimensions", "16");
        }
        // Streams with many choices are also slow and test nothing more.
        if is_stream_of_many(&body) {
            put(grammar, &mut body, "n", "8");
        }
        let acceptors = if for_all { &chain[..] } else { &chain[..1] };
        let acceptors: Vec<_> = acceptors.iter().map(|deployment| &deployment.acceptor).collect();
        let body = repair(endpoint, &acceptors, body);
        if let Some(body) = body.filter(|body| for_all || is_proven(endpoint, &chain, body)) {
            let has_it = reaches(grammar, &body, goal);
            made = Some((chain, body));
            if has_it {
                break;
            }
        }
    }
    // If no body could be repaired, use the minimal one.
    let (chain, body) = made.unwrap_or_else(|| (chains(rng), minimal_body(grammar)));
    let defect = *pick(&Defect::ALL, rng);
    let invalid = chance(8, rng).then(|| mutate(grammar, &body, defect, rng)).flatten();
    (chain, invalid.unwrap_or(body))
}

fn chain(
    endpoint: Endpoint,
    first: Surface,
    surfaces: &[Surface],
    length: usize,
    rng: &mut CaseRng,
) -> Vec<CaseDeployment> {
    let models = model_names(endpoint);
    let usual = *pick(models, rng);
    let mut surface = first;
    let deployments = (0..length).map(|_| {
        let model = if chance(60, rng) { usual } else { pick(models, rng) };
        let named_so = surface == Surface::OpenAi || chance(50, rng);
        let name = if named_so { model.to_owned() } else { format!("{model}-2") };
        let acceptor = Acceptor { surface, model: model.to_owned() };
        surface = *pick(surfaces, rng);
        CaseDeployment { acceptor, name, script: Vec::new() }
    });
    deployments.collect()
}

/// Sets this member of the body, if the endpoint has it.
fn put(grammar: &Grammar, body: &mut Tree, name: &str, value: &str) {
    if let (Node::Object(object), Tree::Object(members)) = (grammar.node(grammar.root()), body)
        && object.members.contains_key(name)
    {
        members.retain(|(known, _)| known != name);
        members.push((name.to_owned(), Tree::Scalar(value.to_owned())));
    }
}

fn is_stream_of_many(body: &Tree) -> bool {
    let text = |name| body.member(name).map(Tree::compact).unwrap_or_default();
    text("stream") == "true" && text("n").parse::<f64>().is_ok_and(|choices| choices > 8.0)
}

/// Whether every rule that this body violates at these deployments was observed at a live provider.
fn is_proven(endpoint: Endpoint, chain: &[CaseDeployment], body: &Tree) -> bool {
    let text = Formatting::default().text(body, MODEL);
    let violations =
        chain.iter().filter_map(|deployment| deployment.acceptor.violation(endpoint, &text));
    { violations }.all(|violation| violation.strength == Strength::Observed)
}

fn reaches(grammar: &Grammar, body: &Tree, goal: &Goal) -> bool {
    let mut has_it = false;
    grammar.visit(grammar.root(), body, &mut |mark, _| has_it |= mark == goal.mark);
    has_it
}

/// Adds several calls, and steps that advance the clock, so that deployments cool down and come
/// back.
fn over_time(case: &mut FuzzCase, request: &Request, rng: &mut CaseRng) {
    if chance(75, rng) {
        let after_failures = rng.random_range(1..=3);
        let duration = Duration::from_secs(*pick(&[5, 10, 30], rng));
        case.cooldown = Some(Cooldown { after_failures, duration });
    }
    case.steps.push(Step::Call(request.clone()));
    for _ in 0..rng.random_range(1..=6) {
        if chance(60, rng) {
            case.steps.push(Step::Call(request.clone()));
        } else {
            let seconds = *pick(&[1, 4, 5, 9, 10, 29, 30, 61], rng);
            case.steps.push(Step::Advance(Duration::from_secs(seconds)));
        }
    }
}
