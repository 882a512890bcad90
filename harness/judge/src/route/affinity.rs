//! `FP-ROUTE-09`: a call stays in its group. `FP-ROUTE-14`: a call that continues a response goes
//! to the deployment that produced it.

use fallproof_suite::requirement::Code;

use super::chain::{could_be_asked, name};
use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::RouteViolation::{NamesNoGroup, OtherConversation, OtherGroup};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    own_group(found);
    no_group(found, attempts);
    conversation(found, attempts);
}

fn own_group(found: &mut Collector<'_>) {
    let view = found.view;
    for recorded in &view.observed.misdirected {
        let prefix = recorded.prefix.as_deref().unwrap_or_default();
        let owner =
            view.groups.iter().find_map(|group| Some((group, group.deployment_at(prefix)?.1)));
        let Some((group, deployment)) = owner else { continue };
        let kind = OtherGroup {
            group: view.group.name.clone(),
            deployment: deployment.name.clone(),
            of: group.name.clone(),
        };
        found.breach(Code::Route09, kind);
    }
}

/// A call that names no group has no deployments.
fn no_group(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let is_named = found.view.planned.send.body.names_a_group();
    if let Some(first) = attempts.first().filter(|_| !is_named) {
        found.breach(Code::Route09, NamesNoGroup).at(first);
    }
}

/// Only the deployment that produced a response can continue it.
fn conversation(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let giver = view.conversation().map(|it| it.chain_index);
    let giver = giver.filter(|&chain_index| could_be_asked(view, chain_index, 1));
    let (Some(first), Some(giver)) = (attempts.first(), giver) else { return };
    if first.chain_index != giver {
        let given_by = name(view, giver);
        found.breach(Code::Route14, OtherConversation { given_by }).at(first);
    }
}
