use fallproof_protocol::provider::Surface;
use fallproof_suite::capabilities::{Change, Rewrite, Translation};

use super::*;
use crate::testing::{CALL, Case, TWO};

/// A case with two calls to two deployments.
fn two_calls(policy: &str) -> Case {
    Case::of(&format!("{TWO}group: {{ chain: [primary, backup]{policy} }}\nsteps:\n{CALL}{CALL}"))
}

/// The claims that this case contradicts if the target makes this declaration.
fn contradicted(case: Case, declare: impl FnOnce(&mut Capabilities)) -> Vec<String> {
    let claims = case.declaring(declare).judge().claims;
    let found = contradictions(claims.iter().map(|sighting| ("by/hand", sighting)), |_| true);
    found.iter().map(ToString::to_string).collect()
}

fn off(it: &mut Capabilities) {
    it.unsupported.insert(Feature::Other(Ability::Cooldown), "they are off".to_owned());
}

#[test]
fn a_deployment_that_gets_no_attempt_after_a_failure_is_in_a_cooldown() {
    let failed = |status| two_calls("").attempt("primary").failing(status, None).attempt("backup");
    let declared = "declares that it never cools a deployment down (they are off)";
    let wanted = format!("{declared}; `primary` got no attempt after `401`, in by/hand");
    let passed_over = failed(401).next_call().attempt("backup");
    assert_eq!(contradicted(passed_over, off), std::slice::from_ref(&wanted));
    let no_attempt = failed(401).next_call().got(429, "{}");
    assert_eq!(contradicted(no_attempt, off), [wanted]);

    let tried_again = failed(401).next_call().attempt("primary");
    assert_eq!(contradicted(tried_again, off), [""; 0]);
    let own_cooldown = |it: &mut Capabilities| {
        off(it);
        it.own_cooldown = Some("by default".to_owned());
    };
    let passed_over = || failed(500).next_call().attempt("backup");
    assert_eq!(contradicted(passed_over(), own_cooldown), [""; 0]);
    assert_eq!(contradicted(passed_over(), |_| {}), [""; 0], "nothing is declared");
    let asked_for = two_calls("").attempt("primary").failing(429, None);
    let asked_for = asked_for.answered_with("retry-after", "30").attempt("backup");
    assert_eq!(contradicted(asked_for.next_call().attempt("backup"), off), [""; 0]);
}

#[test]
fn a_second_attempt_at_a_deployment_is_a_retry() {
    let declare = |it: &mut Capabilities| {
        it.unsupported.insert(Feature::Other(Ability::Retries), "it asks once".to_owned());
    };
    let failed = || Case::with_policy("").attempt("primary").failing(500, None);
    let wanted = "declares that it never retries (it asks once); `primary` was tried again in the \
                  same call, in by/hand";
    assert_eq!(contradicted(failed().attempt("primary"), declare), [wanted]);
    assert_eq!(contradicted(failed().attempt("backup"), declare), [""; 0]);
}

#[test]
fn a_fallback_after_a_failure_that_does_not_lead_on_contradicts_the_declaration() {
    let declare = |it: &mut Capabilities| it.fallback_on = Some(vec![Condition::Any5xx]);
    let failed = |status| Case::with_policy("").attempt("primary").failing(status, None);
    let wanted = "declares no fallback on `404`; `backup` was tried after it, in by/hand";
    assert_eq!(contradicted(failed(404).attempt("backup"), declare), [wanted]);
    assert_eq!(contradicted(failed(500).attempt("backup"), declare), [""; 0]);
    assert_eq!(contradicted(failed(404), declare), [""; 0]);
    assert_eq!(contradicted(failed(404).attempt("backup"), |_| {}), [""; 0]);
}

#[test]
fn a_part_that_is_never_changed_contradicts_its_declaration() {
    let declare = |it: &mut Capabilities| {
        it.rewrites = vec![Rewrite {
            pointer: "/seed".to_owned(),
            change: Change::Any,
            endpoint: Some(Endpoint::ChatCompletions),
            surface: None,
            reason: "it counts".to_owned(),
        }];
    };
    let body = r#"{"model":"{{model}}","seed":7,"messages":[{"role":"user","content":"Hi"}]}"#;
    let case = || Case::with_body(body).attempt("primary");
    let wanted = "declares that it changes /seed (it counts); attempts carried it unchanged, in \
                  by/hand";
    assert_eq!(contradicted(case(), declare), [wanted]);
    assert_eq!(contradicted(case().with_instead(":7", ":8"), declare), [""; 0]);
    assert_eq!(contradicted(Case::with_policy("").attempt("primary"), declare), [""; 0]);
}

#[test]
fn an_endpoint_that_is_called_itself_contradicts_its_translation() {
    let declare = |it: &mut Capabilities| {
        it.translates = vec![Translation {
            from: Endpoint::ChatCompletions,
            to: Endpoint::Responses,
            surface: Some(Surface::OpenAi),
            reason: "it bridges".to_owned(),
        }];
    };
    let case = || Case::with_policy("").attempt("primary");
    let wanted = "declares that it calls responses instead of chat/completions (it bridges); \
                  attempts called the client's endpoint, in by/hand";
    assert_eq!(contradicted(case(), declare), [wanted]);
    let route = Some((Surface::OpenAi, Endpoint::Responses));
    assert_eq!(contradicted(case().asking_for("/v1/responses", route), declare), [""; 0]);
}

#[test]
fn a_waived_requirement_that_every_case_meets_contradicts_the_waiver() {
    let declare = |it: &mut Capabilities| {
        it.waived.insert(Code::Route03, "it does not fall back".to_owned());
    };
    let case = |proves: &str| {
        let proves = format!("proves: [{proves}]\n");
        let case = Case::of(&format!(
            "{proves}{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}"
        ));
        case.attempt("primary").failing(500, None)
    };
    let wanted = "declares that it does not meet FP-ROUTE-03 (it does not fall back); each case \
                  that tests it met it, in by/hand";
    let first = "FP-ROUTE-03, FP-PAYLOAD-01";
    assert_eq!(contradicted(case(first).attempt("backup"), declare), [wanted]);
    assert_eq!(contradicted(case(first), declare), [""; 0]);
    // The case mainly tests another requirement.
    let other = "FP-PAYLOAD-01, FP-ROUTE-03";
    assert_eq!(contradicted(case(other).attempt("backup"), declare), [""; 0]);
}

#[test]
fn a_waiver_that_any_case_needs_is_not_contradicted() {
    let waives = |seen| Sighting {
        claim: Claim::Waives { requirement: Code::Leak04, reason: "it shows it".to_owned() },
        seen,
    };
    let (met, kept) = (waives(Seen::Met), waives(Seen::Kept));
    assert_eq!(contradictions([("a", &met)], |_| true).len(), 1);
    assert_eq!(contradictions([("a", &met), ("b", &kept)], |_| true), []);
}

#[test]
fn a_waiver_is_not_contradicted_while_cases_that_test_it_are_missing() {
    let claim = Claim::Waives { requirement: Code::Leak04, reason: "it shows it".to_owned() };
    let met = Sighting { claim, seen: Seen::Met };
    let found = contradictions([("a", &met)], |code| code != Code::Leak04);
    let wanted = "declares that it does not meet FP-LEAK-04 (it shows it); not shown, because each \
                  case of this incomplete run that tests it met it, in a";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [wanted]);
}

#[test]
fn a_claim_that_was_kept_once_is_not_contradicted_unless_it_is_absolute() {
    let pointer = Claim::Rewrites { pointer: "/a".to_owned(), reason: "b".to_owned() };
    let cools = Claim::NeverRetries("c".to_owned());
    let sighting = |claim: &Claim, seen: Seen| Sighting { claim: claim.clone(), seen };
    let seen = [
        ("x", sighting(&pointer, Seen::Unchanged)),
        ("x", sighting(&cools, Seen::Retried("primary".to_owned()))),
        ("y", sighting(&pointer, Seen::Kept)),
        ("y", sighting(&cools, Seen::Kept)),
        ("z", sighting(&cools, Seen::Retried("backup".to_owned()))),
        ("z", sighting(&cools, Seen::Retried("backup".to_owned()))),
    ];
    let found = contradictions(seen.iter().map(|(case, sighting)| (*case, sighting)), |_| true);
    let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
    let wanted = "declares that it never retries (c); `primary` was tried again in the same call, \
                  in x and 1 more case";
    assert_eq!(texts, [wanted]);
    assert_eq!(found[0].cases, ["x", "z"]);
}
