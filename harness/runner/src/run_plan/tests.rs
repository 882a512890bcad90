//! Plans for a gateway that needs two batches, because its retries are a global setting.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::adapter;
use crate::client::BaseUrl;
use crate::gateway::DEFAULT_MOCKS;
use crate::testing::scenario;

const ONCE: &str = "auth/refused-key-is-not-shown";
const RETRIED: &str = "routing/retries-then-next";

fn scenarios() -> Vec<Scenario> {
    [ONCE, RETRIED].map(scenario).into()
}

fn litellm() -> Arc<Adapter> {
    adapter::find("litellm").expect("it is built in")
}

fn running(adapter: Option<Arc<Adapter>>) -> RunningGateway {
    RunningGateway {
        url: BaseUrl::parse("http://127.0.0.1:4000", None).expect("a URL"),
        key: "sk-fallproof-client".to_owned(),
        mocks: DEFAULT_MOCKS.into(),
        adapter,
        name: None,
        version: None,
    }
}

/// Heading and ids of each batch.
fn batches(plan: &RunPlan<'_>) -> Vec<(String, Vec<String>)> {
    let ids = |batch: &Batch<'_>| batch.scenarios.iter().map(|it| it.id.clone()).collect();
    plan.batches.iter().map(|batch| (batch.heading.clone(), ids(batch))).collect()
}

#[test]
fn a_running_gateway_serves_one_batch_and_the_others_are_skipped() {
    let scenarios = scenarios();
    let gateway = running(Some(litellm()));
    let plan = RunPlan::running(&gateway, 2, &scenarios).expect("there are two batches");
    assert_eq!(batches(&plan), [(String::new(), vec![RETRIED.to_owned()])]);
    let [(left, SkipReason::OtherBatch { batch: 1, .. })] = &plan.left_out[..] else {
        panic!("{:?}", plan.left_out)
    };
    assert_eq!(left.id, ONCE);
}

#[test]
fn a_batch_number_out_of_range_is_rejected() {
    let scenarios = scenarios();
    for (adapter, number, known) in
        [(Some(litellm()), 3, "are 2"), (Some(litellm()), 0, "are 2"), (None, 2, "is 1")]
    {
        let plan = RunPlan::running(&running(adapter), number, &scenarios);
        let error = plan.err().expect("there is no such batch").to_string();
        assert_eq!(error, format!("`--batch {number}` is out of range: there {known}"));
    }
}

#[test]
fn a_gateway_without_an_adapter_serves_all() {
    let scenarios = scenarios();
    let plan = RunPlan::running(&running(None), 1, &scenarios).expect("there is one batch");
    assert_eq!(batches(&plan), [(String::new(), vec![ONCE.to_owned(), RETRIED.to_owned()])]);
    assert_eq!(plan.batches[0].jobs, 1);
}

#[test]
fn processes_side_by_side_share_the_jobs_of_the_user() {
    let scenarios = scenarios();
    let plan = |processes| {
        let mut plan = RunPlan::running(&running(None), 1, &scenarios).expect("one batch");
        let again = RunPlan::running(&running(None), 1, &scenarios).expect("one batch");
        plan.batches.extend(again.batches);
        RunPlan { processes, ..plan }
    };
    let shared = |processes, jobs| {
        let mut plan = plan(processes);
        plan.side_by_side(NonZeroUsize::new(jobs));
        (plan.processes, plan.batches[0].jobs)
    };
    assert_eq!(shared(2, 1), (1, 1));
    assert_eq!(shared(2, 5), (2, 2));
    assert_eq!(shared(8, 4), (2, 2));
    assert_eq!(shared(2, 0), (2, 1));
}

#[test]
fn a_launched_gateway_is_started_for_each_batch_with_separate_logs() {
    let (scenarios, work) = (scenarios(), TempDir::new().expect("a temporary folder"));
    let installation = Installation { home: "/gateway".into(), program: "/gateway/it".into() };
    let (adapter, mocks) = (litellm(), DEFAULT_MOCKS.into());
    let kept = Work::Kept(work.path().to_owned());
    let plan = RunPlan::launched(&adapter, &installation, &mocks, "sk-x", kept, &scenarios);
    let plan = plan.expect("a port is free");
    let [(first, _), (second, ids)] = &batches(&plan)[..] else { panic!("two batches") };
    assert!(first.starts_with("batch 1 of 2: "), "{first}");
    assert!(second.starts_with("batch 2 of 2: "), "{second}");
    assert_eq!(ids, &[RETRIED]);
    assert_eq!(plan.log(), "", "it was not started yet");

    for (file, text) in [("1/gateway.1.log", "one\n"), ("2/gateway.1.log", "two")] {
        let file = work.path().join(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder in a temporary one");
        fs::write(file, text).expect("a file in a temporary folder");
    }
    fs::write(work.path().join("2/gateway.2.log"), "again").expect("it is written");
    let expected =
        format!("== {first}\none\n== {second}, start 1\ntwo\n== {second}, start 2\nagain\n");
    assert_eq!(plan.log(), expected);
}
