//! What was observed of one step: the client's exchange and the attempts that it led to.

use fallproof_mocks::journal::Hit;

use crate::client::{Ending, Exchange};
use crate::plan::{Group, Hop};
use crate::scenario::{Expect, Scenario};
use crate::sse::{self, Event, Meaning};

/// What happened between the start and the end of one client call.
#[derive(Debug)]
pub struct Step {
    /// Place in the scenario, from 0.
    pub position: usize,
    /// The client's side.
    pub exchange: Exchange,
    /// The providers' side, in order of arrival; attempts only.
    pub hits: Vec<Hit>,
}

/// One step with all that is needed to judge it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The scenario that it belongs to.
    pub scenario: &'a Scenario,
    /// What the target was configured with for it.
    pub group: &'a Group,
    /// The key that the client gave to the target.
    pub gateway_key: &'a str,
    /// What the scenario expects of this step.
    pub expect: &'a Expect,
    /// What happened.
    pub step: &'a Step,
}

/// One attempt and the deployment that it was addressed to.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Its number within the step, from 1.
    pub number: usize,
    /// The deployment's place in the chain, from 0.
    pub place: usize,
    /// The deployment.
    pub hop: &'a Hop,
    /// What reached the upstream.
    pub hit: &'a Hit,
}

/// How an attempt ended, as a gateway could see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A complete and sound 2xx.
    Success,
    /// A complete error answer. Holds the status.
    Error(u16),
    /// No complete answer, or a 2xx whose body is not what it says it is.
    Broken,
    /// A stream that said that it failed before it had any content.
    ErrorInStream,
    /// A stream that broke off, or said that it failed, after its first content.
    Interrupted,
}

impl<'a> View<'a> {
    /// The attempts in order of arrival.
    pub fn attempts(&self) -> impl Iterator<Item = Attempt<'a>> {
        let group = self.group;
        self.step.hits.iter().enumerate().filter_map(move |(index, hit)| {
            let (place, hop) = group.hop_at(hit.upstream.as_deref()?)?;
            Some(Attempt { number: index + 1, place, hop, hit })
        })
    }

    /// Whether the target broke off its answer because the provider's stream broke: nothing else is
    /// left to it once a part of the answer is out.
    pub fn is_broken_off(&self) -> bool {
        matches!(self.step.exchange.ending, Ending::Closed | Ending::Reset)
            && self.step.exchange.status.is_some()
            && self.attempts().any(|attempt| attempt.ended() == Ended::Interrupted)
    }

    /// The headers that the scenario gave to the client's call, beside those that every call has.
    pub fn client_headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let call = self.scenario.steps.get(self.step.position).map(|step| &step.send);
        call.into_iter()
            .flat_map(|call| &call.headers)
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether attempts at this place of the chain can be seen: a refused connection cannot.
    pub fn visible(&self, place: usize) -> bool {
        self.group
            .chain
            .get(place)
            .and_then(|hop| self.scenario.upstreams.get(&hop.upstream))
            .is_some_and(|upstream| upstream.dead_end().is_none())
    }
}

impl Attempt<'_> {
    /// How the attempt ended.
    pub fn ended(&self) -> Ended {
        let is_success = self.hit.status.is_some_and(|status| (200..300).contains(&status));
        if let (true, Some(events)) = (is_success, self.events()) {
            return ended(&events);
        }
        match self.hit.status {
            None => Ended::Broken,
            Some(_) if self.hit.wire.cut.is_some() => Ended::Broken,
            Some(status) if !is_success => Ended::Error(status),
            Some(_) if serde_json::from_slice::<serde_json::Value>(&self.hit.reply).is_err() => {
                Ended::Broken
            }
            Some(_) => Ended::Success,
        }
    }

    /// The events that were sent to the target, where the reply is a stream of them.
    pub fn events(&self) -> Option<Vec<Event>> {
        let reply = &self.hit.reply;
        let sent = &reply[..self.hit.sent.min(reply.len())];
        (!sse::events(reply).is_empty()).then(|| sse::events(sent))
    }

    /// The provider's `error.code`, where it answered an error that has one.
    pub fn error_code(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.hit.reply).ok()?;
        body.pointer("/error/code")?.as_str().map(str::to_owned)
    }
}

fn ended(events: &[Event]) -> Ended {
    let has_content =
        events.iter().take_while(|event| event.meaning() != Meaning::Error).any(Event::is_answer);
    let has = |wanted| events.iter().any(|event| event.meaning() == wanted);
    match (has_content, has(Meaning::Error), has(Meaning::End)) {
        (true, false, true) => Ended::Success,
        (true, _, _) => Ended::Interrupted,
        (false, true, _) => Ended::ErrorInStream,
        (false, false, _) => Ended::Broken,
    }
}
