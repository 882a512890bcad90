//! A draft as YAML for an adapter's file, and in what it differs from a declaration.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::draft::Draft;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::quoted;
use fallproof_suite::declaration::{Adaptation, Declaration};

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

/// In what the second declaration differs from the first, a line each: `+` what is only in the
/// second, `-` what is only in the first. Reasons do not count.
pub fn differences(one: &Declaration, other: &Declaration) -> Vec<String> {
    let (one, other) = (items(one), items(other));
    let lost = one.difference(&other).map(|item| format!("- {item}"));
    let new = other.difference(&one).map(|item| format!("+ {item}"));
    lost.chain(new).collect()
}

fn items(declaration: &Declaration) -> BTreeSet<String> {
    let lacks = declaration.lacks.keys().map(|feature| format!("lacks {feature}"));
    let claims = declaration.does_not_claim.keys().map(|code| format!("does not claim {code}"));
    let adapts = declaration.adapts.iter().map(|it| {
        let endpoint = it.endpoint.map_or("every endpoint", |endpoint| endpoint.path());
        let surface = it.surface.map_or("every surface", |surface| surface.name());
        format!("adapts {} of {endpoint} to {surface}", it.pointer)
    });
    lacks.chain(claims).chain(adapts).chain(leads_on(declaration)).collect()
}

/// Each status by itself, so that `5xx` and all of its statuses are the same.
fn leads_on(declaration: &Declaration) -> impl Iterator<Item = String> {
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
    all.filter(covered)
        .map(|condition| format!("falls back on {condition}"))
        .collect::<Vec<_>>()
        .into_iter()
}
