//! The only source of randomness in generation: a seed reproduces every case.

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Random number generator for cases. Its output is the same on every machine and with every
/// version of the `rand` crate.
pub type CaseRng = ChaCha8Rng;

/// Returns the generator for the case with this number in a campaign with this seed.
pub fn case_rng(seed: u64, number: u64) -> CaseRng {
    let mut rng = CaseRng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// Returns true with a probability of `percent` / 100.
pub fn chance(percent: u32, rng: &mut CaseRng) -> bool {
    rng.random_ratio(percent, 100)
}

/// Returns a random item.
///
/// # Panics
/// If `among` is empty.
pub fn pick<'a, T>(among: &'a [T], rng: &mut CaseRng) -> &'a T {
    among.choose(rng).expect("a non-empty slice")
}
