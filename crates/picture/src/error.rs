use thiserror::Error;

/// Why no variants were made.
///
/// The message is for operators; what clients are told is up to the caller, by the variant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PictureError {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is none of the formats that are decoded, or a kind of them that no camera
    /// writes (arithmetic-coded, 12-bit, lossless or hierarchical JPEG).
    #[error("not a JPEG, PNG, WebP, GIF or HEIC that can be decoded")]
    UnsupportedFormat,
    /// The header claims more pixels than [`Limits`](crate::Limits) allow. Nothing was decoded.
    #[error("{width} × {height} pixels are more than the {max_pixels} allowed")]
    TooManyPixels {
        /// In pixels, as the header has it.
        width: u32,
        /// In pixels, as the header has it.
        height: u32,
        /// The limit that was exceeded.
        max_pixels: u64,
    },
    /// The file ends before the picture does: most often an upload that broke off.
    #[error("the file ends before the picture does")]
    Truncated,
    /// The file contradicts itself or its format.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// An encoder or the scaler refused what this crate handed it: a bug here, not a property of
    /// the picture.
    #[error("internal error: {0}")]
    Internal(String),
}

impl PictureError {
    /// A short name of the kind, without what is particular to one file.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::UnsupportedFormat => "unsupported_format",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::Truncated => "truncated",
            Self::Corrupt(_) => "corrupt",
            Self::Internal(_) => "internal",
        }
    }

    pub(crate) fn corrupt(reason: impl ToString) -> Self {
        Self::Corrupt(reason.to_string())
    }

    pub(crate) fn internal(reason: impl ToString) -> Self {
        Self::Internal(reason.to_string())
    }

    /// A decoder's I/O error. Its input is a slice, so an early end is all that can happen.
    pub(crate) fn from_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::corrupt(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable() {
        let too_many = PictureError::TooManyPixels { width: 1, height: 2, max_pixels: 1 };
        let codes = [
            (PictureError::Empty, "empty"),
            (PictureError::UnsupportedFormat, "unsupported_format"),
            (too_many, "too_many_pixels"),
            (PictureError::Truncated, "truncated"),
            (PictureError::corrupt(""), "corrupt"),
            (PictureError::internal(""), "internal"),
        ];
        for (error, code) in codes {
            assert_eq!(error.code(), code);
        }
    }
}
