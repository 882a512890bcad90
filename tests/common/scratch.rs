//! Folders and ports for tests, which several processes may ask for at the same time.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// A folder with these files, which no test may change.
///
/// It is below `target/`, and its name is a hash of its content: all processes share it, and nothing
/// is left in the system's temporary folder.
pub(crate) fn folder_of(mut files: Vec<(PathBuf, Vec<u8>)>) -> PathBuf {
    files.sort();
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tmp.join(format!("part-{:016x}", hasher.finish()));
    if folder.is_dir() {
        return folder;
    }
    let new = TempDir::new_in(tmp).expect("a temporary folder");
    for (below, content) in files {
        let copy = new.path().join(below);
        fs::create_dir_all(copy.parent().expect("a parent folder")).expect("a folder");
        fs::write(copy, content).expect("the file can be written");
    }
    // If another process was faster, its folder has the same content.
    let _ = fs::rename(new.path(), &folder);
    folder
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
