//! The model of the router: from chain, policy and scripts to the attempts and the outcome of each
//! call. It is pure, and knows nothing of the router's code.
//!
//! What the deployments do is told by [`play`](super::play); the rest is the recommended policy as
//! the router's README has it.

use std::time::Duration;

use fallproof_protocol::marker;
use fallproof_protocol::provider::Endpoint;

use super::draft::{self, Draft, Link, Move, Request};
use super::play::{Failure, Outcome, asks_for_nothing, play};
use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::Tree;
use fallproof_suite::scenario::{Cooldown, Expect};

/// No provider is left alone for longer because it asks for it.
const MOST_ASKED_FOR: Duration = Duration::from_secs(60);

/// What must come of each call of this case, in their order.
pub fn expect(draft: &Draft) -> Vec<Expect> {
    let mut walker = Walker {
        draft,
        now: Duration::ZERO,
        states: draft.chain.iter().map(|_| State::default()).collect(),
    };
    draft
        .moves
        .iter()
        .filter_map(|it| match it {
            Move::Wait(by) => {
                walker.now += *by;
                None
            }
            Move::Ask(request) => Some(walker.call(request)),
        })
        .collect()
}

struct Walker<'a> {
    draft: &'a Draft,
    now: Duration,
    states: Vec<State>,
}

/// What has become of a deployment.
#[derive(Debug, Default)]
struct State {
    attempts: usize,
    failures_in_a_row: u32,
    rest: Option<Rest>,
}

/// That a deployment gets no calls.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Duration,
    rate_limited: bool,
}

impl Walker<'_> {
    fn call(&mut self, request: &Request) -> Expect {
        let mut attempts = Vec::new();
        let mut rests = Vec::new();
        let mut last = None;
        for (place, link) in self.draft.chain.iter().enumerate() {
            if let Some(rest) = self.states[place].resting(self.now) {
                rests.push(rest);
                continue;
            }
            let endpoint = self.draft.endpoint;
            match self.ask(place, link, request, &mut attempts) {
                outcome @ (Outcome::Answer | Outcome::Part(_)) => {
                    // A part may be too short for it.
                    let tells_who = outcome == Outcome::Answer && tells_who(endpoint, request);
                    return Expect {
                        attempts: Some(attempts),
                        status: Some(200),
                        answered_by: tells_who.then(|| draft::name(place).to_owned()),
                        ..Expect::default()
                    };
                }
                Outcome::Failure(failure) => {
                    let leads_on = failure.is_recommended();
                    last = Some(failure);
                    if !leads_on {
                        break;
                    }
                }
            }
        }
        let status = match last {
            Some(failure) => failure.told(),
            None if rests.iter().all(|rest| rest.rate_limited) => 429,
            None => 503,
        };
        Expect { attempts: Some(attempts), status: Some(status), ..Expect::default() }
    }

    /// Asks one deployment, and again while that may help. Only attempts that can be seen are put
    /// down.
    fn ask(
        &mut self,
        place: usize,
        link: &Link,
        request: &Request,
        attempts: &mut Vec<String>,
    ) -> Outcome {
        let Draft { endpoint, retries, timeout, cooldown, .. } = *self.draft;
        let mut left = retries;
        loop {
            let state = &mut self.states[place];
            let outcome = play(link, endpoint, request, state.attempts, timeout);
            state.attempts += 1;
            if link.is_seen() {
                attempts.push(draft::name(place).to_owned());
            }
            let failure = match &outcome {
                Outcome::Answer => {
                    state.failures_in_a_row = 0;
                    return outcome;
                }
                Outcome::Part(failure) => {
                    state.failed(failure, cooldown, self.now);
                    return outcome;
                }
                Outcome::Failure(failure) => failure,
            };
            state.failed(failure, cooldown, self.now);
            if left == 0 || !failure.may_pass() || state.resting(self.now).is_some() {
                return outcome;
            }
            left -= 1;
        }
    }
}

impl State {
    fn resting(&self, now: Duration) -> Option<Rest> {
        self.rest.filter(|rest| rest.until > now)
    }

    fn failed(&mut self, failure: &Failure, cooldown: Option<Cooldown>, now: Duration) {
        if !failure.is_recommended() {
            return;
        }
        self.failures_in_a_row += 1;
        let kept_failing =
            cooldown.filter(|cooldown| self.failures_in_a_row >= cooldown.after_failures);
        let kept_failing = kept_failing.map_or(Duration::ZERO, |cooldown| cooldown.rest);
        let rate_limited = failure.kind == Condition::Status(429);
        let asked_for = match failure.kind {
            Condition::Status(429 | 503) => failure.wait.min(MOST_ASKED_FOR),
            _ => Duration::ZERO,
        };
        let until = now + kept_failing.max(asked_for);
        // What is under way is never shortened.
        if self.rest.is_none_or(|rest| rest.until.max(now) < until) {
            self.rest = Some(Rest { until, rate_limited });
        }
    }
}

impl Failure {
    /// Whether it tells of the deployment, so that the next one is asked.
    fn is_recommended(&self) -> bool {
        Condition::RECOMMENDED.iter().any(|condition| condition.covers(self.kind))
    }

    /// Whether the same deployment may do better at once.
    fn may_pass(&self) -> bool {
        match self.kind {
            Condition::Status(408 | 409 | 500..=599) => self.wait.is_zero(),
            Condition::Status(_) => false,
            _ => true,
        }
    }

    /// The status that the client gets where nothing else comes of its call.
    fn told(&self) -> u16 {
        match self.kind {
            // The operator's mistake, not the client's.
            Condition::Status(401 | 403 | 404) => 502,
            Condition::Status(status) => status,
            Condition::Timeout => 504,
            _ => 502,
        }
    }
}

/// Whether the answer surely has a place for its deployment's marker: not a short vector, one to
/// nothing, or one in a form that the client makes up. A call of one of the old functions has no id
/// that could hold it.
fn tells_who(endpoint: Endpoint, request: &Request) -> bool {
    let dimensions = request.member("dimensions").map(Tree::compact);
    let dimensions = dimensions.and_then(|dimensions| dimensions.parse::<usize>().ok());
    let is_short = dimensions.is_some_and(|it| it < marker::NUMBERS);
    let chat = matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Responses);
    let forms = ["response_format", "text", "function_call"];
    let has_a_form = chat && forms.iter().any(|name| request.member(name).is_some());
    !(asks_for_nothing(request) || has_a_form || endpoint == Endpoint::Embeddings && is_short)
}
