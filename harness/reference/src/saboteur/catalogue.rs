//! The catalogue of saboteurs.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use fallproof_router::{Condition, Config, Group};

use super::faults::{
    another_api_version, batch, bearer_for_azure, drop_optional, escaped, invented_metadata,
    looped_chain, mask, quote_address, reversed_chain, splice, stale_model, wrong_azure_path,
};
use super::request_proxy::Outgoing;
use super::response_filter::Answer;
use super::stream::StreamFault;
use super::wrapper::Wrapper;
use super::{Fault, Saboteur};
use crate::REFERENCE_CLIENT_KEY;
use fallproof_protocol::json::Tree;

/// The founding bug first.
pub(super) const ALL: &[Saboteur] = &[
    // What is only on the later leg is both new and a difference between the legs. A `model_group`
    // of the client's own is overwritten.
    meddled(
        "invented-metadata",
        "writes metadata.model_group into each attempt but the first",
        invented_metadata,
    )
    .also(&["FP-PAYLOAD-03", "FP-PAYLOAD-05", "FP-ROUTE-10"]),
    meddled("dropped-parameter", "loses one optional parameter at every attempt", drop_optional)
        .also(&["FP-PAYLOAD-09"]),
    // A rounded number that happens to be equal is still spelled otherwise.
    meddled("rounded-numbers", "reads numbers as 64-bit floats and writes them again", |out| {
        out.edit(batch);
    })
    .also(&["FP-PAYLOAD-07"]),
    // That name may be one that its operator chose.
    meddled("stale-model", "sends the first deployment's model name to all of them", stale_model)
        .also(&["FP-LEAK-05", "FP-ROUTE-10"]),
    meddled("leg-two-loses", "loses one optional parameter at each attempt but the first", |out| {
        if out.chain_index > 0 {
            drop_optional(out);
        }
    })
    .also(&["FP-PAYLOAD-02", "FP-PAYLOAD-09"]),
    meddled("respelled-body", "escapes every character beyond ASCII", |out| {
        *out.body = escaped(out.body);
    }),
    // The last deployment's failure is where a reversed walk ends, whatever the client wrote.
    each_group("reversed-chain", "walks the chain from its end", reversed_chain).also(&[
        "FP-CONTROL-01",
        "FP-CONTROL-02",
        "FP-ROUTE-03",
        "FP-ROUTE-08",
        "FP-STREAM-01",
        "FP-STREAM-08",
        "FP-STREAM-11",
    ]),
    each_group(
        "endless-loop",
        "starts again at the first deployment when the last one has failed",
        looped_chain,
    )
    .also(&["FP-ROUTE-05", "FP-ROUTE-15"]),
    // Where the fallback has answered, the rest of the chain has it once more.
    fronted(
        "asks-everyone",
        "asks the rest of the chain although a deployment has answered",
        Wrapper::AsksEveryone,
    )
    .also(&[
        "FP-CLIENT-01",
        "FP-CLIENT-02",
        "FP-CLIENT-09",
        "FP-ROUTE-01",
        "FP-ROUTE-05",
        "FP-ROUTE-06",
        "FP-ROUTE-07",
        "FP-ROUTE-15",
        "FP-STREAM-06",
    ]),
    // A whole call is asked again, and with it the chain.
    fronted(
        "retries-everything",
        "makes a call that has failed once more, whatever it failed with",
        Wrapper::AsksAgain,
    )
    .also(&["FP-CLIENT-07", "FP-CLIENT-12", "FP-ROUTE-01", "FP-ROUTE-04", "FP-ROUTE-05"]),
    fronted(
        "forgets-conversations",
        "sends a call that goes on from a response to the first of the chain",
        Wrapper::ForgetsIssuers,
    ),
    each_group(
        "wrong-azure-path",
        "asks Azure's newer surface by the paths of the older one",
        wrong_azure_path,
    )
    .also(&["FP-ROUTE-10", "FP-ROUTE-11"]),
    each_group(
        "another-api-version",
        "asks Azure's older surface for an API version of its own choice",
        another_api_version,
    ),
    each_group("gives-up", "answers with the first deployment's failure", |group| {
        group.fallback_on.clear();
    })
    .also(&["FP-CLIENT-07", "FP-CONTROL-01", "FP-CONTROL-02", "FP-STREAM-11"]),
    each_group(
        "retries-refusals",
        "sends to the next deployment what one has refused as the client's mistake",
        |group| group.fallback_on.push(Condition::Status(400)),
    ),
    each_group("over-retries", "tries each deployment twice more than configured", |group| {
        group.retries += 2;
    }),
    meddled("bearer-for-azure", "sends Azure's key as a bearer token", bearer_for_azure),
    meddled(
        "first-key-everywhere",
        "sends the first deployment's credential along to all of them",
        |out| {
            let first = &out.group.chain[0].key;
            out.header("x-provider-key", first);
        },
    ),
    meddled(
        "forwards-client-key",
        "passes the client's key for the gateway on to the providers",
        |out| out.header("x-forwarded-authorization", REFERENCE_CLIENT_KEY),
    ),
    configured("lets-everybody-in", "asks no client for its key", |config| {
        config.client_keys = None;
    }),
    fronted(
        "quotes-the-key",
        "shows a provider's key in a header of its answers",
        Wrapper::QuotesKey,
    ),
    passing(
        "passes-connection-headers",
        "passes headers on that belong to the client's connection",
        |name| ["proxy-authorization", "te", "x-hop"].contains(&name),
    ),
    passing(
        "passes-cookies",
        "passes the client's cookies and address on to the providers",
        |name| ["cookie", "forwarded", "x-forwarded-for"].contains(&name),
    ),
    passing(
        "passes-control-headers",
        "passes headers on to the providers that are for gateways",
        |name| name.starts_with("x-litellm-") || name.starts_with("x-portkey-"),
    ),
    meddled("json-as-text", "says that the JSON it sends is plain text", |out| {
        if out.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
            out.header("content-type", "text/plain");
        }
    }),
    spoiled("cuts-answers", "passes on the first half of each success", |answer| {
        if answer.succeeds() {
            answer.body.truncate(answer.body.len() / 2);
        }
    }),
    spoiled("loses-usage", "takes the counted tokens out of its answers", |answer| {
        answer.edit(|body| {
            if let Tree::Object(members) = body {
                members.retain(|(name, _)| name != "usage");
            }
        });
    }),
    // What was put before an answer makes it another one; of a moderation, only the id has words.
    spoiled(
        "splices-answers",
        "puts the first deployment's words before those of the one that answered",
        splice,
    )
    .also(&["FP-CLIENT-01", "FP-CLIENT-02"]),
    // A client that is turned away is told of a success, too, and one that waits for a stream.
    spoiled(
        "failure-as-success",
        "answers 200 and null when every deployment has failed",
        |answer| {
            if !answer.succeeds() {
                answer.replace(StatusCode::OK, "application/json", "null");
            }
        },
    )
    .also(&["FP-AUTH-05", "FP-STREAM-10", "FP-STREAM-12"]),
    spoiled("plain-text-errors", "tells of errors in plain text", |answer| {
        if !answer.succeeds() {
            let status = answer.head.status;
            answer.replace(status, "text/plain", "Something went wrong.");
        }
    }),
    spoiled("blames-the-client", "answers 400 when the providers are down", |answer| {
        if answer.head.status.is_server_error() {
            answer.head.status = StatusCode::BAD_REQUEST;
        }
    })
    .also(&["FP-CLIENT-10"]),
    // Its own time to come back is lost with the provider's.
    spoiled(
        "loses-retry-after",
        "keeps to itself when the provider wants to be asked again",
        |answer| {
            answer.head.headers.remove(RETRY_AFTER);
        },
    )
    .also(&["FP-CLIENT-10"]),
    spoiled("masks-refusals", "tells of each refusal in the same words of its own", |answer| {
        if answer.head.status.is_client_error() {
            answer.edit(mask);
        }
    }),
    fronted(
        "streams-as-first-model",
        "names the first deployment's model in each stream, whoever speaks",
        Wrapper::ClaimsFirstModel,
    )
    .also(&["FP-CLIENT-11"]),
    spoiled(
        "claims-first-model",
        "names the first deployment's model, whoever has answered",
        |answer| {
            if answer.succeeds() {
                let first = answer.group.chain[0].deployment_name.clone();
                answer.edit(|body| *body = body.with("model", &first));
            }
        },
    ),
    // The rest of the chain is asked as if it were the whole.
    fronted(
        "obeys-metadata",
        "skips the first deployment when the client's metadata names a group",
        Wrapper::ObeysMetadata,
    )
    .also(&["FP-ROUTE-01"]),
    // The rest of the chain is asked as if it were the whole.
    fronted(
        "obeys-headers",
        "skips the first deployment when the client sends another gateway's header",
        Wrapper::ObeysHeader,
    )
    .also(&["FP-ROUTE-01"]),
    passing(
        "passes-client-keys",
        "passes a key that the client has for somebody else on to the providers",
        |name| name == "x-api-key",
    ),
    spoiled(
        "quotes-the-address",
        "names the last deployment's address in the message of an error",
        quote_address,
    ),
    spoiled(
        "names-the-deployment",
        "shows the first deployment's address in a header of its answers",
        |answer| {
            let host = answer.group.chain[0].host.clone();
            answer.header("x-deployment", &host);
        },
    ),
    meddled(
        "names-the-others",
        "tells each provider the name of the deployment before it",
        |out| {
            let before = out.chain_index.checked_sub(1).and_then(|it| out.group.chain.get(it));
            if let Some(name) = before.map(|before| before.deployment_name.clone()) {
                out.header("x-previous-deployment", &name);
            }
        },
    ),
    // An address holds the group's name here.
    meddled(
        "tells-the-chain",
        "tells each provider the address of the last one in the chain",
        |out| {
            if let Some(last) = out.group.chain.last() {
                out.header("x-next-hop", &last.host);
            }
        },
    )
    .also(&["FP-LEAK-03"]),
    meddled("stamps-the-group", "tells the providers its own name for the group", |out| {
        let group = &out.group.model;
        out.header("x-model-group", group);
    }),
    streams(
        "loses-content",
        "leaves the first content out of each stream",
        StreamFault::LosesContent,
    ),
    streams(
        "doubles-content",
        "sends the first content of each stream twice",
        StreamFault::DoublesContent,
    ),
    streams(
        "reorders-events",
        "sends the first content of each stream after what comes next",
        StreamFault::Reorders,
    ),
    streams("respelled-events", "writes the JSON of each event anew", StreamFault::Respells),
    streams(
        "breaks-characters",
        "decodes each piece of a stream by itself, wherever it is cut",
        StreamFault::ManglesCharacters,
    ),
    streams(
        "begins-twice",
        "shows the client the beginning of a stream before it knows who answers",
        StreamFault::BeginsTwice,
    ),
    // Whoever puts two answers together has asked for both.
    streams(
        "splices-streams",
        "puts the next deployment's answer behind one that broke",
        StreamFault::Splices,
    )
    .also(&["FP-CLIENT-11", "FP-STREAM-06", "FP-STREAM-07"]),
    streams(
        "asks-on-after-content",
        "asks the next deployment after a stream has broken, for nothing",
        StreamFault::AsksOn,
    ),
    streams(
        "swallows-the-break",
        "ends a stream that broke without a word",
        StreamFault::SwallowsBreak,
    ),
    streams(
        "pretends-whole",
        "ends a stream that broke with a finish reason and [DONE]",
        StreamFault::PretendsWhole,
    ),
    streams(
        "makes-up-done",
        "sends [DONE] after the error of a stream that broke",
        StreamFault::MakesUpEnd,
    ),
    streams(
        "loses-done",
        "leaves out the event that says that a stream is whole",
        StreamFault::LosesEnd,
    ),
    streams("adds-usage", "ends each stream with a usage chunk", StreamFault::AddsUsage),
    streams("streams-as-json", "says that a stream is JSON", StreamFault::NamesJson),
    each_group(
        "misses-stream-errors",
        "takes an error at the start of a stream for an answer",
        |group| group.fallback_on.retain(|condition| *condition != Condition::ErrorInSuccess),
    ),
    streams(
        "success-before-it-is-known",
        "sends 200 before it asks, and an error as an event",
        StreamFault::SaysSuccess,
    ),
    meddled("sorts-members", "writes the members of a body in alphabetical order", |out| {
        out.edit(|body| {
            if let Tree::Object(members) = body {
                members.sort_by(|one, other| one.0.cmp(&other.0));
            }
        });
    }),
    meddled("spells-defaults", "adds `stream: false` to what is not streamed", |out| {
        out.edit(|body| {
            if let Tree::Object(members) = body
                && !members.iter().any(|(name, _)| name == "stream")
            {
                members.push(("stream".to_owned(), Tree::Scalar("false".to_owned())));
            }
        });
    })
    .also(&["FP-PAYLOAD-06"]),
    // Who never lets anybody rest never says that all do.
    each_group(
        "ignores-retry-after",
        "asks a deployment again before the time that it has asked for",
        |group| group.max_retry_after = Duration::ZERO,
    ),
    each_group(
        "ignores-cooldown",
        "never puts a deployment aside, however often it fails",
        |group| group.cooldown = None,
    )
    .also(&["FP-CLIENT-10"]),
    each_group("never-comes-back", "puts a deployment aside for ever", |group| {
        if let Some(cooldown) = &mut group.cooldown {
            cooldown.duration *= 1000;
        }
    })
    .also(&["FP-CLIENT-10"]),
    // The other group answers or fails in its own way, where all of the first one has failed.
    fronted(
        "crosses-groups",
        "asks another group when all of one has failed",
        Wrapper::CrossesGroups,
    )
    .also(&["FP-CLIENT-04", "FP-CLIENT-06", "FP-CLIENT-08", "FP-CLIENT-10", "FP-CLIENT-13"]),
    each_group(
        "ignores-length-chain",
        "does not ask the deployments that are there for long requests",
        |group| group.on_context_length.clear(),
    ),
    each_group(
        "ignores-filter-chain",
        "does not ask the deployments that are there for filtered requests",
        |group| group.on_content_filter.clear(),
    ),
    each_group("ignores-timeout", "waits ten times as long as it should", |group| {
        group.timeout *= 10;
        group.stream_idle_timeout *= 10;
    }),
    each_group("ignores-total-timeout", "walks the whole chain however long it takes", |group| {
        group.total_timeout = None;
    }),
    fronted(
        "outlives-the-client",
        "goes on with a call whose client has left",
        Wrapper::OutlivesClient,
    )
    .also(&["FP-CLIENT-11"]),
    meddled("drops-api-headers", "leaves out the headers that switch on parts of the API", |out| {
        out.headers.remove("openai-beta");
    }),
    spoiled(
        "forgets-the-rest",
        "answers 500 when all deployments are to be left alone",
        |answer| {
            if answer.body.windows(28).any(|it| it == b"all_deployments_cooling_down") {
                answer.head.status = StatusCode::INTERNAL_SERVER_ERROR;
                answer.head.headers.remove(RETRY_AFTER);
            }
        },
    ),
    fronted("leaves-hanging", "never answers a call that has failed", Wrapper::LeavesHanging),
    Saboteur::new(
        "keeps-failed-headers",
        "answers with the request id of the deployment that failed before",
        Fault::Remembering,
    ),
    // It is not what the deployment of this call has said.
    fronted(
        "mixes-up-answers",
        "gives a call the answer that another group's call got",
        Wrapper::MixesUp,
    )
    .also(&["FP-CLIENT-01", "FP-CLIENT-02", "FP-CLIENT-04", "FP-CLIENT-09"]),
];

const fn configured(name: &'static str, breaks: &'static str, means: fn(&mut Config)) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Configured(means))
}

const fn each_group(name: &'static str, breaks: &'static str, means: fn(&mut Group)) -> Saboteur {
    Saboteur::new(name, breaks, Fault::EachGroup(means))
}

const fn meddled(
    name: &'static str,
    breaks: &'static str,
    means: fn(&mut Outgoing<'_>),
) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Meddled(means))
}

const fn fronted(name: &'static str, breaks: &'static str, means: Wrapper) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Fronted(means))
}

const fn spoiled(name: &'static str, breaks: &'static str, means: fn(&mut Answer<'_>)) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Changed(means))
}

const fn passing(name: &'static str, breaks: &'static str, means: fn(&str) -> bool) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Passing(means))
}

/// What changes a stream reads it whole first, so a client that leaves within it is not answered.
const fn streams(name: &'static str, breaks: &'static str, tamper: StreamFault) -> Saboteur {
    fronted(name, breaks, Wrapper::Streams(tamper)).also(&["FP-CLIENT-11"])
}
