//! The only source of randomness in generation: a seed reproduces every case.

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// What cases are drawn from: a generator that gives the same numbers on every machine and with
/// every version of the `rand` crate.
pub type CaseRng = ChaCha8Rng;

/// The generator of the case with this number in a campaign with this seed.
pub fn case_rng(seed: u64, number: u64) -> CaseRng {
    let mut rng = CaseRng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// True in `percent` of a hundred draws.
pub fn chance(percent: u32, rng: &mut CaseRng) -> bool {
    rng.random_ratio(percent, 100)
}

/// One of these.
///
/// # Panics
/// There is none.
pub fn pick<'a, T>(among: &'a [T], rng: &mut CaseRng) -> &'a T {
    among.choose(rng).expect("there is something to pick from")
}
