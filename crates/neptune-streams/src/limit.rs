//! The number of records per request.

/// The most records of one request. Neptune's default is 10.
pub const MAX_LIMIT: u32 = 100_000;

/// A limit that halves after a timeout and grows back with each page.
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

    /// Returns `false` if the limit is 1 already.
    pub(crate) fn halve(&mut self) -> bool {
        let is_above_one = self.current > 1;
        self.current = (self.current / 2).max(1);
        is_above_one
    }

    /// Grows by a quarter. While the cause of a timeout lasts, doubling would make every other request
    /// time out.
    pub(crate) fn grow(&mut self) {
        self.current = self.current.saturating_add(self.current.div_ceil(4)).min(self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_halves_to_one_and_grows_back() {
        let mut limit = Limit::new(100);
        let mut halved = Vec::new();
        while limit.halve() {
            halved.push(limit.get());
        }
        assert_eq!(halved, [50, 25, 12, 6, 3, 1]);
        let grown = std::iter::repeat_with(|| {
            limit.grow();
            limit.get()
        });
        let grown: Vec<_> = grown.take(17).collect();
        assert_eq!(grown, [2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 100]);
    }

    #[test]
    fn limit_out_of_range_is_clamped() {
        assert_eq!(Limit::new(0).get(), 1);
        assert_eq!(Limit::new(u32::MAX).get(), MAX_LIMIT);
    }
}
