//! Chance that can be repeated.

use std::env;

/// Numbers that look random and follow from a seed (`SplitMix64`, Steele, Lea and Flood 2014).
#[derive(Debug)]
pub struct Chance(u64);

/// The variable that names another seed.
const VARIABLE: &str = "IYAGI_SEED";

impl Chance {
    /// Of the seed in the environment, or of `usual`; says which, for who has to repeat a failure.
    pub fn seeded(usual: u64) -> Self {
        let seed = env::var(VARIABLE).ok().map_or(usual, |text| text.parse().expect("a seed is a number"));
        println!("{VARIABLE}={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end as u64).expect("below a usize")
    }

    /// One of `all`, which is not empty.
    pub fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
