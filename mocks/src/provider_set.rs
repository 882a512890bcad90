//! The mock providers, which decide what a deployment replies. They do not use sockets.
//!
//! A request passes the provider's checks in this order: path and method, Azure's api-version, the
//! credential, the syntax of the JSON or form, the model or deployment name, the parameters, and
//! the previous response. If all checks pass, the script decides what the reply is.

mod edge;
mod examine;
mod probe;
mod script;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

use fallproof_protocol::coding::{self, Coding};
use fallproof_protocol::limits::MOST_BODY_BYTES;
use fallproof_strict::Violation;
use parking_lot::Mutex;

pub use script::override_headers;

use crate::Reply;
use crate::behavior::{self, Behavior, ScriptError, UNEXPECTED, WireFault};
use crate::marker::Marker;
use crate::provider::{Deployment, Endpoint, Names, Surface};
use crate::reply::{ReplyContext, ReplyMode};
use crate::request_log::RequestKind;
use stored::Stored;

/// A mock provider with one deployment.
#[derive(Debug, Clone)]
pub struct MockDeployment {
    /// Identifies the deployment on the server: two path segments, e.g. `/my-scenario/primary`.
    pub prefix: String,
    /// The deployment that the mock simulates.
    pub deployment: Deployment,
    /// Other model or deployment names that the mock accepts.
    pub names: Names,
    /// The behaviors that the mock plays, one attempt after the other.
    pub script: Vec<Behavior>,
    /// Whether the last behavior repeats after the end of the script. If not, further attempts get
    /// an error reply.
    pub repeat_last: bool,
    /// Identifies the replies of the mock.
    pub marker: Marker,
}

/// A request to a deployment.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query below the deployment's prefix, as sent.
    pub target: &'a str,
    /// Header names and values.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The decompressed body; `None` if the body is not in the coding that its header names.
    fn unpacked(&self) -> Option<Vec<u8>> {
        let coding = self.header("content-encoding")?;
        let is_packed = |it: Coding| coding.trim().eq_ignore_ascii_case(it.name());
        Coding::of(self.body).filter(|it| is_packed(*it))?;
        coding::unpacked(self.body, MOST_BODY_BYTES + 1)
    }

    fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// The reply of a deployment, and how to send and log it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Classification of the request, and how to send the reply.
    pub plan: ReplyPlan,
    /// The reply.
    pub reply: Reply,
}

/// Classification of a request, and how to send its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyPlan {
    /// Kind of the request.
    pub kind: RequestKind,
    /// Number of the attempt at its deployment, from 1; 0 for a probe.
    pub attempt: u32,
    /// The surface and endpoint that the path leads to; `None` if the provider has no such path.
    pub route: Option<(Surface, Endpoint)>,
    /// Name of the behavior that the script has for this attempt, even if it was not played because
    /// the provider refused the request.
    pub behavior: String,
    /// Whether the provider refused the request.
    pub refused: bool,
    /// The violation in the request, if any. If it is only documented, the request is not refused
    /// because of it.
    pub violation: Option<Violation>,
    /// The transport fault to apply to the reply.
    pub wire: WireFault,
}

/// All deployments, each with its script and the current position in it.
///
/// This type does not use sockets: [`answer`](Self::answer) takes a request and returns the
/// provider's reply.
///
/// ```
/// use fallproof_mocks::behavior::Behavior;
/// use fallproof_mocks::marker::Marker;
/// use fallproof_mocks::provider::{Deployment, Names, Surface};
/// use fallproof_mocks::provider_set::{MockDeployment, MockProviders, Request};
///
/// let providers = MockProviders::default();
/// providers.mount(MockDeployment {
///     prefix: "/my-test/primary".to_owned(),
///     deployment: Deployment {
///         surface: Surface::OpenAi,
///         model: "gpt-5".to_owned(),
///         name: "gpt-5".to_owned(),
///         key: "sk-test".to_owned(),
///     },
///     names: Names::Own,
///     script: vec![Behavior::named("ok")],
///     repeat_last: true,
///     marker: Marker::new("/my-test/primary"),
/// })?;
///
/// let request = Request {
///     method: "POST",
///     target: "/v1/responses",
///     headers: &[
///         ("authorization", b"Bearer sk-test"),
///         ("content-type", b"application/json"),
///     ],
///     body: br#"{"model":"gpt-5","input":"Hi","stop":"END"}"#,
/// };
/// let answer = providers.answer("/my-test/primary", &request).expect("a mounted deployment");
/// assert_eq!(answer.reply.status, 400);
/// assert!(String::from_utf8_lossy(&answer.reply.body).contains("Unknown parameter: 'stop'."));
/// # Ok::<(), fallproof_mocks::behavior::ScriptError>(())
/// ```
#[derive(Debug, Default)]
pub struct MockProviders {
    deployments: Mutex<HashMap<String, MountedDeployment>>,
}

#[derive(Debug)]
struct MountedDeployment {
    mock: Arc<MockDeployment>,
    attempts: u32,
    /// Number of attempts made under earlier scripts.
    earlier: u32,
    stored: Arc<Mutex<Stored>>,
}

impl MockProviders {
    /// Adds a deployment, or replaces the deployment with the same prefix. The script starts from
    /// the beginning.
    ///
    /// # Errors
    /// The prefix or a behavior is invalid.
    pub fn mount(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        script::validate(&mock)?;
        let prefix = mock.prefix.clone();
        let mock = Arc::new(mock);
        let mounted = MountedDeployment { mock, attempts: 0, earlier: 0, stored: Arc::default() };
        self.deployments.lock().insert(prefix, mounted);
        Ok(())
    }

    /// Like [`mount`](Self::mount), but if the deployment exists, its stored responses are kept and
    /// its attempt numbers continue, so that ids stay unique.
    ///
    /// # Errors
    /// The prefix or a behavior is invalid.
    pub fn update(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        script::validate(&mock)?;
        if let Some(mounted) = self.deployments.lock().get_mut(&mock.prefix) {
            mounted.earlier = mounted.attempts;
            mounted.mock = Arc::new(mock);
            return Ok(());
        }
        self.mount(mock)
    }

    /// Removes a deployment. Further requests to it are unmatched.
    pub fn unmount(&self, prefix: &str) {
        self.deployments.lock().remove(prefix);
    }

    /// Whether a deployment with this prefix is mounted.
    pub fn knows(&self, prefix: &str) -> bool {
        self.deployments.lock().contains_key(prefix)
    }

    /// Returns the answer of the deployment with this prefix, or `None` if there is no such
    /// deployment. A POST counts as an attempt and uses up one behavior of the script.
    pub fn answer(&self, prefix: &str, request: &Request<'_>) -> Option<Answer> {
        let plain = request.unpacked();
        let request = &Request { body: plain.as_deref().unwrap_or(request.body), ..*request };
        let (mock, attempt, earlier, stored) = {
            let mut deployments = self.deployments.lock();
            let mounted = deployments.get_mut(prefix)?;
            if request.method == "POST" {
                mounted.attempts = mounted.attempts.saturating_add(1);
            }
            let MountedDeployment { mock, attempts, earlier, stored } = mounted;
            (Arc::clone(mock), *attempts, *earlier, Arc::clone(stored))
        };
        Some(if request.method == "POST" {
            let scheduled = behavior::scheduled(&mock.script, mock.repeat_last, attempt - earlier);
            mock.attempt(attempt, scheduled, request, &stored)
        } else {
            mock.probe(request, &stored.lock())
        })
    }
}

impl MockDeployment {
    fn attempt(
        &self,
        attempt: u32,
        scheduled: Option<&Behavior>,
        request: &Request<'_>,
        stored: &Mutex<Stored>,
    ) -> Answer {
        let target = edge::Target::of(request.target);
        let located = edge::locate(self.deployment.surface, &target.path);
        let route = located.as_ref().map(|route| (route.surface, route.endpoint));
        let endpoint = route.map(|(_, endpoint)| endpoint);
        let examined = self.examine(located, &target, request, stored);
        let refused = examined.is_err();
        let asked = examined.as_ref().map_or(&self.deployment, |accepted| &*accepted.deployment);
        let scripted = scheduled.map(|behavior| {
            script::scripted(behavior, asked, endpoint.unwrap_or(Endpoint::Responses))
        });

        let (reply, wire, violation) = match (examined, scripted, scheduled) {
            (Err(refusal), scripted, _) => {
                let surface = route.map_or(self.deployment.surface, |(surface, _)| surface);
                let wire = scripted.map(|(_, wire)| wire).unwrap_or_default();
                (refusal.reply(surface, endpoint), wire, refusal.violation())
            }
            (Ok(accepted), Some((error, wire)), Some(behavior)) => {
                let context = ReplyContext {
                    deployment: &accepted.deployment,
                    marker: &self.marker,
                    attempt,
                    members: &accepted.members,
                    mode: ReplyMode::named(&behavior.reply),
                };
                let reply = error.unwrap_or_else(|| {
                    if is_stored(&context, accepted.endpoint, behavior) {
                        stored.lock().keep(context.response_id(), context.response());
                    }
                    context.success(accepted.endpoint)
                });
                (script::overridden(behavior, self, reply), wire, accepted.warning)
            }
            (Ok(accepted), ..) => (unexpected(attempt), WireFault::default(), accepted.warning),
        };
        let behavior = scheduled.map_or(UNEXPECTED, |behavior| &behavior.reply).to_owned();
        let kind = RequestKind::Attempt;
        let plan = ReplyPlan { kind, attempt, route, behavior, refused, violation, wire };
        Answer { plan, reply }
    }
}

/// Whether the provider stores the response. It does not store a response if the response failed,
/// if the client sent `store: false`, or if the script replaced the status or the body.
fn is_stored(context: &ReplyContext<'_>, endpoint: Endpoint, behavior: &Behavior) -> bool {
    endpoint == Endpoint::Responses
        && matches!(context.mode, ReplyMode::Plain | ReplyMode::Refusal)
        && (behavior.status.is_none() && behavior.body.is_none())
        && context.members.get("store") != Some(false)
}

fn unexpected(attempt: u32) -> Reply {
    Reply::own_refusal(
        400,
        "fallproof_unexpected_attempt",
        &format!("This mock's script has ended; attempt {attempt} was not expected."),
    )
}
