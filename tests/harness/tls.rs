//! Targets over TLS, with certificates that the tests make.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fallproof_judge::{Outcome, judge_case};
use fallproof_reference::{REFERENCE_CLIENT_KEY, Reference};
use fallproof_runner::Runner;
use fallproof_runner::adapter::GatewayClient;
use fallproof_runner::client::{BaseUrl, ClientBehavior, post};
use fallproof_runner::error::StartError;
use fallproof_runner::target::{RunningTarget, Setup, Starting, Target};
use fallproof_suite::evidence::{Ending, Exchange};
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use rstest::rstest;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::common::SUITE;
use crate::scratch::free_ports;
use crate::shell::{fallproof, told};

const FOUNDING: &str = "responses-compact/openai-to-azure";

/// Longer than any call takes in these tests.
const LIMIT: Duration = Duration::from_secs(30);

/// A server's certificate, which is its own authority.
struct Certificate {
    acceptor: TlsAcceptor,
    authority: NamedTempFile,
}

impl Certificate {
    fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider supports the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key belongs to the certificate");
        let mut authority = NamedTempFile::new().expect("a temporary file");
        authority.write_all(made.cert.pem().as_bytes()).expect("it can be written");
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority }
    }

    fn file(&self) -> &Path {
        self.authority.path()
    }
}

/// Calls a target over TLS. The target reads the request, and then does what `serve` says. Returns
/// the exchange, and the result of `serve`.
async fn call<T: Send + 'static, F: Future<Output = T> + Send>(
    behavior: ClientBehavior<'_>,
    serve: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
) -> (Exchange, T) {
    let certificate = Certificate::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound listener").port();
    let acceptor = certificate.acceptor.clone();
    let target = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client connects");
        let mut stream = acceptor.accept(stream).await.expect("the client accepts it");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n{}") {
            let read = stream.read_buf(&mut request).await.expect("readable");
            assert_ne!(read, 0, "the client sends a complete request");
        }
        serve(stream).await
    });
    let url = format!("https://localhost:{port}/v1");
    let base = BaseUrl::parse(&url, Some(certificate.file())).expect("a URL");
    let exchange = post(&base, "responses", &[], b"{}", LIMIT, behavior, Instant::now()).await;
    (exchange, target.await.expect("the target does not panic"))
}

async fn send(stream: &mut TlsStream<TcpStream>, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("the client reads");
    stream.flush().await.expect("the client reads");
}

#[tokio::test]
async fn a_response_over_tls_is_read_with_all_that_follows_it() {
    let (exchange, ()) = call(ClientBehavior::default(), async |mut stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        send(&mut stream, &format!("{head}3\r\nabc\r\n0\r\n\r\nmore")).await;
        stream.shutdown().await.expect("the client waits for the end");
    })
    .await;
    assert_eq!((exchange.ending, &*exchange.body), (Ending::Complete, &b"abc"[..]));
    assert!(exchange.received.bytes.ends_with(b"\r\n\r\nmore"));
}

#[rstest]
#[case::with_a_notice(true, Ending::Complete)]
#[case::without_a_notice(false, Ending::Closed)]
#[tokio::test]
async fn a_body_that_ends_with_the_connection_needs_a_notice_of_the_end(
    #[case] notifies: bool,
    #[case] ending: Ending,
) {
    let (exchange, ()) = call(ClientBehavior::default(), async move |mut stream| {
        send(&mut stream, "HTTP/1.1 200 OK\r\n\r\nabc").await;
        if notifies {
            stream.shutdown().await.expect("the client waits for the end");
        } else {
            stream.into_inner().0.shutdown().await.expect("the client waits for the end");
        }
    })
    .await;
    assert_eq!((exchange.ending, &*exchange.body), (ending, &b"abc"[..]));
}

#[tokio::test]
async fn a_client_that_disconnects_closes_the_socket_below_tls() {
    let behavior = ClientBehavior { disconnect_after_events: Some(1), ..ClientBehavior::default() };
    let (exchange, ()) = call(behavior, async |mut stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        send(&mut stream, &format!("{head}data: 1\n\n")).await;
        let (mut socket, _) = stream.into_inner();
        // It ends with a FIN or an RST, but it ends.
        let mut rest = Vec::new();
        let closed = socket.read_to_end(&mut rest);
        let _ = tokio::time::timeout(LIMIT, closed).await.expect("the client closes the socket");
    })
    .await;
    assert_eq!(exchange.ending, Ending::Disconnected);
}

/// The reference router behind a server that terminates TLS.
struct BehindTls(Certificate);

/// The router while it is running, with a URL for each scenario.
struct Running {
    _reference: Reference,
    urls: HashMap<String, BaseUrl>,
}

impl Target for BehindTls {
    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async move {
            let Setup { plan, scenarios } = setup;
            let reference = Reference::start(plan, scenarios, None).await;
            let reference = reference.map_err(StartError::Router)?;
            let mut urls = HashMap::new();
            for scenario in scenarios {
                let url = reference.url(&scenario.id).map_err(StartError::Router)?;
                let router = url.authority.clone();
                urls.insert(scenario.id.clone(), self.terminate_before(router).await);
            }
            let running = Running { _reference: reference, urls };
            Ok(Box::new(running) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

impl BehindTls {
    /// Accepts TLS connections for the router at this address. Returns their URL.
    async fn terminate_before(&self, router: String) -> BaseUrl {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let acceptor = self.0.acceptor.clone();
        // The tasks end with the runtime of the test.
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut router = TcpStream::connect(router).await?;
                    copy_bidirectional(&mut client, &mut router).await
                });
            }
        });
        BaseUrl::parse(&format!("https://{address}/v1"), Some(self.0.file())).expect("a URL")
    }
}

impl RunningTarget for Running {
    fn gateway_key(&self) -> &str {
        REFERENCE_CLIENT_KEY
    }

    fn client(&self, scenario: &Scenario) -> Cow<'_, GatewayClient> {
        let (url, key) = (self.urls[&scenario.id].clone(), REFERENCE_CLIENT_KEY.to_owned());
        Cow::Owned(GatewayClient::plain(url, key))
    }
}

#[rstest]
#[case::fallback("responses-compact/openai-to-azure")]
#[case::stream("streaming/azure-to-azure")]
#[case::broken_stream("streaming/breaks-after-content@between-events.chat")]
#[case::torn_stream("streaming/breaks-after-content@between-events-torn.chat")]
#[case::client_leaves("streaming/client-leaves-before-content@chat")]
#[case::refused_client("auth/nobody-without-a-key@a-wrong-key.chat")]
#[tokio::test]
async fn a_correct_router_passes_over_tls(#[case] id: &str) {
    let scenario = SUITE.scenarios.iter().find(|scenario| scenario.id == id);
    let scenario = scenario.expect("a scenario of the suite");
    let target = BehindTls(Certificate::new());
    let runner = Runner::start(&[scenario], &target, LIMIT).await.expect("it starts");
    let evidence = runner.run(scenario).await;
    let judgment = judge_case(scenario, runner.facts(scenario), &evidence);
    assert_eq!(judgment.outcome, Outcome::Pass, "{:?}", judgment.violations);
}

/// Runs a scenario against a target with this certificate, trusting the authorities in `file`.
async fn run(certificate: &Certificate, file: Option<PathBuf>) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    let acceptor = certificate.acceptor.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A client that does not trust the certificate ends the connection.
            let _ = acceptor.accept(client).await;
        }
    });
    let command = move || {
        let (target, listen) = (format!("https://{address}/v1"), free_ports().to_string());
        let mut arguments = vec!["run", FOUNDING, "--target", &target];
        arguments.extend(["--listen", &listen]);
        let file = file.as_deref().map(|file| file.to_str().expect("a temporary path is text"));
        arguments.extend(file.iter().flat_map(|file| ["--ca", file]));
        fallproof(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments)
    };
    tokio::task::spawn_blocking(command).await.expect("it does not panic")
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    for file in [Some(other.file().to_owned()), None] {
        let is_given = file.is_some();
        let output = run(&certificate, file).await;
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains("--ca FILE"), "{}", told(&output));
        // A machine may have no authorities of its own.
        let is_refused = told(&output).contains("is not valid: invalid peer certificate");
        assert!(is_refused || !is_given, "{}", told(&output));
    }
}

#[tokio::test]
async fn a_certificate_of_the_given_authority_is_accepted() {
    let certificate = Certificate::new();
    let output = run(&certificate, Some(certificate.file().to_owned())).await;
    // The target closes every connection, so the case cannot be judged.
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("INCONCLUSIVE"), "{}", told(&output));
}

#[test]
fn a_target_on_another_machine_must_be_allowed_over_tls_too() {
    let certificate = Certificate::new();
    let file = certificate.file().to_str().expect("a temporary path is text");
    let arguments = ["run", FOUNDING, "--target", "https://192.0.2.1/v1", "--ca", file];
    let output = fallproof(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("the client's key goes there over TLS"), "{}", told(&output));
}

#[tokio::test]
async fn a_file_without_certificates_is_refused() {
    let certificate = Certificate::new();
    let empty = NamedTempFile::new().expect("a temporary file");
    let output = run(&certificate, Some(empty.path().to_owned())).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("holds no certificate in PEM format"), "{}", told(&output));
}
