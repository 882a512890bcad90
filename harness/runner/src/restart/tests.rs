//! Tests of the queue with a simulated target that exits in some cases.

use rstest::rstest;

use super::*;
use crate::testing::scenarios;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Good,
    /// The target misbehaved, but may still be running.
    Bad,
    /// The target was gone.
    Unserved,
}
use Outcome::{Bad, Good, Unserved};

fn case(id: &str, outcome: Outcome, from: u64, to: u64) -> FinishedCase<(String, Outcome)> {
    let (started, ended) = (ms(from), ms(to));
    let is_unserved = outcome == Unserved;
    let is_suspect = outcome != Good;
    FinishedCase { output: (id.to_owned(), outcome), started, ended, is_unserved, is_suspect }
}

fn all<T>(cases: Vec<T>) -> Vec<Option<T>> {
    cases.into_iter().map(Some).collect()
}

fn ids(scenarios: &[&Scenario]) -> Vec<String> {
    scenarios.iter().map(|scenario| scenario.id.clone()).collect()
}

fn settled(cases: &[(String, Outcome)]) -> Vec<&str> {
    cases.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn unserved_cases_are_rerun_in_parallel() {
    let scenarios = scenarios(["a", "b", "c", "d"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 2);
    let share = queue.next().expect("all is left");
    assert_eq!(
        (ids(&share.scenarios), share.jobs),
        (ids(&scenarios.iter().collect::<Vec<_>>()), 2)
    );
    let cases = vec![
        case("a", Good, 0, 10),
        case("b", Bad, 0, 20),
        case("c", Unserved, 20, 21),
        case("d", Unserved, 20, 21),
    ];
    assert_eq!(settled(&queue.settle(share, all(cases), true)), ["a", "b"]);
    let share = queue.next().expect("two are left");
    assert_eq!((ids(&share.scenarios), share.jobs), (vec!["c".into(), "d".into()], 2));
}

#[test]
fn each_of_several_suspects_is_run_alone() {
    let scenarios = scenarios(["a", "b", "c", "d"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 3);
    let share = queue.next().expect("all is left");
    let cases = vec![
        case("a", Good, 0, 2000),
        case("b", Bad, 0, 2000),
        case("c", Bad, 0, 2000),
        case("d", Unserved, 2000, 2001),
    ];
    assert_eq!(settled(&queue.settle(share, all(cases), true)), ["a"]);
    assert_eq!(queue.len(), 3);

    let share = queue.next().expect("the suspects are left");
    assert_eq!((ids(&share.scenarios), share.jobs), (vec!["b".into(), "c".into()], 1));
    let cases = vec![case("b", Bad, 3000, 3010), case("c", Unserved, 3010, 3011)];
    let settled_cases = queue.settle(share, all(cases), true);
    assert_eq!(settled_cases, [("b".to_owned(), Bad)], "the target exited in it");

    let share = queue.next().expect("one suspect is left");
    assert_eq!((ids(&share.scenarios), share.jobs), (vec!["c".into()], 1));
    assert_eq!(settled(&queue.settle(share, all(vec![case("c", Good, 4000, 4010)]), false)), ["c"]);

    let share = queue.next().expect("the unserved case is left");
    assert_eq!((ids(&share.scenarios), share.jobs), (vec!["d".into()], 3));
}

#[rstest]
#[case::well_before(10, 1011, &["a", "b"], 1)]
#[case::at_the_same_time(10, 1010, &[], 3)]
fn a_case_that_ended_well_before_the_exit_is_not_a_suspect(
    #[case] ended: u64,
    #[case] gone: u64,
    #[case] expected: &[&str],
    #[case] left: usize,
) {
    let scenarios = scenarios(["a", "b", "c"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 2);
    let share = queue.next().expect("all is left");
    let cases = vec![
        case("a", Bad, 0, ended),
        case("b", Bad, 0, gone),
        case("c", Unserved, gone, gone + 1),
    ];
    assert_eq!(settled(&queue.settle(share, all(cases), true)), expected);
    assert_eq!(queue.len(), left);
}

#[test]
fn a_target_that_is_gone_but_has_not_exited_is_not_restarted() {
    let scenarios = scenarios(["a", "b"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 1);
    let share = queue.next().expect("all is left");
    let cases = vec![case("a", Bad, 0, 1), case("b", Unserved, 1, 2)];
    assert_eq!(settled(&queue.settle(share, all(cases), false)), ["a", "b"]);
    assert!(queue.next().is_none());
}

#[test]
fn an_interrupted_case_is_neither_settled_nor_rerun() {
    let scenarios = scenarios(["a", "b"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 2);
    let share = queue.next().expect("all is left");
    assert_eq!(settled(&queue.settle(share, vec![Some(case("a", Good, 0, 1)), None], true)), ["a"]);
    assert!(queue.next().is_none());
}

/// Simulates a batch whose target exits in each scenario of `fatal`, with this outcome. Returns the
/// settled cases and the number of starts.
fn run(
    ids: &[String],
    (fatal, fatal_outcome): (&[&String], Outcome),
    jobs: usize,
) -> (Vec<(String, Outcome)>, usize) {
    let scenarios = scenarios(ids);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), jobs);
    let (mut now, mut starts, mut results) = (0, 0, Vec::new());
    while let Some(share) = queue.next() {
        starts += 1;
        let mut has_ended = false;
        let mut cases = Vec::new();
        // Parallel cases start and end together.
        for some in share.scenarios.chunks(share.jobs) {
            let ends = some.iter().any(|it| fatal.contains(&&it.id));
            let outcome = match (has_ended, ends) {
                (true, _) => Unserved,
                (false, true) => fatal_outcome,
                (false, false) => Good,
            };
            cases.extend(some.iter().map(|it| case(&it.id, outcome, now, now + 5000)));
            has_ended |= ends;
            now += 5000;
        }
        results.extend(queue.settle(share, all(cases), has_ended));
    }
    results.sort();
    (results, starts)
}

#[rstest]
fn every_case_gets_its_own_outcome_while_the_target_is_restarted(
    #[values(1, 2, 3, 7)] jobs: usize,
    #[values(Bad, Unserved)] fatal_outcome: Outcome,
) {
    let ids: Vec<_> = ('a'..='f').map(String::from).collect();
    for set in 0..1 << ids.len() {
        let is_fatal = |at: &usize| set & (1 << at) != 0;
        let fatal: Vec<_> = (0..ids.len()).filter(is_fatal).map(|at| &ids[at]).collect();
        let (results, starts) = run(&ids, (&fatal, fatal_outcome), jobs);
        assert!(starts <= MAX_STARTS, "{starts}");
        // The last start gets all remaining cases, so causes cannot be found.
        if starts < MAX_STARTS {
            let expected =
                |id: &String| (id.clone(), if fatal.contains(&id) { fatal_outcome } else { Good });
            assert_eq!(results, ids.iter().map(expected).collect::<Vec<_>>(), "{fatal:?}");
        } else {
            assert_eq!(settled(&results), ids, "{fatal:?}");
        }
    }
}

#[test]
fn a_target_that_exits_in_every_case_is_started_a_limited_number_of_times() {
    let ids: Vec<_> = (10..40).map(|number| number.to_string()).collect();
    let (results, starts) = run(&ids, (&ids.iter().collect::<Vec<_>>(), Bad), 1);
    assert_eq!(starts, MAX_STARTS);
    assert_eq!(settled(&results), ids);
    let judged = results.iter().filter(|(_, outcome)| *outcome == Bad).count();
    assert_eq!(judged, MAX_STARTS, "one at each start");
}
