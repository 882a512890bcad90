//! What was observed of one step: the client's exchange and the attempts that it led to.

use fallproof_mocks::journal::Hit;

use crate::client::Exchange;
use crate::plan::{Group, Hop};
use crate::scenario::{Expect, Scenario};

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
        match self.hit.status {
            None => Ended::Broken,
            Some(_) if self.hit.wire.cut.is_some() => Ended::Broken,
            Some(status) if !(200..300).contains(&status) => Ended::Error(status),
            Some(_) if serde_json::from_slice::<serde_json::Value>(&self.hit.reply).is_err() => {
                Ended::Broken
            }
            Some(_) => Ended::Success,
        }
    }

    /// The provider's `error.code`, where it answered an error that has one.
    pub fn error_code(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.hit.reply).ok()?;
        body.pointer("/error/code")?.as_str().map(str::to_owned)
    }
}
