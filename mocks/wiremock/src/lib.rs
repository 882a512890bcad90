//! A strict mock of `OpenAI` or Azure `OpenAI` for a [`MockServer`].
//!
//! A [`Provider`] implements [`Respond`]. It checks the path, the credential, the model and every
//! parameter. An invalid request gets the provider's error, and a valid request gets the next
//! behavior of the [`Script`].

mod script;

use std::sync::Arc;
use std::time::Duration;

use fallproof_mocks::provider_set::{self, Answer, MockDeployment, MockProviders};
use fallproof_protocol::behavior::Behavior;
use fallproof_protocol::marker::Marker;
use parking_lot::Mutex;
use wiremock::http::{HeaderName, HeaderValue};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub use fallproof_protocol::provider::{Deployment, Names, Surface};
pub use fallproof_protocol::violation::{Strength, Violation, ViolationKind};
pub use script::{Script, ScriptError};

/// The prefix of the only deployment.
const PREFIX: &str = "/wiremock/provider";

/// A provider with one deployment. Clones share the script position and the recorded violations.
#[derive(Debug, Clone)]
pub struct Provider {
    mock: MockDeployment,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    providers: MockProviders,
    violations: Mutex<Vec<Violation>>,
}

impl Provider {
    /// An `OpenAI` provider with this model and this API key. Every valid request succeeds.
    pub fn openai(model: impl Into<String>, key: impl Into<String>) -> Self {
        let model = model.into();
        Self::new(Deployment {
            surface: Surface::OpenAi,
            name: model.clone(),
            model,
            key: key.into(),
        })
    }

    /// A provider with this deployment. Every valid request succeeds.
    pub fn new(deployment: Deployment) -> Self {
        let mock = MockDeployment {
            prefix: PREFIX.to_owned(),
            marker: Marker::new(&deployment.name),
            deployment,
            names: Names::Own,
            script: vec![Behavior::named("ok")],
            repeat_last: true,
        };
        Self { mock, shared: Arc::default() }.started()
    }

    /// Resets the provider and sets its script. After the end of the script, the last behavior
    /// repeats.
    #[must_use]
    pub fn playing(mut self, script: Script) -> Self {
        self.mock.script = script.into_behaviors();
        self.started()
    }

    /// Resets the provider and makes it accept these model or deployment names in addition to its
    /// own.
    #[must_use]
    pub fn taking(mut self, names: Names) -> Self {
        self.mock.names = names;
        self.started()
    }

    fn started(mut self) -> Self {
        self.shared = Arc::default();
        let mounted = self.shared.providers.mount(self.mock.clone());
        mounted.expect("the prefix is valid, and scripts are validated when they are created");
        self
    }

    /// Mounts the provider on this server. It then answers all requests to the server.
    pub async fn mount(self, server: &MockServer) -> Self {
        Mock::given(any()).respond_with(self.clone()).mount(server).await;
        self
    }

    /// The base URL that a client of the server must use, e.g. `http://127.0.0.1:4711/v1`.
    pub fn base_url(&self, server: &MockServer) -> String {
        let path = match self.mock.deployment.surface {
            Surface::OpenAi => "/v1",
            Surface::AzureV1 => "/openai/v1",
            Surface::AzureLegacy => "",
        };
        server.uri() + path
    }

    /// The token that identifies this deployment in its replies.
    pub fn token(&self) -> &str {
        self.mock.marker.token()
    }

    /// The violations in all requests so far. They include violations of rules that are only
    /// documented, although the provider does not refuse such requests.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.violations.lock().clone()
    }
}

impl Respond for Provider {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let target = match request.url.query() {
            Some(query) => &format!("{}?{query}", request.url.path()),
            None => request.url.path(),
        };
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = provider_set::Request {
            method: request.method.as_str(),
            target,
            headers: &headers,
            body: &request.body,
        };
        let answer = self.shared.providers.answer(PREFIX, &request);
        let Answer { plan, reply } = answer.expect("the deployment is mounted");
        self.shared.violations.lock().extend(plan.violation);
        // A deployment name may contain characters that are invalid in a header.
        let headers = reply.headers.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        });
        ResponseTemplate::new(reply.status)
            .append_headers(headers)
            .set_body_bytes(reply.body)
            .set_delay(Duration::from_millis(plan.wire.delay_ms.unwrap_or_default()))
    }
}

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
