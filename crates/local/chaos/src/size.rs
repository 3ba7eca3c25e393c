//! The size of histories.

/// Number of persons, and of phones.
pub const PERSONS: usize = 5;
/// Number of places in the bucket that are overwritten repeatedly.
pub const PLACES: usize = 9;
/// Number of places for photographs; the others are for recordings.
pub const PICTURE_PLACES: usize = 6;
/// Number of tags.
pub const TAGS: usize = 4;

/// The size of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of operations.
    pub operations: usize,
    /// Number of sample photographs.
    pub photographs: usize,
    /// Number of restarts of the emulator.
    pub restarts: usize,
    /// Number of restarts of the search engine.
    pub search_restarts: usize,
    /// Number of fast resets of the graph.
    pub resets: usize,
}
