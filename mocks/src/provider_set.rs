//! The providers: decides what a deployment answers.
//!
//! It knows nothing of sockets. A request goes through the provider's checks in this context: path
//! and method, Azure's api-version, the credential, JSON or form, the model or deployment name, the
//! parameters, the response before it; then the script decides.

mod edge;
mod examine;
mod probe;
mod script;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

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

/// A mock provider that stands for one deployment.
#[derive(Debug, Clone)]
pub struct MockDeployment {
    /// What tells it apart on the wire: two path segments, e.g. `/my-scenario/primary`.
    pub prefix: String,
    /// What it plays.
    pub deployment: Deployment,
    /// What else it takes for a model's or deployment's name.
    pub names: Names,
    /// What it does at its attempts, in context.
    pub script: Vec<Behavior>,
    /// After the script's end the last behavior goes on; else any further attempt is unexpected.
    pub repeat_last: bool,
    /// What its answers are known by.
    pub marker: Marker,
}

/// A request to a deployment.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query below the mock's prefix, as sent.
    pub target: &'a str,
    /// Header names and values.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: &'a [u8],
}

impl Request<'_> {
    fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// What a deployment answers: the reply, and what the wire must know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What this was and how it is to be sent.
    pub plan: Plan,
    /// The reply.
    pub reply: Reply,
}

/// What a request was, and how its reply is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What kind of request it is.
    pub kind: RequestKind,
    /// Which attempt at its mock this is, from 1; 0 for a probe.
    pub attempt: u32,
    /// The surface and the endpoint that the path led to; `None` where the provider has no such
    /// path.
    pub route: Option<(Surface, Endpoint)>,
    /// The scheduled behavior's name, also where the request was refused before it.
    pub behavior: String,
    /// The answer is the provider's own refusal.
    pub refused: bool,
    /// What the provider finds wrong with the request.
    pub violation: Option<Violation>,
    /// How the reply is to be sent.
    pub wire: WireFault,
}

/// All deployments, each with its route in its script.
#[derive(Debug, Default)]
pub struct MockProviders {
    deployments: Mutex<HashMap<String, Playing>>,
}

#[derive(Debug)]
struct Playing {
    mock: Arc<MockDeployment>,
    attempts: u32,
    /// How many of them were at earlier scripts.
    earlier: u32,
    stored: Arc<Mutex<Stored>>,
}

impl MockProviders {
    /// Adds a deployment, or replaces the one with its prefix; its script starts anew.
    ///
    /// # Errors
    /// The prefix or a behavior cannot be played.
    pub fn mount(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        script::validate(&mock)?;
        let prefix = mock.prefix.clone();
        let mock = Arc::new(mock);
        let playing = Playing { mock, attempts: 0, earlier: 0, stored: Arc::default() };
        self.deployments.lock().insert(prefix, playing);
        Ok(())
    }

    /// Like [`mount`](Self::mount), but a deployment that is there already remembers the responses
    /// that it gave, and its attempts are counted on, so that no id comes twice.
    ///
    /// # Errors
    /// The prefix or a behavior cannot be played.
    pub fn update(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        script::validate(&mock)?;
        if let Some(playing) = self.deployments.lock().get_mut(&mock.prefix) {
            playing.earlier = playing.attempts;
            playing.mock = Arc::new(mock);
            return Ok(());
        }
        self.mount(mock)
    }

    /// Removes a deployment; further requests to it are unmatched.
    pub fn unmount(&self, prefix: &str) {
        self.deployments.lock().remove(prefix);
    }

    /// Whether there is a deployment with this prefix.
    pub fn knows(&self, prefix: &str) -> bool {
        self.deployments.lock().contains_key(prefix)
    }

    /// What the mock with this prefix answers; `None` where there is none. A POST counts as
    /// an attempt and uses up a behavior of the script.
    pub fn answer(&self, prefix: &str, request: &Request<'_>) -> Option<Answer> {
        let (mock, attempt, earlier, stored) = {
            let mut deployments = self.deployments.lock();
            let playing = deployments.get_mut(prefix)?;
            if request.method == "POST" {
                playing.attempts = playing.attempts.saturating_add(1);
            }
            let Playing { mock, attempts, earlier, stored } = playing;
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
        let asked = examined.as_ref().map_or(&self.deployment, |passed| &*passed.deployment);
        let scripted = scheduled.map(|behavior| {
            script::scripted(behavior, asked, endpoint.unwrap_or(Endpoint::Responses))
        });

        let (reply, wire, violation) = match (examined, scripted, scheduled) {
            (Err(refusal), scripted, _) => {
                let surface = route.map_or(self.deployment.surface, |(surface, _)| surface);
                let wire = scripted.map(|(_, wire)| wire).unwrap_or_default();
                (refusal.reply(surface, endpoint), wire, refusal.violation())
            }
            (Ok(passed), Some((error, wire)), Some(behavior)) => {
                let context = ReplyContext {
                    deployment: &passed.deployment,
                    marker: &self.marker,
                    attempt,
                    members: &passed.members,
                    mode: ReplyMode::named(&behavior.reply),
                };
                let reply = error.unwrap_or_else(|| {
                    if is_stored(&context, passed.endpoint, behavior) {
                        stored.lock().keep(context.response_id(), context.response());
                    }
                    context.success(passed.endpoint)
                });
                (script::overridden(behavior, &self.deployment, reply), wire, passed.doubt)
            }
            (Ok(passed), ..) => (unexpected(attempt), WireFault::default(), passed.doubt),
        };
        let behavior = scheduled.map_or(UNEXPECTED, |behavior| &behavior.reply).to_owned();
        let kind = RequestKind::Attempt;
        let plan = Plan { kind, attempt, route, behavior, refused, violation, wire };
        Answer { plan, reply }
    }
}

/// Whether the provider keeps its answer: not a failed one, not one that the client does not want
/// kept, and no words of the script's own.
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
