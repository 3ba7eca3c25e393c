use image::RgbImage;

use crate::PictureError;
use crate::colour::ColourSpace;
use crate::pixels;
use crate::resize::Resizer;
use crate::size::Size;

/// A picture for print: cyan, magenta, yellow and black, 8 bits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cmyk {
    pub size: Size,
    /// Always `width × height × 4` bytes; 255 is full ink.
    pub samples: Vec<u8>,
}

impl Cmyk {
    pub fn resize(self, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        if self.size == size {
            return Ok(self);
        }
        Ok(Self { size, samples: resizer.resize_cmyk(&self.samples, self.size, size)? })
    }

    /// Converts to sRGB by the profile. Without a CMYK profile it uses the formula of browsers, whose
    /// colours are too bright but recognisable.
    pub fn to_srgb(&self, colours: &ColourSpace) -> Result<RgbImage, PictureError> {
        pixels::rgb(self.size, colours.convert_cmyk(&self.samples).unwrap_or_else(|| self.without_profile()))
    }

    fn without_profile(&self) -> Vec<u8> {
        let light = |ink: u8| u16::from(255 - ink);
        let pixel = |p: &[u8]| [p[0], p[1], p[2]].map(|ink| ((light(ink) * light(p[3]) + 127) / 255) as u8);
        self.samples.chunks_exact(4).flat_map(pixel).collect()
    }
}
