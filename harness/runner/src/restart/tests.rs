//! What is run again, by a model of a target that ends in some of its cases.

use rstest::rstest;

use super::*;
use crate::testing::scenarios;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// How a case went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Good,
    /// The target did badly, but may be there still.
    Bad,
    /// The target was gone.
    Unserved,
}
use Outcome::{Bad, Good, Unserved};

fn case(id: &str, outcome: Outcome, from: u64, to: u64) -> Ended<(String, Outcome)> {
    let (started, over) = (ms(from), ms(to));
    let is_unserved = outcome == Unserved;
    let is_suspect = outcome != Good;
    Ended { kept: (id.to_owned(), outcome), started, over, is_unserved, is_suspect }
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
fn what_the_target_was_gone_for_is_run_again_beside_each_other() {
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
fn each_of_several_that_the_target_may_have_ended_in_is_run_with_nothing_beside_it() {
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
    let told = queue.settle(share, all(cases), true);
    assert_eq!(told, [("b".to_owned(), Bad)], "the target ended in it");

    let share = queue.next().expect("one suspect is left");
    assert_eq!((ids(&share.scenarios), share.jobs), (vec!["c".into()], 1));
    assert_eq!(settled(&queue.settle(share, all(vec![case("c", Good, 4000, 4010)]), false)), ["c"]);

    let share = queue.next().expect("what it was gone for is left");
    assert_eq!((ids(&share.scenarios), share.jobs), (vec!["d".into()], 3));
}

#[rstest]
#[case::well_before(10, 1011, &["a", "b"], 1)]
#[case::at_the_same_time(10, 1010, &[], 3)]
fn a_case_that_ended_well_before_the_target_is_no_suspect(
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
fn a_target_that_is_gone_but_did_not_end_is_not_started_again() {
    let scenarios = scenarios(["a", "b"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 1);
    let share = queue.next().expect("all is left");
    let cases = vec![case("a", Bad, 0, 1), case("b", Unserved, 1, 2)];
    assert_eq!(settled(&queue.settle(share, all(cases), false)), ["a", "b"]);
    assert!(queue.next().is_none());
}

#[test]
fn what_was_broken_off_is_neither_settled_nor_run_again() {
    let scenarios = scenarios(["a", "b"]);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), 2);
    let share = queue.next().expect("all is left");
    assert_eq!(settled(&queue.settle(share, vec![Some(case("a", Good, 0, 1)), None], true)), ["a"]);
    assert!(queue.next().is_none());
}

/// What comes of a batch whose target ends in each of these `deadly` scenarios, which then are as it
/// is said: its settled cases, and how often it was started.
fn run(
    ids: &[String],
    (deadly, are): (&[&String], Outcome),
    jobs: usize,
) -> (Vec<(String, Outcome)>, usize) {
    let scenarios = scenarios(ids);
    let mut queue = Queue::new(&scenarios.iter().collect::<Vec<_>>(), jobs);
    let (mut now, mut starts, mut told) = (0, 0, Vec::new());
    while let Some(share) = queue.next() {
        starts += 1;
        let mut has_ended = false;
        let mut cases = Vec::new();
        // Those that run side by side begin and end together.
        for some in share.scenarios.chunks(share.jobs) {
            let ends = some.iter().any(|it| deadly.contains(&&it.id));
            let outcome = match (has_ended, ends) {
                (true, _) => Unserved,
                (false, true) => are,
                (false, false) => Good,
            };
            cases.extend(some.iter().map(|it| case(&it.id, outcome, now, now + 5000)));
            has_ended |= ends;
            now += 5000;
        }
        told.extend(queue.settle(share, all(cases), has_ended));
    }
    told.sort();
    (told, starts)
}

#[rstest]
fn every_case_is_judged_as_it_is_by_itself_while_the_target_is_started_again(
    #[values(1, 2, 3, 7)] jobs: usize,
    #[values(Bad, Unserved)] deadly_are: Outcome,
) {
    let ids: Vec<_> = ('a'..='f').map(String::from).collect();
    for set in 0..1 << ids.len() {
        let is_deadly = |at: &usize| set & (1 << at) != 0;
        let deadly: Vec<_> = (0..ids.len()).filter(is_deadly).map(|at| &ids[at]).collect();
        let (told, starts) = run(&ids, (&deadly, deadly_are), jobs);
        assert!(starts <= MOST_STARTS, "{starts}");
        // The last start is for all that is left: it tells nothing apart.
        if starts < MOST_STARTS {
            let right =
                |id: &String| (id.clone(), if deadly.contains(&id) { deadly_are } else { Good });
            assert_eq!(told, ids.iter().map(right).collect::<Vec<_>>(), "{deadly:?}");
        } else {
            assert_eq!(settled(&told), ids, "{deadly:?}");
        }
    }
}

#[test]
fn a_target_that_ends_in_every_case_is_started_so_often_and_no_more() {
    let ids: Vec<_> = (10..40).map(|number| number.to_string()).collect();
    let (told, starts) = run(&ids, (&ids.iter().collect::<Vec<_>>(), Bad), 1);
    assert_eq!(starts, MOST_STARTS);
    assert_eq!(settled(&told), ids);
    let judged = told.iter().filter(|(_, outcome)| *outcome == Bad).count();
    assert_eq!(judged, MOST_STARTS, "one at each start");
}
