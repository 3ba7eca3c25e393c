use thiserror::Error;

/// The reason why a frame was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The data ends before the picture is complete.
    #[error("the data is truncated")]
    Truncated,
    /// The data violates the format.
    #[error("the data is corrupt: {0}")]
    Corrupt(&'static str),
}
