//! Maintenance tasks for contributors: `cargo xtask NAME`. `cargo xtask help` lists them.
//!
//! A task is a list of commands. Each command is printed before it runs. If a command fails, the
//! task ends with the exit code of that command.

mod docs;

use std::env;
use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
Usage: cargo xtask <TASK> [ARGUMENT]...

Tasks:
  ci                        Run all checks of CI
  accept [SCENARIO]         Update the snapshots of one scenario file or, without SCENARIO,
                            of all scenario files and adapters
  schemas                   Regenerate the schemas and all other files generated from code
  docs [DOCUMENT]...        Run the commands of the documents, as a reader would
  exhaustive [TEST]         Run sampling tests on their complete input (takes minutes)
  mutants [OPTION]...       Run mutation tests: mutate the router and check that a scenario fails
                            (takes hours; needs cargo-mutants), e.g. `--shard 0/20`
  refresh-specs [OPTION]... Regenerate the request schemas of the strict mocks (needs Python
                            and PyPI), e.g. `--check`
  help                      Print this help

`--dry-run` before the task prints its commands without running them.
";

/// Tests in `tests/harness` that check a generated file, and write it with `UPDATE=1`.
const GENERATING: [&str; 5] = [
    "book.rs",
    "scenario_files/schema.rs",
    "adapters/files.rs",
    "reports/run.rs",
    "reports/matrix.rs",
];

/// A command with additional environment variables.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    variables: Vec<(&'static str, &'static str)>,
    program: &'static str,
    arguments: Vec<String>,
    /// Whether to run the command a second time if it fails.
    tries_twice: bool,
}

impl Step {
    fn new(command: &'static str) -> Self {
        let mut parts = command.split(' ');
        Self {
            program: parts.next().unwrap_or_default(),
            arguments: parts.map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    fn with(mut self, arguments: &[String]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Runs the command in the repository root. The error is the exit code.
    fn run(&self) -> Result<(), u8> {
        let program = match self.program {
            // The cargo that runs this program, to use the same toolchain.
            "cargo" => env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            "python3" if cfg!(windows) => "python".into(),
            other => other.into(),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        let status = Command::new(program)
            .args(&self.arguments)
            .envs(self.variables.iter().copied())
            .current_dir(root)
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.code().and_then(|it| it.try_into().ok()).unwrap_or(1)),
            Err(error) => {
                eprintln!("error: cannot run {}: {error}", self.program);
                Err(1)
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            write!(f, "{name}={value} ")?;
        }
        f.write_str(self.program)?;
        self.arguments.iter().try_for_each(|it| write!(f, " {it}"))
    }
}

/// The commands of a task. The error is a message about invalid arguments.
fn steps(task: &str, arguments: &[String]) -> Result<Vec<Step>, String> {
    let max = match task {
        "ci" | "schemas" => 0,
        "accept" | "exhaustive" => 1,
        _ => usize::MAX,
    };
    if let Some(extra) = arguments.get(max) {
        return Err(format!("unexpected argument `{extra}`"));
    }
    let accept = |command| Step::new(command).variable("INSTA_UPDATE", "always");
    let update = |command| Step::new(command).variable("UPDATE", "1");
    Ok(match task {
        "ci" => vec![Step::new("bash .ci/run")],
        "accept" => {
            let mut steps = vec![accept("cargo test --test scenarios").with(arguments)];
            if arguments.is_empty() {
                steps.push(accept("cargo test --test harness adapters"));
            }
            steps
        }
        "schemas" => {
            let modules = GENERATING.map(|it| it.trim_end_matches(".rs").replace('/', "::"));
            vec![
                // The first run writes the codes and fails, because the old codes are compiled in.
                Step { tries_twice: true, ..update("cargo test --test harness codes") },
                update("cargo test --package fallproof-suite record"),
                update("cargo test --test harness --")
                    .variable("INSTA_UPDATE", "always")
                    .with(&modules),
            ]
        }
        "exhaustive" => vec![
            Step::new("cargo test --release --test scenarios --test saboteurs --test harness")
                .variable("FALLPROOF_ALL", "1")
                .with(arguments),
        ],
        "mutants" => vec![
            Step::new("cargo mutants --in-place --package fallproof-router")
                .with(&["--test-package", "fallproof"].map(str::to_owned))
                // The baseline would test only the router's package, which has no test `scenarios`.
                .with(&["--baseline", "skip", "--timeout", "300"].map(str::to_owned))
                .with(arguments)
                .with(&["--", "--test", "scenarios"].map(str::to_owned)),
        ],
        "refresh-specs" => {
            vec![Step::new("python3 mocks/strict/spec/generate.py").with(arguments)]
        }
        _ => return Err(format!("unknown task `{task}`")),
    })
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let only_prints = arguments.first().is_some_and(|it| it == "--dry-run");
    if only_prints {
        arguments.remove(0);
    }
    let (task, arguments) = match arguments.split_first() {
        None => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
        Some((task, _)) if matches!(task.as_str(), "help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(split) => split,
    };
    if task == "docs" && !only_prints {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        return docs::run(root, arguments).map_or_else(ExitCode::from, |()| ExitCode::SUCCESS);
    }
    let steps = match steps(task, arguments) {
        Ok(steps) => steps,
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    for step in &steps {
        eprintln!("+ {step}");
        if only_prints {
            continue;
        }
        let mut result = step.run();
        if result.is_err() && step.tries_twice {
            eprintln!("+ {step}  # second try");
            result = step.run();
        }
        if let Err(code) = result {
            return ExitCode::from(code);
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn commands(task: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Ok(steps(task, &arguments)?.iter().map(Step::to_string).collect())
    }

    #[test]
    fn accept_covers_one_scenario_or_all_of_them_and_the_adapters() {
        let one = commands("accept", &["auth/nobody-without-a-key"]).expect("a task");
        assert_eq!(
            one,
            ["INSTA_UPDATE=always cargo test --test scenarios auth/nobody-without-a-key"]
        );
        assert_eq!(commands("accept", &[]).expect("a task").len(), 2);
    }

    #[test]
    fn options_of_mutants_come_before_those_of_the_tests() {
        let command = "cargo mutants --in-place --package fallproof-router --test-package fallproof --baseline skip --timeout 300 \
                       --shard 0/20 -- --test scenarios";
        assert_eq!(commands("mutants", &["--shard", "0/20"]), Ok(vec![command.to_owned()]));
    }

    #[test]
    fn an_unknown_task_and_an_extra_argument_are_errors() {
        assert_eq!(commands("cii", &[]), Err("unknown task `cii`".to_owned()));
        assert_eq!(commands("ci", &["fast"]), Err("unexpected argument `fast`".to_owned()));
    }

    #[test]
    fn the_help_lists_every_task() {
        let listed = USAGE.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let listed: Vec<_> = listed.filter(|it| !matches!(*it, "" | "docs" | "help")).collect();
        assert!(listed.len() > 4, "{listed:?}");
        for task in listed {
            assert!(commands(task, &[]).is_ok(), "{task}");
        }
    }

    /// If `GENERATING` lacked a test, `cargo xtask schemas` would not run it, and the file that it
    /// writes would silently become stale.
    #[test]
    fn every_test_that_writes_a_generated_file_runs() {
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/harness");
        let mut found = BTreeSet::new();
        let mut folders: Vec<PathBuf> = vec![harness.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    let text = fs::read_to_string(&path).expect("a UTF-8 file");
                    let writes =
                        ["  assert_up_to_date(", "var_os(\"UPDATE", "var_os(\"INSTA_UPDATE"];
                    let below = path.strip_prefix(&harness).expect("a path below the folder");
                    if writes.iter().any(|it| text.contains(it)) {
                        found.insert(below.to_string_lossy().replace('\\', "/"));
                    }
                }
            }
        }
        let known = GENERATING.iter().chain(&["codes.rs", "common.rs"]);
        assert_eq!(found, known.map(|it| (*it).to_owned()).collect());
    }
}
