//! The mock providers: they decide what a deployment replies, without using sockets.
//!
//! A request passes the provider's checks in this order: path and method, Azure's api-version, the
//! credential, JSON or form, the model or deployment name, the parameters, and the previous
//! response. Then the script decides.

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
use crate::behavior::{Behavior, ScriptError, UNEXPECTED, WireFault};
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
    /// The deployment that it plays.
    pub deployment: Deployment,
    /// Other model or deployment names that it accepts.
    pub names: Names,
    /// Behaviors of its attempts, in order.
    pub script: Vec<Behavior>,
    /// Whether the last behavior repeats after the end of the script. If not, further attempts are
    /// unexpected.
    pub repeat_last: bool,
    /// Identifies its replies.
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
    /// The body without its content coding; `None` if it has none that can be removed.
    fn unpacked(&self) -> Option<Vec<u8>> {
        let coding = self.header("content-encoding")?;
        let is_gzip = coding.trim().eq_ignore_ascii_case(Coding::Gzip.name());
        is_gzip.then(|| coding::unpacked(self.body, MOST_BODY_BYTES + 1)).flatten()
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
    /// Name of the scheduled behavior, even if the request was refused before it.
    pub behavior: String,
    /// Whether the reply is the provider's own refusal.
    pub refused: bool,
    /// What the provider would report about the request.
    pub violation: Option<Violation>,
    /// Transport fault for the reply.
    pub wire: WireFault,
}

/// All deployments and their positions in their scripts.
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
    /// Adds a deployment, or replaces the one with its prefix. Its script starts over.
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

    /// Like [`mount`](Self::mount), but an existing deployment keeps its stored responses and
    /// continues to number its attempts, so that ids stay unique.
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

    /// The answer of the deployment with this prefix; `None` if there is none. A POST counts as an
    /// attempt and consumes a behavior of the script.
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
            let scheduled = script::entry(&mock.script, mock.repeat_last, attempt - earlier);
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
        let examined = self.examine(located, &target, request, &stored.lock());
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

/// Whether the provider stores the response: not if it failed, if the client opted out, or if the
/// script replaced its body.
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
