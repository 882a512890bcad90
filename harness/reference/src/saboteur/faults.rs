//! The faults whose code is longer than a few lines.

use std::fmt::Write as _;

use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use fallproof_router::{Deployment, Group, Surface};

use super::request_proxy::Outgoing;
use super::response_filter::Answer;
use fallproof_protocol::json::Tree;

pub(super) fn invented_metadata(out: &mut Outgoing<'_>) {
    if out.chain_index == 0 {
        return;
    }
    let group = Tree::string(&out.group.model);
    out.edit(|body| {
        let Tree::Object(members) = body else { return };
        if !members.iter().any(|(name, _)| name == "metadata") {
            members.push(("metadata".to_owned(), Tree::Object(Vec::new())));
        }
        for (name, value) in members {
            if let ("metadata", Tree::Object(metadata)) = (name.as_str(), value) {
                metadata.retain(|(name, _)| name != "model_group");
                metadata.push(("model_group".to_owned(), group.clone()));
            }
        }
    });
}

/// Removes the last member that the call does not need.
pub(super) fn drop_optional(out: &mut Outgoing<'_>) {
    out.edit(|body| {
        let Tree::Object(members) = body else { return };
        let needed = ["model", "messages", "input", "prompt", "voice", "stream"];
        let optional = |name: &str| !needed.contains(&name);
        if let Some(last) = members.iter().rposition(|(name, _)| optional(name)) {
            members.remove(last);
        }
    });
}

/// Converts each number to a 64-bit float, as a language without integers does.
pub(super) fn round_numbers(value: &mut Tree) {
    match value {
        Tree::Object(members) => members.iter_mut().for_each(|(_, value)| round_numbers(value)),
        Tree::Array(items) => items.iter_mut().for_each(round_numbers),
        Tree::Scalar(text) => {
            if let Ok(number) = text.parse::<f64>() {
                *text = number.to_string();
            }
        }
    }
}

pub(super) fn stale_model(out: &mut Outgoing<'_>) {
    let first = &out.group.chain[0].deployment_name;
    out.edit(|body| *body = body.with("model", first));
}

/// Escapes every non-ASCII character. Outside of strings JSON is ASCII, so this preserves every
/// value.
pub(super) fn escaped(body: &[u8]) -> Vec<u8> {
    // A multipart form is not changed.
    let Some(json) = str::from_utf8(body).ok().filter(|text| text.starts_with('{')) else {
        return body.to_vec();
    };
    let mut text = String::new();
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text.into_bytes()
}

pub(super) fn bearer_for_azure(out: &mut Outgoing<'_>) {
    if let Some(key) = out.headers.remove("api-key")
        && let Ok(key) = key.to_str()
        && let Ok(bearer) = HeaderValue::try_from(format!("Bearer {key}"))
    {
        out.headers.insert(AUTHORIZATION, bearer);
    }
}

pub(super) fn reversed_chain(group: &mut Group) {
    if let Some(last) = group.fallbacks.pop() {
        group.fallbacks.reverse();
        group.fallbacks.push(std::mem::replace(&mut group.primary, last));
    }
}

pub(super) fn looped_chain(group: &mut Group) {
    let mut again = vec![group.primary.clone()];
    again.extend(group.fallbacks.iter().cloned());
    group.fallbacks.extend(again);
}

/// Prepends text from the first deployment, as if its response had already begun before the
/// fallback.
pub(super) fn splice(answer: &mut Answer<'_>) {
    let Some((first, later)) = answer.group.chain.split_first() else { return };
    let first = first.marker();
    let mut text = String::from_utf8_lossy(answer.body).into_owned();
    for deployment in later {
        let token = deployment.marker().token().to_owned();
        text = text.replace(&token, &format!("{} {token}", first.token()));
    }
    *answer.body = text.into_bytes();
}

pub(super) fn quote_address(answer: &mut Answer<'_>) {
    if let Some(last) = answer.group.chain.last() {
        let host = format!("({})", last.host);
        answer.add_to_error(&host);
    }
}

/// Lists the groups of the scenario. A list of the groups of all scenarios would be long.
pub(super) fn list_groups(answer: &mut Answer<'_>) {
    let groups = answer.groups.iter().filter(|it| it.scenario == answer.group.scenario);
    let names: Vec<_> = groups.map(|group| group.model.as_str()).collect();
    answer.add_to_error(&format!("Groups: {}.", names.join(", ")));
}

pub(super) fn mask(body: &mut Tree) {
    let Tree::Object(members) = body else { return };
    for (name, error) in members {
        if name == "error" {
            *error = error.with("message", "Bad request.");
        }
    }
}

pub(super) fn wrong_azure_path(group: &mut Group) {
    for deployment in deployments(group) {
        if deployment.surface == Surface::AzureV1 {
            deployment.surface = Surface::AzureLegacy { api_version: "2024-10-21".to_owned() };
        }
    }
}

pub(super) fn another_api_version(group: &mut Group) {
    for deployment in deployments(group) {
        if let Surface::AzureLegacy { api_version } = &mut deployment.surface {
            "2024-06-01".clone_into(api_version);
        }
    }
}

fn deployments(group: &mut Group) -> impl Iterator<Item = &mut Deployment> {
    let Group { primary, fallbacks, on_context_length, on_content_filter, .. } = group;
    let detours = on_context_length.iter_mut().chain(on_content_filter);
    std::iter::once(primary).chain(fallbacks).chain(detours)
}
