//! Saboteurs: routers broken on purpose, each to prove that a check catches it.
//!
//! None is a copy of the reference router. It is configured wrongly, or a [`meddler`] sits between
//! it and the providers, or something stands in [`front`] of it.

pub mod front;
pub mod meddler;
pub mod passing;
pub mod spoiler;
pub mod stream;

use std::fmt::Write as _;

use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use fallproof_router::{Condition, Config};

use crate::json::Tree;
use crate::target::REFERENCE_CLIENT_KEY;
use front::Front;
use meddler::Outgoing;
use spoiler::Answer;
use stream::Tamper;

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
    /// Each of its answers is changed.
    Spoiled(fn(&mut Answer<'_>)),
    /// The client's headers with such names reach the providers.
    Passing(fn(&str) -> bool),
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
    Saboteur {
        name: "passes-connection-headers",
        breaks: "passes headers on that belong to the client's connection",
        means: Means::Passing(|name| ["proxy-authorization", "te", "x-hop"].contains(&name)),
    },
    Saboteur {
        name: "passes-cookies",
        breaks: "passes the client's cookies and address on to the providers",
        means: Means::Passing(|name| ["cookie", "forwarded", "x-forwarded-for"].contains(&name)),
    },
    Saboteur {
        name: "passes-control-headers",
        breaks: "passes headers on to the providers that are for gateways",
        means: Means::Passing(|name| {
            name.starts_with("x-litellm-") || name.starts_with("x-portkey-")
        }),
    },
    Saboteur {
        name: "json-as-text",
        breaks: "says that the JSON it sends is plain text",
        means: Means::Meddled(|out| {
            if out.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
                out.header("content-type", "text/plain");
            }
        }),
    },
    Saboteur {
        name: "cuts-answers",
        breaks: "passes on the first half of each success",
        means: Means::Spoiled(|answer| {
            if answer.succeeds() {
                answer.body.truncate(answer.body.len() / 2);
            }
        }),
    },
    Saboteur {
        name: "loses-usage",
        breaks: "takes the counted tokens out of its answers",
        means: Means::Spoiled(|answer| {
            answer.edit(|body| {
                if let Tree::Object(members) = body {
                    members.retain(|(name, _)| name != "usage");
                }
            });
        }),
    },
    Saboteur {
        name: "splices-answers",
        breaks: "puts the first deployment's words before those of the one that answered",
        means: Means::Spoiled(splice),
    },
    Saboteur {
        name: "failure-as-success",
        breaks: "answers 200 and null when every deployment has failed",
        means: Means::Spoiled(|answer| {
            if !answer.succeeds() {
                answer.replace(StatusCode::OK, "application/json", "null");
            }
        }),
    },
    Saboteur {
        name: "plain-text-errors",
        breaks: "tells of errors in plain text",
        means: Means::Spoiled(|answer| {
            if !answer.succeeds() {
                let status = answer.head.status;
                answer.replace(status, "text/plain", "Something went wrong.");
            }
        }),
    },
    Saboteur {
        name: "blames-the-client",
        breaks: "answers 400 when the providers are down",
        means: Means::Spoiled(|answer| {
            if answer.head.status.is_server_error() {
                answer.head.status = StatusCode::BAD_REQUEST;
            }
        }),
    },
    Saboteur {
        name: "loses-retry-after",
        breaks: "keeps to itself when the provider wants to be asked again",
        means: Means::Spoiled(|answer| {
            answer.head.headers.remove(RETRY_AFTER);
        }),
    },
    Saboteur {
        name: "masks-refusals",
        breaks: "tells of each refusal in the same words of its own",
        means: Means::Spoiled(|answer| {
            if answer.head.status.is_client_error() {
                answer.edit(mask);
            }
        }),
    },
    Saboteur {
        name: "claims-first-model",
        breaks: "names the first deployment's model, whoever has answered",
        means: Means::Spoiled(|answer| {
            if answer.succeeds() {
                let first = answer.group.chain[0].deployment.clone();
                answer.edit(|body| *body = body.with("model", &first));
            }
        }),
    },
    Saboteur {
        name: "obeys-metadata",
        breaks: "skips the first deployment when the client's metadata names a group",
        means: Means::Fronted(Front::ObeysMetadata),
    },
    Saboteur {
        name: "obeys-headers",
        breaks: "skips the first deployment when the client sends another gateway's header",
        means: Means::Fronted(Front::ObeysHeader),
    },
    Saboteur {
        name: "passes-client-keys",
        breaks: "passes a key that the client has for somebody else on to the providers",
        means: Means::Passing(|name| name == "x-api-key"),
    },
    Saboteur {
        name: "quotes-the-address",
        breaks: "names the last deployment's address in the message of an error",
        means: Means::Spoiled(quote_address),
    },
    Saboteur {
        name: "names-the-upstream",
        breaks: "shows the first deployment's address in a header of its answers",
        means: Means::Spoiled(|answer| {
            let host = answer.group.chain[0].host.clone();
            answer.header("x-upstream", &host);
        }),
    },
    Saboteur {
        name: "tells-the-chain",
        breaks: "tells each provider the address of the last one in the chain",
        means: Means::Meddled(|out| {
            if let Some(last) = out.group.chain.last() {
                out.header("x-next-hop", &last.host);
            }
        }),
    },
    Saboteur {
        name: "stamps-the-group",
        breaks: "tells the providers its own name for the group",
        means: Means::Meddled(|out| {
            let group = &out.group.group;
            out.header("x-model-group", group);
        }),
    },
    Saboteur {
        name: "loses-content",
        breaks: "leaves the first content out of each stream",
        means: Means::Fronted(Front::Streams(Tamper::LosesContent)),
    },
    Saboteur {
        name: "doubles-content",
        breaks: "sends the first content of each stream twice",
        means: Means::Fronted(Front::Streams(Tamper::DoublesContent)),
    },
    Saboteur {
        name: "reorders-events",
        breaks: "sends the first content of each stream after what comes next",
        means: Means::Fronted(Front::Streams(Tamper::Reorders)),
    },
    Saboteur {
        name: "respelled-events",
        breaks: "writes the JSON of each event anew",
        means: Means::Fronted(Front::Streams(Tamper::Respells)),
    },
    Saboteur {
        name: "breaks-characters",
        breaks: "decodes each piece of a stream by itself, wherever it is cut",
        means: Means::Fronted(Front::Streams(Tamper::ManglesCharacters)),
    },
    Saboteur {
        name: "begins-twice",
        breaks: "shows the client the beginning of a stream before it knows who answers",
        means: Means::Fronted(Front::Streams(Tamper::BeginsTwice)),
    },
    Saboteur {
        name: "splices-streams",
        breaks: "puts the next deployment's answer behind one that broke",
        means: Means::Fronted(Front::Streams(Tamper::Splices)),
    },
    Saboteur {
        name: "asks-on-after-content",
        breaks: "asks the next deployment after a stream has broken, for nothing",
        means: Means::Fronted(Front::Streams(Tamper::AsksOn)),
    },
    Saboteur {
        name: "swallows-the-break",
        breaks: "ends a stream that broke without a word",
        means: Means::Fronted(Front::Streams(Tamper::SwallowsBreak)),
    },
    Saboteur {
        name: "pretends-whole",
        breaks: "ends a stream that broke with a finish reason and [DONE]",
        means: Means::Fronted(Front::Streams(Tamper::PretendsWhole)),
    },
    Saboteur {
        name: "makes-up-done",
        breaks: "sends [DONE] after the error of a stream that broke",
        means: Means::Fronted(Front::Streams(Tamper::MakesUpEnd)),
    },
    Saboteur {
        name: "loses-done",
        breaks: "leaves out the event that says that a stream is whole",
        means: Means::Fronted(Front::Streams(Tamper::LosesEnd)),
    },
    Saboteur {
        name: "adds-usage",
        breaks: "ends each stream with a usage chunk",
        means: Means::Fronted(Front::Streams(Tamper::AddsUsage)),
    },
    Saboteur {
        name: "streams-as-json",
        breaks: "says that a stream is JSON",
        means: Means::Fronted(Front::Streams(Tamper::NamesJson)),
    },
    Saboteur {
        name: "misses-stream-errors",
        breaks: "takes an error at the start of a stream for an answer",
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.fallback_on.retain(|condition| *condition != Condition::ErrorInSuccess);
            }
        }),
    },
    Saboteur {
        name: "success-before-it-is-known",
        breaks: "sends 200 before it asks, and an error as an event",
        means: Means::Fronted(Front::Streams(Tamper::SaysSuccess)),
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
        let optional =
            |name: &str| !["model", "messages", "input", "prompt", "stream"].contains(&name);
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

/// As if the beginning of one answer had already been out when another took over.
fn splice(answer: &mut Answer<'_>) {
    let Some((first, later)) = answer.group.chain.split_first() else { return };
    let first = first.marker();
    let mut text = String::from_utf8_lossy(answer.body).into_owned();
    for hop in later {
        let token = hop.marker().token().to_owned();
        text = text.replace(&token, &format!("{} {token}", first.token()));
    }
    *answer.body = text.into_bytes();
}

fn quote_address(answer: &mut Answer<'_>) {
    let Some(host) = answer.group.chain.last().map(|hop| hop.host.clone()) else { return };
    if !answer.succeeds() {
        answer.edit(|body| {
            let Tree::Object(members) = body else { return };
            for (_, error) in members.iter_mut().filter(|(name, _)| name == "error") {
                let said = error.member("message").and_then(Tree::as_str).unwrap_or_default();
                *error = error.with("message", &format!("{said} ({host})"));
            }
        });
    }
}

fn mask(body: &mut Tree) {
    let Tree::Object(members) = body else { return };
    for (name, error) in members {
        if name == "error" {
            *error = error.with("message", "Bad request.");
        }
    }
}
