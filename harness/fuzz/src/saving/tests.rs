use std::fs;

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::*;
use crate::campaign::Campaign;
use crate::executor::Executor;
use crate::finding::findings;
use crate::generate::Scope;
use crate::minimize::minimize;
use crate::stats::{Stats, Verdict};
use crate::testing::{Habit, PATIENCE};

#[test]
fn a_failure_is_minimized_saved_and_reproduced() {
    let executor = Executor::Fresh { target: Box::new(Habit::TriesTheFirst), timeout: PATIENCE };
    let scope = Scope { slow: 0, ..Scope::default() };
    let campaign = Campaign { scope, seed: 6, cases: Some(4), until: None, threads: 1 };
    let (stats, never) = (Mutex::default(), watch::channel(false).1);
    campaign.run(&executor, &stats, &never).expect("the runner starts");
    let stats: Stats = stats.into_inner();
    assert_eq!((stats.cases, stats.verdict()), (4, Verdict::Fail));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = Runtime::new().expect("a runtime can be built");
    let found = findings(&campaign, &stats);
    let all: Vec<_> =
        { found.into_iter() }.flat_map(|it| [vec![it.example], it.others].concat()).collect();
    assert!(all.len() > 2, "{all:?}");
    assert_eq!(all.len(), stats.failures.len(), "each failure belongs to one finding");
    for failure in all {
        let saved = runtime.block_on(async {
            let minimized = minimize(&failure, &executor, PATIENCE, &never, |_| {}).await;
            let (case, violation) = minimized.expect("the runner starts");
            let saved = SavedFailure::save(failure, (&case, violation), 6, folder.path());
            let mut saved = saved.expect("the scenario can be saved");
            let scenarios = saved.load().expect("the saved file is valid");
            let [scenario] = &scenarios[..] else { panic!("expected one scenario: {scenarios:?}") };
            let runner = Runner::start(&[scenario], &Habit::TriesTheFirst, PATIENCE)
                .await
                .expect("the runner starts");
            saved.run_again(&runner, &[]).await;
            assert_eq!(saved.shows_again, None);
            saved.run_again(&runner, &[scenario]).await;
            saved
        });
        assert_eq!(saved.shows_again, Some(true), "{saved:?}");
    }
}

#[test]
fn checking_that_failures_can_be_saved_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let below = |name: &str| folder.path().join(name);
    assert!(check(&below("new/scenarios")).is_ok());
    assert!(!below("new").exists());
    fs::write(below("file"), "").expect("the file can be written");
    assert!(check(&below("file")).is_err());
}

#[test]
fn a_file_that_does_not_reproduce_its_failure_is_replaced_by_the_whole_case_and_removed() {
    let executor = Executor::Fresh { target: Box::new(Habit::TriesTheFirst), timeout: PATIENCE };
    let scope = Scope { slow: 0, ..Scope::default() };
    let campaign = Campaign { scope, seed: 6, cases: Some(2), until: None, threads: 1 };
    let (stats, never) = (Mutex::default(), watch::channel(false).1);
    campaign.run(&executor, &stats, &never).expect("the runner starts");
    let failure = stats.into_inner().failures.into_values().next().expect("it fails");
    let (whole, violation) = (failure.case.clone(), failure.violation.clone());
    let mut simpler = whole.clone();
    simpler.retries += 1;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = SavedFailure::save(failure, (&simpler, violation.clone()), 6, folder.path());
    let mut saved = saved.expect("the scenario can be saved");
    saved.shows_again = Some(false);
    let first = saved.saved.file.clone();
    saved.save_whole(6, folder.path()).expect("the scenario can be saved");
    assert_eq!((saved.shows_again, first.exists()), (None, false));
    let read = saved.load().expect("the saved file is valid").remove(0);
    assert_eq!(read.groups, whole.scenario("a", Vec::new()).groups);
    saved.remove().expect("it can be removed");
    assert!(!saved.saved.file.exists());
}
