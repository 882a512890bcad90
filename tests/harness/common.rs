//! Helpers that several tests share.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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

/// The complete suite, loaded once for all tests.
pub(crate) static SUITE: LazyLock<Suite> =
    LazyLock::new(|| Suite::load(&scenarios()).unwrap_or_else(|error| panic!("{error}")));

/// A folder with a small part of the suite. Most tests use it, because to load the whole suite for
/// each command would dominate their run time.
///
/// The folder is below `target/` and its name is a hash of its content: the tests of all processes
/// share it, and nothing is left in the system's temporary folder.
pub(crate) fn part() -> &'static Path {
    static PART: LazyLock<PathBuf> = LazyLock::new(|| {
        let files = part_files();
        let mut hasher = DefaultHasher::new();
        files.hash(&mut hasher);
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let part = tmp.join(format!("part-{:016x}", hasher.finish()));
        if part.is_dir() {
            return part;
        }
        let new = TempDir::new_in(tmp).expect("a temporary folder");
        for (below, content) in files {
            let copy = new.path().join(below);
            fs::create_dir_all(copy.parent().expect("a parent folder")).expect("a folder");
            fs::write(copy, content).expect("the file can be written");
        }
        // If another process was faster, its folder has the same content.
        let _ = fs::rename(new.path(), &part);
        part
    });
    &PART
}

/// The files of [`part`]: their paths below the suite, and their content.
fn part_files() -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
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
            let content = fs::read(&file).expect("the suite can be read");
            let below = file.strip_prefix(scenarios()).expect("a file of the suite");
            all.push((below.to_owned(), content));
        }
    }
    all.sort();
    all
}

/// Asserts that this file has this text; its path is relative to the repository. With `UPDATE=1`,
/// writes the file instead.
#[track_caller]
pub(crate) fn assert_up_to_date(file: &str, text: &str, by: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("the file can be written");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "{file} is stale; update it: UPDATE=1 cargo test --test harness {by}"
    );
}

/// Returns a loopback address whose port and the next two ports are free.
///
/// The ports are below the ephemeral range, and no two tests get the same ports. So the ports stay
/// free until the test uses them.
pub(crate) fn free_ports() -> SocketAddr {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Test processes that run at the same time start at different ports.
    let first = std::process::id() as usize * 97 % 2_500;
    let ports = (10_000..20_000_u16).step_by(4).cycle().skip(first);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = ports.clone().nth(next).expect("the iterator cycles");
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (port..port + 3).all(is_free) {
            return (Ipv4Addr::LOCALHOST, port).into();
        }
    }
}
