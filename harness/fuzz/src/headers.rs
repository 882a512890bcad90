//! Request headers that clients send: harmless and private headers, hop-by-hop headers, and headers
//! of other gateways.

use super::random::{CaseRng, chance, pick};

/// Groups of headers. The headers of a group are sent together.
const TOGETHER: &[&[(&str, &str)]] = &[
    &[("user-agent", "OpenAI/Python 2.8.1")],
    &[("accept", "application/json, text/event-stream")],
    &[("accept-language", "de-CH, en;q=0.5")],
    &[("x-request-id", "client-request-4711")],
    &[("idempotency-key", "5f0c1f0e-client")],
    &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
    &[("openai-organization", "org-of-the-client"), ("openai-project", "proj_of_the_client")],
    &[("openai-beta", "assistants=v2")],
    &[("x-empty", "")],
    &[("cookie", "session=of-the-client-4711")],
    &[("x-forwarded-for", "203.0.113.47"), ("x-forwarded-proto", "https")],
    &[("forwarded", "for=203.0.113.48;proto=https")],
    &[("via", "1.1 proxy-of-the-client")],
    &[("x-real-ip", "203.0.113.49")],
    &[("te", "trailers")],
    &[("keep-alive", "timeout=4711")],
    &[("proxy-authorization", "Basic Y2xpZW50OnNlY3JldA==")],
    &[("connection", "close, x-hop"), ("x-hop", "of-this-connection-only")],
    &[("x-litellm-tags", "team-of-the-client"), ("x-litellm-num-retries", "7")],
    &[("x-litellm-disable-fallbacks", "true")],
    &[("x-portkey-config", "pc-of-the-client"), ("x-portkey-provider", "openai")],
    &[("helicone-auth", "Bearer sk-helicone-of-the-client")],
    &[("cf-aig-cache-ttl", "4711")],
    &[("x-bf-vk", "sk-bf-of-the-client")],
    &[("x-api-key", "sk-ant-of-the-client")],
    &[("api-key", "0123456789abcdef-of-the-client")],
    &[("x-goog-api-key", "AIza-of-the-client")],
];

/// The headers of one call, in addition to those that every call has. Empty for most calls.
pub(super) fn headers(rng: &mut CaseRng) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    while chance(30, rng) {
        for (name, value) in *pick(TOGETHER, rng) {
            if !headers.iter().any(|(known, _)| known == name) {
                headers.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
    }
    headers
}
