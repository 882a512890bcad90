//! Hostile targets. Whatever a target does, a run ends in time, stays small, and ends with a verdict;
//! and nothing of what the target says reaches a terminal or a report raw.
//!
//! The behaviors are in `*.yaml`, one test each. Those with `heavy: true` run only if asked for:
//! `cargo test --test hostile -- --include-ignored`. `FALLPROOF_BINARY` names another binary to test.

mod behavior;
mod machine;
mod run;
#[path = "../common/scratch.rs"]
mod scratch;
mod server;
mod text;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::behavior::Behavior;
use crate::run::{LIMITS, Limits, run};

/// How many targets are tried at the same time. Each run takes memory.
const SIDE_BY_SIDE: usize = 4;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    let behaviors = behavior::all();
    let mut trials: Vec<_> = behaviors
        .into_iter()
        .map(|behavior| {
            let is_heavy = behavior.heavy;
            Trial::test(behavior.name.clone(), move || survives(&behavior))
                .with_ignored_flag(is_heavy)
        })
        .collect();
    trials.push(Trial::test("limits_that_an_honest_run_exceeds_are_noticed", || {
        limits_are_noticed()
    }));
    trials.extend(text::trials());
    trials.extend(machine::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs the scenarios against a target with this behavior.
fn survives(behavior: &Behavior) -> Result<(), Failed> {
    let ran = run(behavior, &LIMITS)?;
    let told = ran.printed("stdout") + &ran.printed("stderr");
    let mut wrong = ran.beyond(&LIMITS);
    if !matches!(ran.code, None | Some(0 | 1)) {
        wrong.push(format!("exit code {:?}", ran.code));
    }
    let unsaid = behavior.says.iter().filter(|words| !flat(&told).contains(words.as_str()));
    wrong.extend(unsaid.map(|words| format!("does not say `{words}`")));
    wrong.extend(ran.artifacts.iter().filter_map(|(name, bytes)| {
        text::raw(name, bytes, &ran.keys).map(|what| format!("{name} contains {what}"))
    }));
    if std::env::var_os("FALLPROOF_MEASURE").is_some() {
        let memory = ran.memory.unwrap_or_default() >> 20;
        let (took, written) = (ran.took.as_secs_f64(), ran.written >> 10);
        eprintln!("{}: {took:.1} s, {memory} MiB, {written} KiB", behavior.name);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let start: String = told.chars().take(3_000).collect();
    Err(format!("{}\n{start}", wrong.join("\n")).into())
}

/// The text on one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An honest run exceeds these limits. So the tests above can fail.
fn limits_are_noticed() -> Result<(), Failed> {
    let honest = serde_saphyr::from_str("{ name: honest, what: '', do: [relay] }")?;
    let low = Limits { time: Duration::from_secs(30), memory: 1 << 20, written: 1 << 10 };
    let beyond = run(&honest, &low)?.beyond(&low);
    let has_memory = cfg!(target_os = "linux");
    if beyond.len() != 1 + usize::from(has_memory) {
        return Err(format!("only this was noticed: {beyond:?}").into());
    }
    let none = Limits { time: Duration::ZERO, ..LIMITS };
    let killed = run(&honest, &none)?;
    if killed.code.is_some() || killed.beyond(&none).len() != 1 {
        return Err(format!("a run without time ended: {:?}", killed.code).into());
    }
    Ok(())
}
