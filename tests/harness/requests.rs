//! Requests generated from the schemas: they are valid and cover the complete grammar.

use std::collections::{BTreeMap, HashSet};

use fallproof_fuzz::body::{Richness, body};
use fallproof_fuzz::goal::{Goal, goals};
use fallproof_fuzz::grammar::{Grammar, Node, Turn};
use fallproof_fuzz::model_names::model_names;
use fallproof_fuzz::mutate::{Defect, mutate};
use fallproof_fuzz::random::{CaseRng, case_rng, pick};
use fallproof_fuzz::repair::{Acceptor, repair};
use fallproof_mocks::provider::{Endpoint, Surface};
use fallproof_protocol::json::Tree;
use rand::RngExt as _;
use rstest::rstest;

const SEED: u64 = 6;

/// Every endpoint with JSON requests, on every surface that has it.
fn everywhere() -> impl Iterator<Item = (Surface, Endpoint)> {
    Surface::ALL
        .into_iter()
        .flat_map(|surface| Endpoint::ALL.map(|endpoint| (surface, endpoint)))
        .filter(|&(surface, endpoint)| endpoint.is_on(surface) && !endpoint.is_multipart())
}

/// Generates a request for one deployment that aims at this goal.
fn request(surface: Surface, endpoint: Endpoint, goal: &Goal, rng: &mut CaseRng) -> Tree {
    let grammar = Grammar::of(surface, endpoint);
    let models = model_names(endpoint);
    let mut last = None;
    // If one model does not accept the parameter, another model may.
    for model in models.iter().cycle().skip(rng.random_range(0..models.len())).take(6) {
        let acceptor = Acceptor { surface, model: (*model).to_owned() };
        let made = body(grammar, &goal.route, Richness::random(rng), rng);
        if let Some(fitting) = repair(endpoint, &[&acceptor], made) {
            let mut has_it = false;
            grammar.visit(grammar.root(), &fitting, &mut |mark, _| has_it |= mark == goal.mark);
            last = Some(fitting);
            if has_it {
                break;
            }
        }
    }
    last.expect("at least one body can be repaired")
}

/// A goal as text: `input|1[].content=auto`, where `|1` is a branch.
fn goal_text(grammar: &Grammar, goal: &Goal) -> String {
    let mut at = grammar.root();
    let steps = goal.route.iter().map(|&turn| {
        let step = match (turn, grammar.node(at)) {
            (Turn::Branch(branch), _) => format!("|{branch}"),
            (Turn::Value(value), Node::Enum(values)) => format!("={}", values[value]),
            (Turn::Member(member), Node::Object(object)) => {
                let (name, _) = object.members.get_index(member).expect("the member exists");
                format!(".{name}")
            }
            (Turn::Other, _) => ".*".to_owned(),
            _ => "[]".to_owned(),
        };
        at = grammar.below(at).into_iter().find(|(it, _)| *it == turn).map_or(at, |(_, id)| id);
        step
    });
    steps.collect::<String>().trim_start_matches('.').to_owned()
}

#[rstest]
#[case(Surface::OpenAi)]
#[case(Surface::AzureV1)]
#[case(Surface::AzureLegacy)]
fn one_request_per_goal_covers_every_parameter_and_enum_value(#[case] surface: Surface) {
    for (_, endpoint) in everywhere().filter(|(it, _)| *it == surface) {
        let grammar = Grammar::of(surface, endpoint);
        let goals = goals(surface, endpoint);
        let mut reached = HashSet::new();
        for (case, goal) in (0..).zip(goals) {
            let request = request(surface, endpoint, goal, &mut case_rng(SEED, case));
            grammar.visit(grammar.root(), &request, &mut |mark, _| {
                reached.insert(mark);
            });
        }
        let missed = goals.iter().filter(|goal| !reached.contains(&goal.mark));
        let missed: Vec<_> = missed.map(|goal| goal_text(grammar, goal)).collect();
        let count = |is: fn(&Goal) -> bool| goals.iter().filter(|goal| is(goal)).count();
        println!(
            "{} {}: {} parameters, {} members, {} enum values, {} branches in {} requests",
            surface.name(),
            endpoint.path(),
            count(|goal| matches!(goal.route[..], [Turn::Member(_)])),
            count(|goal| matches!(goal.mark.1, Turn::Member(_) | Turn::Other)),
            count(|goal| matches!(goal.mark.1, Turn::Value(_))),
            count(|goal| matches!(goal.mark.1, Turn::Branch(_))),
            goals.len()
        );
        assert!(missed.is_empty(), "{} {}: {missed:?}", surface.name(), endpoint.path());
    }
}

#[test]
fn a_repaired_request_is_valid_for_every_deployment_of_its_chain() {
    for (case, (first, endpoint)) in
        (0..400).zip(everywhere().collect::<Vec<_>>().into_iter().cycle())
    {
        let mut rng = case_rng(SEED, case);
        let others = Surface::ALL.into_iter().filter(|surface| endpoint.is_on(*surface));
        let acceptors: Vec<_> = [first]
            .into_iter()
            .chain(others)
            .map(|surface| Acceptor {
                surface,
                model: (*pick(model_names(endpoint), &mut rng)).to_owned(),
            })
            .collect();
        let made = body(Grammar::of(first, endpoint), &[], Richness::random(&mut rng), &mut rng);
        let Some(fitting) = repair(endpoint, &acceptors.iter().collect::<Vec<_>>(), made) else {
            panic!("case {case}: the body cannot be repaired");
        };
        let Tree::Object(mut members) = fitting else { panic!("case {case}: a body is an object") };
        members.push(("model".to_owned(), Tree::string("group")));
        let text = Tree::Object(members).compact();
        for acceptor in acceptors {
            assert_eq!(acceptor.violation(endpoint, &text), None, "case {case}: {text}");
        }
    }
}

#[test]
fn a_mutated_request_is_rejected_by_its_provider() {
    let mut invalid: BTreeMap<Defect, usize> = BTreeMap::new();
    for (case, (surface, endpoint)) in
        (0..600).zip(everywhere().collect::<Vec<_>>().into_iter().cycle())
    {
        let grammar = Grammar::of(surface, endpoint);
        let mut rng = case_rng(SEED, case);
        let acceptor = Acceptor { surface, model: model_names(endpoint)[0].to_owned() };
        let made = body(grammar, &[], Richness::random(&mut rng), &mut rng);
        let Some(fitting) = repair(endpoint, &[&acceptor], made) else { continue };
        let defect = *pick(&Defect::ALL, &mut rng);
        let Some(Tree::Object(mut members)) = mutate(grammar, &fitting, defect, &mut rng) else {
            continue;
        };
        members.push(("model".to_owned(), Tree::string("group")));
        let text = Tree::Object(members).compact();
        assert!(acceptor.violation(endpoint, &text).is_some(), "case {case}, {defect:?}: {text}");
        *invalid.entry(defect).or_default() += 1;
    }
    assert!(Defect::ALL.iter().all(|defect| invalid[defect] > 50), "{invalid:?}");
}
