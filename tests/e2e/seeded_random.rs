//! Random numbers that can be repeated.

use std::env;

/// The environment variable that sets the seed.
const VARIABLE: &str = "IYAGI_SEED";

/// Pseudo-random numbers from a seed (`SplitMix64`, Steele, Lea and Flood 2014).
#[derive(Debug)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// Uses the seed of the environment, or `default`. Prints it, so that a failure can be repeated.
    pub fn new(default: u64) -> Self {
        let seed = env::var(VARIABLE).ok().map_or(default, |text| text.parse().expect("the seed is a number"));
        println!("{VARIABLE}={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    /// One of `all`, which is not empty.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
