use thiserror::Error;

/// Why a file was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The bytes do not begin like a JPEG.
    #[error("not a JPEG")]
    NotJpeg,
    /// A JPEG of a kind that this crate leaves to larger libraries.
    #[error("unsupported: {0}")]
    Unsupported(Unsupported),
    /// The file ends before the picture does.
    #[error("the file ends before the picture does")]
    Truncated,
    /// The file contradicts itself or the standard.
    #[error("the file is damaged: {0}")]
    Corrupt(&'static str),
}

/// What is left to larger libraries. All of it is told from the headers, before anything is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unsupported {
    /// Arithmetic coding, lossless and hierarchical processes.
    #[error("a process other than sequential Huffman coding")]
    Process,
    /// Other than 8 bits per sample.
    #[error("{0} bits per sample")]
    Precision(u8),
    /// Other than one (grey) or three components.
    #[error("{0} components")]
    Components(u8),
    /// Other than 4:4:4, 4:2:2, 4:4:0 and 4:2:0.
    #[error("an unusual subsampling")]
    Sampling,
    /// Components of a sequential picture in scans of their own.
    #[error("several scans")]
    Scans,
}
