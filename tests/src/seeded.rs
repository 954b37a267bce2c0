//! Random choices that can be made again.

use std::ops::Range;

/// Random choices that can be made again, from a number that a failing test prints.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The choices that follow from `seed`, or from the number that the variable `DURABLE_SEED` of the
    /// environment holds. Prints which.
    pub fn new(seed: u64) -> Self {
        let wanted = std::env::var_os("DURABLE_SEED").and_then(|text| text.to_str()?.parse().ok());
        let seed = wanted.unwrap_or(seed);
        eprintln!("seed {seed}; DURABLE_SEED=<number> tries another");
        Self(seed)
    }

    /// 64 random bits: SplitMix64, which needs no more than one number of state.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number out of `range`, which must not be empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        let size = (range.end - range.start) as u64;
        range.start + usize::try_from(self.bits() % size).expect("the rest is smaller than a usize")
    }

    /// True once in `often` times.
    pub fn once_in(&mut self, often: usize) -> bool {
        self.within(0..often) == 0
    }
}
