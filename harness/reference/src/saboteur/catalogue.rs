//! The catalogue of saboteurs.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use fallproof_router::Condition;

use super::deeds::{
    another_api_version, bearer_for_azure, drop_optional, escaped, invented_metadata, looped_chain,
    mask, open_door, quote_address, reversed_chain, round, splice, stale_model, wrong_azure_path,
};
use super::front::Front;
use super::stream::Tamper;
use super::{Means, Saboteur};
use crate::REFERENCE_CLIENT_KEY;
use fallproof_protocol::json::Tree;

/// The founding bug first.
pub(super) const ALL: &[Saboteur] = &[
    Saboteur {
        name: "invented-metadata",
        breaks: "writes metadata.model_group into each attempt but the first",
        // What is only on the later leg is both new and a difference between the legs. A `model_group`
        // of the client's own is overwritten.
        also: &["FP-PAYLOAD-03", "FP-PAYLOAD-05", "FP-ROUTE-10"],
        means: Means::Meddled(invented_metadata),
    },
    Saboteur {
        name: "dropped-parameter",
        breaks: "loses one optional parameter at every attempt",
        also: &["FP-PAYLOAD-09"],
        means: Means::Meddled(drop_optional),
    },
    Saboteur {
        name: "rounded-numbers",
        breaks: "reads numbers as 64-bit floats and writes them again",
        // A rounded number that happens to be equal is still spelled otherwise.
        also: &["FP-PAYLOAD-07"],
        means: Means::Meddled(|out| out.edit(round)),
    },
    Saboteur {
        name: "stale-model",
        breaks: "sends the first deployment's model name to all of them",
        // That name may be one that its operator chose.
        also: &["FP-LEAK-05", "FP-ROUTE-10"],
        means: Means::Meddled(stale_model),
    },
    Saboteur {
        name: "leg-two-loses",
        breaks: "loses one optional parameter at each attempt but the first",
        also: &["FP-PAYLOAD-02", "FP-PAYLOAD-09"],
        means: Means::Meddled(|out| {
            if out.place > 0 {
                drop_optional(out);
            }
        }),
    },
    Saboteur {
        name: "respelled-body",
        breaks: "escapes every character beyond ASCII",
        also: &[],
        means: Means::Meddled(|out| *out.body = escaped(out.body)),
    },
    Saboteur {
        name: "reversed-chain",
        breaks: "walks the chain from its end",
        // The last deployment's failure is where a reversed walk ends, whatever the client wrote.
        also: &[
            "FP-CONTROL-01",
            "FP-CONTROL-02",
            "FP-ROUTE-03",
            "FP-ROUTE-08",
            "FP-STREAM-01",
            "FP-STREAM-08",
            "FP-STREAM-11",
        ],
        means: Means::Configured(reversed_chain),
    },
    Saboteur {
        name: "endless-loop",
        breaks: "starts again at the first deployment when the last one has failed",
        also: &["FP-ROUTE-05", "FP-ROUTE-15"],
        means: Means::Configured(looped_chain),
    },
    Saboteur {
        name: "asks-everyone",
        breaks: "asks the rest of the chain although a deployment has answered",
        // Where the fallback has answered, the rest of the chain has it once more.
        also: &[
            "FP-CLIENT-01",
            "FP-CLIENT-02",
            "FP-CLIENT-09",
            "FP-ROUTE-01",
            "FP-ROUTE-05",
            "FP-ROUTE-06",
            "FP-ROUTE-07",
            "FP-ROUTE-15",
            "FP-STREAM-06",
        ],
        means: Means::Fronted(Front::AsksEveryone),
    },
    Saboteur {
        name: "retries-everything",
        breaks: "makes a call that has failed once more, whatever it failed with",
        // A whole call is asked again, and with it the chain.
        also: &["FP-CLIENT-07", "FP-CLIENT-12", "FP-ROUTE-01", "FP-ROUTE-04", "FP-ROUTE-05"],
        means: Means::Fronted(Front::AsksAgain),
    },
    Saboteur {
        name: "forgets-conversations",
        breaks: "sends a call that goes on from a response to the first of the chain",
        also: &[],
        means: Means::Fronted(Front::ForgetsIssuers),
    },
    Saboteur {
        name: "wrong-azure-path",
        breaks: "asks Azure's newer surface by the paths of the older one",
        also: &["FP-ROUTE-10", "FP-ROUTE-11"],
        means: Means::Configured(wrong_azure_path),
    },
    Saboteur {
        name: "another-api-version",
        breaks: "asks Azure's older surface for an API version of its own choice",
        also: &[],
        means: Means::Configured(another_api_version),
    },
    Saboteur {
        name: "gives-up",
        breaks: "answers with the first deployment's failure",
        also: &["FP-CLIENT-07", "FP-CONTROL-01", "FP-CONTROL-02", "FP-STREAM-11"],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.fallback_on.clear();
            }
        }),
    },
    Saboteur {
        name: "retries-refusals",
        breaks: "sends to the next deployment what one has refused as the client's mistake",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.fallback_on.push(Condition::Status(400));
            }
        }),
    },
    Saboteur {
        name: "over-retries",
        breaks: "tries each deployment twice more than configured",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.retries += 2;
            }
        }),
    },
    Saboteur {
        name: "bearer-for-azure",
        breaks: "sends Azure's key as a bearer token",
        also: &[],
        means: Means::Meddled(bearer_for_azure),
    },
    Saboteur {
        name: "first-key-everywhere",
        breaks: "sends the first deployment's credential along to all of them",
        also: &[],
        means: Means::Meddled(|out| {
            let first = &out.group.chain[0].key;
            out.header("x-provider-key", first);
        }),
    },
    Saboteur {
        name: "forwards-client-key",
        breaks: "passes the client's key for the gateway on to the providers",
        also: &[],
        means: Means::Meddled(|out| out.header("x-forwarded-authorization", REFERENCE_CLIENT_KEY)),
    },
    Saboteur {
        name: "lets-everybody-in",
        breaks: "asks no client for its key",
        also: &[],
        means: Means::Configured(open_door),
    },
    Saboteur {
        name: "quotes-the-key",
        breaks: "shows a provider's key in a header of its answers",
        also: &[],
        means: Means::Fronted(Front::QuotesKey),
    },
    Saboteur {
        name: "passes-connection-headers",
        breaks: "passes headers on that belong to the client's connection",
        also: &[],
        means: Means::Passing(|name| ["proxy-authorization", "te", "x-hop"].contains(&name)),
    },
    Saboteur {
        name: "passes-cookies",
        breaks: "passes the client's cookies and address on to the providers",
        also: &[],
        means: Means::Passing(|name| ["cookie", "forwarded", "x-forwarded-for"].contains(&name)),
    },
    Saboteur {
        name: "passes-control-headers",
        breaks: "passes headers on to the providers that are for gateways",
        also: &[],
        means: Means::Passing(|name| {
            name.starts_with("x-litellm-") || name.starts_with("x-portkey-")
        }),
    },
    Saboteur {
        name: "json-as-text",
        breaks: "says that the JSON it sends is plain text",
        also: &[],
        means: Means::Meddled(|out| {
            if out.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
                out.header("content-type", "text/plain");
            }
        }),
    },
    Saboteur {
        name: "cuts-answers",
        breaks: "passes on the first half of each success",
        also: &[],
        means: Means::Spoiled(|answer| {
            if answer.succeeds() {
                answer.body.truncate(answer.body.len() / 2);
            }
        }),
    },
    Saboteur {
        name: "loses-usage",
        breaks: "takes the counted tokens out of its answers",
        also: &[],
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
        // What was put before an answer makes it another one; of a moderation, only the id has words.
        also: &["FP-CLIENT-01", "FP-CLIENT-02"],
        means: Means::Spoiled(splice),
    },
    Saboteur {
        name: "failure-as-success",
        breaks: "answers 200 and null when every deployment has failed",
        // A client that is turned away is told of a success, too, and one that waits for a stream.
        also: &["FP-AUTH-05", "FP-STREAM-10", "FP-STREAM-12"],
        means: Means::Spoiled(|answer| {
            if !answer.succeeds() {
                answer.replace(StatusCode::OK, "application/json", "null");
            }
        }),
    },
    Saboteur {
        name: "plain-text-errors",
        breaks: "tells of errors in plain text",
        also: &[],
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
        also: &["FP-CLIENT-10"],
        means: Means::Spoiled(|answer| {
            if answer.head.status.is_server_error() {
                answer.head.status = StatusCode::BAD_REQUEST;
            }
        }),
    },
    Saboteur {
        name: "loses-retry-after",
        breaks: "keeps to itself when the provider wants to be asked again",
        // Its own time to come back is lost with the provider's.
        also: &["FP-CLIENT-10"],
        means: Means::Spoiled(|answer| {
            answer.head.headers.remove(RETRY_AFTER);
        }),
    },
    Saboteur {
        name: "masks-refusals",
        breaks: "tells of each refusal in the same words of its own",
        also: &[],
        means: Means::Spoiled(|answer| {
            if answer.head.status.is_client_error() {
                answer.edit(mask);
            }
        }),
    },
    Saboteur {
        name: "streams-as-first-model",
        breaks: "names the first deployment's model in each stream, whoever speaks",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::ClaimsFirstModel),
    },
    Saboteur {
        name: "claims-first-model",
        breaks: "names the first deployment's model, whoever has answered",
        also: &[],
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
        // The rest of the chain is asked as if it were the whole.
        also: &["FP-ROUTE-01"],
        means: Means::Fronted(Front::ObeysMetadata),
    },
    Saboteur {
        name: "obeys-headers",
        breaks: "skips the first deployment when the client sends another gateway's header",
        // The rest of the chain is asked as if it were the whole.
        also: &["FP-ROUTE-01"],
        means: Means::Fronted(Front::ObeysHeader),
    },
    Saboteur {
        name: "passes-client-keys",
        breaks: "passes a key that the client has for somebody else on to the providers",
        also: &[],
        means: Means::Passing(|name| name == "x-api-key"),
    },
    Saboteur {
        name: "quotes-the-address",
        breaks: "names the last deployment's address in the message of an error",
        also: &[],
        means: Means::Spoiled(quote_address),
    },
    Saboteur {
        name: "names-the-upstream",
        breaks: "shows the first deployment's address in a header of its answers",
        also: &[],
        means: Means::Spoiled(|answer| {
            let host = answer.group.chain[0].host.clone();
            answer.header("x-upstream", &host);
        }),
    },
    Saboteur {
        name: "names-the-others",
        breaks: "tells each provider the name of the deployment before it",
        also: &[],
        means: Means::Meddled(|out| {
            let before = out.place.checked_sub(1).and_then(|it| out.group.chain.get(it));
            if let Some(name) = before.map(|before| before.deployment.clone()) {
                out.header("x-previous-deployment", &name);
            }
        }),
    },
    Saboteur {
        name: "tells-the-chain",
        breaks: "tells each provider the address of the last one in the chain",
        // An address holds the group's name here.
        also: &["FP-LEAK-03"],
        means: Means::Meddled(|out| {
            if let Some(last) = out.group.chain.last() {
                out.header("x-next-hop", &last.host);
            }
        }),
    },
    Saboteur {
        name: "stamps-the-group",
        breaks: "tells the providers its own name for the group",
        also: &[],
        means: Means::Meddled(|out| {
            let group = &out.group.group;
            out.header("x-model-group", group);
        }),
    },
    Saboteur {
        name: "loses-content",
        breaks: "leaves the first content out of each stream",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::LosesContent)),
    },
    Saboteur {
        name: "doubles-content",
        breaks: "sends the first content of each stream twice",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::DoublesContent)),
    },
    Saboteur {
        name: "reorders-events",
        breaks: "sends the first content of each stream after what comes next",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::Reorders)),
    },
    Saboteur {
        name: "respelled-events",
        breaks: "writes the JSON of each event anew",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::Respells)),
    },
    Saboteur {
        name: "breaks-characters",
        breaks: "decodes each piece of a stream by itself, wherever it is cut",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::ManglesCharacters)),
    },
    Saboteur {
        name: "begins-twice",
        breaks: "shows the client the beginning of a stream before it knows who answers",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::BeginsTwice)),
    },
    Saboteur {
        name: "splices-streams",
        breaks: "puts the next deployment's answer behind one that broke",
        // Whoever puts two answers together has asked for both.
        also: &["FP-CLIENT-11", "FP-STREAM-06", "FP-STREAM-07"],
        means: Means::Fronted(Front::Streams(Tamper::Splices)),
    },
    Saboteur {
        name: "asks-on-after-content",
        breaks: "asks the next deployment after a stream has broken, for nothing",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::AsksOn)),
    },
    Saboteur {
        name: "swallows-the-break",
        breaks: "ends a stream that broke without a word",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::SwallowsBreak)),
    },
    Saboteur {
        name: "pretends-whole",
        breaks: "ends a stream that broke with a finish reason and [DONE]",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::PretendsWhole)),
    },
    Saboteur {
        name: "makes-up-done",
        breaks: "sends [DONE] after the error of a stream that broke",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::MakesUpEnd)),
    },
    Saboteur {
        name: "loses-done",
        breaks: "leaves out the event that says that a stream is whole",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::LosesEnd)),
    },
    Saboteur {
        name: "adds-usage",
        breaks: "ends each stream with a usage chunk",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::AddsUsage)),
    },
    Saboteur {
        name: "streams-as-json",
        breaks: "says that a stream is JSON",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::NamesJson)),
    },
    Saboteur {
        name: "misses-stream-errors",
        breaks: "takes an error at the start of a stream for an answer",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.fallback_on.retain(|condition| *condition != Condition::ErrorInSuccess);
            }
        }),
    },
    Saboteur {
        name: "success-before-it-is-known",
        breaks: "sends 200 before it asks, and an error as an event",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::Streams(Tamper::SaysSuccess)),
    },
    Saboteur {
        name: "sorts-members",
        breaks: "writes the members of a body in alphabetical order",
        also: &[],
        means: Means::Meddled(|out| {
            out.edit(|body| {
                if let Tree::Object(members) = body {
                    members.sort_by(|one, other| one.0.cmp(&other.0));
                }
            });
        }),
    },
    Saboteur {
        name: "spells-defaults",
        breaks: "adds `stream: false` to what is not streamed",
        also: &["FP-PAYLOAD-06"],
        means: Means::Meddled(|out| {
            out.edit(|body| {
                if let Tree::Object(members) = body
                    && !members.iter().any(|(name, _)| name == "stream")
                {
                    members.push(("stream".to_owned(), Tree::Scalar("false".to_owned())));
                }
            });
        }),
    },
    Saboteur {
        name: "ignores-retry-after",
        breaks: "asks a deployment again before the time that it has asked for",
        // Who never lets anybody rest never says that all do.
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.max_retry_after = Duration::ZERO;
            }
        }),
    },
    Saboteur {
        name: "ignores-cooldown",
        breaks: "never puts a deployment aside, however often it fails",
        also: &["FP-CLIENT-10"],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.cooldown = None;
            }
        }),
    },
    Saboteur {
        name: "never-comes-back",
        breaks: "puts a deployment aside for ever",
        also: &["FP-CLIENT-10"],
        means: Means::Configured(|config| {
            for cooldown in config.groups.values_mut().filter_map(|it| it.cooldown.as_mut()) {
                cooldown.rest *= 1000;
            }
        }),
    },
    Saboteur {
        name: "crosses-groups",
        breaks: "asks another group when all of one has failed",
        // The other group answers or fails in its own way, where all of the first one has failed.
        also: &["FP-CLIENT-04", "FP-CLIENT-06", "FP-CLIENT-08", "FP-CLIENT-10", "FP-CLIENT-13"],
        means: Means::Fronted(Front::CrossesGroups),
    },
    Saboteur {
        name: "ignores-length-chain",
        breaks: "does not ask the deployments that are there for long requests",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.on_context_length.clear();
            }
        }),
    },
    Saboteur {
        name: "ignores-filter-chain",
        breaks: "does not ask the deployments that are there for filtered requests",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.on_content_filter.clear();
            }
        }),
    },
    Saboteur {
        name: "ignores-timeout",
        breaks: "waits ten times as long as it should",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.timeout *= 10;
                group.stream_idle_timeout *= 10;
            }
        }),
    },
    Saboteur {
        name: "ignores-total-timeout",
        breaks: "walks the whole chain however long it takes",
        also: &[],
        means: Means::Configured(|config| {
            for group in config.groups.values_mut() {
                group.total_timeout = None;
            }
        }),
    },
    Saboteur {
        name: "outlives-the-client",
        breaks: "goes on with a call whose client has left",
        also: &["FP-CLIENT-11"],
        means: Means::Fronted(Front::OutlivesClient),
    },
    Saboteur {
        name: "drops-api-headers",
        breaks: "leaves out the headers that switch on parts of the API",
        also: &[],
        means: Means::Meddled(|out| {
            out.headers.remove("openai-beta");
        }),
    },
    Saboteur {
        name: "forgets-the-rest",
        breaks: "answers 500 when all deployments are to be left alone",
        also: &[],
        means: Means::Spoiled(|answer| {
            if answer.body.windows(19).any(|it| it == b"deployments_resting") {
                answer.head.status = StatusCode::INTERNAL_SERVER_ERROR;
                answer.head.headers.remove(RETRY_AFTER);
            }
        }),
    },
    Saboteur {
        name: "leaves-hanging",
        breaks: "never answers a call that has failed",
        also: &[],
        means: Means::Fronted(Front::LeavesHanging),
    },
    Saboteur {
        name: "keeps-failed-headers",
        breaks: "answers with the request id of the deployment that failed before",
        also: &[],
        means: Means::Remembering,
    },
    Saboteur {
        name: "mixes-up-answers",
        breaks: "gives a call the answer that another group's call got",
        // It is not what the deployment of this call has said.
        also: &["FP-CLIENT-01", "FP-CLIENT-02", "FP-CLIENT-04", "FP-CLIENT-09"],
        means: Means::Fronted(Front::MixesUp),
    },
];
