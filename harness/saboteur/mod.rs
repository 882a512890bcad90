//! Saboteurs: routers broken on purpose, each to prove that a check catches it.
//!
//! None is a copy of the reference router. It is configured wrongly, or a [`meddler`] sits between
//! it and the providers, or something stands in [`front`] of it.

pub mod front;
pub mod meddler;

use std::fmt::Write as _;

use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use fallproof_router::{Condition, Config};

use crate::json::Tree;
use crate::target::REFERENCE_CLIENT_KEY;
use front::Front;
use meddler::Outgoing;

/// A router broken on purpose.
#[derive(Debug)]
pub struct Saboteur {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// What it does wrong, in a few words.
    pub breaks: &'static str,
    /// How it is broken.
    pub means: Means,
}

/// How a router is broken.
#[derive(Debug, Clone, Copy)]
pub enum Means {
    /// Its configuration is not the plan's.
    Configured(fn(&mut Config)),
    /// Each of its requests is changed on the way out.
    Meddled(fn(&mut Outgoing<'_>)),
    /// Something stands in front of it.
    Fronted(Front),
}

/// The founding bug first.
const ALL: &[Saboteur] = &[
    Saboteur {
        name: "invented-metadata",
        breaks: "writes metadata.model_group into each attempt but the first",
        means: Means::Meddled(invented_metadata),
    },
    Saboteur {
        name: "dropped-parameter",
        breaks: "loses one optional parameter at every attempt",
        means: Means::Meddled(drop_optional),
    },
    Saboteur {
        name: "rounded-numbers",
        breaks: "reads numbers as 64-bit floats and writes them again",
        means: Means::Meddled(|out| out.edit(round)),
    },
    Saboteur {
        name: "stale-model",
        breaks: "sends the first deployment's model name to all of them",
        means: Means::Meddled(stale_model),
    },
    Saboteur {
        name: "leg-two-loses",
        breaks: "loses one optional parameter at each attempt but the first",
        means: Means::Meddled(|out| {
            if out.place > 0 {
                drop_optional(out);
            }
        }),
    },
    Saboteur {
        name: "respelled-body",
        breaks: "escapes every character beyond ASCII",
        means: Means::Meddled(|out| *out.body = escaped(out.body)),
    },
    Saboteur {
        name: "reversed-chain",
        breaks: "walks the chain from its end",
        means: Means::Configured(reversed_chain),
    },
    Saboteur {
        name: "endless-loop",
        breaks: "starts again at the first deployment when the last one has failed",
        means: Means::Configured(looped_chain),
    },
    Saboteur {
        name: "asks-everyone",
        breaks: "asks the rest of the chain although a deployment has answered",
        means: Means::Fronted(Front::AsksEveryone),
    },
    Saboteur {
        name: "gives-up",
        breaks: "answers with the first deployment's failure",
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.fallback_on.clear();
            }
        }),
    },
    Saboteur {
        name: "retries-refusals",
        breaks: "sends to the next deployment what one has refused as the client's mistake",
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.fallback_on.push(Condition::Status(400));
            }
        }),
    },
    Saboteur {
        name: "over-retries",
        breaks: "tries each deployment twice more than configured",
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.retries += 2;
            }
        }),
    },
    Saboteur {
        name: "bearer-for-azure",
        breaks: "sends Azure's key as a bearer token",
        means: Means::Meddled(bearer_for_azure),
    },
    Saboteur {
        name: "first-key-everywhere",
        breaks: "sends the first deployment's credential along to all of them",
        means: Means::Meddled(|out| {
            let first = &out.group.chain[0].key;
            out.header("x-provider-key", first);
        }),
    },
    Saboteur {
        name: "forwards-client-key",
        breaks: "passes the client's key for the gateway on to the providers",
        means: Means::Meddled(|out| out.header("x-forwarded-authorization", REFERENCE_CLIENT_KEY)),
    },
    Saboteur {
        name: "quotes-the-key",
        breaks: "shows a provider's key in a header of its answers",
        means: Means::Fronted(Front::QuotesKey),
    },
];

/// Every saboteur, the founding bug first.
pub fn all() -> &'static [Saboteur] {
    ALL
}

/// The saboteur of this name.
pub fn find(name: &str) -> Option<&'static Saboteur> {
    all().iter().find(|saboteur| saboteur.name == name)
}

fn invented_metadata(out: &mut Outgoing<'_>) {
    if out.place == 0 {
        return;
    }
    let group = Tree::string(&out.group.group);
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

/// Drops the last member that the call can do without.
fn drop_optional(out: &mut Outgoing<'_>) {
    out.edit(|body| {
        let Tree::Object(members) = body else { return };
        let optional = |name: &str| !["model", "messages", "input"].contains(&name);
        if let Some(last) = members.iter().rposition(|(name, _)| optional(name)) {
            members.remove(last);
        }
    });
}

/// Writes each number as a language does that has only floats.
fn round(value: &mut Tree) {
    match value {
        Tree::Object(members) => members.iter_mut().for_each(|(_, value)| round(value)),
        Tree::Array(items) => items.iter_mut().for_each(round),
        Tree::Scalar(text) => {
            if let Ok(number) = text.parse::<f64>() {
                *text = number.to_string();
            }
        }
    }
}

fn stale_model(out: &mut Outgoing<'_>) {
    let first = &out.group.chain[0].deployment;
    out.edit(|body| *body = body.with("model", first));
}

/// JSON text is ASCII but inside strings, so escaping there keeps every value.
fn escaped(body: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    let mut units = [0; 2];
    for character in String::from_utf8_lossy(body).chars() {
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

fn bearer_for_azure(out: &mut Outgoing<'_>) {
    if let Some(key) = out.headers.remove("api-key")
        && let Ok(key) = key.to_str()
        && let Ok(bearer) = HeaderValue::try_from(format!("Bearer {key}"))
    {
        out.headers.insert(AUTHORIZATION, bearer);
    }
}

fn reversed_chain(config: &mut Config) {
    for group in config.groups.values_mut() {
        if let Some(last) = group.fallbacks.pop() {
            group.fallbacks.reverse();
            group.fallbacks.push(std::mem::replace(&mut group.primary, last));
        }
    }
}

fn looped_chain(config: &mut Config) {
    for group in config.groups.values_mut() {
        let mut again = vec![group.primary.clone()];
        again.extend(group.fallbacks.iter().cloned());
        group.fallbacks.extend(again);
    }
}
