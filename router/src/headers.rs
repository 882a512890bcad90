//! Headers that are forwarded, in both directions.

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::call::Call;
use crate::config::{Deployment, Surface};
use crate::retry_after::RETRY_AFTER_MS;

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The client headers that are forwarded to the provider. All other client headers are meant for
/// this router only. `OpenAI-Beta` selects a variant of the API.
const FORWARDED: [HeaderName; 2] = [CONTENT_TYPE, HeaderName::from_static("openai-beta")];

/// The provider headers that are forwarded to the client: the type of the body, the id that the
/// provider's support asks for, and the time to wait before a retry. Other headers, such as quotas,
/// regions, organizations and deployment names, concern only the operator.
const RETURNED: [HeaderName; 4] =
    [CONTENT_TYPE, HeaderName::from_static("x-request-id"), RETRY_AFTER, RETRY_AFTER_MS];

/// The client headers to forward.
pub(crate) fn forwarded(headers: &HeaderMap) -> HeaderMap {
    pick(&FORWARDED, headers)
}

/// The headers of a request to the deployment: the forwarded client headers and the headers that
/// the router sets.
pub(crate) fn request_headers(deployment: &Deployment, call: &Call) -> HeaderMap {
    let mut headers = call.headers.clone();
    for (name, value) in &deployment.headers {
        headers.insert(name, value.clone());
    }
    headers.entry(CONTENT_TYPE).or_insert(JSON);
    let accept = call.endpoint.accept(&call.body.hints);
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    match deployment.surface {
        Surface::OpenAi => {
            headers.insert(AUTHORIZATION, deployment.credential.header_value("Bearer "))
        }
        Surface::AzureV1 | Surface::AzureLegacy { .. } => {
            headers.insert(API_KEY, deployment.credential.header_value(""))
        }
    };
    headers
}

/// The response headers to forward to the client, with the deployment's credential redacted.
pub(crate) fn returned(deployment: &Deployment, headers: &HeaderMap) -> HeaderMap {
    let mut headers = pick(&RETURNED, headers);
    for value in headers.values_mut() {
        let clean = deployment.credential.redact(Bytes::copy_from_slice(value.as_bytes()));
        *value = HeaderValue::from_maybe_shared(clean).expect("a redacted header is valid");
    }
    headers
}

/// The content type in lower case and without parameters; empty if there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

/// The headers with these names, including all values of repeated headers.
fn pick(names: &[HeaderName], headers: &HeaderMap) -> HeaderMap {
    let values = |name| headers.get_all(name).iter().map(move |value| (name, value));
    names.iter().flat_map(values).map(|(name, value)| (name.clone(), value.clone())).collect()
}
