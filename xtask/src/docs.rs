//! Runs the commands in the documents, as a reader would.
//!
//! Each fenced block of a document that begins with ```` ```sh ```` is a script for `sh -eu`. The
//! blocks of one document run in order. The blocks of a guide in `docs/` share a new, empty folder;
//! all others run in the root of the repository. Words after `sh`, separated by commas, change how
//! a block is run:
//!
//! - `exit=N`: the script must exit with this code.
//! - `background`: the script must still be running after two seconds. Then it is killed.
//! - `gateway`, `network`, `release`: not run, because the script needs an installed gateway, the
//!   network, or a published release.
//! - `ci`: not run, because CI runs these commands anyway.
//! - `slow`: not run, because the script takes minutes.
//!
//! The summary counts the blocks that are not run. A comment `<!-- file: PATH -->` before a block
//! writes the block to that file in the folder, and does not run it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Reasons for not running a block.
const LEFT_OUT: [&str; 5] = ["ci", "gateway", "network", "release", "slow"];

/// How long a background script must keep running.
const GOES_ON: Duration = Duration::from_secs(2);

/// A fenced block of a document.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// The line of its fence, from 1.
    line: usize,
    /// The words after the fence, split at commas.
    info: Vec<String>,
    text: String,
    /// The file to write the block to, if any.
    file: Option<String>,
}

/// The blocks of a document, in order.
fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut file = None;
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(path) = line.strip_prefix("<!-- file: ").and_then(|it| it.strip_suffix(" -->"))
        {
            file = Some(path.to_owned());
        }
        let Some((indent, info)) = line.split_once("```") else { continue };
        if !indent.trim().is_empty() {
            continue;
        }
        let mut text = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| line.trim() != "```") {
            text += line.strip_prefix(indent).unwrap_or(line);
            text.push('\n');
        }
        let info = info.split(',').map(|it| it.trim().to_owned()).collect();
        blocks.push(Block { line: index + 1, info, text, file: file.take() });
    }
    blocks
}

/// The results of all scripts.
#[derive(Debug, Default)]
struct Counts {
    ran: usize,
    left_out: BTreeMap<&'static str, usize>,
    failed: usize,
}

/// Runs the scripts of these documents, or of all documents if `chosen` is empty. The error is the
/// exit code.
pub(crate) fn run(root: &Path, chosen: &[String]) -> Result<(), u8> {
    let documents: Vec<_> = documents(root)
        .into_iter()
        .filter(|it| chosen.is_empty() || chosen.iter().any(|name| Path::new(name) == it))
        .collect();
    if documents.is_empty() {
        eprintln!("error: no such document: {}", chosen.join(" "));
        return Err(2);
    }
    let mut counts = Counts::default();
    for document in documents {
        run_document(root, &document, &mut counts);
    }
    let left_out: Vec<_> =
        counts.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    println!(
        "{} scripts ran, {} failed; not run: {}",
        counts.ran,
        counts.failed,
        if left_out.is_empty() { "none".to_owned() } else { left_out.join(", ") }
    );
    if counts.failed == 0 { Ok(()) } else { Err(1) }
}

/// The paths of all documents for readers, relative to the root of the repository.
fn documents(root: &Path) -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "*.md"]).current_dir(root).output();
    let listed = listed.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let others = ["harness/", "reports/", "src/"];
    let is_for_readers = |it: &&str| !others.iter().any(|folder| it.starts_with(folder));
    listed.unwrap_or_default().lines().filter(is_for_readers).map(PathBuf::from).collect()
}

fn run_document(root: &Path, document: &Path, counts: &mut Counts) {
    let text = fs::read_to_string(root.join(document)).unwrap_or_default();
    let is_guide = document.starts_with("docs");
    let folder = root.join("target/docs").join(document.file_stem().unwrap_or_default());
    if is_guide {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("target/ can be written to");
    }
    let folder = if is_guide { folder } else { root.to_owned() };
    for block in blocks(&text) {
        if let Some(file) = &block.file {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap_or(&folder))
                .expect("target/ can be written to");
            fs::write(file, &block.text).expect("target/ can be written to");
        }
        if block.info[0] != "sh" || block.file.is_some() {
            continue;
        }
        if let Some(reason) = LEFT_OUT.iter().find(|it| block.info.iter().any(|word| word == *it)) {
            *counts.left_out.entry(reason).or_default() += 1;
            continue;
        }
        counts.ran += 1;
        if let Err(problem) = run_block(root, &folder, &block) {
            counts.failed += 1;
            eprintln!("{}:{}: {problem}\n{}", document.display(), block.line, block.text);
        }
    }
}

/// Runs one script with the `fallproof` of this repository first in `PATH`.
fn run_block(root: &Path, folder: &Path, block: &Block) -> Result<(), String> {
    let option = |name: &str| block.info.iter().find_map(|it| it.strip_prefix(name));
    let wanted: i32 = option("exit=").map_or(Ok(0), str::parse).map_err(|_| "no exit code")?;
    let mut path = vec![root.join("target/debug")];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(path).map_err(|error| error.to_string())?;
    if block.info.iter().any(|it| it == "background") {
        // `exec` replaces the shell with the command, so that killing the child kills the command.
        let script = format!("exec {}", block.text.trim());
        let mut command = self::command(&script, folder, &path);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        thread::sleep(GOES_ON);
        let ended = child.try_wait().map_err(|error| error.to_string())?;
        let _ = child.kill();
        let _ = child.wait();
        return ended.map_or(Ok(()), |status| Err(format!("it ended by itself: {status}")));
    }
    let output = command(&block.text, folder, &path).output().map_err(|error| error.to_string())?;
    if output.status.code() == Some(wanted) {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    Err(format!("{}, expected exit code {wanted}\n{printed}", output.status))
}

fn command(script: &str, folder: &Path, path: &OsStr) -> Command {
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_line_words_file_and_text() {
        let document = "# A\n\n```sh,exit=1\na\n\nb\n```\n\n<!-- file: x/y.yaml -->\n```yaml\nz: 1\n```\n\n1. B\n\n   ```sh\n   c\n   ```\n";
        let block = |line, info: &[&str], text: &str, file: Option<&str>| Block {
            line,
            info: info.iter().map(|it| (*it).to_owned()).collect(),
            text: text.to_owned(),
            file: file.map(str::to_owned),
        };
        let expected = [
            block(3, &["sh", "exit=1"], "a\n\nb\n", None),
            block(10, &["yaml"], "z: 1\n", Some("x/y.yaml")),
            block(16, &["sh"], "c\n", None),
        ];
        assert_eq!(blocks(document), expected);
    }

    #[test]
    fn a_script_must_end_with_its_code_and_one_in_the_background_must_not_end() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let block = |info: &[&str], text: &str| Block {
            line: 1,
            info: info.iter().map(|it| (*it).to_owned()).collect(),
            text: text.to_owned(),
            file: None,
        };
        let run = |block: &Block| run_block(root, root, block);
        assert_eq!(run(&block(&["sh"], "true\n")), Ok(()));
        assert_eq!(run(&block(&["sh", "exit=3"], "exit 3\n")), Ok(()));
        let problem = run(&block(&["sh"], "echo why; false; true\n")).expect_err("it fails");
        assert!(problem.contains("expected exit code 0\nwhy"), "{problem}");
    }
}
