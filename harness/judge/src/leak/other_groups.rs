//! `FP-LEAK-07`: no response names another group, or a deployment of another group.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::requirement::Code;
use memchr::memmem;

use super::written;
use crate::collector::Collector;
use crate::contains;
use crate::observe::View;
use crate::violation::LeakViolation::{
    self, DeploymentOfOtherGroup, OtherGroupNamed, OtherGroupsNamed,
};

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(written) = written(view) else { return };
    let is_known = |name: &str| written.iter().any(|it| contains(it, name));
    let is_shown = |name: &str| {
        has_word(&view.observed.exchange.body, name) && !is_own(view, name) && !is_known(name)
    };
    for other in view.groups.iter().filter(|group| group.name != view.group.name) {
        if is_shown(&other.model) {
            found.breach(Code::Leak07, OtherGroupNamed { group: other.model.clone() });
            continue;
        }
        let named = other.deployments().find_map(|it| names(other, it).find(|it| is_shown(it)));
        if let Some(name) = named {
            let kind = DeploymentOfOtherGroup { name, group: other.model.clone() };
            found.breach(Code::Leak07, kind);
        }
    }
    let mut named = of_other_scenarios(view);
    named.retain(|name, _| !is_known(name));
    if let Some(kind) = in_one_sentence(&named) {
        found.breach(Code::Leak07, kind);
    }
}

/// The groups of other scenarios that the response names, by the name of the group or of a
/// deployment that it shows. Only generated names count: those of scenarios in a folder have a `.`,
/// and do not occur by coincidence.
fn of_other_scenarios(view: View<'_>) -> BTreeMap<&str, &Group> {
    let others = || view.all_groups.iter().filter(|group| group.scenario != view.scenario.id);
    // Most words with a `.` are numbers, and there may be thousands of groups to compare them with.
    let mut starts = [false; 256];
    for first in others().filter_map(|group| group.model.bytes().next()) {
        starts[usize::from(first)] = true;
    }
    let may_name = |word: &&str| {
        word.contains('.') && word.bytes().next().is_some_and(|first| starts[usize::from(first)])
    };
    let body = &view.observed.exchange.body;
    let names = words(&body[..body.len().min(SEARCHED)]).filter(may_name);
    let known = |word| others().find(|group| names_group(word, group)).map(|group| (word, group));
    names.filter_map(known).collect()
}

/// Number of bytes of a response that are searched for the groups of other scenarios. A gateway may
/// serve a thousand groups, and a response may have megabytes.
const SEARCHED: usize = 64 * 1024;

/// Whether the word is the name of this group, or its planned name of a deployment.
fn names_group(word: &str, group: &Group) -> bool {
    let Some(rest) = word.strip_prefix(group.model.as_str()) else { return false };
    let is_name = |name| group.deployment(name).is_some();
    group.model.contains('.') && (rest.is_empty() || rest.strip_prefix('.').is_some_and(is_name))
}

/// One violation for all groups, because some gateways list all that they have.
fn in_one_sentence(named: &BTreeMap<&str, &Group>) -> Option<LeakViolation> {
    let (name, group) = named.first_key_value()?;
    let models: BTreeSet<_> = named.values().map(|group| &group.model).collect();
    let group = group.model.clone();
    Some(match models.len() {
        1 if *name == group => OtherGroupNamed { group },
        1 => DeploymentOfOtherGroup { name: (*name).to_owned(), group },
        count => OtherGroupsNamed { group, count },
    })
}

/// The words of a text in which a [name](has_word) could be; no parts of addresses.
fn words(text: &[u8]) -> impl Iterator<Item = &str> {
    let is_end = |byte: &u8| !is_part(*byte) && *byte != b'.';
    let parts = text.split(is_end).scan(0, |at, part| {
        let rest = &text[*at + part.len()..];
        *at += part.len() + 1;
        Some((part, rest))
    });
    let is_word = |(_, rest): &(&[u8], &[u8])| !matches!(rest, [b'/', next, ..] if is_part(*next));
    let text = |(part, _): (_, &[u8])| str::from_utf8(part).ok();
    parts.filter(is_word).filter_map(text).map(|word| word.trim_end_matches('.'))
}

/// The operator's names for a deployment: the name in the gateway's configuration and the
/// deployment name at the provider. The name of a model is public and is left out.
fn names(group: &Group, deployment: &Deployment) -> impl Iterator<Item = String> {
    let chosen = Some(&deployment.deployment_name).filter(|name| **name != deployment.model);
    let planned = format!("{}.{}", group.model, deployment.name);
    [planned].into_iter().chain(chosen.cloned())
}

/// Whether the group that the client called has the same name.
fn is_own(view: View<'_>, name: &str) -> bool {
    let group = view.group;
    let mut own = group.deployments().flat_map(|it| names(group, it).chain([it.model.clone()]));
    group.model == name || own.any(|own| own == name)
}

/// Whether the text contains the name as a whole word. A group's name can be a prefix of another
/// group's name or of an address.
fn has_word(text: &[u8], name: &str) -> bool {
    let continues = |rest: &[u8]| match rest {
        [b'.' | b'/', next, ..] | [next, ..] => is_part(*next),
        [] => false,
    };
    let starts = |before: &[u8]| before.last().is_none_or(|&byte| !is_part(byte) && byte != b'.');
    let found = memmem::find_iter(text, name.as_bytes());
    !name.is_empty() && { found }
        .any(|at| starts(&text[..at]) && !continues(&text[at + name.len()..]))
}

/// Whether the byte can be a part of a name.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{has_word, words};

    #[rstest]
    #[case("Try eu.one instead.", true)]
    #[case("['eu.one','us']", true)]
    #[case("Known: eu.one.", true)]
    #[case("openai/eu.one", true)]
    #[case("eu.one", true)]
    #[case("eu.one.more", false)]
    #[case("eu.one-2", false)]
    #[case("http://127.0.0.1/eu.one/primary", false)]
    #[case("the-eu.one", false)]
    #[case("not.eu.one", false)]
    #[case("", false)]
    fn a_name_counts_only_as_a_word(#[case] text: &str, #[case] has: bool) {
        assert_eq!(has_word(text.as_bytes(), "eu.one"), has);
        assert_eq!(words(text.as_bytes()).any(|word| word == "eu.one"), has);
    }
}
