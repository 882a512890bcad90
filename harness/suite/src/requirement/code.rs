//! The codes of all requirements, in the order of their document.
//!
//! Made from scenarios/requirements.yaml: UPDATE=1 cargo test --test harness codes
#![allow(clippy::doc_markdown, reason = "the sentences are for readers of YAML, too")]

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The code of a requirement; codes are ordered as the requirements are.
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
    /// No attempt carries a body member that the client did not send.
    #[strum(serialize = "FP-PAYLOAD-01")]
    Payload01,
    /// No attempt lacks a body member that the client sent.
    #[strum(serialize = "FP-PAYLOAD-02")]
    Payload02,
    /// Every value of an attempt equals the value that the client sent, numbers exactly.
    #[strum(serialize = "FP-PAYLOAD-03")]
    Payload03,
    /// The `model` of an attempt is the name that its own deployment goes by.
    #[strum(serialize = "FP-PAYLOAD-04")]
    Payload04,
    /// A later attempt carries the same body as the first one, except for `model`.
    #[strum(serialize = "FP-PAYLOAD-05")]
    Payload05,
    /// A request that is valid as the client sent it is valid for its provider at every attempt.
    #[strum(serialize = "FP-PAYLOAD-06")]
    Payload06,
    /// Every value of an attempt is spelled as the client spelled it.
    #[strum(serialize = "FP-PAYLOAD-07")]
    Payload07,
    /// The members of an attempt stand in the order in which the client sent them.
    #[strum(serialize = "FP-PAYLOAD-08")]
    Payload08,
    /// No attempt spells out a default that the client left out, or leaves out one that it spelled out.
    #[strum(serialize = "FP-PAYLOAD-09")]
    Payload09,
    /// Deployments are asked in the order of the chain, and none again once the next was asked.
    #[strum(serialize = "FP-ROUTE-01")]
    Route01,
    /// Nothing is sent once a deployment has answered with success.
    #[strum(serialize = "FP-ROUTE-02")]
    Route02,
    /// A deployment that fails without a complete answer, or with 408, 429 or 5xx, hands over to the next one.
    #[strum(serialize = "FP-ROUTE-03")]
    Route03,
    /// A request that a provider refuses as the client's own mistake (400, 413, 422) is sent to no other deployment and not again.
    #[strum(serialize = "FP-ROUTE-04")]
    Route04,
    /// A deployment is asked at most once more than `retries` says.
    #[strum(serialize = "FP-ROUTE-05")]
    Route05,
    /// A deployment that asked with its 429 or 503 to be left alone gets no attempt before that time is over, as far as the group's limit goes.
    #[strum(serialize = "FP-ROUTE-06")]
    Route06,
    /// A deployment that has failed as often in a row as the group's cooldown says gets no attempt for as long as it says.
    #[strum(serialize = "FP-ROUTE-07")]
    Route07,
    /// A deployment whose rest is over is asked again in its turn.
    #[strum(serialize = "FP-ROUTE-08")]
    Route08,
    /// A call is sent to deployments of the group that it asked for, and to no others.
    #[strum(serialize = "FP-ROUTE-09")]
    Route09,
    /// A request that a provider refuses as too long goes on to the chain that its group has for that.
    #[strum(serialize = "FP-ROUTE-10")]
    Route10,
    /// A request that a content filter refuses goes on to the chain that its group has for that.
    #[strum(serialize = "FP-ROUTE-11")]
    Route11,
    /// An attempt that takes longer than the group's time limit is given up.
    #[strum(serialize = "FP-ROUTE-12")]
    Route12,
    /// No attempt begins after the time that the group has for a whole call.
    #[strum(serialize = "FP-ROUTE-13")]
    Route13,
    /// A call that goes on from an earlier response is sent first to the deployment that gave it.
    #[strum(serialize = "FP-ROUTE-14")]
    Route14,
    /// Within one call a deployment is not asked again after it has refused the gateway's credential or its model's name (401, 403, 404), nor at once after it has had too many calls (429).
    #[strum(serialize = "FP-ROUTE-15")]
    Route15,
    /// Every attempt goes to a path that its provider has.
    #[strum(serialize = "FP-ROUTE-16")]
    Route16,
    /// An attempt at Azure's dated surface asks for the API version that its deployment is configured with.
    #[strum(serialize = "FP-ROUTE-17")]
    Route17,
    /// The events of a stream reach the client in the provider's order and with equal content: none is lost, invented or sent twice.
    #[strum(serialize = "FP-STREAM-01")]
    Stream01,
    /// The data of each event is spelled as the provider spelled it.
    #[strum(serialize = "FP-STREAM-02")]
    Stream02,
    /// A character whose bytes arrive in several pieces reaches the client whole.
    #[strum(serialize = "FP-STREAM-03")]
    Stream03,
    /// A fallback before the first content is invisible in the stream: it has one beginning, and nothing of the attempts that failed.
    #[strum(serialize = "FP-STREAM-04")]
    Stream04,
    /// No stream has content of two attempts.
    #[strum(serialize = "FP-STREAM-05")]
    Stream05,
    /// Once the client has content of a stream that broke, no other attempt is made.
    #[strum(serialize = "FP-STREAM-06")]
    Stream06,
    /// A stream that breaks after its first content tells the client so, by an error event or by an aborted connection.
    #[strum(serialize = "FP-STREAM-07")]
    Stream07,
    /// `[DONE]`, `response.completed` and a finish reason reach the client if and only if the provider sent them.
    #[strum(serialize = "FP-STREAM-08")]
    Stream08,
    /// A stream of choices has a usage chunk only if the client asked for it.
    #[strum(serialize = "FP-STREAM-09")]
    Stream09,
    /// A stream comes with the content type `text/event-stream`.
    #[strum(serialize = "FP-STREAM-10")]
    Stream10,
    /// An error event before the first content of a stream, or one error in its place, hands over to the next deployment.
    #[strum(serialize = "FP-STREAM-11")]
    Stream11,
    /// Where every attempt at a stream fails before its first content, the client gets the status of an error.
    #[strum(serialize = "FP-STREAM-12")]
    Stream12,
    /// When the client leaves, the attempt that was made for it ends.
    #[strum(serialize = "FP-STREAM-13")]
    Stream13,
    /// Each attempt carries its own deployment's credential in its provider's form.
    #[strum(serialize = "FP-AUTH-01")]
    Auth01,
    /// No attempt carries the credential of another deployment, in any place.
    #[strum(serialize = "FP-AUTH-02")]
    Auth02,
    /// The key that the client gave to the gateway reaches no provider.
    #[strum(serialize = "FP-AUTH-03")]
    Auth03,
    /// No credential shows in an answer to the client.
    #[strum(serialize = "FP-AUTH-04")]
    Auth04,
    /// A client without a key that the gateway gave out is refused, and reaches no provider.
    #[strum(serialize = "FP-AUTH-05")]
    Auth05,
    /// No header of the client's own connection reaches a provider: not `te`, `keep-alive`, `upgrade`, `proxy-*`, nor what its `connection` header names.
    #[strum(serialize = "FP-HEADER-01")]
    Header01,
    /// No cookie and no address of the client reaches a provider.
    #[strum(serialize = "FP-HEADER-02")]
    Header02,
    /// No header that steers or describes a gateway reaches a provider.
    #[strum(serialize = "FP-HEADER-03")]
    Header03,
    /// Each attempt that carries JSON says once that it is `application/json`.
    #[strum(serialize = "FP-HEADER-04")]
    Header04,
    /// A header that switches on a part of the provider's API reaches each attempt.
    #[strum(serialize = "FP-HEADER-05")]
    Header05,
    /// A success holds all the content that the answering provider gave, with the same values.
    #[strum(serialize = "FP-CLIENT-01")]
    Client01,
    /// A success keeps what the provider says about its answer: its id, its usage, why it ended, what filters found, and whatever else stands beside the content, `model` aside.
    #[strum(serialize = "FP-CLIENT-02")]
    Client02,
    /// No answer holds content of two deployments.
    #[strum(serialize = "FP-CLIENT-03")]
    Client03,
    /// When no attempt has succeeded, the client gets no 2xx.
    #[strum(serialize = "FP-CLIENT-04")]
    Client04,
    /// An error is JSON with an `error` object that has a `message`, as OpenAI's are.
    #[strum(serialize = "FP-CLIENT-05")]
    Client05,
    /// The status of an error is of the kind of an attempt's failure: 4xx where the request was refused, 429 or 503 where there was too much of it, 408, 429 or 5xx where a provider failed.
    #[strum(serialize = "FP-CLIENT-06")]
    Client06,
    /// When the last deployment says with its 429 or 503 when to come back, the client is told so by `Retry-After`, and no earlier time.
    #[strum(serialize = "FP-CLIENT-07")]
    Client07,
    /// When a provider refuses the request, the message of the error has the provider's words.
    #[strum(serialize = "FP-CLIENT-08")]
    Client08,
    /// An answer does not name the model of a deployment that did not give it.
    #[strum(serialize = "FP-CLIENT-09")]
    Client09,
    /// When every deployment is to be left alone, the client gets 429 or 503 and is told when the first one can be asked again.
    #[strum(serialize = "FP-CLIENT-10")]
    Client10,
    /// Every call is answered.
    #[strum(serialize = "FP-CLIENT-11")]
    Client11,
    /// No header of a failed deployment's answer comes with another deployment's answer.
    #[strum(serialize = "FP-CLIENT-12")]
    Client12,
    /// An answer holds no words of a deployment of another group.
    #[strum(serialize = "FP-CLIENT-13")]
    Client13,
    /// No member of a client's body changes which deployments are asked, or in what order.
    #[strum(serialize = "FP-CONTROL-01")]
    Control01,
    /// No header of a client that is meant for a gateway changes which deployments are asked, or in what order.
    #[strum(serialize = "FP-CONTROL-02")]
    Control02,
    /// No key that a client sends along becomes a header of an attempt.
    #[strum(serialize = "FP-CONTROL-03")]
    Control03,
    /// No body of an answer, and of no error, shows the address of a deployment.
    #[strum(serialize = "FP-LEAK-01")]
    Leak01,
    /// No attempt carries the address of another deployment.
    #[strum(serialize = "FP-LEAK-02")]
    Leak02,
    /// No attempt carries the gateway's own name for the group, unless the client put it there.
    #[strum(serialize = "FP-LEAK-03")]
    Leak03,
    /// No header of an answer shows the address of a deployment.
    #[strum(serialize = "FP-LEAK-04")]
    Leak04,
    /// No attempt carries the name that an operator gave to another deployment.
    #[strum(serialize = "FP-LEAK-05")]
    Leak05,
}
