//! The brain: decides what an upstream answers.
//!
//! It knows nothing of sockets. A request goes through the provider's checks in this order: path
//! and method, Azure's api-version, the credential, JSON, the model or deployment name, the
//! parameters; then the script decides.

mod door;
mod plan;
mod probe;
mod script;
pub(crate) mod server;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use plan::Plan;
pub use script::ScriptError;

use crate::behaviour::{Behaviour, WirePlan};
use crate::errors::{self, DoorRefusal, Reply};
use crate::journal::HitKind;
use crate::marker::Marker;
use crate::provider::{Deployment, Endpoint, Surface};
use crate::reply::{Members, Order, own_refusal};
use crate::strict::{self, Strength, Violation};

/// No request body is taken beyond this; a longer one is refused with 413.
pub const MOST_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The behaviour of an attempt that comes after a script's end.
pub const UNEXPECTED: &str = "unexpected";

/// A mock provider that stands for one deployment.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// What tells it apart on the wire: two path segments, e.g. `/my-scenario/primary`.
    pub prefix: String,
    /// What it plays.
    pub deployment: Deployment,
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

/// All upstreams, each with its place in its script.
#[derive(Debug, Default)]
pub struct Brain {
    upstreams: Mutex<HashMap<String, Playing>>,
}

#[derive(Debug)]
struct Playing {
    upstream: Arc<Upstream>,
    attempts: u32,
}

impl Brain {
    /// Adds an upstream, or replaces the one with its prefix; its script starts anew.
    ///
    /// # Errors
    /// The prefix or a behaviour cannot be played.
    pub fn plug(&self, upstream: Upstream) -> Result<(), ScriptError> {
        script::validate(&upstream)?;
        let prefix = upstream.prefix.clone();
        self.lock().insert(prefix, Playing { upstream: Arc::new(upstream), attempts: 0 });
        Ok(())
    }

    /// Removes an upstream; further requests to it are stray.
    pub fn unplug(&self, prefix: &str) {
        self.lock().remove(prefix);
    }

    /// Whether there is an upstream with this prefix.
    pub fn knows(&self, prefix: &str) -> bool {
        self.lock().contains_key(prefix)
    }

    /// What the upstream with this prefix answers; `None` where there is none. A POST counts as
    /// an attempt and uses up a behaviour of the script.
    pub fn answer(&self, prefix: &str, request: &Request<'_>) -> Option<Answer> {
        let (upstream, attempt) = {
            let mut upstreams = self.lock();
            let playing = upstreams.get_mut(prefix)?;
            if request.method == "POST" {
                playing.attempts = playing.attempts.saturating_add(1);
            }
            (Arc::clone(&playing.upstream), playing.attempts)
        };
        Some(if request.method == "POST" {
            upstream.attempt(attempt, request)
        } else {
            probe::answer(&upstream.deployment, request)
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Playing>> {
        self.upstreams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a request does not get as far as the script.
enum Refusal {
    Door(DoorRefusal),
    Parameter(Box<Violation>),
    TooLarge,
    NotMocked,
}

impl Upstream {
    fn attempt(&self, attempt: u32, request: &Request<'_>) -> Answer {
        let target = door::Target::of(request.target);
        let located = door::locate(self.deployment.surface, &target.path);
        let place = located.as_ref().map(|place| (place.surface, place.endpoint));
        let (surface, endpoint) = match place {
            Some((surface, endpoint)) => (surface, Some(endpoint)),
            None => (self.deployment.surface, None),
        };
        let scheduled = script::entry(&self.script, self.repeat_last, attempt);
        let scripted = scheduled.map(|behaviour| {
            script::scripted(behaviour, &self.deployment, endpoint.unwrap_or(Endpoint::Responses))
        });

        let mut violation = None;
        let examined = self.examine(located, &target, request);
        let refused = examined.is_err();
        let (reply, wire) = match (examined, scripted) {
            (Err(refusal), scripted) => {
                let wire = scripted.map(|(_, wire)| wire).unwrap_or_default();
                let reply = refusal_reply(surface, endpoint, &refusal);
                if let Refusal::Parameter(found) = refusal {
                    violation = Some(*found);
                }
                (reply, wire)
            }
            (Ok(passed), scripted) => {
                violation = passed.doubt;
                let order = Order {
                    deployment: &self.deployment,
                    marker: &self.marker,
                    attempt,
                    members: &passed.members,
                };
                match (scripted, scheduled) {
                    (Some((error, wire)), Some(behaviour)) => {
                        let reply = error.unwrap_or_else(|| order.success(passed.endpoint));
                        (script::overridden(behaviour, &self.deployment, reply), wire)
                    }
                    _ => (unexpected(attempt), WirePlan::default()),
                }
            }
        };
        let behaviour = scheduled.map_or(UNEXPECTED, |behaviour| &behaviour.reply).to_owned();
        let kind = HitKind::Matched;
        let plan = Plan { kind, attempt, place, behaviour, refused, violation, wire };
        Answer { plan, reply }
    }

    /// All that comes before the script, in the provider's order.
    fn examine<'a>(
        &self,
        place: Option<door::Place<'_>>,
        target: &door::Target<'_>,
        request: &Request<'a>,
    ) -> Result<Passed<'a>, Refusal> {
        let Deployment { model, name, .. } = &self.deployment;
        if request.body.len() > MOST_BODY_BYTES {
            return Err(Refusal::TooLarge);
        }
        let Some(place) = place else {
            let (method, path) = (request.method.to_owned(), target.raw_path.to_owned());
            return Err(Refusal::Door(DoorRefusal::UnknownPath { method, path }));
        };
        door::api_version(place.surface, target).map_err(Refusal::Door)?;
        door::credential(place.surface, &self.deployment, request).map_err(Refusal::Door)?;
        let members =
            Members::of(request.body).map_err(|_| Refusal::Door(DoorRefusal::InvalidJson))?;
        let named = place.deployment.map(str::to_owned).or_else(|| members.get("model"));
        if let Some(named) = named.filter(|named| named != name) {
            return Err(Refusal::Door(DoorRefusal::UnknownModel { name: named }));
        }
        let doubt = match strict::check(place.surface, place.endpoint, model, request.body) {
            Some(violation) if violation.strength == Strength::Observed => {
                return Err(Refusal::Parameter(Box::new(violation)));
            }
            doubt => doubt,
        };
        if members.get("stream") == Some(true) {
            return Err(Refusal::NotMocked);
        }
        Ok(Passed { endpoint: place.endpoint, members, doubt })
    }
}

/// A request that the provider accepts.
struct Passed<'a> {
    endpoint: Endpoint,
    members: Members<'a>,
    /// What the provider's documents hold against it.
    doubt: Option<Violation>,
}

fn refusal_reply(surface: Surface, endpoint: Option<Endpoint>, refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::Door(refusal) => errors::door(surface, endpoint, refusal),
        Refusal::Parameter(violation) => {
            errors::refusal(surface, endpoint.unwrap_or(Endpoint::Responses), violation)
        }
        Refusal::TooLarge => own_refusal(
            413,
            "fallproof_body_too_large",
            &format!("Fallproof's mocks take request bodies of at most {MOST_BODY_BYTES} bytes."),
        ),
        Refusal::NotMocked => own_refusal(
            400,
            "fallproof_not_mocked",
            "Fallproof's mocks do not stream yet; send no `stream: true`.",
        ),
    }
}

fn unexpected(attempt: u32) -> Reply {
    own_refusal(
        400,
        "fallproof_unexpected_attempt",
        &format!("This upstream's script has ended; attempt {attempt} was not expected."),
    )
}
