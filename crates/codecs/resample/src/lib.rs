#![doc = include_str!("../README.md")]

use std::{error, fmt};

pub use fast_image_resize::{Filter, FilterType, ResizeAlg, ResizeOptions};
use fast_image_resize::{Resizer, images::TypedImage, pixels::U8x4};

/// Bytes of a pixel.
pub const CHANNELS: usize = 4;

/// Width and height in pixels.
pub type Size = (u32, u32);

/// Resizes images. Reuses its buffers.
#[derive(Debug, Default)]
pub struct Resampler {
    inner: Resizer,
}

impl Resampler {
    /// Resizes an image, row by row, into a buffer for another size. The fourth byte of a pixel is alpha, if the options
    /// say so. The image is not changed.
    ///
    /// # Errors
    /// If a buffer is too small for its size, or the options crop outside of the image.
    pub fn resize(
        &mut self,
        ((width, height), samples): (Size, &mut [u8]),
        ((to_width, to_height), out): (Size, &mut [u8]),
        options: &ResizeOptions,
    ) -> Result<(), Error> {
        // The same type on both sides, because the library is compiled once for each pair of types.
        let from = TypedImage::<U8x4>::from_buffer(width, height, samples).map_err(Error::new)?;
        let mut to = TypedImage::<U8x4>::from_buffer(to_width, to_height, out).map_err(Error::new)?;
        self.inner.resize_typed(&from, &mut to, options).map_err(Error::new)
    }
}

/// Sizes, buffers and options do not belong together.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_image_stays_uniform() {
        let colour = [250, 190, 130, 70];
        let (mut from, mut to) = (colour.repeat(7 * 5), vec![0; CHANNELS * 6]);
        let options = ResizeOptions::new().use_alpha(false);
        Resampler::default().resize(((7, 5), &mut from), ((3, 2), &mut to), &options).expect("resized");
        assert_eq!(to, colour.repeat(6));
        assert_eq!(from, colour.repeat(7 * 5));
    }

    #[test]
    fn buffer_that_is_too_small_is_an_error() {
        let result = Resampler::default().resize(((2, 2), &mut [0; 15]), ((1, 1), &mut [0; 4]), &ResizeOptions::new());
        assert!(result.is_err());
    }
}
