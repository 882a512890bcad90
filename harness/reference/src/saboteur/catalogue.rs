//! The catalogue of saboteurs.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use fallproof_router::{Condition, Config, Group};

use super::faults::{
    another_api_version, bearer_for_azure, drop_optional, escaped, invented_metadata, list_groups,
    looped_chain, mask, quote_address, reversed_chain, round_numbers, splice, stale_model,
    wrong_azure_path,
};
use super::framing::FramingFault;
use super::request_proxy::Outgoing;
use super::response_filter::Answer;
use super::stream::StreamFault;
use super::wrapper::Wrapper;
use super::{Fault, Saboteur};
use crate::REFERENCE_CLIENT_KEY;
use fallproof_protocol::coding::Coding;
use fallproof_protocol::json::Tree;

/// All saboteurs. The bug that started the project comes first.
pub(super) const ALL: &[Saboteur] = &[
    // The member is invented, and it also makes the attempts differ. A `model_group` that the
    // client sent is overwritten.
    requests(
        "invented-metadata",
        "adds metadata.model_group to every attempt except the first",
        invented_metadata,
    )
    .also(&["FP-PAYLOAD-03", "FP-PAYLOAD-05"]),
    requests("dropped-parameter", "drops one optional parameter from every attempt", drop_optional)
        .also(&["FP-PAYLOAD-06", "FP-PAYLOAD-09"]),
    // A number whose value does not change by rounding may still be spelled differently.
    requests("rounded-numbers", "rounds numbers to 64-bit floats", |out| {
        out.edit(round_numbers);
    })
    .also(&["FP-PAYLOAD-07"]),
    // The first deployment's model name may be a name that the operator chose.
    requests(
        "stale-model",
        "sends the first deployment's model name to all deployments",
        stale_model,
    )
    .also(&["FP-LEAK-05"]),
    requests(
        "leg-two-loses",
        "drops one optional parameter from every attempt except the first",
        |out| {
            if out.chain_index > 0 {
                drop_optional(out);
            }
        },
    )
    .also(&["FP-PAYLOAD-02", "FP-PAYLOAD-06", "FP-PAYLOAD-09"]),
    requests("respelled-body", "escapes every non-ASCII character", |out| {
        *out.body = escaped(out.body);
    }),
    // A reversed chain ends with the first deployment's failure, whatever the client sent.
    each_group("reversed-chain", "tries the chain in reverse order", reversed_chain).also(&[
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
        "starts over at the first deployment after the last one has failed",
        looped_chain,
    )
    .also(&["FP-ROUTE-05", "FP-ROUTE-15"]),
    // The remaining deployments are all fallbacks. If one of them has answered, it is called again.
    wrapped(
        "asks-everyone",
        "calls the remaining deployments after one has answered",
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
        "FP-STREAM-05",
        "FP-STREAM-06",
    ]),
    // Repeating the call repeats the complete chain.
    wrapped(
        "retries-everything",
        "repeats a failed call once, whatever the failure was",
        Wrapper::AsksAgain,
    )
    .also(&["FP-ROUTE-01", "FP-ROUTE-04", "FP-ROUTE-05", "FP-ROUTE-13"]),
    wrapped(
        "forgets-conversations",
        "sends a call with previous_response_id to the first deployment of the chain",
        Wrapper::ForgetsIssuers,
    ),
    each_group(
        "wrong-azure-path",
        "calls the Azure v1 surface with the paths of the legacy surface",
        wrong_azure_path,
    ),
    each_group(
        "another-api-version",
        "calls the legacy Azure surface with a different API version",
        another_api_version,
    ),
    each_group(
        "gives-up",
        "returns the first deployment's failure instead of falling back",
        |group| {
            group.fallback_on.clear();
        },
    )
    .also(&["FP-CONTROL-01", "FP-CONTROL-02", "FP-STREAM-11"]),
    each_group(
        "retries-refusals",
        "falls back after a deployment has rejected the request with 400",
        |group| group.fallback_on.push(Condition::Status(400)),
    ),
    each_group("over-retries", "retries each deployment two times more than configured", |group| {
        group.retries += 2;
    }),
    requests("bearer-for-azure", "sends an Azure key as a bearer token", bearer_for_azure),
    requests(
        "first-key-everywhere",
        "sends the first deployment's credential to all deployments",
        |out| {
            let first = &out.group.chain[0].key;
            out.header("x-provider-key", first);
        },
    ),
    requests("forwards-client-key", "forwards the client's gateway key to the providers", |out| {
        out.header("x-forwarded-authorization", REFERENCE_CLIENT_KEY);
    }),
    configured("lets-everybody-in", "does not require a client key", |config| {
        config.client_keys = None;
    }),
    wrapped("quotes-the-key", "exposes a provider's key in a response header", Wrapper::QuotesKey),
    forwards("passes-connection-headers", "forwards hop-by-hop headers of the client", |name| {
        ["proxy-authorization", "te", "x-hop"].contains(&name)
    }),
    forwards(
        "passes-cookies",
        "forwards the client's cookies and IP address to the providers",
        |name| {
            let others = ["cookie", "x-azure-clientip", "x-envoy-external-address"];
            name.ends_with("-ip") || name.contains("forwarded") || others.contains(&name)
        },
    ),
    forwards("passes-control-headers", "forwards headers for gateways to the providers", |name| {
        name.starts_with("x-litellm-") || name.starts_with("x-portkey-")
    }),
    requests("json-as-text", "labels its JSON requests as plain text", |out| {
        if out.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
            out.header("content-type", "text/plain");
        }
    }),
    responses(
        "cuts-answers",
        "returns only the first half of each successful response",
        |answer| {
            if answer.succeeds() {
                answer.body.truncate(answer.body.len() / 2);
            }
        },
    ),
    responses("loses-usage", "removes `usage` from its responses", |answer| {
        answer.edit(|body| {
            if let Tree::Object(members) = body {
                members.retain(|(name, _)| name != "usage");
            }
        });
    }),
    // Prepended text changes the response. In the response to a moderation, the id is the only
    // text.
    responses(
        "splices-answers",
        "prepends text of the first deployment to the response of another",
        splice,
    )
    .also(&["FP-CLIENT-01", "FP-CLIENT-02"]),
    // This also turns rejected client keys and failed streams into successes.
    responses(
        "failure-as-success",
        "returns 200 with the body `null` when every deployment has failed",
        |answer| {
            if !answer.succeeds() {
                answer.replace(StatusCode::OK, "application/json", "null");
            }
        },
    )
    .also(&["FP-AUTH-05", "FP-STREAM-10", "FP-STREAM-12"]),
    responses("plain-text-errors", "reports errors as plain text", |answer| {
        if !answer.succeeds() {
            let status = answer.head.status;
            answer.replace(status, "text/plain", "Something went wrong.");
        }
    }),
    responses("blames-the-client", "returns 400 when the providers are down", |answer| {
        if answer.head.status.is_server_error() {
            answer.head.status = StatusCode::BAD_REQUEST;
        }
    })
    .also(&["FP-CLIENT-10"]),
    wrapped("fails-on-null", "returns 500 if a field of the body is null", Wrapper::FailsOnNull),
    wrapped(
        "fails-on-wrong-types",
        "returns 500 if `user` is not a string, or `metadata` not an object",
        Wrapper::FailsOnTypes,
    ),
    responses("fails-after-an-answer", "returns 500 when a provider has answered", |answer| {
        if answer.succeeds() {
            let error = r#"{"error":{"message":"Failed to convert.","type":"server_error"}}"#;
            answer.replace(StatusCode::INTERNAL_SERVER_ERROR, "application/json", error);
        }
    }),
    // This also removes the router's own Retry-After.
    responses("loses-retry-after", "drops the provider's Retry-After header", |answer| {
        answer.head.headers.remove(RETRY_AFTER);
    })
    .also(&["FP-CLIENT-10"]),
    responses(
        "masks-refusals",
        "replaces the message of every 4xx error with a generic one",
        |answer| {
            if answer.head.status.is_client_error() {
                answer.edit(mask);
            }
        },
    ),
    wrapped(
        "streams-as-first-model",
        "names the first deployment's model in each stream, whichever one answered",
        Wrapper::ClaimsFirstModel,
    )
    .also(&["FP-CLIENT-11", "FP-STREAM-15"]),
    responses(
        "claims-first-model",
        "names the first deployment's model, whichever one answered",
        |answer| {
            if answer.succeeds() {
                let first = answer.group.chain[0].deployment_name.clone();
                answer.edit(|body| *body = body.with("model", &first));
            }
        },
    ),
    // The fallbacks are called as if they were the complete chain.
    wrapped(
        "obeys-metadata",
        "skips the first deployment if the client's metadata names a group",
        Wrapper::ObeysMetadata,
    )
    .also(&["FP-ROUTE-01"]),
    // The fallbacks are called as if they were the complete chain.
    wrapped(
        "obeys-headers",
        "skips the first deployment if the client sends another gateway's header",
        Wrapper::ObeysHeader,
    )
    .also(&["FP-ROUTE-01"]),
    forwards(
        "passes-client-keys",
        "forwards a client's key for another service to the providers",
        |name| name == "x-api-key",
    ),
    responses(
        "quotes-the-address",
        "exposes the last deployment's address in error messages",
        quote_address,
    ),
    responses(
        "names-the-deployment",
        "exposes the first deployment's address in a response header",
        |answer| {
            let host = answer.group.chain[0].host.clone();
            answer.header("x-deployment", &host);
        },
    ),
    requests(
        "names-the-others",
        "sends each provider the name of the previous deployment",
        |out| {
            let before = out.chain_index.checked_sub(1).and_then(|it| out.group.chain.get(it));
            if let Some(name) = before.map(|before| before.deployment_name.clone()) {
                out.header("x-previous-deployment", &name);
            }
        },
    ),
    responses("shows-its-stack", "adds a stack trace to each error message", |answer| {
        answer.add_to_error("Traceback (most recent call last): KeyError: 'choices'");
    }),
    responses("lists-all-groups", "lists all groups in each error message", list_groups),
    streams(
        "shows-its-stack-in-streams",
        "adds a stack trace to the error of a broken stream",
        StreamFault::ShowsStack,
    ),
    streams(
        "names-groups-in-streams",
        "lists the other groups in the error of a broken stream",
        StreamFault::NamesGroups,
    ),
    requests(
        "tells-the-chain",
        "sends each provider the address of the last deployment in the chain",
        |out| {
            if let Some(last) = out.group.chain.last() {
                out.header("x-next-hop", &last.host);
            }
        },
    ),
    requests("stamps-the-group", "sends the providers its internal group name", |out| {
        let group = &out.group.model;
        out.header("x-model-group", group);
    }),
    streams("loses-content", "drops the first content of each stream", StreamFault::LosesContent),
    streams(
        "doubles-content",
        "sends the first content of each stream twice",
        StreamFault::DoublesContent,
    ),
    streams(
        "reorders-events",
        "swaps the first content of each stream with the next event",
        StreamFault::Reorders,
    ),
    streams("respelled-events", "respells the JSON of each event", StreamFault::Respells),
    streams(
        "breaks-characters",
        "decodes each chunk of a stream separately, even within a character",
        StreamFault::ManglesCharacters,
    ),
    streams(
        "begins-twice",
        "sends the first event of a stream before it knows which deployment answers",
        StreamFault::BeginsTwice,
    ),
    // Joining two responses requires two attempts.
    streams(
        "splices-streams",
        "appends the next deployment's response to a broken stream",
        StreamFault::Splices,
    )
    .also(&["FP-CLIENT-11", "FP-STREAM-06", "FP-STREAM-07", "FP-STREAM-15"]),
    streams(
        "restarts-numbers",
        "numbers the events of a stream from 0 again after the first content",
        StreamFault::RestartsNumbers,
    ),
    streams(
        "blames-the-request",
        "reports a broken stream as the client's mistake",
        StreamFault::BlamesRequest,
    ),
    streams(
        "asks-on-after-content",
        "calls the next deployment after a stream has broken, and discards the response",
        StreamFault::AsksOn,
    ),
    streams(
        "swallows-the-break",
        "ends a broken stream without an error",
        StreamFault::SwallowsBreak,
    ),
    streams(
        "pretends-whole",
        "ends a broken stream with a finish reason and [DONE]",
        StreamFault::PretendsWhole,
    ),
    streams(
        "makes-up-done",
        "sends [DONE] before the error of a broken stream",
        StreamFault::MakesUpEnd,
    ),
    streams("loses-done", "drops the event that marks a stream as complete", StreamFault::LosesEnd),
    streams("adds-usage", "ends each stream with a usage chunk", StreamFault::AddsUsage),
    streams("streams-as-json", "labels streams as JSON", StreamFault::NamesJson),
    each_group(
        "misses-stream-errors",
        "treats an error at the start of a stream as an answer",
        |group| group.fallback_on.retain(|condition| *condition != Condition::ErrorInSuccess),
    ),
    streams(
        "success-before-it-is-known",
        "sends 200 before calling a deployment, and errors as events",
        StreamFault::SaysSuccess,
    ),
    requests("sorts-members", "sorts the members of a body alphabetically", |out| {
        out.edit(|body| {
            if let Tree::Object(members) = body {
                members.sort_by(|one, other| one.0.cmp(&other.0));
            }
        });
    }),
    requests("spells-defaults", "adds `stream: false` to non-streaming requests", |out| {
        out.edit(|body| {
            if let Tree::Object(members) = body
                && !members.iter().any(|(name, _)| name == "stream")
            {
                members.push(("stream".to_owned(), Tree::Scalar("false".to_owned())));
            }
        });
    })
    .also(&["FP-PAYLOAD-06"]),
    each_group(
        "ignores-retry-after",
        "calls a deployment again before its Retry-After has passed",
        |group| group.max_retry_after = Duration::ZERO,
    ),
    // Without cooldowns, the router never reports that all deployments are cooling down.
    each_group(
        "ignores-cooldown",
        "never cools down a deployment, however often it fails",
        |group| group.cooldown = None,
    )
    .also(&["FP-CLIENT-10"]),
    each_group("never-comes-back", "cools down a deployment forever", |group| {
        if let Some(cooldown) = &mut group.cooldown {
            cooldown.duration *= 1000;
        }
    })
    .also(&["FP-CLIENT-10"]),
    // The other group may answer, or fail in a different way than the first group.
    wrapped(
        "crosses-groups",
        "calls another group after all deployments of one have failed",
        Wrapper::CrossesGroups,
    )
    .also(&[
        "FP-CLIENT-04",
        "FP-CLIENT-06",
        "FP-CLIENT-08",
        "FP-CLIENT-10",
        "FP-CLIENT-13",
        "FP-PAYLOAD-03",
        "FP-PAYLOAD-05",
        "FP-ROUTE-02",
        "FP-ROUTE-05",
        "FP-STREAM-12",
    ]),
    each_group(
        "ignores-length-chain",
        "ignores the fallbacks configured for long requests",
        |group| group.on_context_length.clear(),
    ),
    each_group(
        "ignores-filter-chain",
        "ignores the fallbacks configured for filtered requests",
        |group| group.on_content_filter.clear(),
    ),
    each_group("ignores-timeout", "waits ten times as long as the configured timeout", |group| {
        group.timeout *= 10;
        group.stream_idle_timeout *= 10;
    })
    .also(&["FP-CLIENT-11", "FP-ROUTE-03"]),
    each_group(
        "ignores-total-timeout",
        "tries the complete chain, however long it takes",
        |group| {
            group.total_timeout = None;
        },
    )
    .also(&["FP-CLIENT-11"]),
    wrapped(
        "outlives-the-client",
        "continues a call after its client has disconnected",
        Wrapper::OutlivesClient,
    )
    .also(&["FP-CLIENT-11"]),
    requests("drops-api-headers", "drops headers that enable features of the API", |out| {
        out.headers.remove("openai-beta");
    }),
    each_group(
        "settings-only-first",
        "sends headers and query of a deployment only to the first one",
        |group| {
            for fallback in &mut group.fallbacks {
                fallback.headers.clear();
                fallback.query.clear();
            }
        },
    ),
    each_group("loses-query", "sends no query parameters that are configured", |group| {
        group.primary.query.clear();
        for fallback in &mut group.fallbacks {
            fallback.query.clear();
        }
    }),
    each_group(
        "first-settings-everywhere",
        "sends the headers of the first deployment to all of them",
        |group| {
            for fallback in &mut group.fallbacks {
                for (name, value) in &group.primary.headers {
                    fallback.headers.insert(name, value.clone());
                }
            }
        },
    ),
    responses("forgets-the-rest", "returns 500 while all deployments are cooling down", |answer| {
        if answer.body.windows(28).any(|it| it == b"all_deployments_cooling_down") {
            answer.head.status = StatusCode::INTERNAL_SERVER_ERROR;
            answer.head.headers.remove(RETRY_AFTER);
        }
    }),
    wrapped("leaves-hanging", "never responds to a failed call", Wrapper::LeavesHanging),
    Saboteur::new(
        "keeps-failed-headers",
        "returns the request id of the deployment that failed before",
        Fault::StaleRequestId,
    ),
    streams("loses-large-events", "drops events of more than 64 KiB", StreamFault::LosesLarge)
        .also(&["FP-CLIENT-11", "FP-STREAM-08", "FP-STREAM-15"]),
    wrapped(
        "limits-streams",
        "aborts a stream after the configured timeout, even if its events keep coming",
        Wrapper::LimitsStreams,
    )
    // A fallback after a timeout begins too late.
    .also(&["FP-CLIENT-11"]),
    streams("buffers-streams", "sends a stream only when it is complete", StreamFault::Buffers),
    responses("claims-gzip", "labels its plain responses as gzip", |answer| {
        answer.header("content-encoding", "gzip");
    }),
    streams("claims-gzip-in-streams", "labels its plain streams as gzip", StreamFault::ClaimsGzip),
    responses("unlabeled-gzip", "packs its responses without saying so", |answer| {
        *answer.body = Coding::Gzip.packed([&**answer.body]).concat();
    }),
    responses("packs-anyway", "packs its responses whatever the client accepts", |answer| {
        *answer.body = Coding::Gzip.packed([&**answer.body]).concat();
        answer.header("content-encoding", "gzip");
    }),
    wrapped("chokes-on-gzip", "fails when a client packs its body", Wrapper::ChokesOnCoding),
    requests("mislabels-attempts", "labels its plain requests as gzip", |out| {
        out.header("content-encoding", "gzip");
    }),
    framing(
        "answers-twice",
        "sends a second response after each complete one",
        FramingFault::AnswersTwice,
    ),
    framing(
        "frames-twice",
        "sends a content-length with each chunked response",
        FramingFault::FramesTwice,
    ),
    framing(
        "names-a-coding",
        "says that the chunks of its responses are in gzip",
        FramingFault::NamesCoding,
    ),
    // It cannot distinguish a connection lost before the call from one lost during the call.
    Saboteur::new(
        "trusts-connections",
        "keeps connections open, and gives up a call whose connection is gone",
        Fault::TrustedConnections,
    )
    .also(&["FP-CLIENT-06", "FP-ROUTE-03"]),
    // If several attempts arrive after a failure, it lets only one through.
    Saboteur::new(
        "stuck-half-open",
        "waits forever for the end of a trial that neither succeeded nor failed",
        Fault::StuckTrial,
    ),
    // The response does not come from the deployment of this call.
    wrapped("mixes-up-answers", "returns the response of another group's call", Wrapper::MixesUp)
        .also(&[
            "FP-CLIENT-01",
            "FP-CLIENT-02",
            "FP-CLIENT-04",
            "FP-CLIENT-09",
            "FP-STREAM-01",
            "FP-STREAM-08",
        ]),
];

const fn configured(name: &'static str, breaks: &'static str, fault: fn(&mut Config)) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Configured(fault))
}

const fn each_group(name: &'static str, breaks: &'static str, fault: fn(&mut Group)) -> Saboteur {
    Saboteur::new(name, breaks, Fault::EachGroup(fault))
}

const fn requests(
    name: &'static str,
    breaks: &'static str,
    fault: fn(&mut Outgoing<'_>),
) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Requests(fault))
}

const fn wrapped(name: &'static str, breaks: &'static str, fault: Wrapper) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Wrapped(fault))
}

const fn responses(
    name: &'static str,
    breaks: &'static str,
    fault: fn(&mut Answer<'_>),
) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Responses(fault))
}

const fn framing(name: &'static str, breaks: &'static str, fault: FramingFault) -> Saboteur {
    Saboteur::new(name, breaks, Fault::Framing(fault))
}

const fn forwards(name: &'static str, breaks: &'static str, fault: fn(&str) -> bool) -> Saboteur {
    Saboteur::new(name, breaks, Fault::ForwardedHeaders(fault))
}

/// The wrapper reads the complete stream before it sends anything, so a client that disconnects
/// during the stream gets nothing.
const fn streams(name: &'static str, breaks: &'static str, fault: StreamFault) -> Saboteur {
    wrapped(name, breaks, Wrapper::Streams(fault)).also(&["FP-CLIENT-11", "FP-STREAM-15"])
}
