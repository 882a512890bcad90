//! Chance: the only source of it for all that is generated, so that a seed tells everything.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Draws from a random number generator.
pub struct Dice<'a>(&'a mut TestRng);

impl<'a> Dice<'a> {
    /// Draws from this generator.
    pub fn new(rng: &'a mut TestRng) -> Self {
        Self(rng)
    }

    /// True in `percent` of a hundred draws.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent as usize
    }

    /// A number from 0 to `count` - 1; 0 where there is none.
    pub fn below(&mut self, count: usize) -> usize {
        if count < 2 { 0 } else { self.0.random_range(0..count) }
    }

    /// A number within the range.
    pub fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.0.random_range(range)
    }

    /// One of these.
    pub fn pick<'b, T>(&mut self, among: &'b [T]) -> &'b T {
        &among[self.below(among.len())]
    }

    /// Puts these in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A seed that nobody chose.
pub fn made_up() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20)
}

/// The generator of the case with this number in a run with this seed.
pub fn rng(seed: u64, case: u64) -> TestRng {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&mixed(seed).to_le_bytes());
    // XorShift stands still on zeros alone, which no mixed number and its successor both are.
    bytes[8..].copy_from_slice(&mixed(case ^ mixed(seed.wrapping_add(1))).to_le_bytes());
    TestRng::from_seed(RngAlgorithm::XorShift, &bytes)
}

/// Spreads a number's bits (`SplitMix64`, Steele, Lea and Flood 2014), so that neighbours differ
/// in all.
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
