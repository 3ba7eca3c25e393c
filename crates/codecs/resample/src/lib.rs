#![doc = include_str!("../README.md")]

use std::{error, fmt};

pub use fast_image_resize::{Filter, FilterType, ResizeAlg, ResizeOptions};
use fast_image_resize::{
    PixelTrait, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::{U8, U8x3, U8x4},
};

/// The channels of a pixel, 8 bits each. The fourth of four is alpha, if the options say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// A plane of luma or chroma.
    One,
    /// RGB.
    Three,
    /// RGBA or CMYK.
    Four,
}

/// Width and height in pixels.
pub type Size = (u32, u32);

/// Resizes images. Reuses its buffers.
#[derive(Debug, Default)]
pub struct Resampler {
    inner: Resizer,
}

impl Resampler {
    /// Resizes the samples of an image, row by row, into a buffer for another size.
    ///
    /// # Errors
    /// If a buffer is too small for its size, or the options crop outside of the image.
    pub fn resize(
        &mut self,
        pixels: Pixels,
        from: (Size, &[u8]),
        to: (Size, &mut [u8]),
        options: &ResizeOptions,
    ) -> Result<(), Error> {
        match pixels {
            Pixels::One => self.resize_typed::<U8>(from, to, options),
            Pixels::Three => self.resize_typed::<U8x3>(from, to, options),
            Pixels::Four => self.resize_typed::<U8x4>(from, to, options),
        }
    }

    fn resize_typed<P: PixelTrait>(
        &mut self,
        ((width, height), samples): (Size, &[u8]),
        ((to_width, to_height), out): (Size, &mut [u8]),
        options: &ResizeOptions,
    ) -> Result<(), Error> {
        let from = TypedImageRef::<P>::from_buffer(width, height, samples).map_err(Error::new)?;
        let mut to = TypedImage::<P>::from_buffer(to_width, to_height, out).map_err(Error::new)?;
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
        for (pixels, channels) in [(Pixels::One, 1), (Pixels::Three, 3), (Pixels::Four, 4)] {
            let colour: Vec<u8> = (0..channels).map(|channel| 250 - 60 * channel).collect();
            let (from, mut to) = (colour.repeat(7 * 5), vec![0; usize::from(channels) * 6]);
            let options = ResizeOptions::new().use_alpha(false);
            Resampler::default().resize(pixels, ((7, 5), &from), ((3, 2), &mut to), &options).expect("resized");
            assert_eq!(to, colour.repeat(6), "{pixels:?}");
        }
    }

    #[test]
    fn buffer_that_is_too_small_is_an_error() {
        let result = Resampler::default().resize(
            Pixels::Three,
            ((2, 2), &[0; 11]),
            ((1, 1), &mut [0; 3]),
            &ResizeOptions::new(),
        );
        assert!(result.is_err());
    }
}
