//! `fallproof router`, run as a command.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const CONFIG: &str = r#"
client_keys: [sk-client]
groups: { chat: { chain: [only] } }
deployments:
  only: { provider: openai, base_url: "http://127.0.0.1:9/v1", model: gpt-4o, key: sk-only-0123456789 }
"#;

fn interrupt(process: &Child) {
    let sent = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    assert!(sent.expect("every Unix has kill").success());
}

#[test]
fn a_second_signal_ends_the_router_while_a_call_is_not_complete() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("router.yaml");
    fs::write(&file, CONFIG).expect("it can be written");
    let mut router = Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(["router", "--listen", "127.0.0.1:0", "--config"])
        .arg(&file)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built with this test");
    let mut line = String::new();
    let stderr = router.stderr.take().expect("a pipe");
    BufReader::new(stderr).read_line(&mut line).expect("a line with the address");
    let address = line.split("http://").nth(1).and_then(|it| it.split('/').next());
    let mut stalled = TcpStream::connect(address.expect("an address")).expect("it listens");
    stalled
        .write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-le")
        .expect("it reads");
    interrupt(&router);
    // A signal may arrive before the router waits for a second one, so it is told until it ends.
    while router.try_wait().expect("it was started").is_none() {
        let _ = Command::new("kill").args(["-INT", &router.id().to_string()]).status();
    }
    assert!(router.wait().expect("it was started").success());
    drop(stalled);
}
