use std::borrow::Cow;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use fallproof_runner::adapter::GatewayClient;
use fallproof_runner::client::{self, BaseUrl, ClientBehavior};
use fallproof_runner::error::StartError;
use fallproof_runner::target::{RunningTarget, Setup, Starting, Target};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::plan::Group;
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::campaign::Campaign;
use crate::executor::Executor;
use crate::generate::Scope;
use crate::minimize::minimize;
use crate::stats::{Stats, Verdict};

/// A gateway that forwards each call to the first deployment and always responds with an error.
struct Useless;

struct RunningUseless {
    client: GatewayClient,
    task: JoinHandle<io::Result<()>>,
}

impl Target for Useless {
    fn capabilities(&self) -> Cow<'_, Capabilities> {
        Cow::Owned(Capabilities::reference())
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        let groups: Arc<[Group]> = setup.plan.groups.clone().into();
        async {
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(StartError::Router)?;
            let authority = listener.local_addr().map_err(StartError::Router)?.to_string();
            let url = BaseUrl { authority, path: "/v1".to_owned() };
            let app = axum::Router::new().fallback(async move |uri: Uri, body: Bytes| {
                show(&groups, uri.path().trim_start_matches("/v1/"), &body).await;
                StatusCode::IM_A_TEAPOT
            });
            let task = tokio::spawn(async move { axum::serve(listener, app).await });
            let client = GatewayClient::plain(url, "key".to_owned());
            Ok(Box::new(RunningUseless { client, task }) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

async fn show(groups: &[Group], path: &str, body: &[u8]) {
    let asked = String::from_utf8_lossy(body);
    let group = groups.iter().find(|group| asked.contains(&format!("{:?}", group.model)));
    let deployment = &group.expect("the group is in the plan").chain[0];
    let url = BaseUrl::parse(&deployment.base_url).expect("a valid base URL");
    let headers = [("authorization".to_owned(), format!("Bearer {}", deployment.key))];
    client::post(&url, path, &headers, body, PATIENCE, ClientBehavior::default(), Instant::now())
        .await;
}

impl RunningTarget for RunningUseless {
    fn gateway_key(&self) -> &str {
        &self.client.key
    }

    fn client(&self, _: &Scenario) -> Cow<'_, GatewayClient> {
        Cow::Borrowed(&self.client)
    }

    fn advance(&self, _: &Scenario, _: Duration) -> bool {
        true
    }

    fn has_own_clock(&self) -> bool {
        true
    }

    fn needs_preflight(&self) -> bool {
        false
    }
}

impl Drop for RunningUseless {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_failure_is_minimized_saved_and_reproduced() {
    let executor = Executor::Fresh { target: Box::new(Useless), timeout: PATIENCE };
    let scope = Scope { slow: 0, ..Scope::default() };
    let campaign = Campaign { scope, seed: 6, cases: Some(4), until: None, threads: 1 };
    let (stats, never) = (Mutex::default(), watch::channel(false).1);
    campaign.run(&executor, &stats, &never).expect("the runner starts");
    let stats: Stats = stats.into_inner();
    assert_eq!((stats.cases, stats.verdict()), (4, Verdict::Fail));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = Runtime::new().expect("a runtime can be built");
    let all = by_requirement(stats.failures.into_values());
    assert!(all.len() > 2, "{all:?}");
    for of_one in all {
        assert!(of_one.is_sorted_by_key(|failure| failure.number), "{of_one:?}");
        let failure = of_one[0].clone();
        let saved = runtime.block_on(async {
            let minimized = minimize(&failure, &executor, PATIENCE, &never).await;
            let (case, violation) = minimized.expect("the runner starts");
            let saved = SavedFailure::save(failure, (&case, violation), 6, folder.path());
            let mut saved = saved.expect("the scenario can be saved");
            let scenarios = saved.load().expect("the saved file is valid");
            let [scenario] = &scenarios[..] else { panic!("expected one scenario: {scenarios:?}") };
            let runner =
                Runner::start(&[scenario], &Useless, PATIENCE).await.expect("the runner starts");
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
