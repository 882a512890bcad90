//! The mock server as an HTTP server: framing, routing, and the request log.

use crate::server_support::{
    CHAT, Client, Ending, KEY, chat, mock, post, says, server_with, start_server,
};
use fallproof_mocks::behavior::{Behavior, WireFault};
use fallproof_mocks::errors;
use fallproof_mocks::provider::{Endpoint, Surface};
use fallproof_mocks::request_log::RequestKind;
use fallproof_mocks::server::MockServer;
use fallproof_protocol::limits::MOST_BODY_BYTES;
use fallproof_strict as strict;
use rstest::rstest;

const PRIMARY: &str = "/test/primary";

fn ok(times: u32) -> Vec<Behavior> {
    vec![Behavior { count: times, ..Behavior::named("ok") }]
}

#[tokio::test]
async fn a_request_is_logged_as_received() {
    let server = server_with(ok(1)).await;
    let request = format!(
        "POST /test/primary/v1//chat/completions?a=%20b HTTP/1.1\r\nhOsT: x\r\n\
         aUTHORIZATION: Bearer {KEY}\r\nX-Twice: 1\r\nx-twice:  2 \r\ncontent-length: {}\r\n\r\n{CHAT}",
        CHAT.len()
    );
    let reply = Client::of(&server).await.ask(&request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let requests = server.requests(PRIMARY).await;
    let [recorded] = &requests[..] else { panic!("one recorded, not {}", requests.len()) };
    assert_eq!([&recorded.head[..], &recorded.body].concat(), request.as_bytes());
    assert_eq!(
        (recorded.method.as_str(), recorded.target.as_str()),
        ("POST", "/v1//chat/completions?a=%20b")
    );
    let names: Vec<_> = recorded.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["hOsT", "aUTHORIZATION", "X-Twice", "x-twice", "content-length"]);
    assert_eq!(recorded.header("X-TWICE").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!((recorded.kind, recorded.attempt), (RequestKind::Attempt, 1));
    assert_eq!(recorded.prefix.as_deref(), Some(PRIMARY));
    assert_eq!(recorded.route, Some((Surface::OpenAi, Endpoint::ChatCompletions)));
    assert_eq!((recorded.refused, recorded.behavior.as_str()), (false, "ok"));
    assert_eq!((recorded.status, &recorded.reply), (Some(200), &reply.body));
    let first_byte = recorded.times.first_byte.expect("it was answered");
    let end = recorded.times.end.expect("the request has ended");
    assert!(
        recorded.times.head <= recorded.times.body
            && recorded.times.body <= first_byte
            && first_byte <= end
    );
}

#[tokio::test]
async fn deployments_are_distinguished_by_prefix() {
    let server = start_server().await;
    for (prefix, text) in [("/a/primary", "one"), ("/a/backup", "two"), ("/b/primary", "three")] {
        server.mount(mock(prefix, Surface::OpenAi, vec![says(200, text)])).expect("mounted");
    }
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat("/b/primary")).await.text(), "three");
    assert_eq!(client.ask(chat("/a/backup")).await.text(), "two");
    assert_eq!(client.ask(chat("http://127.0.0.1:9100/a/primary")).await.text(), "one");
    let seqs = [server.requests("/b/primary").await, server.requests("/a/backup").await];
    assert_eq!(seqs.map(|requests| requests[0].seq), [0, 1]);
}

#[tokio::test]
async fn a_deployment_with_its_own_address_needs_no_prefix() {
    let server = server_with(vec![says(200, "one"), says(200, "two")]).await;
    let any = "127.0.0.1:0".parse().expect("an address");
    let own = server.listen_for(PRIMARY, any).await.expect("a free port");
    let unknown = server.listen_for("/no/body", any).await.expect("a free port");
    assert_eq!(Client::at(own).await.ask(chat("")).await.text(), "one");
    assert_eq!(Client::of(&server).await.ask(chat(PRIMARY)).await.text(), "two");
    assert_eq!(Client::at(unknown).await.ask(chat("")).await.status, 404);
    let requests = server.requests(PRIMARY).await;
    let targets = requests.iter().map(|recorded| recorded.target.as_str());
    assert!(targets.eq(["/v1/chat/completions"; 2]));
    assert_eq!(server.unmatched().await.len(), 1);
    let taken = server.listen_for(PRIMARY, own).await.expect_err("the port is in use");
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    server.shutdown().await;
    assert!(tokio::net::TcpStream::connect(own).await.is_err(), "it closes with the server");
}

#[rstest]
#[case("/test")]
#[case("/test/primary2/v1/chat/completions")]
#[case("//test/primary/v1/chat/completions")]
#[case("/")]
#[tokio::test]
async fn a_request_without_a_deployment_is_unmatched(#[case] target: &str) {
    let server = server_with(ok(1)).await;
    let reply = Client::of(&server).await.ask(post(target, CHAT)).await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("fallproof_no_deployment"));
    let unmatched = server.unmatched().await;
    assert_eq!((unmatched.len(), unmatched[0].kind), (1, RequestKind::Unmatched));
    assert_eq!((unmatched[0].target.as_str(), unmatched[0].status), (target, Some(404)));
    assert!(server.requests(PRIMARY).await.is_empty());
}

#[tokio::test]
async fn a_connection_serves_many_requests_even_if_pipelined() {
    let server = server_with(ok(3)).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY).repeat(2)).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(client.reply().await.status, 200);
    let last = chat(PRIMARY).replace("Host: mock", "Host: mock\r\nConnection: close");
    let reply = client.ask(last).await;
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
    let attempts: Vec<_> =
        server.requests(PRIMARY).await.iter().map(|recorded| recorded.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
}

#[tokio::test]
async fn an_http_1_0_connection_is_closed_after_its_reply() {
    let server = server_with(ok(1)).await;
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat(PRIMARY).replace("HTTP/1.1", "HTTP/1.0")).await.status, 200);
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
}

#[tokio::test]
async fn a_chunked_body_is_joined() {
    let server = server_with(ok(2)).await;
    let (first, second) = CHAT.split_at(10);
    let chunked = format!(
        "POST {PRIMARY}/v1/chat/completions HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {KEY}\r\n\
         Transfer-Encoding: chunked\r\n\r\na;x=\"y\"\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\nTrailer: t\r\n\r\n",
        second.len()
    );
    let mut client = Client::of(&server).await;
    for byte in chunked.as_bytes() {
        client.send([*byte]).await;
    }
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200, "the connection is still in sync");
    let requests = server.requests(PRIMARY).await;
    assert_eq!(requests[0].body, CHAT.as_bytes());
    assert_eq!(requests[1].body, CHAT.as_bytes());
}

#[tokio::test]
async fn expect_100_continue_is_answered() {
    let server = server_with(ok(1)).await;
    let request = chat(PRIMARY).replace("Host: mock", "Host: mock\r\nExpect: 100-continue");
    let (head, body) = request.split_once("\r\n\r\n").expect("head and body");
    let mut client = Client::of(&server).await;
    client.send(format!("{head}\r\n\r\n")).await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.ask(body).await.status, 200);
}

#[rstest]
#[case::tls_hello("\u{16}\u{3}\u{1}\0", 400)]
#[case::http2("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400)]
#[case::no_host("GET /test/primary/v1/models HTTP/1.1\r\n\r\n", 400)]
#[case::two_hosts("GET /test/primary/v1/models HTTP/1.1\r\nHost: mock\r\nhost: mock\r\n\r\n", 400)]
#[case::two_lengths(
    "POST /test/primary/x HTTP/1.1\r\nHost: mock\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    400
)]
#[case::signed_length(
    "POST /test/primary/x HTTP/1.1\r\nHost: mock\r\nContent-Length: +1\r\n\r\n",
    400
)]
#[case::both_framings(
    "POST /test/primary/x HTTP/1.1\r\nHost: mock\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400
)]
#[case::gzip_coding(
    "POST /test/primary/x HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    501
)]
#[case::bad_chunk(
    "POST /test/primary/x HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    400
)]
#[case::long_chunk(
    "POST /test/primary/x HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    400
)]
#[tokio::test]
async fn invalid_http_is_answered_and_unmatched(#[case] bytes: &str, #[case] status: u16) {
    let server = server_with(ok(1)).await;
    let mut client = Client::of(&server).await;
    let reply = client.ask(bytes).await;
    assert_eq!(reply.status, status);
    assert!(reply.text().contains("fallproof_not_http"), "{}", reply.text());
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
    let unmatched = server.unmatched().await;
    assert_eq!((unmatched.len(), unmatched[0].kind), (1, RequestKind::Unmatched));
    assert!(bytes.as_bytes().starts_with(&unmatched[0].head) && !unmatched[0].head.is_empty());
    assert!(server.requests(PRIMARY).await.is_empty(), "no attempt");
}

#[rstest]
#[case::endless_line("x".repeat(70_000), 431)]
#[case::many_headers("x: y\r\n".repeat(256), 431)]
#[tokio::test]
async fn too_large_a_head_is_refused(#[case] headers: String, #[case] status: u16) {
    let server = start_server().await;
    let request = format!("GET / HTTP/1.1\r\nHost: mock\r\n{headers}\r\n");
    assert_eq!(Client::of(&server).await.ask(request).await.status, status);
}

#[tokio::test]
async fn too_large_a_body_is_refused_by_the_deployment_and_is_an_attempt() {
    let server = server_with(ok(2)).await;
    let body = " ".repeat(MOST_BODY_BYTES + 5_000);
    let mut client = Client::of(&server).await;
    let reply = client.ask(post("/test/primary/v1/chat/completions", &body)).await;
    assert_eq!(reply.status, 413);
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin), "nothing more can be read");
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].attempt, requests[0].refused), (1, true));
    assert_eq!(requests[0].body_cut, Some(MOST_BODY_BYTES + 1), "the part that was read");
}

#[tokio::test]
async fn a_body_within_the_limit_is_logged_completely() {
    let server = server_with(ok(2)).await;
    let body = " ".repeat(MOST_BODY_BYTES);
    let reply =
        Client::of(&server).await.ask(post("/test/primary/v1/chat/completions", &body)).await;
    assert_ne!(reply.status, 413);
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].body.len(), requests[0].body_cut), (MOST_BODY_BYTES, None));
}

#[tokio::test]
async fn an_interrupted_request_is_unmatched_and_consumes_no_behavior() {
    let server = server_with(ok(1)).await;
    let whole = chat(PRIMARY);
    for part in [&whole[..30], &whole[..whole.len() - 1]] {
        let mut client = Client::of(&server).await;
        client.send(part).await;
    }
    let unmatched = loop {
        let unmatched = server.unmatched().await;
        if unmatched.len() == 2 {
            break unmatched;
        }
        tokio::task::yield_now().await;
    };
    for recorded in &unmatched {
        assert_eq!((recorded.status, recorded.client_gone), (None, true));
    }
    assert_eq!(Client::of(&server).await.ask(&whole).await.status, 200);
    assert_eq!(server.requests(PRIMARY).await[0].attempt, 1);
}

#[tokio::test]
async fn an_older_client_need_not_name_the_host() {
    let server = server_with(ok(1)).await;
    let request = chat(PRIMARY).replace("HTTP/1.1\r\nHost: mock", "HTTP/1.0");
    assert!(!request.contains("Host"), "{request}");
    assert_eq!(Client::of(&server).await.ask(request).await.status, 200);
}

#[tokio::test]
async fn a_connection_without_a_request_is_not_logged() {
    let server = server_with(ok(1)).await;
    drop(Client::of(&server).await);
    assert_eq!(Client::of(&server).await.ask(chat(PRIMARY)).await.status, 200);
    assert!(server.unmatched().await.is_empty());
    assert_eq!(server.requests(PRIMARY).await[0].seq, 0);
}

#[tokio::test]
async fn probes_consume_no_behavior() {
    let server = server_with(vec![says(503, "down")]).await;
    let mut client = Client::of(&server).await;
    let key = format!("Host: mock\r\nAuthorization: Bearer {KEY}\r\n\r\n");
    for path in ["", "/", "/health", "/v1/models", "/v1//models/gpt-5"] {
        let reply = client.ask(format!("GET {PRIMARY}{path} HTTP/1.1\r\n{key}")).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    client.send(format!("HEAD {PRIMARY}/v1/models HTTP/1.1\r\n{key}")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("content-length: 0"), "{head}");
    assert_eq!(client.ask(chat(PRIMARY)).await.text(), "down", "no body came after HEAD");
    let requests = server.requests(PRIMARY).await;
    assert!(
        requests[..6]
            .iter()
            .all(|recorded| (recorded.kind, recorded.attempt) == (RequestKind::Probe, 0))
    );
    assert_eq!((requests[6].kind, requests[6].attempt), (RequestKind::Attempt, 1));
}

#[tokio::test]
async fn an_unmounted_deployment_is_unknown_and_mounting_it_again_restarts_the_script() {
    let server = server_with(ok(1)).await;
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200);
    server.unmount(PRIMARY);
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 404);
    assert_eq!(server.requests(PRIMARY).await.len(), 1, "the request_log remembers");
    server.mount(mock(PRIMARY, Surface::OpenAi, ok(1))).expect("mounted");
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200);
    assert_eq!(server.take(PRIMARY).await.len(), 2);
    assert_eq!(server.take(PRIMARY).await.len(), 0, "requests that were taken are removed");
    assert_eq!(server.take_unmatched().await.len(), 1);
    assert!(server.unmatched().await.is_empty());
}

#[tokio::test]
async fn scripted_statuses_headers_and_bodies_arrive_as_written() {
    let mut teapot = says(418, "<html>ü</html>");
    teapot.headers.insert("Retry-After".to_owned(), "7".to_owned());
    teapot.headers.insert("content-type".to_owned(), "text/html".to_owned());
    let server = server_with(vec![teapot, says(204, "")]).await;
    let mut client = Client::of(&server).await;
    let reply = client.ask(chat(PRIMARY)).await;
    assert_eq!((reply.status, reply.text()), (418, "<html>ü</html>"));
    assert_eq!(reply.header("retry-after"), Some("7"));
    assert_eq!(reply.head.matches("\r\ncontent-type:").count(), 1, "{}", reply.head);
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 204);
}

#[tokio::test]
async fn two_servers_cannot_share_a_port_and_the_next_port_refuses() {
    let (first, port) = loop {
        // The next port may be in use, so retry until two consecutive ports are free.
        let any = start_server().await;
        let addr = any.addr();
        any.shutdown().await;
        if let Ok(pair) = MockServer::bind(addr).await {
            break (pair, addr.port());
        }
    };
    assert_eq!((first.addr().port(), first.refusing_addr().port()), (port, port + 1));
    let error = MockServer::bind(first.addr()).await.expect_err("the port is in use");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[rstest]
#[case(Surface::OpenAi, "/v1/responses")]
#[case(Surface::AzureV1, "/openai/v1/responses")]
#[case(Surface::AzureLegacy, "/openai/responses?api-version=2025-04-01-preview")]
#[tokio::test]
async fn every_error_of_the_catalogue_arrives_byte_for_byte(
    #[case] surface: Surface,
    #[case] target: &str,
) {
    let server = start_server().await;
    let mut compared = 0;
    for name in errors::catalogue_names() {
        let playing = mock(PRIMARY, surface, vec![Behavior::named(name)]);
        let known = errors::behavior(name, &playing.deployment, Endpoint::Responses);
        let (reply, plan) = known.expect("a name of the catalogue");
        server.mount(playing).expect("every name of the catalogue can be played");
        let Some(reply) = reply.filter(|_| plan == WireFault::default()) else { continue };
        let request = post(&format!("{PRIMARY}{target}"), r#"{"model":"gpt-5","input":"Hi"}"#)
            .replace("Content-Type", &format!("api-key: {KEY}\r\nContent-Type"));
        let got = Client::of(&server).await.ask(request).await;
        assert_eq!((got.status, &got.body), (reply.status, &reply.body), "{name}");
        // The date in `retry-after` depends on the time of the reply, so it is not compared.
        let lasting = |header: &str| (name, header) != ("rate_limited_date", "retry-after");
        for (header, value) in reply.headers.iter().filter(|(header, _)| lasting(header)) {
            assert_eq!(got.header(header), Some(value.as_str()), "{name}: {header}");
        }
        let requests = server.take(PRIMARY).await;
        assert_eq!((requests[0].behavior.as_str(), &requests[0].reply), (name, &reply.body));
        compared += 1;
    }
    assert!(compared > 5, "only {compared} replies were compared");
}

#[tokio::test]
async fn a_violation_is_logged_whatever_its_message() {
    let server = server_with(ok(1)).await;
    let body = CHAT.replace("\"messages\"", "\"\u{7f} ü\\n\\u0000 \\\"\":1,\"messages\"");
    let (surface, endpoint) = (Surface::OpenAi, Endpoint::ChatCompletions);
    let violation = strict::check(surface, endpoint, "gpt-5", body.as_bytes());
    let found = violation.as_ref().expect("no such parameter");
    let target = format!("{PRIMARY}/v1/chat/completions");
    let reply = Client::of(&server).await.ask(post(&target, &body)).await;
    assert_eq!(reply.body, errors::refusal(surface, endpoint, found).body);
    assert_eq!(server.requests(PRIMARY).await[0].violation, violation);
}
