//! Forwards client headers to the providers.
//!
//! The reference router drops these headers. So each one is packed into the value of a header that
//! the router does forward, and is unpacked afterwards.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use fallproof_router::{Clock, Config, app_with_clock as reference};

use super::request_proxy::Outgoing;

const CARRIER: HeaderName = HeaderName::from_static("openai-beta");
/// Prefix that distinguishes a packed header from a value that the client sent.
const PACKED: &[u8] = b"passed on: ";

/// The reference router, which also forwards the headers whose names match `pass`.
pub fn app(pass: fn(&str) -> bool, config: Config, clock: Clock) -> Router {
    reference(config, clock).layer(middleware::from_fn(
        move |mut request: Request, next: Next| async move {
            let headers = request.headers_mut();
            let packed: Vec<_> = headers
                .iter()
                .filter(|(name, _)| pass(name.as_str()))
                .filter_map(|(name, value)| {
                    let packed =
                        [PACKED, name.as_str().as_bytes(), b"=", value.as_bytes()].concat();
                    HeaderValue::try_from(packed).ok()
                })
                .collect();
            for header in packed {
                headers.append(CARRIER, header);
            }
            next.run(request).await
        },
    ))
}

/// Unpacks the headers, between router and provider.
pub fn unpack(out: &mut Outgoing<'_>) {
    let values: Vec<_> = out.headers.get_all(CARRIER).iter().cloned().collect();
    out.headers.remove(CARRIER);
    for value in values {
        match unpacked(value.as_bytes()) {
            Some((name, value)) => out.headers.append(name, value),
            None => out.headers.append(CARRIER, value),
        };
    }
}

fn unpacked(value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let packed = value.strip_prefix(PACKED)?;
    let (name, value) = packed.split_at(packed.iter().position(|byte| *byte == b'=')?);
    Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(&value[1..]).ok()?))
}
