//! The codes of all requirements, in document order.
//!
//! Generated from scenarios/requirements.yaml: UPDATE=1 cargo test --test harness codes
#![allow(clippy::doc_markdown, reason = "the sentences are for readers of YAML, too")]

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The code of a requirement. Codes are ordered like the requirements.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
pub enum Code {
    /// No attempt carries a body field that the client did not send.
    #[strum(serialize = "FP-PAYLOAD-01")]
    Payload01,
    /// No attempt lacks a body field that the client sent.
    #[strum(serialize = "FP-PAYLOAD-02")]
    Payload02,
    /// Every value in an attempt equals the value the client sent; numbers are compared exactly.
    #[strum(serialize = "FP-PAYLOAD-03")]
    Payload03,
    /// The `model` of each attempt is the model name of the attempt's deployment.
    #[strum(serialize = "FP-PAYLOAD-04")]
    Payload04,
    /// Every later attempt carries the same body as the first one, except for `model`.
    #[strum(serialize = "FP-PAYLOAD-05")]
    Payload05,
    /// A request that is valid when the client sends it is valid for the provider at every attempt.
    #[strum(serialize = "FP-PAYLOAD-06")]
    Payload06,
    /// Every value in an attempt is written exactly as the client wrote it.
    #[strum(serialize = "FP-PAYLOAD-07")]
    Payload07,
    /// The fields of an attempt are in the order in which the client sent them.
    #[strum(serialize = "FP-PAYLOAD-08")]
    Payload08,
    /// No attempt adds a default that the client omitted or drops a default that the client spelled out.
    #[strum(serialize = "FP-PAYLOAD-09")]
    Payload09,
    /// Deployments are tried in chain order, and none is tried again once the next one has been tried.
    #[strum(serialize = "FP-ROUTE-01")]
    Route01,
    /// No further attempt is made after a deployment has answered successfully.
    #[strum(serialize = "FP-ROUTE-02")]
    Route02,
    /// When a deployment fails without a complete answer, or with 408, 429 or 5xx, the call falls back to the next deployment.
    #[strum(serialize = "FP-ROUTE-03")]
    Route03,
    /// A request that a provider rejects as the client's mistake (400, 413, 422) is not retried and not sent to another deployment.
    #[strum(serialize = "FP-ROUTE-04")]
    Route04,
    /// Each deployment gets at most 1 + `retries` attempts per call.
    #[strum(serialize = "FP-ROUTE-05")]
    Route05,
    /// After a deployment answers 429 or 503 with `Retry-After` or `retry-after-ms`, it gets no attempt until the requested time has passed; the group's limit caps that time.
    #[strum(serialize = "FP-ROUTE-06")]
    Route06,
    /// A deployment that reaches the group's limit of consecutive failures gets no attempt during its cooldown.
    #[strum(serialize = "FP-ROUTE-07")]
    Route07,
    /// After its cooldown, a deployment is tried again in chain order.
    #[strum(serialize = "FP-ROUTE-08")]
    Route08,
    /// A call is sent only to deployments of the model group that it names.
    #[strum(serialize = "FP-ROUTE-09")]
    Route09,
    /// A request that a provider rejects as too long goes to the group's context-length fallback chain.
    #[strum(serialize = "FP-ROUTE-10")]
    Route10,
    /// A request that a content filter rejects goes to the group's content-filter fallback chain.
    #[strum(serialize = "FP-ROUTE-11")]
    Route11,
    /// An attempt that exceeds the group's timeout is aborted.
    #[strum(serialize = "FP-ROUTE-12")]
    Route12,
    /// No attempt starts after the group's total timeout for a call has passed.
    #[strum(serialize = "FP-ROUTE-13")]
    Route13,
    /// A call that continues an earlier response goes first to the deployment that produced it.
    #[strum(serialize = "FP-ROUTE-14")]
    Route14,
    /// Within a call, a deployment is not tried again after it has rejected the gateway's credential or model name (401, 403, 404), and not immediately after a 429.
    #[strum(serialize = "FP-ROUTE-15")]
    Route15,
    /// Every attempt goes to a path that its provider serves.
    #[strum(serialize = "FP-ROUTE-16")]
    Route16,
    /// An attempt at Azure's dated API uses the API version configured for its deployment.
    #[strum(serialize = "FP-ROUTE-17")]
    Route17,
    /// If the connection for an attempt turns out to be closed by the deployment or lost in the network, the attempt is made again on a new connection, or the call falls back.
    #[strum(serialize = "FP-ROUTE-18")]
    Route18,
    /// The client gets the events of a stream in the provider's order and with equal content; none is lost, invented or duplicated.
    #[strum(serialize = "FP-STREAM-01")]
    Stream01,
    /// The data of each event is written exactly as the provider wrote it.
    #[strum(serialize = "FP-STREAM-02")]
    Stream02,
    /// A character whose bytes arrive in several pieces reaches the client intact.
    #[strum(serialize = "FP-STREAM-03")]
    Stream03,
    /// A fallback before the first content is invisible in the stream: the stream starts once and contains nothing of the failed attempts.
    #[strum(serialize = "FP-STREAM-04")]
    Stream04,
    /// No stream mixes content of two attempts.
    #[strum(serialize = "FP-STREAM-05")]
    Stream05,
    /// After a stream has broken, no further attempt is made if the client has already received content.
    #[strum(serialize = "FP-STREAM-06")]
    Stream06,
    /// A stream that breaks after its first content ends with an error event or an aborted connection.
    #[strum(serialize = "FP-STREAM-07")]
    Stream07,
    /// `[DONE]`, `response.completed` and a finish reason reach the client if and only if the provider sent them.
    #[strum(serialize = "FP-STREAM-08")]
    Stream08,
    /// A chat or completions stream reports token usage only if the client requested it.
    #[strum(serialize = "FP-STREAM-09")]
    Stream09,
    /// A stream has the content type `text/event-stream`.
    #[strum(serialize = "FP-STREAM-10")]
    Stream10,
    /// When a stream has an error event before its first content, or the response is a single error instead of a stream, the call falls back to the next deployment.
    #[strum(serialize = "FP-STREAM-11")]
    Stream11,
    /// When every attempt at a stream fails before its first content, the client gets an error status.
    #[strum(serialize = "FP-STREAM-12")]
    Stream12,
    /// When the client disconnects, the attempt made for its call is canceled.
    #[strum(serialize = "FP-STREAM-13")]
    Stream13,
    /// An error event about a provider's failure does not have the type or status of a client's mistake.
    #[strum(serialize = "FP-STREAM-14")]
    Stream14,
    /// An event of a stream reaches the client before the deployment sends the rest of the stream, not together with later events.
    #[strum(serialize = "FP-STREAM-15")]
    Stream15,
    /// A stream whose events come faster than the group's timeout is not aborted, however long it takes.
    #[strum(serialize = "FP-STREAM-16")]
    Stream16,
    /// Each attempt carries the credential of its own deployment, in the form its provider expects.
    #[strum(serialize = "FP-AUTH-01")]
    Auth01,
    /// No attempt carries the credential of another deployment anywhere.
    #[strum(serialize = "FP-AUTH-02")]
    Auth02,
    /// No provider receives the client's key for the gateway.
    #[strum(serialize = "FP-AUTH-03")]
    Auth03,
    /// No response to the client contains a credential.
    #[strum(serialize = "FP-AUTH-04")]
    Auth04,
    /// A client without a key issued by the gateway is rejected, and its call reaches no provider.
    #[strum(serialize = "FP-AUTH-05")]
    Auth05,
    /// The client's hop-by-hop headers do not reach a provider: `te`, `keep-alive`, `upgrade`, `proxy-*`, and every header named in the client's `connection` header.
    #[strum(serialize = "FP-HEADER-01")]
    Header01,
    /// No cookie and no address of the client reaches a provider.
    #[strum(serialize = "FP-HEADER-02")]
    Header02,
    /// No header that controls or describes a gateway reaches a provider.
    #[strum(serialize = "FP-HEADER-03")]
    Header03,
    /// Each attempt with a JSON body has exactly one `content-type` header, with the value `application/json`.
    #[strum(serialize = "FP-HEADER-04")]
    Header04,
    /// A header that enables a provider API feature is forwarded with each attempt.
    #[strum(serialize = "FP-HEADER-05")]
    Header05,
    /// Each attempt carries the organization, project, headers and query parameters configured for its deployment, and none configured for another deployment.
    #[strum(serialize = "FP-HEADER-06")]
    Header06,
    /// A successful response contains all the content of the provider's answer, with equal values.
    #[strum(serialize = "FP-CLIENT-01")]
    Client01,
    /// A successful response preserves the provider's metadata except `model`: ID, usage, finish reason, filter results and all other fields.
    #[strum(serialize = "FP-CLIENT-02")]
    Client02,
    /// No response mixes content of two deployments.
    #[strum(serialize = "FP-CLIENT-03")]
    Client03,
    /// When no attempt has succeeded, the client gets no 2xx.
    #[strum(serialize = "FP-CLIENT-04")]
    Client04,
    /// An error is JSON with an `error` object that has a `message`, as in OpenAI's API.
    #[strum(serialize = "FP-CLIENT-05")]
    Client05,
    /// The status of an error matches the failure of an attempt: 4xx for a rejected request; 429 or 503 for overload; 408, 429 or 5xx for a provider failure.
    #[strum(serialize = "FP-CLIENT-06")]
    Client06,
    /// When the last attempted deployment answers 429 or 503 with `Retry-After` or `retry-after-ms`, the client gets a `Retry-After` that is at least as long, or that lasts until the first deployment of the chain is back.
    #[strum(serialize = "FP-CLIENT-07")]
    Client07,
    /// When a provider rejects the request, the error returned to the client contains the provider's message.
    #[strum(serialize = "FP-CLIENT-08")]
    Client08,
    /// A response does not name the model of a deployment other than the one that produced it.
    #[strum(serialize = "FP-CLIENT-09")]
    Client09,
    /// While all deployments are cooling down, the client gets 429 or 503 with a `Retry-After` that lasts until the first cooldown ends.
    #[strum(serialize = "FP-CLIENT-10")]
    Client10,
    /// Every call gets a response.
    #[strum(serialize = "FP-CLIENT-11")]
    Client11,
    /// No header from a failed deployment's response appears in the response from another deployment.
    #[strum(serialize = "FP-CLIENT-12")]
    Client12,
    /// No response contains content from a deployment of another model group.
    #[strum(serialize = "FP-CLIENT-13")]
    Client13,
    /// Responses and attempts have the content coding that their `content-encoding` names; the client accepts the coding of its response; a call with an encoded body does not fail with 5xx before an attempt.
    #[strum(serialize = "FP-CLIENT-14")]
    Client14,
    /// A response is HTTP, says in only one way where its body ends, and nothing follows that end.
    #[strum(serialize = "FP-CLIENT-15")]
    Client15,
    /// No field in a client's body changes which deployments are tried, or in what order.
    #[strum(serialize = "FP-CONTROL-01")]
    Control01,
    /// No gateway control header sent by a client changes which deployments are tried, or in what order.
    #[strum(serialize = "FP-CONTROL-02")]
    Control02,
    /// No header of an attempt contains an API key that the client sent for another service.
    #[strum(serialize = "FP-CONTROL-03")]
    Control03,
    /// No response body, including an error, shows the address of a deployment.
    #[strum(serialize = "FP-LEAK-01")]
    Leak01,
    /// No attempt carries the address of another deployment.
    #[strum(serialize = "FP-LEAK-02")]
    Leak02,
    /// No attempt carries the gateway's internal name of the model group, unless the client sent it.
    #[strum(serialize = "FP-LEAK-03")]
    Leak03,
    /// No response header shows the address of a deployment.
    #[strum(serialize = "FP-LEAK-04")]
    Leak04,
    /// No attempt carries the name that the operator gave to another deployment.
    #[strum(serialize = "FP-LEAK-05")]
    Leak05,
    /// No response shows a stack trace, a source path or an error of the gateway's own program.
    #[strum(serialize = "FP-LEAK-06")]
    Leak06,
    /// No response body names another model group or its deployments, unless the client or a provider sent the name first.
    #[strum(serialize = "FP-LEAK-07")]
    Leak07,
}
