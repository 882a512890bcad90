//! What several of the tests need.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use fallproof_suite::scenario::Suite;
use tempfile::TempDir;

/// The folder of the suite.
pub(crate) fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The whole suite, read once for all tests.
pub(crate) static SUITE: LazyLock<Suite> =
    LazyLock::new(|| Suite::load(&scenarios()).unwrap_or_else(|error| panic!("{error}")));

/// The folder of a small part of the suite, for tests that are about something else: to read all of
/// it for each call of the command would take most of the time.
pub(crate) fn part() -> &'static Path {
    static PART: LazyLock<TempDir> = LazyLock::new(|| {
        let part = TempDir::new().expect("a temporary folder");
        for topic in [
            "auth",
            "responses-compact",
            "routing/retries-then-next",
            "streaming/azure-to-azure",
            "streaming/breaks-after-content",
        ] {
            let files = match scenarios().join(topic).read_dir() {
                Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
                Err(_) => vec![scenarios().join(topic).with_extension("yaml")],
            };
            for file in files {
                let below = file.strip_prefix(scenarios()).expect("it is in the suite");
                let copy = part.path().join(below);
                fs::create_dir_all(copy.parent().expect("it is in a folder")).expect("a folder");
                fs::copy(&file, copy).expect("the suite can be read");
            }
        }
        part
    });
    PART.path()
}

/// The file below the repository holds this text; with `UPDATE=1` it is written.
#[track_caller]
pub(crate) fn assert_up_to_date(file: &str, text: &str, by: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("its folder can be written to");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "{file} is stale; refresh it: UPDATE=1 cargo test --test harness {by}"
    );
}

/// A loopback address whose port and the two after it are free.
///
/// They lie below the range that systems draw from for whoever asks for any port, and no two tests
/// get the same: nobody takes them before they are used.
pub(crate) fn free_ports() -> SocketAddr {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Tests of another program at the same time begin far from here.
    let first = std::process::id() as usize * 97 % 2_500;
    let ports = (10_000..20_000_u16).step_by(4).cycle().skip(first);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = ports.clone().nth(next).expect("it goes batch and batch");
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (port..port + 3).all(is_free) {
            return (Ipv4Addr::LOCALHOST, port).into();
        }
    }
}
