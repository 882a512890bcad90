//! Writes a draft as YAML for an adapter file, and compares capabilities.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use strum::Display;

use super::draft::Draft;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::quoted;
use fallproof_suite::capabilities::{Capabilities, Rewrite};
use fallproof_suite::feature::Feature;
use fallproof_suite::requirement::Code;

/// Tells how to use a draft.
const HEADER: &str = "\
# Draft written by `fallproof probe`. Put these capabilities into the adapter, and review each line:
# the probe cannot tell a deliberate choice from a bug. Then run it again until nothing differs.
";

/// The draft as the `capabilities` of an adapter, with the remarks as comments. Strings are written
/// as JSON, which is valid YAML.
pub fn yaml(draft: &Draft) -> String {
    let Draft { capabilities, remarks } = draft;
    let mut text = String::from(HEADER);
    for remark in remarks {
        let _ = writeln!(text, "# observed: {remark}");
    }
    text.push_str("capabilities:\n");
    if !capabilities.unsupported.is_empty() {
        text.push_str("  unsupported:\n");
        for (feature, reason) in &capabilities.unsupported {
            let _ = writeln!(text, "    {}: {}", quoted(&feature.to_string()), quoted(reason));
        }
    }
    if let Some(conditions) = &capabilities.fallback_on {
        let conditions: Vec<_> = conditions.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  fallback_on: [{}]", conditions.join(", "));
    }
    if !capabilities.waived.is_empty() {
        text.push_str("  waived:\n");
        for (code, reason) in &capabilities.waived {
            let _ = writeln!(text, "    {code}: {}", quoted(reason));
        }
    }
    if !capabilities.rewrites.is_empty() {
        text.push_str("  rewrites:\n");
        for Rewrite { pointer, change, endpoint, surface, reason } in &capabilities.rewrites {
            let change = if change.is_any() { "" } else { ", change: order" };
            let endpoint =
                endpoint.map_or_else(String::new, |it| format!(", endpoint: {}", it.path()));
            let surface =
                surface.map_or_else(String::new, |it| format!(", surface: {}", it.name()));
            let (pointer, reason) = (quoted(pointer), quoted(reason));
            let _ = writeln!(
                text,
                "    - {{ pointer: {pointer}{change}{endpoint}{surface}, reason: {reason} }}"
            );
        }
    }
    text
}

/// An item that only one of two sets of capabilities has. Displayed with `-` if the first set has
/// it, with `+` if the second set has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whether the second set has it.
    pub is_new: bool,
    /// The item.
    pub item: Item,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_new { '+' } else { '-' }, self.item)
    }
}

/// One item of a set of capabilities, without its reason.
#[derive(Debug, Clone, PartialEq, Eq, Display)]
#[expect(missing_docs, reason = "the messages describe each variant")]
pub enum Item {
    #[strum(to_string = "unsupported {0}")]
    Lacks(Feature),
    #[strum(to_string = "waives {0}")]
    Waived(Code),
    #[strum(to_string = "rewrites {0}")]
    Adapts(String),
    #[strum(to_string = "falls back on {0}")]
    FallsBackOn(Condition),
}

/// The differences between two sets of capabilities: items that are missing in the second set, then
/// items that are new there. Reasons are ignored.
pub fn differences(one: &Capabilities, other: &Capabilities) -> Vec<Difference> {
    let (one, other) = (items(one), items(other));
    let only = |is_new, these: &BTreeMap<String, Item>, those: &BTreeMap<String, Item>| {
        let only = these.iter().filter(|(text, _)| !those.contains_key(*text));
        only.map(|(_, item)| Difference { is_new, item: item.clone() }).collect::<Vec<_>>()
    };
    [only(false, &one, &other), only(true, &other, &one)].concat()
}

/// The items of a set of capabilities, sorted by their text.
fn items(capabilities: &Capabilities) -> BTreeMap<String, Item> {
    let unsupported = capabilities.unsupported.keys().copied().map(Item::Lacks);
    let claims = capabilities.waived.keys().copied().map(Item::Waived);
    let rewrites = capabilities.rewrites.iter().map(|it| {
        let endpoint = it.endpoint.map_or("every endpoint", |endpoint| endpoint.path());
        let surface = it.surface.map_or("every surface", |surface| surface.name());
        Item::Adapts(format!("{} of {endpoint} to {surface}", it.pointer))
    });
    let all = unsupported.chain(claims).chain(rewrites).chain(fallback_conditions(capabilities));
    all.map(|item| (item.to_string(), item)).collect()
}

/// The fallback conditions. A class such as `5xx` is expanded to the statuses that the probe tries,
/// so that it equals a list of these statuses.
fn fallback_conditions(capabilities: &Capabilities) -> impl Iterator<Item = Item> {
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
        capabilities.fallback_on().iter().any(|condition| condition.covers(*failure))
    };
    all.filter(covered).map(Item::FallsBackOn).collect::<Vec<_>>().into_iter()
}
