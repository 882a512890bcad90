//! The requirements on the page: an overview by profile, and each one with what violates it.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{Cause, Compliance, Profile, Report, Requirement, Weight};
use crate::{phrases, tone};

/// The groups of requirements, in their order on the page.
const GROUPS: [(&str, &str, &[Compliance]); 5] = [
    ("violated", "Violated", &[Compliance::Fail]),
    ("only-warned", "Recommendations violated", &[Compliance::Warn]),
    (
        "exempt",
        "Exempt, because the gateway declares it, or informational",
        &[Compliance::Declared, Compliance::Observed],
    ),
    ("met", "Met", &[Compliance::Pass]),
    ("not-judged", "Not judged: no case that tests them was judged", &[Compliance::NotJudged]),
];

/// The requirements of each profile in short, by family.
pub(super) fn profiles(report: &Report) -> Vec<Value> {
    report.profiles.iter().map(profile).collect()
}

fn profile(profile: &Profile) -> Value {
    let is_same = |one: &Requirement, next: &Requirement| family(one).0 == family(next).0;
    let families = profile.requirements.chunk_by(is_same).map(|of_one| {
        let chips = of_one.iter().map(|it| {
            let (tone, sign) = tone::of_requirement(it);
            let (word, sentence) = (phrases::compliance(it), &it.sentence);
            context! { code => &it.code, number => family(it).1, tone, sign, word, sentence }
        });
        context! { name => family(&of_one[0]).0, chips => chips.collect::<Vec<_>>() }
    });
    context! {
        name => &profile.name,
        summary => phrases::profile(profile),
        families => families.collect::<Vec<_>>(),
    }
}

/// Family and number of a requirement's code, e.g. `PAYLOAD` and `01` for `FP-PAYLOAD-01`.
fn family(requirement: &Requirement) -> (&str, &str) {
    let code = phrases::brief(&requirement.code);
    code.rsplit_once('-').unwrap_or(("", code))
}

/// All requirements, the violated ones first. Groups without a requirement are left out.
pub(super) fn groups(report: &Report) -> Vec<Value> {
    let group = |(id, title, verdicts): (&str, &str, &[Compliance])| {
        let all = report.requirements().filter(|it| verdicts.contains(&it.verdict));
        let all: Vec<_> = all.map(|it| one(it, report)).collect();
        let is_open = id == "violated";
        (!all.is_empty()).then(|| context! { id, title, is_open, all })
    };
    GROUPS.into_iter().filter_map(group).collect()
}

fn one(requirement: &Requirement, report: &Report) -> Value {
    let (tone, _) = tone::of_requirement(requirement);
    let count = match requirement.violated_in.len() {
        _ if !requirement.is_judged() => String::new(),
        0 => phrases::cases(requirement.tested_by.len()),
        violated => format!("in {}", phrases::cases(violated)),
    };
    let (causes, unexplained) = violated_by(requirement, report);
    context! {
        tone,
        count,
        word => phrases::compliance(requirement),
        applies_to => phrases::applies_to(requirement),
        causes,
        unexplained => Serde(unexplained),
        ..Serde(requirement)
    }
}

/// The causes that violate the requirement, each with the number of cases in which it does; and the
/// cases that violate it without a cause.
fn violated_by<'a>(requirement: &Requirement, report: &'a Report) -> (Vec<Value>, Vec<&'a str>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for case in &report.cases {
        let violations = case.violations.iter().filter(|it| {
            it.weight != Weight::Note && it.requirement.as_ref() == Some(&requirement.code)
        });
        for cause in violations.map(|it| it.cause.as_deref()).collect::<BTreeSet<_>>() {
            match cause {
                Some(cause) => *counts.entry(cause).or_default() += 1,
                None => unexplained.push(&*case.id),
            }
        }
    }
    let explained = report.causes.iter().filter_map(|it| {
        let Cause { id, fault, scope, .. } = it;
        let cases = phrases::cases(*counts.get(&**id)?);
        Some(context! { id, target => &report.target.name, fault, scope, cases })
    });
    (explained.collect(), unexplained)
}
