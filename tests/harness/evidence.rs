//! Damaged evidence files: they are either rejected, or judged without a crash.

use std::io::{Read as _, Write as _};
use std::sync::LazyLock;
use std::time::Duration;

use fallproof_reference::{ReferenceTarget, saboteur};
use fallproof_runner::Runner;
use fallproof_suite::scenario::Suite;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::checks::evidence::check;
use crate::evidence_file;
use crate::mutation::each;

/// The text of a run with varied cases: answers, streams, audio, cuts, refusals and a clock.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let ids = [
        "auth/nobody-without-a-key@no-key.chat",
        "recovery/on-and-off",
        "retry-after/every-form@date.limit",
        "routing/groups-are-apart",
        "speech/in-pieces@one-byte",
        "streaming/breaks-after-content@between-events.chat",
    ]
    .map(str::to_owned);
    let suite = Suite::load_chosen(&crate::common::scenarios(), &ids);
    let suite = suite.unwrap_or_else(|error| panic!("{error}")).expect("the suite has them");
    let chosen = suite.select(&ids, &[]).unwrap_or_else(|error| panic!("{error}"));
    let chosen: Vec<_> = chosen.iter().collect();
    let runtime = Runtime::new().expect("the runtime starts");
    let target = ReferenceTarget { saboteur: saboteur::find("splices-streams") };
    let runner = runtime
        .block_on(Runner::start(&chosen, &target, Duration::from_secs(60)))
        .expect("the runner listens on ports that the system chooses");
    let evidence = runner.run_all(runtime.handle(), &chosen, 8);
    let evidence: Vec<_> = evidence.iter().collect();
    let file =
        evidence_file::write(&chosen, runner.plan(), runner.facts(chosen[0]), &evidence, true);
    let mut text = String::new();
    GzDecoder::new(&*file).read_to_string(&mut text).expect("it is gzip over text");
    text
});

/// Replacements for numbers.
const NUMBERS: [&str; 8] =
    ["0", "1", "7", "4294967296", "18446744073709551615", "18446744073709551616", "-1", "1e99"];

/// Damage to a file.
#[derive(Debug, Clone)]
enum Damage {
    /// Replaces the byte at this position of the text.
    Byte(usize, u8),
    /// Truncates the text at this position.
    Cut(usize),
    /// Repeats this line 0 to 2 times.
    Line(usize, usize),
    /// Swaps two lines.
    Lines(usize, usize),
    /// Replaces a number of the text.
    Number(usize, usize),
    /// Replaces a string of the text with another string of the text.
    String(usize, usize),
    /// Replaces the byte at this position of the file.
    Raw(usize, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>;
    prop_oneof![
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), at()).prop_map(|(at, number)| Damage::Line(at, number)),
        1 => (at(), at()).prop_map(|(one, other)| Damage::Lines(one, other)),
        4 => (at(), at()).prop_map(|(at, number)| Damage::Number(at, number)),
        4 => (at(), at()).prop_map(|(at, other)| Damage::String(at, other)),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Raw(at, byte)),
    ]
}

/// The compressed file of `GOOD` with this damage.
fn damaged(damages: &[Damage]) -> Vec<u8> {
    let mut text = GOOD.clone().into_bytes();
    for damage in damages {
        match *damage {
            Damage::Byte(at, byte) => {
                let at = at % text.len().max(1);
                text.get_mut(at).into_iter().for_each(|it| *it = byte);
            }
            Damage::Cut(at) => text.truncate(at % (text.len() + 1)),
            Damage::Line(at, number) => {
                let mut lines: Vec<_> = text.split_inclusive(|it| *it == b'\n').collect();
                let at = at % lines.len().max(1);
                let line = lines.get(at).copied().unwrap_or_default();
                lines.splice(at..lines.len().min(at + 1), vec![line; number % 3]);
                text = lines.concat();
            }
            Damage::Lines(one, other) => {
                let mut lines: Vec<_> = text.split_inclusive(|it| *it == b'\n').collect();
                let all = lines.len().max(1);
                if !lines.is_empty() {
                    lines.swap(one % all, other % all);
                }
                text = lines.concat();
            }
            Damage::Number(at, number) => {
                let with = NUMBERS[number % NUMBERS.len()].as_bytes().to_vec();
                replace(&mut text, u8::is_ascii_digit, at, |_| with);
            }
            Damage::String(at, other) => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(byte);
                replace(&mut text, is_part, at, |all| all[other % all.len()].to_vec());
            }
            Damage::Raw(..) => {}
        }
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let file = encoder.write_all(&text).and_then(|()| encoder.finish());
    let mut file = file.expect("memory can be written to");
    for damage in damages {
        if let Damage::Raw(at, byte) = damage {
            let at = at % file.len();
            file[at] = *byte;
        }
    }
    file
}

/// Replaces one run of bytes that match `is_part`. `with` gets all such runs, and returns the new
/// bytes.
fn replace(
    text: &mut Vec<u8>,
    is_part: impl Fn(&u8) -> bool,
    at: usize,
    with: impl FnOnce(&[&[u8]]) -> Vec<u8>,
) {
    let all: Vec<_> = text.split(|byte| !is_part(byte)).filter(|run| !run.is_empty()).collect();
    if all.is_empty() {
        return;
    }
    let run = all[at % all.len()];
    let start = run.as_ptr() as usize - text.as_ptr() as usize;
    let (range, with) = (start..start + run.len(), with(&all));
    text.splice(range, with);
}

#[test]
fn a_damaged_file_is_refused_or_judged_without_a_panic() {
    assert!(check(&damaged(&[])).is_some_and(|cases| cases >= 6), "the file itself is refused");
    each(48, &prop::collection::vec(damage(), 1..4), |damages| {
        check(&damaged(&damages));
    });
}
