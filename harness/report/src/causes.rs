//! Finds the causes of the judged cases of a run.

use fallproof_judge::{self as judge, CaseFacts};
use fallproof_suite::requirement;
use indexmap::IndexSet;

use crate::model::{Case, Cause, Example, Follow, Outcome};
use crate::phrases::line;

/// Returns the causes of all failures and warnings of the cases, and writes the id of its cause into
/// each violation. The cases must be in suite order.
pub fn find(cases: &mut [Case]) -> Vec<Cause> {
    let has_causes =
        |case: &Case| matches!(case.outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail);
    let mut judged: Vec<_> = cases.iter_mut().filter(|case| has_causes(case)).collect();
    let facts: Vec<_> = judged.iter_mut().map(|case| std::mem::take(&mut case.facts)).collect();
    let facts: Vec<&CaseFacts> = facts.iter().collect();
    let judge::Causes { all, of } = judge::causes(&facts);
    let causes: Vec<_> = all.iter().map(|it| cause(it, &judged, &facts)).collect();
    for (case, of) in judged.iter_mut().zip(of) {
        for (violation, cause) in case.violations.iter_mut().zip(of) {
            violation.cause = cause.map(|index| causes[index].id.clone());
        }
    }
    causes
}

fn cause(cause: &judge::Cause, cases: &[&mut Case], facts: &[&CaseFacts]) -> Cause {
    let example = &cases[cause.cases[0]];
    let violation = &example.violations[cause.example];
    let facts = facts[cause.cases[0]];
    let call = facts.fingerprints.get(cause.example).and_then(|it| facts.calls.get(it.call));
    let own_error = call.and_then(|call| call.own_error.as_ref());
    let requirement = cause.id.requirement.map(|code| code.to_string());
    let known = requirement.as_deref().and_then(requirement::find);
    let of_requirement = known.into_iter().flat_map(|it| &it.sources);
    let sources: IndexSet<_> = example.links.iter().chain(of_requirement).cloned().collect();
    let follow = |&(code, cases): &(Option<requirement::Code>, usize)| Follow {
        requirement: code.map(|code| code.to_string()),
        cases,
    };
    Cause {
        id: line(&cause.id.to_string()),
        fault: line(&cause.fault),
        scope: cause.scope.to_string(),
        weight: cause.verdict,
        cases: cause.cases.iter().map(|index| cases[*index].id.clone()).collect(),
        could_show: cause.could_show,
        silent: cause.silent,
        example: Example {
            case: example.id.clone(),
            step: violation.step,
            attempt: violation.attempt,
            message: violation.message.clone(),
            own_error: own_error.map(|it| or_none(&it.message)),
            sent: own_error.and_then(|it| it.sent.as_ref()).map(ToString::to_string),
            replay: example.replay.clone(),
        },
        follows: cause.follows.iter().map(follow).collect(),
        symptoms: cause.symptoms.iter().map(|id| line(&id.to_string())).collect(),
        sources: sources.into_iter().collect(),
        requirement,
        expected: None,
    }
}

/// The text, or a word for an empty one.
fn or_none(text: &str) -> String {
    if text.is_empty() { "an empty body".to_owned() } else { text.to_owned() }
}
