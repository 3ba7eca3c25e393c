use thiserror::Error;

/// The reason why a file was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The file does not start with a JPEG signature.
    #[error("not a JPEG")]
    NotJpeg,
    /// A kind of JPEG that this crate does not decode.
    #[error("unsupported: {0}")]
    Unsupported(Unsupported),
    /// The file ends before the picture is complete.
    #[error("the file is truncated")]
    Truncated,
    /// The file violates the standard.
    #[error("the file is corrupt: {0}")]
    Corrupt(&'static str),
}

/// A feature of JPEG that this crate does not decode. The headers show it before anything is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unsupported {
    /// Arithmetic coding, a lossless or a hierarchical process.
    #[error("a process other than sequential or progressive Huffman coding")]
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
    /// A sequential picture with a scan per component.
    #[error("several scans")]
    Scans,
}
