//! A draft as YAML for an adapter's file, and in what it differs from a declaration.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use strum::Display;

use super::draft::Draft;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::quoted;
use fallproof_suite::declaration::{Adaptation, Declaration};
use fallproof_suite::feature::Feature;
use fallproof_suite::requirement::Code;

/// The draft as the `declaration` of an adapter; what was seen beside it as comments. JSON's strings
/// are YAML's, too.
pub fn yaml(draft: &Draft) -> String {
    let Draft { declaration, remarks } = draft;
    let mut text =
        String::from("# A draft, by `fallproof probe`: review it before you rely on it.\n");
    for remark in remarks {
        let _ = writeln!(text, "# seen: {remark}");
    }
    text.push_str("declaration:\n");
    if !declaration.lacks.is_empty() {
        text.push_str("  lacks:\n");
        for (feature, because) in &declaration.lacks {
            let _ = writeln!(text, "    {}: {}", quoted(&feature.to_string()), quoted(because));
        }
    }
    if let Some(conditions) = &declaration.fallback_on {
        let conditions: Vec<_> = conditions.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  fallback_on: [{}]", conditions.join(", "));
    }
    if !declaration.does_not_claim.is_empty() {
        text.push_str("  does_not_claim:\n");
        for (code, because) in &declaration.does_not_claim {
            let _ = writeln!(text, "    {code}: {}", quoted(because));
        }
    }
    if !declaration.adapts.is_empty() {
        text.push_str("  adapts:\n");
        for Adaptation { pointer, endpoint, surface, because } in &declaration.adapts {
            let endpoint =
                endpoint.map_or_else(String::new, |it| format!(", endpoint: {}", it.path()));
            let surface =
                surface.map_or_else(String::new, |it| format!(", surface: {}", it.name()));
            let (pointer, because) = (quoted(pointer), quoted(because));
            let _ = writeln!(
                text,
                "    - {{ pointer: {pointer}{endpoint}{surface}, because: {because} }}"
            );
        }
    }
    text
}

/// What only one of two declarations says: `+` the second one, `-` the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whether the second one says it.
    pub is_new: bool,
    /// What it says.
    pub item: Item,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_new { '+' } else { '-' }, self.item)
    }
}

/// One thing that a declaration says, without its reason.
#[derive(Debug, Clone, PartialEq, Eq, Display)]
#[expect(missing_docs, reason = "the words say what each is")]
pub enum Item {
    #[strum(to_string = "lacks {0}")]
    Lacks(Feature),
    #[strum(to_string = "does not claim {0}")]
    NotClaimed(Code),
    #[strum(to_string = "adapts {0}")]
    Adapts(String),
    #[strum(to_string = "falls back on {0}")]
    FallsBackOn(Condition),
}

/// In what the second declaration differs from the first, what is missing there before what is new.
/// Reasons do not count.
pub fn differences(one: &Declaration, other: &Declaration) -> Vec<Difference> {
    let (one, other) = (items(one), items(other));
    let only = |is_new, these: &BTreeMap<String, Item>, those: &BTreeMap<String, Item>| {
        let only = these.iter().filter(|(words, _)| !those.contains_key(*words));
        only.map(|(_, item)| Difference { is_new, item: item.clone() }).collect::<Vec<_>>()
    };
    [only(false, &one, &other), only(true, &other, &one)].concat()
}

/// What a declaration says, by its words.
fn items(declaration: &Declaration) -> BTreeMap<String, Item> {
    let lacks = declaration.lacks.keys().copied().map(Item::Lacks);
    let claims = declaration.does_not_claim.keys().copied().map(Item::NotClaimed);
    let adapts = declaration.adapts.iter().map(|it| {
        let endpoint = it.endpoint.map_or("every endpoint", |endpoint| endpoint.path());
        let surface = it.surface.map_or("every surface", |surface| surface.name());
        Item::Adapts(format!("{} of {endpoint} to {surface}", it.pointer))
    });
    let all = lacks.chain(claims).chain(adapts).chain(leads_on(declaration));
    all.map(|item| (item.to_string(), item)).collect()
}

/// Each status by itself, so that `5xx` and all of its statuses are the same.
fn leads_on(declaration: &Declaration) -> impl Iterator<Item = Item> {
    const TRIED: [u16; 31] = [
        400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 418, 422, 423, 424, 425, 429,
        431, 451, 500, 501, 502, 503, 504, 505, 507, 508, 520, 524, 529,
    ];
    let kinds = [
        Condition::Connection,
        Condition::Timeout,
        Condition::InvalidResponse,
        Condition::ErrorInSuccess,
    ];
    let all = kinds.into_iter().chain(TRIED.into_iter().map(Condition::Status));
    let covered = |failure: &Condition| {
        declaration.fallback_on().iter().any(|condition| condition.covers(*failure))
    };
    all.filter(covered).map(Item::FallsBackOn).collect::<Vec<_>>().into_iter()
}
