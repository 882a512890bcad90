//! A gateway for tests that follows one [`Habit`].

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use fallproof_runner::adapter::GatewayClient;
use fallproof_runner::client::{self, BaseUrl, ClientBehavior};
use fallproof_runner::error::StartError;
use fallproof_runner::target::{RunningTarget, Setup, Starting, Target};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long a call may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a gateway does with each call. The client gets 418 if a deployment was tried.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Habit {
    /// It tries the first deployment.
    TriesTheFirst,
    /// It tries the last deployment.
    TriesTheLast,
    /// It tries the first deployment, or the last one if the call has a header of this name.
    SteeredBy(&'static str),
    /// It fails without an attempt.
    FailsByItself,
}

impl Target for Habit {
    fn capabilities(&self) -> Cow<'_, Capabilities> {
        Cow::Owned(Capabilities::reference())
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        let groups: Arc<[Group]> = setup.plan.groups.clone().into();
        let habit = *self;
        async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(StartError::Router)?;
            let authority = listener.local_addr().map_err(StartError::Router)?.to_string();
            let url = BaseUrl::plain(authority, "/v1");
            let app = axum::Router::new().fallback(
                async move |uri: Uri, headers: HeaderMap, body: Bytes| {
                    let asked = String::from_utf8_lossy(&body);
                    let is_it = |group: &&Group| asked.contains(&format!("{:?}", group.model));
                    let group = groups.iter().find(is_it).expect("the group is in the plan");
                    let last = group.chain.last().expect("a chain is never empty");
                    match habit {
                        Habit::FailsByItself => return StatusCode::INTERNAL_SERVER_ERROR,
                        Habit::TriesTheLast => ask(last, &uri, &body).await,
                        Habit::SteeredBy(name) if headers.contains_key(name) => {
                            ask(last, &uri, &body).await;
                        }
                        Habit::SteeredBy(_) | Habit::TriesTheFirst => {
                            ask(&group.chain[0], &uri, &body).await;
                        }
                    }
                    StatusCode::IM_A_TEAPOT
                },
            );
            let task = tokio::spawn(async move { axum::serve(listener, app).await });
            let client = GatewayClient::plain(url, "key".to_owned());
            Ok(Box::new(Running { client, task }) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

async fn ask(deployment: &Deployment, uri: &Uri, body: &[u8]) {
    let path = uri.path().trim_start_matches("/v1/");
    let url = BaseUrl::parse(&deployment.base_url, None).expect("a valid base URL");
    let headers = [("authorization".to_owned(), format!("Bearer {}", deployment.key))];
    client::post(&url, path, &headers, body, PATIENCE, ClientBehavior::default(), Instant::now())
        .await;
}

struct Running {
    client: GatewayClient,
    task: JoinHandle<io::Result<()>>,
}

impl RunningTarget for Running {
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

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
