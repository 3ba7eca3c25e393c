/// The size of the decoded planes relative to the original, in eighths (1 to 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale(u8);

impl Scale {
    /// The original size.
    pub const FULL: Self = Self(8);

    /// `None` unless `eighths` is 1 to 8.
    pub fn new(eighths: usize) -> Option<Self> {
        u8::try_from(eighths).ok().filter(|eighths| (1..=8).contains(eighths)).map(Self)
    }

    /// The smallest scale at which `side` still has `wanted` samples, or [`Scale::FULL`].
    pub fn at_least(side: usize, wanted: usize) -> Self {
        (1..8).find(|eighths| side * eighths >= wanted * 8).and_then(Self::new).unwrap_or(Self::FULL)
    }

    /// 1 to 8.
    pub fn eighths(self) -> usize {
        self.0.into()
    }
}
