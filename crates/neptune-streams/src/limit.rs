//! How many records to ask for.

use crate::client::MAX_LIMIT;

/// A limit that halves when a page takes too long, and grows back while pages arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    current: u32,
    max: u32,
}

impl Limit {
    pub(crate) fn new(max: u32) -> Self {
        let max = max.clamp(1, MAX_LIMIT);
        Self { current: max, max }
    }

    pub(crate) fn get(self) -> u32 {
        self.current
    }

    /// `false` if there is nothing left to halve.
    pub(crate) fn halve(&mut self) -> bool {
        let can = self.current > 1;
        self.current = (self.current / 2).max(1);
        can
    }

    /// By a quarter, not twofold: most pages are then read between two that take too long, if
    /// what made the first one slow goes on.
    pub(crate) fn grow(&mut self) {
        self.current = self.current.saturating_add(self.current.div_ceil(4)).min(self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_down_to_one_and_grows_back() {
        let mut limit = Limit::new(100);
        let mut seen = Vec::new();
        while limit.halve() {
            seen.push(limit.get());
        }
        assert_eq!(seen, [50, 25, 12, 6, 3, 1]);
        let grown = std::iter::repeat_with(|| {
            limit.grow();
            limit.get()
        });
        let grown: Vec<_> = grown.take(17).collect();
        assert_eq!(grown, [2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 100]);
    }

    #[test]
    fn stays_within_what_neptune_takes() {
        assert_eq!(Limit::new(0).get(), 1);
        assert_eq!(Limit::new(u32::MAX).get(), MAX_LIMIT);
    }
}
