//! Makes a case simpler, step by step, for as long as it still shows what it was found for.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use fallproof_protocol::behaviour::{Behaviour, WirePlan};
use fallproof_protocol::provider::{Endpoint, Surface};

use super::body::least;
use super::draft::{Draft, Move, Request};
use super::fit::Taker;
use super::grammar::Grammar;
use super::layout::Layout;
use super::models::models;
use fallproof_protocol::json::Tree;

/// A case on its way to its simplest form.
#[derive(Debug)]
pub struct Shrinking {
    best: Draft,
    /// Who takes what the best one asks.
    takes: (bool, bool),
    current: Draft,
    /// Whether chain and policy must stay, because the target is configured for them.
    fixed: bool,
    left: Option<VecDeque<Draft>>,
    tried: HashSet<u64>,
}

impl Shrinking {
    /// Begins with this case.
    pub fn new(draft: Draft, fixed: bool) -> Self {
        let tried = HashSet::from([hash(&draft)]);
        let takes = draft.takes();
        Self { best: draft.clone(), takes, current: draft, fixed, left: None, tried }
    }

    /// The case to try, or what it has come to.
    pub fn current(&self) -> &Draft {
        &self.current
    }

    /// Goes on from this case, which was the current one before.
    pub fn take(&mut self, draft: Draft) {
        self.current = draft;
    }

    /// The current case shows it: tries a simpler one. False where there is none.
    pub fn simplify(&mut self) -> bool {
        self.best = self.current.clone();
        self.takes = self.best.takes();
        self.left = None;
        self.complicate()
    }

    /// The current case does not show it: tries another one. False where there is none; then the
    /// current case is the simplest that shows it.
    pub fn complicate(&mut self) -> bool {
        let (best, fixed) = (&self.best, self.fixed);
        let left = self.left.get_or_insert_with(|| simpler(best, fixed).into());
        while let Some(draft) = left.pop_front() {
            // What shows with a sound request is not told by a spoilt one, and never the other way
            // round.
            let is_alike = draft.is_sound() && draft.takes() >= self.takes;
            if is_alike && self.tried.insert(hash(&draft)) {
                self.current = draft;
                return true;
            }
        }
        self.current = self.best.clone();
        false
    }
}

fn hash(draft: &Draft) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{draft:?}").hash(&mut hasher);
    hasher.finish()
}

/// Simpler cases of the same kind, the simplest first.
fn simpler(draft: &Draft, fixed: bool) -> Vec<Draft> {
    let mut out = Vec::new();
    moves(draft, &mut out);
    if !fixed {
        chain(draft, &mut out);
    }
    scripts(draft, fixed, &mut out);
    for change in bodies(draft) {
        out.push(with_requests(draft, |request| request.body = change.clone()));
    }
    out.push(with_requests(draft, |request| request.layout = Layout::default()));
    if let Some(request) = draft.requests().next() {
        out.push(with_requests(draft, |request| request.headers.clear()));
        for at in 0..request.headers.len() {
            out.push(with_requests(draft, |request| {
                if at < request.headers.len() {
                    request.headers.remove(at);
                }
            }));
        }
    }
    out
}

impl Draft {
    /// Whether it can be played at all.
    fn is_sound(&self) -> bool {
        !self.chain.is_empty() && self.requests().next().is_some()
    }

    /// Whether the first request is one that the first, and that every deployment takes.
    fn takes(&self) -> (bool, bool) {
        let Some(request) = self.requests().next() else { return (true, true) };
        let text = request.layout.text(&request.body);
        let mut takes =
            self.chain.iter().map(|link| link.taker.complaint(self.endpoint, &text).is_none());
        let first = takes.next().unwrap_or(true);
        (first, first && takes.all(|it| it))
    }
}

fn with_requests(draft: &Draft, mut change: impl FnMut(&mut Request)) -> Draft {
    let mut draft = draft.clone();
    for it in &mut draft.moves {
        if let Move::Ask(request) = it {
            change(request);
        }
    }
    draft
}

fn moves(draft: &Draft, out: &mut Vec<Draft>) {
    if draft.moves.len() < 2 {
        return;
    }
    let with = |moves| Draft { moves, ..draft.clone() };
    out.extend(draft.requests().take(1).map(|request| with(vec![Move::Ask(request.clone())])));
    for at in (0..draft.moves.len()).rev() {
        let mut moves = draft.moves.clone();
        moves.remove(at);
        out.push(with(moves));
    }
}

fn chain(draft: &Draft, out: &mut Vec<Draft>) {
    let edited = |change: &dyn Fn(&mut Draft)| {
        let mut draft = draft.clone();
        change(&mut draft);
        draft
    };
    for at in (0..draft.chain.len()).rev() {
        out.push(edited(&|draft| drop(draft.chain.remove(at))));
    }
    out.push(edited(&|draft| draft.retries = 0));
    out.push(edited(&|draft| draft.retries = draft.retries.min(1)));
    out.push(edited(&|draft| draft.cooldown = None));
    out.push(edited(&|draft| draft.timeout = None));
    let usual = models(draft.endpoint)[0];
    for at in 0..draft.chain.len() {
        let plain = Taker { surface: Surface::OpenAi, model: usual.to_owned() };
        out.push(edited(&|draft| {
            usual.clone_into(&mut draft.chain[at].deployment);
            draft.chain[at].taker = plain.clone();
        }));
        out.push(edited(&|draft| {
            usual.clone_into(&mut draft.chain[at].deployment);
            usual.clone_into(&mut draft.chain[at].taker.model);
        }));
        out.push(edited(&|draft| draft.chain[at].deployment = draft.chain[at].taker.model.clone()));
    }
}

/// Scripts become short and plain; what cannot be reached by another address must stay where the
/// target is configured for it.
fn scripts(draft: &Draft, fixed: bool, out: &mut Vec<Draft>) {
    for (at, link) in draft.chain.iter().enumerate() {
        if fixed && !link.is_seen() {
            continue;
        }
        let mut with = |script: Vec<Behaviour>| {
            let mut draft = draft.clone();
            draft.chain[at].script = script;
            out.push(draft);
        };
        let named = Behaviour::named;
        // A success is simpler than any failure. Before others it would be a riddle: they are asked
        // only where an odd request makes it useless, which would then have to stay odd.
        let is_last = at + 1 == draft.chain.len();
        let plains = if is_last { ["ok", "server_error"] } else { ["server_error", "ok"] };
        for plain in plains {
            if link.script.len() > 1 {
                with(vec![named(plain)]);
            }
            for place in (0..link.script.len()).filter(|&it| link.script[it] != named(plains[0])) {
                let mut script = link.script.clone();
                script[place] = named(plain);
                with(script);
            }
        }
        for place in 0..link.script.len() {
            if link.script.len() > 1 {
                let mut script = link.script.clone();
                script.remove(place);
                with(script);
            }
            let behaviour = &link.script[place];
            for simpler in [
                Behaviour { wire: WirePlan::default(), ..behaviour.clone() },
                Behaviour { headers: indexmap::IndexMap::new(), ..behaviour.clone() },
                Behaviour {
                    wire: WirePlan { write: None, ..behaviour.wire.clone() },
                    ..behaviour.clone()
                },
            ] {
                let mut script = link.script.clone();
                script[place] = simpler;
                with(script);
            }
        }
    }
}

/// Simpler bodies: the least one with no parameter, or with one of this one's, before all that is
/// a single step away.
fn bodies(draft: &Draft) -> Vec<Tree> {
    let Some(request) = draft.requests().next() else { return vec![] };
    let Tree::Object(members) = &request.body else { return vec![] };
    let mut out = starts(draft.endpoint, draft.chain[0].taker.surface, members);
    let mut places = Vec::new();
    collect(&request.body, &mut Vec::new(), &mut places);
    for path in &places {
        let mut body = request.body.clone();
        if remove(&mut body, path) {
            out.push(body);
        }
    }
    for path in &places {
        let mut body = request.body.clone();
        let Some(value) = at(&mut body, path) else { continue };
        let plain = value.clone();
        for simpler in plainer(&plain) {
            let mut body = request.body.clone();
            if let Some(value) = at(&mut body, path) {
                *value = simpler;
                out.push(body);
            }
        }
    }
    out
}

fn starts(endpoint: Endpoint, surface: Surface, members: &[(String, Tree)]) -> Vec<Tree> {
    let Tree::Object(least) = plain_everywhere(&least(Grammar::of(surface, endpoint))) else {
        return vec![];
    };
    let mut out = vec![Tree::Object(least.clone())];
    for (name, value) in members {
        let mut start: Vec<_> = least.iter().filter(|(known, _)| known != name).cloned().collect();
        start.push((name.clone(), value.clone()));
        out.push(Tree::Object(start));
    }
    out
}

/// Every string of the least body in plain words.
fn plain_everywhere(value: &Tree) -> Tree {
    match value {
        Tree::Object(members) => {
            let keep = ["role", "type"];
            let members = members.iter().map(|(name, value)| {
                let value =
                    if keep.contains(&&**name) { value.clone() } else { plain_everywhere(value) };
                (name.clone(), value)
            });
            Tree::Object(members.collect())
        }
        Tree::Array(items) => Tree::Array(items.iter().map(plain_everywhere).collect()),
        Tree::Scalar(text) if text.starts_with('"') => Tree::Scalar("\"Hi.\"".to_owned()),
        Tree::Scalar(_) => value.clone(),
    }
}

/// Values that say the same kind of thing more simply.
fn plainer(value: &Tree) -> Vec<Tree> {
    let scalar = |text: &str| Tree::Scalar(text.to_owned());
    match value {
        Tree::Scalar(text) if text == "null" => vec![],
        Tree::Scalar(text) if text.starts_with('"') => {
            let mut out = vec![scalar("\"Hi.\"")];
            if let Some(read) = value.as_str() {
                let length = read.chars().count();
                let part = |from, to| read.chars().skip(from).take(to).collect::<String>();
                out.push(Tree::string(&read));
                out.push(Tree::string(&part(0, length / 2)));
                out.push(Tree::string(&part(length / 2, length)));
                out.push(Tree::string(&part(0, length.saturating_sub(1))));
                out.push(Tree::string(&part(1, length)));
            }
            let size = |it: &Tree| it.compact().chars().count();
            out.retain(|it| size(it) < text.chars().count() || size(it) <= 5 && it != value);
            out
        }
        Tree::Scalar(text) if text == "true" || text == "false" => vec![],
        Tree::Scalar(text) => {
            let mut out = vec![scalar("1"), scalar("0")];
            out.retain(|it| it != value && text.len() > 1);
            out
        }
        Tree::Array(items) => {
            let mut out = vec![Tree::Array(vec![])];
            out.extend(items.first().map(|first| Tree::Array(vec![first.clone()])));
            // A list of texts or messages may be one text instead.
            out.push(scalar("\"Hi.\""));
            out.retain(|it| it != value);
            out
        }
        Tree::Object(members) if members.is_empty() => vec![],
        Tree::Object(_) => vec![Tree::Object(vec![])],
    }
}

/// The paths of all values below this one, as positions; the outer ones first.
fn collect(value: &Tree, path: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
    let below: Vec<&Tree> = match value {
        Tree::Object(members) => members.iter().map(|(_, value)| value).collect(),
        Tree::Array(items) => items.iter().collect(),
        Tree::Scalar(_) => return,
    };
    for at in (0..below.len()).rev() {
        path.push(at);
        out.push(path.clone());
        path.pop();
    }
    for (at, value) in below.into_iter().enumerate() {
        path.push(at);
        collect(value, path, out);
        path.pop();
    }
}

fn at<'a>(value: &'a mut Tree, path: &[usize]) -> Option<&'a mut Tree> {
    let Some((&first, rest)) = path.split_first() else { return Some(value) };
    match value {
        Tree::Object(members) => at(&mut members.get_mut(first)?.1, rest),
        Tree::Array(items) => at(items.get_mut(first)?, rest),
        Tree::Scalar(_) => None,
    }
}

fn remove(value: &mut Tree, path: &[usize]) -> bool {
    let Some((&last, above)) = path.split_last() else { return false };
    match at(value, above) {
        Some(Tree::Object(members)) if last < members.len() => {
            members.remove(last);
            true
        }
        Some(Tree::Array(items)) if last < items.len() => {
            items.remove(last);
            true
        }
        _ => false,
    }
}
