//! The brain behind HTTP: one wiremock server, and the two headers that it shares with the wire.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wiremock::http::{HeaderName, HeaderValue};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use super::{Brain, Request};
use crate::behaviour::FRAMING;

/// From the wire: whom a request is for, as JSON. The rest of the request is the client's.
pub(crate) const REQUEST_HEADER: &str = "fallproof-request";

/// To the wire: the [`Plan`](super::Plan) as JSON. There is none where there is no upstream.
pub(crate) const PLAN_HEADER: &str = "fallproof-plan";

/// Whom a request is for. Method and target travel here and not in the request line, where an HTTP
/// library would tidy them up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Addressed {
    pub(crate) prefix: String,
    pub(crate) method: String,
    pub(crate) target: String,
}

/// Starts a server of its own, not one of wiremock's pool, which would live on after its drop.
pub(crate) async fn start(brain: Arc<Brain>) -> io::Result<MockServer> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
    server.register(Mock::given(any()).respond_with(Shell(brain))).await;
    Ok(server)
}

struct Shell(Arc<Brain>);

impl Respond for Shell {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let answer = request
            .headers
            .get(REQUEST_HEADER)
            .and_then(|value| serde_json::from_slice::<Addressed>(value.as_bytes()).ok())
            .and_then(|addressed| {
                let headers: Vec<_> = request
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_bytes()))
                    .collect();
                let request = Request {
                    method: &addressed.method,
                    target: &addressed.target,
                    headers: &headers,
                    body: &request.body,
                };
                self.0.answer(&addressed.prefix, &request)
            });
        let Some(answer) = answer else { return ResponseTemplate::new(404) };
        // JSON may hold a DEL as it is, a header may not.
        let plan = serde_json::to_string(&answer.plan)
            .expect("a plan is strings and numbers")
            .replace('\u{7f}', "\\u007f");
        let mut template = ResponseTemplate::new(answer.reply.status);
        let headers = answer.reply.headers.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in headers.chain([(PLAN_HEADER, &plan)]) {
            // What is no header cannot be sent; scripts were checked when they were plugged in.
            let (name, value) =
                (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()));
            if let (Ok(name), Ok(value)) = (name, value)
                && !FRAMING.contains(&name.as_str())
            {
                template = template.append_header(name, value);
            }
        }
        template.set_body_bytes(answer.reply.body)
    }
}
