//! Complete runs against a [fake gateway](fake::Fake) that exits in chosen scenarios.

mod fake;

use std::sync::Mutex;

use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::Plan;
use fallproof_suite::skip::SkipReason;
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use self::fake::{Behavior, Fake};
use super::*;
use crate::testing::scenarios;

/// Observer that records all events.
struct Recorder {
    events: Mutex<Vec<String>>,
    /// For each start, the ids of the scenarios that the gateway was configured for.
    configured: Mutex<Vec<Vec<String>>>,
    /// Number of recorded events after which the run is stopped.
    enough: usize,
    stop: watch::Sender<bool>,
}

impl Recorder {
    /// Records an event. Returns the number of events so far.
    fn record(&self, event: String) -> usize {
        let mut events = self.events.lock().expect("no thread panics");
        events.push(event);
        events.len()
    }
}

impl Observer for Recorder {
    /// Id and result.
    type Output = (String, String);

    fn batch_started(&self, heading: &str) {
        if !heading.is_empty() {
            self.record(heading.to_owned());
        }
    }

    fn target_started(&self, plan: &Plan) {
        let ids = plan.groups.iter().map(|group| group.scenario.clone());
        self.configured.lock().expect("no thread panics").push(ids.collect());
    }

    fn case_started(&self, _: &Scenario) {}

    fn case_ended(
        &self,
        scenario: &Scenario,
        _: TargetFacts<'_>,
        evidence: Evidence,
    ) -> (String, String) {
        let result = match &evidence.result {
            CaseResult::Played(calls) => match &calls[0].exchange.ending {
                Ending::Complete => "answered".to_owned(),
                Ending::Unreachable(_) => "unserved".to_owned(),
                Ending::Closed | Ending::Reset => "cut".to_owned(),
                other => format!("{other:?}"),
            },
            CaseResult::Inconclusive(why) => why.to_string(),
            CaseResult::Skipped(reason) => format!("skipped: {reason}"),
            CaseResult::HarnessError(error) => error.clone(),
        };
        if self.record(format!("{}: {result}", scenario.id)) >= self.enough {
            self.stop.send_replace(true);
        }
        (scenario.id.clone(), result)
    }

    fn is_suspect(&self, (_, result): &(String, String)) -> bool {
        result == "cut"
    }

    fn target_ended(&self, _: std::process::ExitStatus, left: usize) {
        self.record(format!("{left} left"));
    }
}

/// Result of a run.
struct Ran {
    /// Id and result of each case, sorted by id.
    cases: Vec<(String, String)>,
    events: Vec<String>,
    /// For each start, the ids of the scenarios that the gateway was configured for.
    configured: Vec<Vec<String>>,
    /// For each start, the ids of the scenarios whose calls reached the gateway.
    starts: Vec<Vec<String>>,
    fake: Fake,
}

impl Ran {
    /// Ids of the cases whose result contains this text.
    fn of(&self, result: &str) -> Vec<&str> {
        let cases = self.cases.iter().filter(|(_, it)| it.contains(result));
        cases.map(|(id, _)| id.as_str()).collect()
    }
}

/// Runs these batches, `jobs` cases in parallel, against a fake gateway with this behavior, until
/// `enough` events were recorded.
fn run_until(
    enough: usize,
    behavior: Behavior,
    batches: &[&[&str]],
    jobs: usize,
) -> Result<Ran, StartError> {
    run_on(1, enough, behavior, batches, jobs)
}

/// Like [`run_until`], but with this many processes.
fn run_on(
    processes: usize,
    enough: usize,
    behavior: Behavior,
    batches: &[&[&str]],
    jobs: usize,
) -> Result<Ran, StartError> {
    let fake = Fake::new(behavior);
    let scenarios: Vec<_> = batches.iter().map(|ids| scenarios(*ids)).collect();
    let plan = RunPlan {
        batches: { (1..).zip(&scenarios) }
            .map(|(number, scenarios)| Batch {
                target: Box::new(fake.clone()),
                scenarios: scenarios.iter().collect(),
                jobs,
                heading: if batches.len() > 1 { format!("batch {number}") } else { String::new() },
            })
            .collect(),
        processes,
        left_out: Vec::new(),
    };
    let runtime = Runtime::new().expect("a runtime");
    let (stop, stop_asked) = watch::channel(false);
    let (_hurry, hurry) = watch::channel(false);
    let observer =
        Recorder { events: Mutex::default(), configured: Mutex::default(), enough, stop };
    let cases = Batches {
        runtime: runtime.handle(),
        interrupt: &Interrupt { stop: stop_asked, hurry },
        observer: &observer,
        timeout: Duration::from_secs(30),
        clock: Instant::now(),
    }
    .run(&plan);
    let mut cases = cases?;
    cases.sort();
    let mut starts = fake.starts();
    for start in &mut starts {
        start.sort();
    }
    let events = observer.events.into_inner().expect("no thread panics");
    let configured = observer.configured.into_inner().expect("no thread panics");
    Ok(Ran { cases, events, configured, starts, fake })
}

fn run(behavior: Behavior, batches: &[&[&str]], jobs: usize) -> Ran {
    run_until(usize::MAX, behavior, batches, jobs).expect("it can be started")
}

#[test]
fn a_target_that_does_not_exit_is_started_once_and_stopped() {
    let ran = run(Behavior::default(), &[&["a", "b", "c"]], 2);
    assert_eq!(ran.of("answered"), ["a", "b", "c"]);
    assert_eq!((ran.starts.len(), ran.fake.stopped()), (1, 1));
}

#[test]
fn a_target_that_exits_is_restarted_for_the_remaining_cases() {
    let behavior = Behavior { exits_in: &["b"], ..Behavior::default() };
    let ran = run(behavior, &[&["a", "b", "c", "d"]], 1);
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a", "c", "d"], vec!["b"]));
    assert_eq!(ran.starts, [["a", "b"], ["c", "d"]]);
    assert_eq!(ran.configured, [vec!["a", "b", "c", "d"], vec!["c", "d"]]);
    assert_eq!(ran.events.iter().filter(|it| *it == "2 left").count(), 1, "{:?}", ran.events);
}

#[rstest]
fn a_target_that_exits_during_preflight_does_not_block_the_other_cases(
    #[values(1, 2)] jobs: usize,
) {
    let behavior = Behavior { exits_in: &["b"], needs_preflight: true, ..Behavior::default() };
    let ran = run(behavior, &[&["a", "b", "c", "d"]], jobs);
    assert_eq!(ran.of("reached no deployment: the target answered"), ["a", "c", "d"]);
    assert_eq!(ran.of("the target closed").len() + ran.of("the target reset").len(), 1);
}

#[test]
fn the_case_that_makes_the_target_exit_is_found_among_parallel_ones() {
    let behavior = Behavior { exits_in: &["b"], holds_until: 3, ..Behavior::default() };
    let ran = run(behavior, &[&["a", "b", "c", "d", "e"]], 3);
    assert_eq!(ran.of("answered"), ["a", "c", "d", "e"]);
    assert_eq!(ran.of("cut"), ["b"]);
    assert_eq!(ran.starts[1..], [vec!["a", "b"], vec!["c"], vec!["d", "e"]]);
}

#[test]
fn two_cases_that_make_the_target_exit_are_both_found() {
    let behavior = Behavior { exits_in: &["a", "c"], holds_until: 3, ..Behavior::default() };
    let ran = run(behavior, &[&["a", "b", "c", "d"]], 3);
    assert_eq!((ran.of("cut"), ran.of("answered")), (vec!["a", "c"], vec!["b", "d"]));
}

#[test]
fn a_target_that_exits_in_every_case_is_not_restarted_forever() {
    let ids: Vec<_> = (10..25).map(|number| number.to_string()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let ran = run(Behavior { exits_in: &["1", "2"], ..Behavior::default() }, &[&ids], 1);
    assert_eq!((ran.starts.len(), ran.cases.len()), (10, ids.len()));
    assert_eq!((ran.of("cut").len(), ran.of("unserved").len()), (10, 5));
}

#[test]
fn the_remaining_cases_of_a_target_that_cannot_be_restarted_have_the_reason() {
    let behavior = Behavior { exits_in: &["b"], max_starts: 1, ..Behavior::default() };
    let ran = run(behavior, &[&["a", "b", "c", "d"]], 1);
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a"], vec!["b"]));
    assert_eq!(ran.of("could not be restarted"), ["c", "d"]);
}

#[test]
fn a_target_that_cannot_be_started_at_all_is_an_error() {
    let behavior = Behavior { max_starts: 0, ..Behavior::default() };
    let ran = run_until(usize::MAX, behavior, &[&["a"]], 1);
    assert!(matches!(ran, Err(StartError::Launch(_))));
}

#[test]
fn a_batch_that_cannot_be_started_does_not_affect_the_next_one() {
    let behavior = Behavior { fails_at: Some(2), ..Behavior::default() };
    let ran = run(behavior, &[&["a"], &["b"], &["c"]], 1);
    assert_eq!(ran.of("answered"), ["a", "c"]);
    assert_eq!(ran.of("batch 2: "), ["b"]);
    let headings: Vec<_> = ran.events.iter().filter(|it| it.starts_with("batch")).collect();
    assert_eq!(headings, ["batch 1", "batch 2", "batch 3"]);
}

#[test]
fn a_target_that_reloads_runs_all_batches_until_it_exits() {
    let behavior = Behavior { exits_in: &["c"], reloads: true, ..Behavior::default() };
    let ran = run(behavior, &[&["a"], &["b", "c", "d"], &["e"]], 1);
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a", "b", "d", "e"], vec!["c"]));
    assert_eq!(ran.starts, [vec!["a", "b", "c"], vec!["d", "e"]]);
    assert_eq!(ran.fake.reloads(), 2);
}

#[test]
fn several_processes_take_their_batches_from_one_queue() {
    let behavior = Behavior { needs_starts: 2, exits_in: &["b"], ..Behavior::default() };
    let ran = run_on(2, usize::MAX, behavior, &[&["a"], &["b", "c"], &["d"]], 1);
    let ran = ran.expect("it can be started");
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a", "c", "d"], vec!["b"]));
    // The gateway was started once for each batch, and again after each exit.
    assert_eq!((ran.starts.len(), ran.fake.stopped()), (4, 4));
    let mut started = ran.events.iter().filter(|it| it.starts_with("batch")).collect::<Vec<_>>();
    started.sort();
    assert_eq!(started, ["batch 1", "batch 2", "batch 3"]);
}

#[test]
fn one_process_does_not_start_a_second_batch_before_the_first_has_ended() {
    let ran = run(Behavior::default(), &[&["a"], &["b"]], 1);
    assert_eq!(ran.events, ["batch 1", "a: answered", "batch 2", "b: answered"]);
}

#[test]
fn several_processes_end_when_the_first_batch_cannot_be_started() {
    let behavior = Behavior { max_starts: 0, ..Behavior::default() };
    let ran = run_on(2, usize::MAX, behavior, &[&["a"], &["b"], &["c"]], 1);
    assert!(matches!(ran, Err(StartError::Launch(_))));
}

#[test]
fn the_results_of_other_processes_are_kept_if_one_cannot_be_started() {
    let behavior = Behavior { fails_at: Some(1), ..Behavior::default() };
    let ran = run_on(2, usize::MAX, behavior, &[&["a"], &["b"], &["c"]], 1);
    let ran = ran.expect("one process can be started");
    let failed = ran.of("cannot start");
    assert_eq!((ran.of("answered").len(), failed.len()), (2, 1), "{:?}", ran.cases);
    let result = &ran.cases.iter().find(|(id, _)| *id == failed[0]).expect("it has a result").1;
    assert!(result.starts_with("batch "), "{result}");
}

#[test]
fn an_interrupt_returns_the_ended_cases_and_stops_the_target() {
    let behavior = Behavior { exits_in: &["b"], ..Behavior::default() };
    let ran = run_until(3, behavior, &[&["a", "b", "c"], &["d"]], 1).expect("it can be started");
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a"], vec!["b"]));
    assert_eq!((ran.starts.len(), ran.fake.stopped()), (1, 1));
}

#[test]
fn a_skipped_case_has_its_reason() {
    let ran = {
        let scenarios = scenarios(["a"]);
        let reason = SkipReason::NotConfigurable { reason: "it asks once".to_owned() };
        let left_out = vec![(&scenarios[0], reason)];
        let plan = RunPlan { batches: Vec::new(), processes: 1, left_out };
        let runtime = Runtime::new().expect("a runtime");
        let (_asked, never) = watch::channel(false);
        let interrupt = Interrupt { stop: never.clone(), hurry: never };
        let (timeout, clock) = (Duration::from_secs(30), Instant::now());
        let runtime = runtime.handle();
        let batches = Batches { runtime, interrupt: &interrupt, observer: &(), timeout, clock };
        batches.run(&plan).expect("nothing is started")
    };
    assert!(matches!(&ran[..], [Evidence { result: CaseResult::Skipped(_), .. }]));
}
