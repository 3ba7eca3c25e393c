use fault_proxy::seeded_hash;

/// A pseudo-random generator.
#[derive(Debug, Default)]
pub struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    /// The generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next number.
    pub fn any(&mut self) -> u64 {
        self.drawn += 1;
        seeded_hash(self.seed, &[self.drawn])
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.any() % end.max(1) as u64).unwrap_or_default()
    }

    /// One of the choices. `None` if there are none.
    pub fn choose<T: Clone>(&mut self, choices: impl IntoIterator<Item = T>) -> Option<T> {
        let choices: Vec<_> = choices.into_iter().collect();
        let at = self.below(choices.len());
        choices.get(at).cloned()
    }
}
