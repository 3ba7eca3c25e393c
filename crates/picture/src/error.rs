use image::ImageError;
use thiserror::Error;

/// The reason why no variants were made.
///
/// The message is for operators. The caller decides by the enum variant what clients see.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PictureError {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is not a supported format, or is a kind of it that no camera writes
    /// (arithmetic-coded, 12-bit, lossless or hierarchical JPEG).
    #[error("not a JPEG, PNG, WebP, GIF or HEIC that can be decoded")]
    UnsupportedFormat,
    /// The header claims more pixels than [`Limits`](crate::Limits) allow. Nothing was decoded.
    #[error("{width} × {height} pixels are more than the {max_pixels} allowed")]
    TooManyPixels {
        /// The claimed width in pixels.
        width: u32,
        /// The claimed height in pixels.
        height: u32,
        /// The limit that was exceeded.
        max_pixels: u64,
    },
    /// The file ends before the picture is complete, most often because of an interrupted upload.
    #[error("the file is truncated")]
    Truncated,
    /// The file violates its format.
    #[error("the file is corrupt: {0}")]
    Corrupt(String),
    /// An encoder or the resizer refused its input: a bug in this crate, not a property of the file.
    #[error("internal error: {0}")]
    Internal(String),
}

impl PictureError {
    /// A stable name of the enum variant.
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

    /// Converts an error of the crate `image`.
    pub(crate) fn from_image(error: ImageError) -> Self {
        match error {
            ImageError::IoError(error) => Self::from_io(&error),
            error => Self::corrupt(error),
        }
    }

    /// Converts an I/O error of a decoder. Decoders read from memory, where only an early end is expected.
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
    fn code_of_each_error_is_stable() {
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
