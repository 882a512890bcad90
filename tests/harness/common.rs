//! Helpers that several tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fallproof_suite::scenario::Suite;

use crate::scratch::folder_of;

/// The folder of the suite.
pub(crate) fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The complete suite, loaded once for all tests.
pub(crate) static SUITE: LazyLock<Suite> =
    LazyLock::new(|| Suite::load(&scenarios()).unwrap_or_else(|error| panic!("{error}")));

/// A folder with a small part of the suite. Most tests use it, because to load the whole suite for
/// each command would dominate their run time.
pub(crate) fn part() -> &'static Path {
    static PART: LazyLock<PathBuf> = LazyLock::new(|| folder_of(part_files()));
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
