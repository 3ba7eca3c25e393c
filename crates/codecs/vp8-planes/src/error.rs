use thiserror::Error;

/// Why a frame was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The data end before the picture does.
    #[error("the data end before the picture does")]
    Truncated,
    /// The data contradict the format.
    #[error("the data are damaged: {0}")]
    Corrupt(&'static str),
}
