//! Writes a file in one step: neither a full disk nor a killed run leaves half of it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Ending of a file that is being written.
const PARTIAL: &str = ".partial";

/// Writes a file under another name and then renames it. On an error, no part of it is left.
///
/// # Errors
/// The file cannot be written. An earlier file with the same name is still there.
pub fn write(file: &Path, text: &str) -> io::Result<()> {
    let partial = partial(file);
    let written = File::create(&partial).and_then(|mut new| new.write_all(text.as_bytes()));
    let written = written.and_then(|()| fs::rename(&partial, file));
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

/// The name of a file without the ending that it has while it is written.
pub(crate) fn finished(name: &str) -> &str {
    name.strip_suffix(PARTIAL).unwrap_or(name)
}

fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(PARTIAL);
    name.into()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else() {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("index.html");
        write(&file, "old").expect("it can be written");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
        // Nothing can be created under this name.
        fs::create_dir(partial(&file)).expect("a folder");
        write(&file, "new").expect_err("its name is taken");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
    }
}
