//! Claims of a target that the evidence contradicts. A declaration excuses violations, so a false
//! declaration hides them. Claims do not change the verdict.

use std::fmt;

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::Endpoint;
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::feature::{Ability, Feature};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Scenario;
use serde_json::Value;
use strum::Display;

use crate::cooldown_state::CooldownState;
use crate::names;
use crate::observe::{Attempt, View};
use crate::violation::Violation;

/// What a target declares about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It never cools down a deployment unless the group configures a cooldown. Holds the declared
    /// reason.
    NeverCools(String),
    /// It never retries. Holds the declared reason.
    NeverRetries(String),
    /// It does not fall back after this failure.
    NoFallbackOn(Condition),
    /// It changes this part of each request.
    Rewrites {
        /// JSON pointer to the part.
        pointer: String,
        /// The declared reason.
        reason: String,
    },
    /// It calls a different endpoint than the client.
    Translates {
        /// The endpoint that the client calls.
        from: Endpoint,
        /// The endpoint that the target calls instead.
        to: Endpoint,
        /// The declared reason.
        reason: String,
    },
    /// It does not meet a requirement.
    Waives {
        /// The requirement.
        requirement: Code,
        /// The declared reason.
        reason: String,
    },
}

/// How the target behaved in one case, compared with a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The claim.
    pub claim: Claim,
    /// What was seen.
    pub seen: Seen,
}

/// How the target behaved, compared with a claim.
#[derive(Debug, Clone, PartialEq, Eq, Display)]
pub enum Seen {
    /// The target behaved as it claims.
    #[strum(to_string = "it does so")]
    Kept,
    /// After a failure, a deployment got no attempt in a later call.
    #[strum(to_string = "`{deployment}` got no attempt after `{failure}`")]
    CooledDown {
        /// The deployment.
        deployment: String,
        /// Its failure in an earlier call.
        failure: Condition,
    },
    /// A deployment was retried immediately.
    #[strum(to_string = "`{0}` was tried again in the same call")]
    Retried(String),
    /// Another deployment was tried after the failure.
    #[strum(to_string = "`{0}` was tried after it")]
    FellBackTo(String),
    /// The part reached the provider as the client sent it.
    #[strum(to_string = "attempts carried it unchanged")]
    Unchanged,
    /// The client's own endpoint was called.
    #[strum(to_string = "attempts called the client's endpoint")]
    NotTranslated,
    /// The requirement was met by a case that tests it.
    #[strum(to_string = "each case that tests it met it")]
    Met,
    /// The cases of an incomplete run that test the requirement met it. Others may not.
    #[strum(to_string = "not shown, because each case of this incomplete run that tests it met it")]
    NotShown,
}

/// A claim that the evidence of a run contradicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The claim.
    pub claim: Claim,
    /// The first contrary behavior that was seen.
    pub seen: Seen,
    /// Ids of the cases that contradict the claim.
    pub cases: Vec<String>,
}

impl Claim {
    /// Whether one contrary case is enough to contradict the claim. Other claims are contradicted
    /// only if no case shows the claimed behavior.
    fn is_absolute(&self) -> bool {
        matches!(self, Self::NeverCools(_) | Self::NeverRetries(_) | Self::NoFallbackOn(_))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverCools(reason) => {
                write!(f, "that it never cools a deployment down ({reason})")
            }
            Self::NeverRetries(reason) => write!(f, "that it never retries ({reason})"),
            Self::NoFallbackOn(failure) => write!(f, "no fallback on `{failure}`"),
            Self::Rewrites { pointer, reason } => write!(f, "that it changes {pointer} ({reason})"),
            Self::Translates { from, to, reason } => {
                write!(f, "that it calls {} instead of {} ({reason})", to.path(), from.path())
            }
            Self::Waives { requirement, reason } => {
                write!(f, "that it does not meet {requirement} ({reason})")
            }
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claim, seen, cases } = self;
        let first = cases.first().map_or("", String::as_str);
        write!(f, "declares {claim}; {seen}, in {first}")?;
        match cases.len() {
            0 | 1 => Ok(()),
            2 => f.write_str(" and 1 more case"),
            more => write!(f, " and {} more cases", more - 1),
        }
    }
}

/// Returns the claims that these sightings contradict. Each sighting comes with the id of its case.
/// `is_covered` tells whether all cases that mainly test a requirement were judged. If some were not,
/// those that met the requirement do not contradict its waiver.
pub fn contradictions<'a>(
    sightings: impl IntoIterator<Item = (&'a str, &'a Sighting)>,
    is_covered: impl Fn(Code) -> bool,
) -> Vec<Contradiction> {
    let mut found: Vec<Contradiction> = Vec::new();
    let mut kept: Vec<&Claim> = Vec::new();
    for (case, Sighting { claim, seen }) in sightings {
        if *seen == Seen::Kept {
            kept.push(claim);
            continue;
        }
        let seen = match claim {
            Claim::Waives { requirement, .. } if !is_covered(*requirement) => Seen::NotShown,
            _ => seen.clone(),
        };
        match found.iter_mut().find(|it| it.claim == *claim) {
            Some(known) if known.cases.last().is_some_and(|last| last == case) => {}
            Some(known) => known.cases.push(case.to_owned()),
            None => found.push(Contradiction {
                claim: claim.clone(),
                seen,
                cases: vec![case.to_owned()],
            }),
        }
    }
    found.retain(|it| it.claim.is_absolute() || !kept.contains(&&it.claim));
    found
}

/// Returns what one call shows about the target's claims.
pub(super) fn of_call(view: View<'_>) -> Vec<Sighting> {
    let attempts: Vec<_> = view.attempts().collect();
    let mut seen = Vec::new();
    seen.extend(cooldown(view, &attempts));
    seen.extend(retry(view, &attempts));
    seen.extend(fallback(view, &attempts));
    for attempt in &attempts {
        rewrites(&mut seen, view, attempt);
        translations(&mut seen, view, attempt);
    }
    seen
}

/// Returns what a case shows about the requirements that the target waives.
pub(super) fn of_case(
    scenario: &Scenario,
    capabilities: &Capabilities,
    violations: &[Violation],
) -> Vec<Sighting> {
    let sighting = |(&requirement, reason): (&Code, &String)| {
        let is_violated = violations.iter().any(|it| it.requirement == Some(requirement));
        // A case that mainly tests another requirement may meet this one without testing it.
        let is_about_it = scenario.proves.first() == Some(&requirement);
        let seen = match (is_violated, is_about_it) {
            (true, _) => Seen::Kept,
            (false, true) => Seen::Met,
            (false, false) => return None,
        };
        Some(Sighting { claim: Claim::Waives { requirement, reason: reason.clone() }, seen })
    };
    capabilities.waived.iter().filter_map(sighting).collect()
}

/// Detects a cooldown that the target claims not to have: the first deployment failed in an earlier
/// call and is now skipped, although neither the group nor the provider asked for a wait.
fn cooldown(view: View<'_>, attempts: &[Attempt<'_>]) -> Option<Sighting> {
    let Capabilities { unsupported, waived, own_cooldown, .. } = view.capabilities;
    let cooldown = unsupported.get(&Feature::Other(Ability::Cooldown));
    let declared = cooldown.or_else(|| waived.get(&Code::Route06));
    let reason = declared.filter(|_| own_cooldown.is_none())?;
    let failed = |(_, it): &(_, Attempt<'_>)| it.chain_index == 0 && it.failure().is_some();
    let failure = view.history().filter(failed).last()?.1.failure()?;
    let is_skipped = match attempts.first() {
        Some(first) => first.chain_index > 0,
        None => matches!(view.observed.exchange.status, Some(429 | 503)),
    };
    let is_asked_for = view.group.policy.cooldown.is_some()
        || CooldownState::of(view, 0, 1).has_started()
        || view.conversation().is_some()
        || view.client_headers().any(|(name, _)| names::of_gateways().has_header(name));
    if !is_skipped || is_asked_for {
        return None;
    }
    let deployment = view.group.chain.first()?.name.clone();
    let claim = Claim::NeverCools(reason.clone());
    Some(Sighting { claim, seen: Seen::CooledDown { deployment, failure } })
}

fn retry(view: View<'_>, attempts: &[Attempt<'_>]) -> Option<Sighting> {
    let reason = view.capabilities.unsupported.get(&Feature::Other(Ability::Retries))?;
    let again = attempts.windows(2).find(|pair| pair[0].chain_index == pair[1].chain_index)?;
    let seen = Seen::Retried(again[1].deployment.name.clone());
    Some(Sighting { claim: Claim::NeverRetries(reason.clone()), seen })
}

/// Detects a fallback after a failure on which the target claims not to fall back.
fn fallback(view: View<'_>, attempts: &[Attempt<'_>]) -> Option<Sighting> {
    let declared = view.capabilities.fallback_on.as_deref()?;
    if view.group.policy.fallback_on.is_some() {
        return None;
    }
    attempts.windows(2).find_map(|pair| {
        let [failed, next] = pair else { return None };
        let failure = failed.failure().filter(|_| failed.cause().is_none())?;
        let is_declared = |it| declared.iter().any(|condition| condition.covers(it));
        let is_undeclared = !failed.failures().any(is_declared);
        let goes_on = next.chain_index > failed.chain_index;
        (is_undeclared && goes_on && !failed.is_broken_refusal()).then(|| Sighting {
            claim: Claim::NoFallbackOn(failure),
            seen: Seen::FellBackTo(next.deployment.name.clone()),
        })
    })
}

fn rewrites(seen: &mut Vec<Sighting>, view: View<'_>, attempt: &Attempt<'_>) {
    let (endpoint, surface) = (view.planned.send.endpoint, attempt.deployment.surface());
    let applicable = view.capabilities.rewrites.iter().filter(|it| {
        it.endpoint.is_none_or(|it| it == endpoint) && it.surface.is_none_or(|it| it == surface)
    });
    let mut applicable = applicable.peekable();
    if applicable.peek().is_none() {
        return;
    }
    let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let sent = parsed(&view.observed.exchange.sent);
    let (Some(sent), Some(received)) = (sent, parsed(&attempt.recorded.body)) else { return };
    for rewrite in applicable {
        let seen_here = match [&sent, &received].map(|body| body.pointer(&rewrite.pointer)) {
            [None, None] => continue,
            [sent, received] if sent == received => Seen::Unchanged,
            _ => Seen::Kept,
        };
        let (pointer, reason) = (rewrite.pointer.clone(), rewrite.reason.clone());
        seen.push(Sighting { claim: Claim::Rewrites { pointer, reason }, seen: seen_here });
    }
}

fn translations(seen: &mut Vec<Sighting>, view: View<'_>, attempt: &Attempt<'_>) {
    let Some((surface, called)) = attempt.recorded.route else { return };
    let asked = view.planned.send.endpoint;
    for translation in &view.capabilities.translates {
        let applies =
            translation.from == asked && translation.surface.is_none_or(|it| it == surface);
        let seen_here = match called {
            _ if !applies => continue,
            called if called == translation.to => Seen::Kept,
            called if called == asked => Seen::NotTranslated,
            _ => continue,
        };
        let (from, to) = (translation.from, translation.to);
        let claim = Claim::Translates { from, to, reason: translation.reason.clone() };
        seen.push(Sighting { claim, seen: seen_here });
    }
}

#[cfg(test)]
mod tests;
