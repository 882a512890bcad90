//! Bytes to try a reader with: random ones, and valid inputs with damage.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Runs `check` with this number of inputs, or with as many as `FALLPROOF_CASES` says. They are the same
/// in each run.
pub(crate) fn each<T: std::fmt::Debug>(
    cases: u32,
    strategy: &impl Strategy<Value = T>,
    check: impl Fn(T),
) {
    let given = std::env::var("FALLPROOF_CASES").ok().and_then(|it| it.parse().ok());
    let config =
        Config { cases: given.unwrap_or(cases), failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[6; 32]);
    let checked = |input| {
        check(input);
        Ok::<_, TestCaseError>(())
    };
    let tried = TestRunner::new_with_rng(config, rng).run(strategy, checked);
    tried.unwrap_or_else(|error| panic!("{error}"));
}

/// Random bytes, pieces of the format in any order, or one of these valid inputs with damage.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn inputs(
    valid: Vec<Vec<u8>>,
    pieces: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..200),
        3 => prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat()),
        6 => damaged(valid),
    ]
}

/// One of these inputs with up to three kinds of damage.
pub(crate) fn damaged(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(valid), prop::collection::vec(damage(), 0..4)).prop_map(|(mut bytes, damages)| {
        for damage in damages {
            damage.do_to(&mut bytes);
        }
        bytes
    })
}

/// Damage to an input.
#[derive(Debug, Clone)]
enum Damage {
    /// Cuts the input off.
    Cut(Index),
    /// Flips bits of a byte.
    Flip(Index, u8),
    /// Repeats a piece elsewhere.
    Repeat(Index, usize, Index),
    /// Removes a piece.
    Remove(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Damage::Cut),
        (at(), 1..=u8::MAX).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (at(), 1..60_usize, at()).prop_map(|(at, length, to)| Damage::Repeat(at, length, to)),
        (at(), 1..60_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
    ]
}

impl Damage {
    fn do_to(&self, bytes: &mut Vec<u8>) {
        let piece = |at: &Index, length: &usize| {
            let start = at.index(bytes.len() + 1);
            start..bytes.len().min(start + length)
        };
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Flip(at, bits) => {
                let at = at.index(bytes.len().max(1));
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bits);
            }
            Self::Repeat(at, length, to) => {
                let piece = bytes[piece(at, length)].to_vec();
                let to = to.index(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            Self::Remove(at, length) => drop(bytes.drain(piece(at, length))),
        }
    }
}
