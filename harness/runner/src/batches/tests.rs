//! Whole runs against a [gateway](fake::Fake) that ends when it is told to.

mod fake;

use std::sync::Mutex;

use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::Plan;
use fallproof_suite::skip::SkipReason;
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use self::fake::{Fake, Nature};
use super::*;
use crate::testing::scenarios;

/// Keeps how each case went, and what was told.
struct Witness {
    told: Mutex<Vec<String>>,
    /// The ids of the scenarios that each start was configured for.
    configured: Mutex<Vec<Vec<String>>>,
    /// Asks for the end of the run once so many cases have ended.
    enough: usize,
    stop: watch::Sender<bool>,
}

impl Witness {
    fn tell(&self, what: String) -> usize {
        let mut told = self.told.lock().expect("nobody panics");
        told.push(what);
        told.len()
    }
}

impl Observer for Witness {
    /// The id, and how it went.
    type Kept = (String, String);

    fn batch_started(&self, heading: &str) {
        if !heading.is_empty() {
            self.tell(heading.to_owned());
        }
    }

    fn target_started(&self, plan: &Plan) {
        let ids = plan.groups.iter().map(|group| group.scenario.clone());
        self.configured.lock().expect("nobody panics").push(ids.collect());
    }

    fn case_started(&self, _: &Scenario) {}

    fn case_ended(
        &self,
        scenario: &Scenario,
        _: TargetFacts<'_>,
        evidence: Evidence,
    ) -> (String, String) {
        let went = match &evidence.result {
            CaseResult::Played(calls) => match &calls[0].exchange.ending {
                Ending::Complete => "answered".to_owned(),
                Ending::Unreachable(_) => "unserved".to_owned(),
                Ending::Closed | Ending::Reset => "cut".to_owned(),
                other => format!("{other:?}"),
            },
            CaseResult::Inconclusive(why) => why.to_string(),
            CaseResult::Skipped(reason) => format!("skipped: {reason}"),
            CaseResult::HarnessError(words) => words.clone(),
        };
        if self.tell(format!("{}: {went}", scenario.id)) >= self.enough {
            self.stop.send_replace(true);
        }
        (scenario.id.clone(), went)
    }

    fn is_suspect(&self, (_, went): &(String, String)) -> bool {
        went == "cut"
    }

    fn target_ended(&self, _: std::process::ExitStatus, left: usize) {
        self.tell(format!("{left} left"));
    }
}

/// What a run came to.
struct Ran {
    /// Each case that was kept, and how it went, by id.
    cases: Vec<(String, String)>,
    told: Vec<String>,
    /// The ids of the scenarios that each start was configured for.
    configured: Vec<Vec<String>>,
    /// The ids of the scenarios that each start was asked for.
    starts: Vec<Vec<String>>,
    fake: Fake,
}

impl Ran {
    fn of(&self, went: &str) -> Vec<&str> {
        let cases = self.cases.iter().filter(|(_, it)| it.contains(went));
        cases.map(|(id, _)| id.as_str()).collect()
    }
}

/// Runs these batches, `jobs` side by side, against a gateway of this nature, until so many cases
/// have ended.
fn run_until(
    enough: usize,
    nature: Nature,
    batches: &[&[&str]],
    jobs: usize,
) -> Result<Ran, StartError> {
    let fake = Fake::new(nature);
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
        left_out: Vec::new(),
    };
    let runtime = Runtime::new().expect("a runtime");
    let (stop, stop_asked) = watch::channel(false);
    let (_hurry, hurry) = watch::channel(false);
    let observer = Witness { told: Mutex::default(), configured: Mutex::default(), enough, stop };
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
    let told = observer.told.into_inner().expect("nobody panics");
    let configured = observer.configured.into_inner().expect("nobody panics");
    Ok(Ran { cases, told, configured, starts, fake })
}

fn run(nature: Nature, batches: &[&[&str]], jobs: usize) -> Ran {
    run_until(usize::MAX, nature, batches, jobs).expect("it can be started")
}

#[test]
fn a_target_that_lives_is_started_once_and_stopped() {
    let ran = run(Nature::default(), &[&["a", "b", "c"]], 2);
    assert_eq!(ran.of("answered"), ["a", "b", "c"]);
    assert_eq!((ran.starts.len(), ran.fake.stopped()), (1, 1));
}

#[test]
fn one_that_ends_is_started_again_for_what_is_left_and_what_ran_is_kept() {
    let nature = Nature { deadly: &["b"], ..Nature::default() };
    let ran = run(nature, &[&["a", "b", "c", "d"]], 1);
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a", "c", "d"], vec!["b"]));
    assert_eq!(ran.starts, [["a", "b"], ["c", "d"]]);
    assert_eq!(ran.configured, [vec!["a", "b", "c", "d"], vec!["c", "d"]]);
    assert_eq!(ran.told.iter().filter(|it| *it == "2 left").count(), 1, "{:?}", ran.told);
}

#[rstest]
fn one_that_ends_before_it_is_seen_to_be_wired_is_in_nobody_elses_way(#[values(1, 2)] jobs: usize) {
    let nature = Nature { deadly: &["b"], is_unknown: true, ..Nature::default() };
    let ran = run(nature, &[&["a", "b", "c", "d"]], jobs);
    assert_eq!(ran.of("reached no deployment, the target answered"), ["a", "c", "d"]);
    assert_eq!(ran.of("the target closed").len() + ran.of("the target reset").len(), 1);
}

#[test]
fn the_case_that_ends_the_target_is_told_apart_from_those_beside_it() {
    let nature = Nature { deadly: &["b"], beside: 3, ..Nature::default() };
    let ran = run(nature, &[&["a", "b", "c", "d", "e"]], 3);
    assert_eq!(ran.of("answered"), ["a", "c", "d", "e"]);
    assert_eq!(ran.of("cut"), ["b"]);
    assert_eq!(ran.starts[1..], [vec!["a", "b"], vec!["c"], vec!["d", "e"]]);
}

#[test]
fn two_that_end_the_target_are_both_told_apart() {
    let nature = Nature { deadly: &["a", "c"], beside: 3, ..Nature::default() };
    let ran = run(nature, &[&["a", "b", "c", "d"]], 3);
    assert_eq!((ran.of("cut"), ran.of("answered")), (vec!["a", "c"], vec!["b", "d"]));
}

#[test]
fn a_target_that_ends_in_every_case_is_not_started_for_ever() {
    let ids: Vec<_> = (10..25).map(|number| number.to_string()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let ran = run(Nature { deadly: &["1", "2"], ..Nature::default() }, &[&ids], 1);
    assert_eq!((ran.starts.len(), ran.cases.len()), (10, ids.len()));
    assert_eq!((ran.of("cut").len(), ran.of("unserved").len()), (10, 5));
}

#[test]
fn what_is_left_of_one_that_cannot_be_started_again_is_told_with_the_reason() {
    let nature = Nature { deadly: &["b"], most_starts: 1, ..Nature::default() };
    let ran = run(nature, &[&["a", "b", "c", "d"]], 1);
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a"], vec!["b"]));
    assert_eq!(ran.of("could not be started again"), ["c", "d"]);
}

#[test]
fn one_that_cannot_be_started_at_all_is_an_error() {
    let nature = Nature { most_starts: 0, ..Nature::default() };
    let ran = run_until(usize::MAX, nature, &[&["a"]], 1);
    assert!(matches!(ran, Err(StartError::Launch(_))));
}

#[test]
fn a_batch_that_the_target_cannot_be_started_for_says_nothing_of_the_next_one() {
    let nature = Nature { fails_at: Some(2), ..Nature::default() };
    let ran = run(nature, &[&["a"], &["b"], &["c"]], 1);
    assert_eq!(ran.of("answered"), ["a", "c"]);
    assert_eq!(ran.of("batch 2: "), ["b"]);
    let headings: Vec<_> = ran.told.iter().filter(|it| it.starts_with("batch")).collect();
    assert_eq!(headings, ["batch 1", "batch 2", "batch 3"]);
}

#[test]
fn one_that_reloads_goes_on_from_batch_to_batch_until_it_ends() {
    let nature = Nature { deadly: &["c"], reloads: true, ..Nature::default() };
    let ran = run(nature, &[&["a"], &["b", "c", "d"], &["e"]], 1);
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a", "b", "d", "e"], vec!["c"]));
    assert_eq!(ran.starts, [vec!["a", "b", "c"], vec!["d", "e"]]);
    assert_eq!(ran.fake.reloads(), 2);
}

#[test]
fn an_interrupt_ends_it_with_what_has_ended_and_no_target_is_left() {
    let nature = Nature { deadly: &["b"], ..Nature::default() };
    let ran = run_until(3, nature, &[&["a", "b", "c"], &["d"]], 1).expect("it can be started");
    assert_eq!((ran.of("answered"), ran.of("cut")), (vec!["a"], vec!["b"]));
    assert_eq!((ran.starts.len(), ran.fake.stopped()), (1, 1));
}

#[test]
fn what_is_left_out_is_kept_with_its_reason() {
    let ran = {
        let scenarios = scenarios(["a"]);
        let reason = SkipReason::NotConfigurable { reason: "it asks once".to_owned() };
        let left_out = vec![(&scenarios[0], reason)];
        let plan = RunPlan { batches: Vec::new(), left_out };
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
