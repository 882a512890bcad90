//! Draws a case: chain, policy, scripts and calls, all by chance.

use std::num::{NonZeroI32, NonZeroUsize};
use std::time::Duration;

use fallproof_mocks::strict::Strength;
use fallproof_protocol::behaviour::{
    Behaviour, CONNECT_TIMEOUT, CONNECTION_REFUSED, Chunking, Cut, CutEnd, CutPoint, HeadFault,
    WirePlan, behaviour_names,
};
use fallproof_protocol::provider::{Endpoint, Surface};

use super::body::{Manner, body, least};
use super::dice::Dice;
use super::draft::{Draft, Link, MOST_LINKS, Move, Request};
use super::fit::{Taker, fit, with_model};
use super::goal::Goal;
use super::grammar::{Grammar, Node};
use super::headers::headers;
use super::layout::Layout;
use super::models::models;
use super::spoil::{Defect, spoil};
use fallproof_protocol::json::Tree;
use fallproof_suite::scenario::Cooldown;

/// What cases may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// Where calls may go; only endpoints whose requests are JSON; never empty.
    pub endpoints: Vec<Endpoint>,
    /// The surfaces of deployments; with one of them each endpoint must be there.
    pub surfaces: Vec<Surface>,
    /// The longest chain.
    pub most_links: usize,
    /// In how many of a hundred cases the clock moves on between several calls, so that deployments
    /// rest and come back.
    pub over_time: u32,
    /// The groups of a target that is configured for no others; their deployments have no scripts.
    pub groups: Vec<Draft>,
    /// In how many of ten thousand cases something hangs until its time is over.
    pub slow: usize,
}

impl Default for Scope {
    /// All that the reference router can do.
    fn default() -> Self {
        Self {
            endpoints: Endpoint::ALL.into_iter().filter(|it| !it.is_multipart()).collect(),
            surfaces: Surface::ALL.to_vec(),
            most_links: MOST_LINKS,
            over_time: 8,
            groups: Vec::new(),
            slow: 20,
        }
    }
}

/// How often another chain and another body are drawn before a goal is given up: some models do not
/// take what it leads to.
const MOST_TRIES: usize = 8;

/// A model's time where something hangs: short, but long enough for a busy machine.
const SHORT: Duration = Duration::from_millis(600);

/// Longer than that.
const TOO_LONG_MS: u64 = 3_000;

/// A case within this scope.
pub fn draft(scope: &Scope, dice: &mut Dice<'_>) -> Draft {
    if !scope.groups.is_empty() {
        return within(dice.pick(&scope.groups), dice);
    }
    let endpoint = *dice.pick(&weighted(&scope.endpoints));
    let goes_on = dice.chance(scope.over_time);
    let is_slow = dice.below(10_000) < scope.slow;
    let retries = if dice.chance(30) { 1 + dice.below(2) } else { 0 };
    let mut draft = Draft {
        endpoint,
        group: None,
        chain: Vec::new(),
        retries: u32::try_from(retries).unwrap_or_default(),
        timeout: is_slow.then_some(SHORT),
        cooldown: None,
        moves: Vec::new(),
    };
    let (chain, body) = chain_and_body(scope, endpoint, dice);
    draft.chain = chain;
    let request = Request { headers: headers(dice), body, layout: Layout::draw(dice) };
    if goes_on && !is_slow {
        over_time(&mut draft, &request, dice);
    } else {
        draft.moves.push(Move::Ask(request));
    }
    script(&mut draft, is_slow, dice);
    draft
}

/// A case for a group that is there.
fn within(group: &Draft, dice: &mut Dice<'_>) -> Draft {
    let mut draft = group.clone();
    let chains = |_: &mut Dice<'_>| group.chain.clone();
    let (_, body) = fitting(group.endpoint, group.chain[0].taker.surface, chains, dice);
    let request = Request { headers: headers(dice), body, layout: Layout::draw(dice) };
    draft.moves.push(Move::Ask(request));
    script(&mut draft, false, dice);
    draft
}

/// Endpoints as often as they are worth: those with many parameters above all.
fn weighted(endpoints: &[Endpoint]) -> Vec<Endpoint> {
    let weight = |endpoint: Endpoint| match endpoint {
        Endpoint::ChatCompletions | Endpoint::Responses => 5,
        Endpoint::ResponsesCompact => 3,
        Endpoint::Completions => 2,
        _ => 1,
    };
    endpoints.iter().flat_map(|&it| std::iter::repeat_n(it, weight(it))).collect()
}

/// Deployments, and a body for them.
fn chain_and_body(scope: &Scope, endpoint: Endpoint, dice: &mut Dice<'_>) -> (Vec<Link>, Tree) {
    let surfaces: Vec<_> =
        scope.surfaces.iter().copied().filter(|&surface| endpoint.is_on(surface)).collect();
    let first = *dice.pick(&surfaces);
    let length = 1 + dice.pick(&[0, 1, 1, 1, 1, 2, 2, 3]).min(&(scope.most_links - 1));
    fitting(endpoint, first, |dice| chain(endpoint, first, &surfaces, length, dice), dice)
}

/// One of these chains, and a body that it takes; in one case of twelve it is spoilt, or taken by
/// the first deployment only.
fn fitting(
    endpoint: Endpoint,
    first: Surface,
    chains: impl Fn(&mut Dice<'_>) -> Vec<Link>,
    dice: &mut Dice<'_>,
) -> (Vec<Link>, Tree) {
    let grammar = Grammar::of(first, endpoint);
    let goal = dice.pick(grammar.goals()).clone();
    let stream = dice.chance(20);
    let for_all = !dice.chance(8);
    let mut made = None;
    for _ in 0..MOST_TRIES {
        let chain = chains(dice);
        let mut body = body(grammar, &goal.route, Manner::draw(dice), dice);
        if stream {
            put(grammar, &mut body, "stream", "true");
        }
        // Vectors of thousands of numbers are dear, and no worse for being short.
        if body.member("dimensions").is_none() && !dice.chance(10) {
            put(grammar, &mut body, "dimensions", "16");
        }
        // Streams of a hundred choices are no better.
        if is_stream_of_many(&body) {
            put(grammar, &mut body, "n", "8");
        }
        let takers = if for_all { &chain[..] } else { &chain[..1] };
        let takers: Vec<_> = takers.iter().map(|link| link.taker.clone()).collect();
        let body = fit(endpoint, &takers, body);
        if let Some(body) = body.filter(|body| for_all || is_proven(endpoint, &chain, body)) {
            let has_it = reaches(grammar, &body, &goal);
            made = Some((chain, body));
            if has_it {
                break;
            }
        }
    }
    // Where nothing is left of any of them, the least that there is.
    let (chain, body) = made.unwrap_or_else(|| (chains(dice), least(grammar)));
    let defect = *dice.pick(&Defect::ALL);
    let spoilt = dice.chance(8).then(|| spoil(grammar, &body, defect, dice)).flatten();
    (chain, spoilt.unwrap_or(body))
}

fn chain(
    endpoint: Endpoint,
    first: Surface,
    surfaces: &[Surface],
    length: usize,
    dice: &mut Dice<'_>,
) -> Vec<Link> {
    let models = models(endpoint);
    let usual = *dice.pick(models);
    let mut surface = first;
    let links = (0..length).map(|_| {
        let model = if dice.chance(60) { usual } else { dice.pick(models) };
        let named_so = surface == Surface::OpenAi || dice.chance(50);
        let deployment = if named_so { model.to_owned() } else { format!("{model}-2") };
        let taker = Taker { surface, model: model.to_owned() };
        surface = *dice.pick(surfaces);
        Link { taker, deployment, script: Vec::new() }
    });
    links.collect()
}

/// Gives the body this member, where its endpoint has it.
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

/// Whether it is known from the live providers what each of these makes of the body.
fn is_proven(endpoint: Endpoint, chain: &[Link], body: &Tree) -> bool {
    let text = with_model(body);
    let mut complaints = chain.iter().filter_map(|link| link.taker.complaint(endpoint, &text));
    complaints.all(|complaint| complaint.strength == Strength::Observed)
}

fn reaches(grammar: &Grammar, body: &Tree, goal: &Goal) -> bool {
    let mut has_it = false;
    grammar.visit(grammar.root(), body, &mut |mark, _| has_it |= mark == goal.mark);
    has_it
}

/// Several calls and moves of the clock, so that deployments rest and come back.
fn over_time(draft: &mut Draft, request: &Request, dice: &mut Dice<'_>) {
    if dice.chance(75) {
        let after_failures = u32::try_from(1 + dice.below(3)).unwrap_or(1);
        let rest = Duration::from_secs(*dice.pick(&[5, 10, 30]));
        draft.cooldown = Some(Cooldown { after_failures, rest });
    }
    draft.moves.push(Move::Ask(request.clone()));
    for _ in 0..=dice.below(6) {
        if dice.chance(60) {
            draft.moves.push(Move::Ask(request.clone()));
        } else {
            let seconds = *dice.pick(&[1, 4, 5, 9, 10, 29, 30, 61]);
            draft.moves.push(Move::Wait(Duration::from_secs(seconds)));
        }
    }
}

/// Scripts for all deployments. The last one mostly answers, the others mostly do not.
fn script(draft: &mut Draft, is_slow: bool, dice: &mut Dice<'_>) {
    let asks = draft.requests().count();
    let streams = draft
        .requests()
        .any(|request| request.member("stream").is_some_and(|it| it.compact() == "true"));
    let most = (1 + draft.retries as usize) * asks;
    let last = draft.chain.len() - 1;
    let hangs = is_slow.then(|| dice.below(draft.chain.len()));
    let sound = draft.endpoint == Endpoint::AudioSpeech;
    for (place, link) in draft.chain.iter_mut().enumerate() {
        if hangs == Some(place) {
            link.script = hanging(dice);
            continue;
        }
        // The address of a group that is there takes connections.
        if draft.group.is_none() && dice.chance(5) {
            link.script = vec![Behaviour::named(CONNECTION_REFUSED)];
            continue;
        }
        let length = 1 + dice.below(most.min(6));
        let well = if place == last { 70 } else { 25 };
        link.script = (0..length)
            .map(|_| {
                if dice.chance(well) {
                    good(streams, dice)
                } else if !sound && dice.chance(20) {
                    broken(streams, dice)
                } else {
                    failing(asks > 1, dice)
                }
            })
            .collect();
    }
}

/// A success; a stream perhaps in pieces that have nothing to do with its events.
fn good(streams: bool, dice: &mut Dice<'_>) -> Behaviour {
    let mut behaviour = Behaviour::named(if dice.chance(5) { "refusal" } else { "ok" });
    if streams && dice.chance(20) {
        let bytes = *dice.pick(&[3, 7, 64, 500]);
        behaviour.wire.write = NonZeroUsize::new(bytes).map(Chunking::Bytes);
    }
    behaviour
}

/// A failure of the catalogue that does not hang.
fn failing(goes_on: bool, dice: &mut Dice<'_>) -> Behaviour {
    let left_out = |name: &str| {
        let other = ["ok", "refusal", CONNECTION_REFUSED, CONNECT_TIMEOUT, "connection_stalled"];
        // Its time depends on the system's clock.
        other.contains(&name) || goes_on && name == "rate_limited_date"
    };
    let names: Vec<_> = behaviour_names().filter(|name| !left_out(name)).collect();
    let mut behaviour = Behaviour::named(*dice.pick(&names));
    let limits = ["rate_limited", "rate_limited_no_hint", "overloaded"];
    if limits.contains(&behaviour.reply.as_str()) && dice.chance(30) {
        let seconds = dice.pick(&["1", "7", "30", "600"]);
        behaviour.headers.insert("retry-after".to_owned(), (*seconds).to_owned());
        behaviour.headers.insert("retry-after-ms".to_owned(), "0".to_owned());
    }
    behaviour
}

/// A success that the wire breaks.
fn broken(streams: bool, dice: &mut Dice<'_>) -> Behaviour {
    let end = if dice.chance(50) { CutEnd::Close } else { CutEnd::Reset };
    let cut = |at, end| WirePlan { cut: Some(Cut { at, end }), ..WirePlan::default() };
    let wire = match dice.below(6) {
        0 => cut(CutPoint::BeforeHead, end),
        1 => cut(CutPoint::AfterHead, end),
        2 => WirePlan { head: Some(HeadFault::Garbage), ..WirePlan::default() },
        3 if !streams => {
            let more = NonZeroI32::new(5).map(HeadFault::ContentLengthOffBy);
            WirePlan { head: more, ..WirePlan::default() }
        }
        // A reset may overtake what was sent before it.
        _ if streams => cut(CutPoint::Events(dice.below(8)), CutEnd::Close),
        _ => cut(CutPoint::BodyBytes(dice.below(40)), end),
    };
    Behaviour { wire, ..Behaviour::named("ok") }
}

/// What hangs for longer than the target waits.
fn hanging(dice: &mut Dice<'_>) -> Vec<Behaviour> {
    vec![match dice.below(3) {
        0 => Behaviour::named(CONNECT_TIMEOUT),
        1 => Behaviour::named("connection_stalled"),
        _ => {
            let wire = WirePlan { delay_ms: Some(TOO_LONG_MS), ..WirePlan::default() };
            Behaviour { wire, ..Behaviour::named("ok") }
        }
    }]
}
