//! Hostile gateways: each case must end in time, whatever its target does.

use std::borrow::Cow;
use std::time::Duration;

use fallproof_runner::Runner;
use fallproof_runner::adapter::GatewayClient;
use fallproof_runner::client::BaseUrl;
use fallproof_runner::target::{RunningTarget, Setup, Starting, Target};
use fallproof_suite::evidence::CaseResult;
use fallproof_suite::plan::Deployment;
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::common::SUITE;

/// A gateway that sends a request and additional bytes to the first deployment of a group.
#[derive(Clone, Copy)]
struct SendsAhead {
    /// Number of bytes after the request.
    bytes: usize,
}

/// The gateway while it is running.
struct Running {
    url: BaseUrl,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Target for SendsAhead {
    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        let (primary, bytes) = (setup.plan.groups[0].chain[0].clone(), self.bytes);
        async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let authority = listener.local_addr().expect("an address").to_string();
            let task = tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(pass_on(client, primary.clone(), bytes));
                }
            });
            let url = BaseUrl::plain(authority, "");
            Ok(Box::new(Running { url, task }) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

impl RunningTarget for Running {
    fn gateway_key(&self) -> &'static str {
        ""
    }

    fn client(&self, _: &Scenario) -> Cow<'_, GatewayClient> {
        Cow::Owned(GatewayClient::plain(self.url.clone(), String::new()))
    }

    fn needs_preflight(&self) -> bool {
        false
    }
}

/// Sends a request and `bytes` additional bytes to the deployment. Closes the connection when the
/// client has disconnected.
async fn pass_on(mut client: TcpStream, deployment: Deployment, bytes: usize) {
    let address = deployment.host.trim_start_matches("http://");
    let (authority, _) = address.split_once('/').expect("a prefix");
    let mut upstream = TcpStream::connect(authority).await.expect("the mocks listen");
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Say hello."}]}"#;
    let request = format!(
        "POST {}/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\n\r\n{body}{}",
        deployment.prefix,
        deployment.key,
        body.len(),
        "x".repeat(bytes),
    );
    let _ = upstream.write_all(request.as_bytes()).await;
    let mut read = Vec::new();
    while matches!(client.read_buf(&mut read).await, Ok(1..)) {}
}

#[rstest]
#[case::as_much_as_the_mocks_keep(64 * 1024)]
#[case::more(256 * 1024)]
#[tokio::test]
async fn a_gateway_that_sends_ahead_does_not_hold_up_its_case(#[case] bytes: usize) {
    let id = "recovery/alive-after-a-client-left@before-the-head";
    let scenario = SUITE.scenarios.iter().find(|scenario| scenario.id == id);
    let scenario = scenario.expect("a scenario of the suite");
    let target = SendsAhead { bytes };
    let limit = Duration::from_millis(200);
    let runner = Runner::start(&[scenario], &target, limit).await.expect("it starts");
    let evidence = tokio::time::timeout(Duration::from_secs(30), runner.run(scenario)).await;
    let evidence = evidence.expect("the case ends in time");
    let CaseResult::Played(calls) = &evidence.result else { panic!("{:?}", evidence.result) };
    assert!(calls[0].requests[0].client_gone, "the mocks saw the gateway leave");
}
