//! The files of the suite. Each file is read once, on first use, so a process that runs one test
//! reads only the files that it needs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{env, fs, io};

use fallproof_suite::scenario::{self, Scenario};
use fallproof_suite::yaml::LoadError;

/// A folder of the repository.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The ids of all families, sorted.
///
/// # Errors
/// If a folder cannot be read.
pub(crate) fn families() -> io::Result<Vec<String>> {
    let root = folder("scenarios");
    let (mut families, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let below = path.strip_prefix(&root).unwrap_or(&path).with_extension("");
            let id: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "yaml") && id != ["requirements"] {
                families.push(id.join("/"));
            }
        }
    }
    families.sort();
    Ok(families)
}

fn file(family: &str) -> PathBuf {
    folder("scenarios").join(family).with_extension("yaml")
}

/// Whether the file of the family contains one of these texts.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn mentions(family: &str, words: &[&str]) -> bool {
    let text = fs::read_to_string(file(family)).unwrap_or_default();
    words.iter().any(|word| text.contains(word))
}

/// The cases of a family, in the order of their ids.
///
/// # Errors
/// If its file has errors.
pub(crate) fn cases(family: &str) -> Result<&'static [Scenario], LoadError> {
    type Read = HashMap<String, &'static [Scenario]>;
    static READ: LazyLock<Mutex<Read>> = LazyLock::new(Mutex::default);
    let read = || READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cases) = read().get(family) {
        return Ok(cases);
    }
    let mut cases = scenario::load(&file(family), family)?;
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    let cases: &'static [_] = Vec::leak(cases);
    Ok(read().entry(family.to_owned()).or_insert(cases))
}
