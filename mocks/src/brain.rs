//! The brain: decides what an upstream answers.
//!
//! It knows nothing of sockets. A request goes through the provider's checks in this order: path
//! and method, Azure's api-version, the credential, JSON or form, the model or deployment name, the
//! parameters, the response before it; then the script decides.

mod door;
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
use crate::behaviour::{Behaviour, ScriptError, UNEXPECTED, WirePlan};
use crate::journal::HitKind;
use crate::marker::Marker;
use crate::provider::{Deployment, Endpoint, Names, Surface};
use crate::reply::{Course, Order};
use stored::Stored;

/// A mock provider that stands for one deployment.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// What tells it apart on the wire: two path segments, e.g. `/my-scenario/primary`.
    pub prefix: String,
    /// What it plays.
    pub deployment: Deployment,
    /// What else it takes for a model's or deployment's name.
    pub names: Names,
    /// What it does at its attempts, in order.
    pub script: Vec<Behaviour>,
    /// After the script's end the last behaviour goes on; else any further attempt is unexpected.
    pub repeat_last: bool,
    /// What its answers are known by.
    pub marker: Marker,
}

/// A request to an upstream.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query below the upstream's prefix, as sent.
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

/// What an upstream answers: the reply, and what the wire must know about it.
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
    pub kind: HitKind,
    /// Which attempt at its upstream this is, from 1; 0 for a probe.
    pub attempt: u32,
    /// The surface and the endpoint that the path led to; `None` where the provider has no such
    /// path.
    pub place: Option<(Surface, Endpoint)>,
    /// The scheduled behaviour's name, also where the request was refused before it.
    pub behaviour: String,
    /// The answer is the provider's own refusal.
    pub refused: bool,
    /// What the provider finds wrong with the request.
    pub violation: Option<Violation>,
    /// How the reply is to be sent.
    pub wire: WirePlan,
}

/// All upstreams, each with its place in its script.
#[derive(Debug, Default)]
pub struct Brain {
    upstreams: Mutex<HashMap<String, Playing>>,
}

#[derive(Debug)]
struct Playing {
    upstream: Arc<Upstream>,
    attempts: u32,
    /// How many of them were at earlier scripts.
    earlier: u32,
    stored: Arc<Mutex<Stored>>,
}

impl Brain {
    /// Adds an upstream, or replaces the one with its prefix; its script starts anew.
    ///
    /// # Errors
    /// The prefix or a behaviour cannot be played.
    pub fn plug(&self, upstream: Upstream) -> Result<(), ScriptError> {
        script::validate(&upstream)?;
        let prefix = upstream.prefix.clone();
        let upstream = Arc::new(upstream);
        let playing = Playing { upstream, attempts: 0, earlier: 0, stored: Arc::default() };
        self.upstreams.lock().insert(prefix, playing);
        Ok(())
    }

    /// Like [`plug`](Self::plug), but an upstream that is there already remembers the responses
    /// that it gave, and its attempts are counted on, so that no id comes twice.
    ///
    /// # Errors
    /// The prefix or a behaviour cannot be played.
    pub fn replug(&self, upstream: Upstream) -> Result<(), ScriptError> {
        script::validate(&upstream)?;
        if let Some(playing) = self.upstreams.lock().get_mut(&upstream.prefix) {
            playing.earlier = playing.attempts;
            playing.upstream = Arc::new(upstream);
            return Ok(());
        }
        self.plug(upstream)
    }

    /// Removes an upstream; further requests to it are stray.
    pub fn unplug(&self, prefix: &str) {
        self.upstreams.lock().remove(prefix);
    }

    /// Whether there is an upstream with this prefix.
    pub fn knows(&self, prefix: &str) -> bool {
        self.upstreams.lock().contains_key(prefix)
    }

    /// What the upstream with this prefix answers; `None` where there is none. A POST counts as
    /// an attempt and uses up a behaviour of the script.
    pub fn answer(&self, prefix: &str, request: &Request<'_>) -> Option<Answer> {
        let (upstream, attempt, earlier, stored) = {
            let mut upstreams = self.upstreams.lock();
            let playing = upstreams.get_mut(prefix)?;
            if request.method == "POST" {
                playing.attempts = playing.attempts.saturating_add(1);
            }
            let Playing { upstream, attempts, earlier, stored } = playing;
            (Arc::clone(upstream), *attempts, *earlier, Arc::clone(stored))
        };
        Some(if request.method == "POST" {
            let scheduled =
                script::entry(&upstream.script, upstream.repeat_last, attempt - earlier);
            upstream.attempt(attempt, scheduled, request, &stored)
        } else {
            upstream.probe(request, &stored.lock())
        })
    }
}

impl Upstream {
    fn attempt(
        &self,
        attempt: u32,
        scheduled: Option<&Behaviour>,
        request: &Request<'_>,
        stored: &Mutex<Stored>,
    ) -> Answer {
        let target = door::Target::of(request.target);
        let located = door::locate(self.deployment.surface, &target.path);
        let place = located.as_ref().map(|place| (place.surface, place.endpoint));
        let endpoint = place.map(|(_, endpoint)| endpoint);
        let examined = self.examine(located, &target, request, &stored.lock());
        let refused = examined.is_err();
        let asked = examined.as_ref().map_or(&self.deployment, |passed| &*passed.deployment);
        let scripted = scheduled.map(|behaviour| {
            script::scripted(behaviour, asked, endpoint.unwrap_or(Endpoint::Responses))
        });

        let (reply, wire, violation) = match (examined, scripted, scheduled) {
            (Err(refusal), scripted, _) => {
                let surface = place.map_or(self.deployment.surface, |(surface, _)| surface);
                let wire = scripted.map(|(_, wire)| wire).unwrap_or_default();
                (refusal.reply(surface, endpoint), wire, refusal.violation())
            }
            (Ok(passed), Some((error, wire)), Some(behaviour)) => {
                let order = Order {
                    deployment: &passed.deployment,
                    marker: &self.marker,
                    attempt,
                    members: &passed.members,
                    course: Course::named(&behaviour.reply),
                };
                let reply = error.unwrap_or_else(|| {
                    if is_stored(&order, passed.endpoint, behaviour) {
                        stored.lock().keep(order.response_id(), order.response());
                    }
                    order.success(passed.endpoint)
                });
                (script::overridden(behaviour, &self.deployment, reply), wire, passed.doubt)
            }
            (Ok(passed), ..) => (unexpected(attempt), WirePlan::default(), passed.doubt),
        };
        let behaviour = scheduled.map_or(UNEXPECTED, |behaviour| &behaviour.reply).to_owned();
        let kind = HitKind::Matched;
        let plan = Plan { kind, attempt, place, behaviour, refused, violation, wire };
        Answer { plan, reply }
    }
}

/// Whether the provider keeps its answer: not a failed one, not one that the client does not want
/// kept, and no words of the script's own.
fn is_stored(order: &Order<'_>, endpoint: Endpoint, behaviour: &Behaviour) -> bool {
    endpoint == Endpoint::Responses
        && matches!(order.course, Course::Plain | Course::Refusal)
        && (behaviour.status.is_none() && behaviour.body.is_none())
        && order.members.get("store") != Some(false)
}

fn unexpected(attempt: u32) -> Reply {
    Reply::own_refusal(
        400,
        "fallproof_unexpected_attempt",
        &format!("This upstream's script has ended; attempt {attempt} was not expected."),
    )
}
