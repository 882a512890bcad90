//! Tests of `.ci/words` in small temporary repositories.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Creates a repository with the script, this list of retired words, and these files.
fn repository(name: &str, list: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/words");
    fs::create_dir_all(root.join(".ci")).expect("a folder");
    fs::copy(script, root.join(".ci/words")).expect("the script exists");
    for (path, text) in [(".ci/retired-words.txt", list)].iter().chain(files) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("the file can be written");
    }
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        let git = command("git").args(arguments).current_dir(&root).status();
        assert!(git.expect("git is installed").success());
    }
    root
}

/// A command without git's environment variables, so that it works inside a git hook.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command
}

fn words(root: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        command("bash").arg(root.join(".ci/words")).output().expect("bash is installed");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8 output");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_retired_word_is_reported_with_its_line_and_replacement() {
    let list = "# Comments and empty lines are ignored.\n\n\
                \\bbroken off\\b => interrupted, or canceled\n--patience\\b => --timeout\n";
    let root = repository(
        "found",
        list,
        &[("docs/run.md", "Fine.\nA run that was broken off.\n"), ("a.sh", "run --patience 3\n")],
    );
    // Not tracked by git, so not checked.
    fs::write(root.join("scratch.md"), "broken off").expect("the file can be written");
    let (code, found, summary) = words(&root);
    assert_eq!(code, Some(1));
    assert_eq!(
        found,
        "docs/run.md:2: `broken off`: write interrupted, or canceled\n\
         a.sh:1: `--patience`: write --timeout\n"
    );
    assert!(summary.starts_with("2 retired words"), "{summary}");
}

#[test]
fn the_list_can_allow_a_word_in_a_path() {
    let list = "!old/\n\\bcolou?r => tint !quotes/ !*.css\nBrain => MockProviders\n";
    let files = [
        ("old/notes.md", "Brain, colour"),
        ("quotes/a.md", "color"),
        ("b/style.css", "color: red"),
        ("kept.md", "a brain"),
    ];
    let (code, out, _) = words(&repository("allowed", list, &files));
    assert_eq!((code, out.as_str()), (Some(0), "words: ok (2 patterns)\n"));
    let elsewhere = [("quotes/a.md", "Brain"), ("c.md", "colour")];
    let (code, out, _) = words(&repository("elsewhere", list, &elsewhere));
    assert_eq!(code, Some(1));
    assert_eq!(out, "c.md:1: `colour`: write tint\nquotes/a.md:1: `Brain`: write MockProviders\n");
}

#[test]
fn an_invalid_list_has_a_separate_exit_code() {
    for list in ["behaviour -> behavior\n", "a(b => c\n"] {
        let (code, out, error) = words(&repository("mistake", list, &[("a.md", "behaviour")]));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{error}");
        assert!(error.contains(".ci/retired-words.txt:1: "), "{error}");
    }
}

#[test]
fn the_list_of_this_repository_is_valid() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/retired-words.txt");
    let list = fs::read_to_string(list).expect("the list exists");
    let planted =
        [("planted.md", "upstreams:\n  primary: {}\ndoes_not_claim: []\nplain English\n")];
    let (code, out, error) = words(&repository("real", &list, &planted));
    assert_eq!(code, Some(1), "{error}");
    assert_eq!(
        out,
        "planted.md:1: `upstreams:`: write deployments:\n\
         planted.md:3: `does_not_claim`: write waived\n"
    );
}
