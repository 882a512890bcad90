//! Edits that make a case simpler.

use std::collections::VecDeque;

use fallproof_protocol::behavior::{Behavior, WireFault};
use fallproof_protocol::json::Tree;
use fallproof_protocol::provider::{Endpoint, Surface};

use super::body::minimal_body;
use super::case::{FuzzCase, Request, Step};
use super::formatting::Formatting;
use super::grammar::Grammar;
use super::model_names::model_names;
use super::paths;
use super::repair::Acceptor;

/// An edit that simplifies the case for which it was created.
pub(super) type Edit = Box<dyn Fn(&mut FuzzCase)>;

/// Edits that simplify this case. Edits with the simplest result come first. With `fixed` groups,
/// the chain and the policy are not edited.
pub(super) fn edits(case: &FuzzCase, fixed: bool) -> VecDeque<Edit> {
    let mut edits = Edits::default();
    edits.steps(case);
    if !fixed {
        edits.chain(case);
    }
    edits.scripts(case, fixed);
    edits.bodies(case);
    edits.requests(|request| request.formatting = Formatting::default());
    if let Some(request) = case.requests().next() {
        edits.requests(|request| request.headers.clear());
        for index in 0..request.headers.len() {
            edits.requests(move |request| {
                if index < request.headers.len() {
                    request.headers.remove(index);
                }
            });
        }
    }
    edits.0
}

#[derive(Default)]
struct Edits(VecDeque<Edit>);

impl Edits {
    fn add(&mut self, edit: impl Fn(&mut FuzzCase) + 'static) {
        self.0.push_back(Box::new(edit));
    }

    /// Edits every request.
    fn requests(&mut self, edit: impl Fn(&mut Request) + 'static) {
        self.add(move |case| {
            for step in &mut case.steps {
                if let Step::Call(request) = step {
                    edit(request);
                }
            }
        });
    }

    fn steps(&mut self, case: &FuzzCase) {
        if case.steps.len() < 2 {
            return;
        }
        self.add(|case| {
            case.steps.retain(|step| matches!(step, Step::Call(_)));
            case.steps.truncate(1);
        });
        for index in (0..case.steps.len()).rev() {
            self.add(move |case| drop(case.steps.remove(index)));
        }
    }

    fn chain(&mut self, case: &FuzzCase) {
        for index in (0..case.chain.len()).rev() {
            self.add(move |case| drop(case.chain.remove(index)));
        }
        self.add(|case| case.retries = 0);
        self.add(|case| case.retries = case.retries.min(1));
        self.add(|case| case.cooldown = None);
        self.add(|case| case.timeout = None);
        self.add(|case| case.total_timeout = None);
        self.add(|case| case.max_retry_after = None);
        let usual = model_names(case.endpoint)[0];
        for index in 0..case.chain.len() {
            self.add(move |case| {
                usual.clone_into(&mut case.chain[index].name);
                let acceptor = Acceptor { surface: Surface::OpenAi, model: usual.to_owned() };
                case.chain[index].acceptor = acceptor;
            });
            self.add(move |case| {
                usual.clone_into(&mut case.chain[index].name);
                usual.clone_into(&mut case.chain[index].acceptor.model);
            });
            self.add(move |case| case.chain[index].name = case.chain[index].acceptor.model.clone());
        }
    }

    /// Shortens and simplifies scripts. With `fixed` groups, the address of a deployment that
    /// cannot be reached must not change.
    fn scripts(&mut self, case: &FuzzCase, fixed: bool) {
        for (index, deployment) in case.chain.iter().enumerate() {
            if fixed && deployment.dead_end().is_some() {
                continue;
            }
            // A success is simpler than any failure. But a deployment that always succeeds hides
            // the deployments after it, which then get only requests that it rejects.
            let is_last = index + 1 == case.chain.len();
            let plains = if is_last { ["ok", "server_error"] } else { ["server_error", "ok"] };
            self.plain_scripts(index, &deployment.script, plains);
            for (at, behavior) in deployment.script.iter().enumerate() {
                let mut edit = |change: fn(&mut Vec<Behavior>, usize)| {
                    self.add(move |case| change(&mut case.chain[index].script, at));
                };
                if deployment.script.len() > 1 {
                    edit(|script, at| drop(script.remove(at)));
                }
                if behavior.wire != WireFault::default() {
                    edit(|script, at| script[at].wire = WireFault::default());
                }
                if !behavior.headers.is_empty() {
                    edit(|script, at| script[at].headers.clear());
                }
                if behavior.wire.write.is_some() {
                    edit(|script, at| script[at].wire.write = None);
                }
            }
        }
    }

    fn plain_scripts(&mut self, index: usize, script: &[Behavior], plains: [&'static str; 2]) {
        for plain in plains {
            if script.len() > 1 {
                self.add(move |case| case.chain[index].script = vec![Behavior::named(plain)]);
            }
            for (at, behavior) in script.iter().enumerate() {
                if *behavior != Behavior::named(plains[0]) {
                    self.add(move |case| case.chain[index].script[at] = Behavior::named(plain));
                }
            }
        }
    }

    /// Simplifies bodies. Tries the minimal body first, alone and with one parameter of this body.
    /// Then tries each edit of a single value.
    fn bodies(&mut self, case: &FuzzCase) {
        let Some(request) = case.requests().next() else { return };
        let Tree::Object(members) = &request.body else { return };
        for start in starts(case.endpoint, case.chain[0].acceptor.surface, members) {
            self.requests(move |request| request.body.clone_from(&start));
        }
        let paths = paths::below(&request.body);
        for path in paths.clone() {
            self.requests(move |request| paths::remove(&mut request.body, &path));
        }
        for path in paths {
            for plain in paths::at(&request.body, &path).map(plainer).unwrap_or_default() {
                let path = path.clone();
                self.requests(move |request| {
                    if let Some(value) = paths::at_mut(&mut request.body, &path) {
                        value.clone_from(&plain);
                    }
                });
            }
        }
    }
}

fn starts(endpoint: Endpoint, surface: Surface, members: &[(String, Tree)]) -> Vec<Tree> {
    let Tree::Object(minimal) = plain_everywhere(&minimal_body(Grammar::of(surface, endpoint)))
    else {
        return vec![];
    };
    let mut out = vec![Tree::Object(minimal.clone())];
    for (name, value) in members {
        let mut start: Vec<_> =
            minimal.iter().filter(|(known, _)| known != name).cloned().collect();
        start.push((name.clone(), value.clone()));
        out.push(Tree::Object(start));
    }
    out
}

/// Replaces every string of the minimal body with plain text.
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

/// Simpler values of the same kind.
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
            // A list of strings or messages can often be replaced by a single string.
            out.push(scalar("\"Hi.\""));
            out.retain(|it| it != value);
            out
        }
        Tree::Object(members) if members.is_empty() => vec![],
        Tree::Object(_) => vec![Tree::Object(vec![])],
    }
}
