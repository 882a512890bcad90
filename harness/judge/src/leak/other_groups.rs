//! `FP-LEAK-07`: no response names another group, or a deployment of another group.

use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::requirement::Code;
use memchr::memmem;

use super::written;
use crate::collector::Collector;
use crate::contains;
use crate::observe::View;
use crate::violation::LeakViolation::{DeploymentOfOtherGroup, OtherGroupNamed};

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
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@');
    let continues = |rest: &[u8]| match rest {
        [b'.' | b'/', next, ..] | [next, ..] => is_part(*next),
        [] => false,
    };
    let starts = |before: &[u8]| before.last().is_none_or(|&byte| !is_part(byte) && byte != b'.');
    let found = memmem::find_iter(text, name.as_bytes());
    !name.is_empty() && { found }
        .any(|at| starts(&text[..at]) && !continues(&text[at + name.len()..]))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::has_word;

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
    }
}
