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
    let causes: Vec<_> = all.iter().map(|it| cause(it, &judged)).collect();
    for (case, of) in judged.iter_mut().zip(of) {
        for (violation, cause) in case.violations.iter_mut().zip(of) {
            violation.cause = cause.map(|index| causes[index].id.clone());
        }
    }
    causes
}

fn cause(cause: &judge::Cause, cases: &[&mut Case]) -> Cause {
    let example = &cases[cause.cases[0]];
    let violation = &example.violations[cause.example];
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
            replay: example.replay.clone(),
        },
        follows: cause.follows.iter().map(follow).collect(),
        symptoms: cause.symptoms.iter().map(|id| line(&id.to_string())).collect(),
        sources: sources.into_iter().collect(),
        requirement,
        expected: None,
    }
}
