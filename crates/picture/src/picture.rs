use image::{DynamicImage, RgbaImage};

use crate::PictureError;
use crate::colour::ColourSpace;
use crate::decoded::{Decoded, Image};
use crate::orientation::Orient;
use crate::pixels::drop_opaque_alpha;
use crate::planes::{Matrix, Planes};
use crate::resize::Resizer;
use crate::size::Size;

/// A picture from which variants are encoded: upright, in sRGB.
pub(crate) enum Picture {
    Opaque(Planes),
    Transparent(RgbaImage),
}

impl Picture {
    /// Scales the picture down, converts it to sRGB and orients it. `size` is the size after orientation.
    ///
    /// Conversion and orientation come last: of the small picture they cost a tenth of what they
    /// would cost of the original.
    pub fn render(decoded: Decoded, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        let Decoded { image, orientation, colours, .. } = decoded;
        let stored = orientation.oriented_size(size);
        let pixels = match (image, &colours) {
            (Image::Planes(planes, Matrix::BT601), ColourSpace::Srgb) => {
                return Ok(Self::Opaque(planes.resize(stored, resizer)?.orient(orientation)));
            }
            (Image::Planes(planes, matrix), colours) => {
                colours.convert(planes.resize(stored, resizer)?.to_rgb(matrix).into())
            }
            (Image::Pixels(pixels), colours) => colours.convert(resizer.resize(pixels, stored)?),
            (Image::Cmyk(cmyk), colours) => cmyk.resize(stored, resizer)?.to_srgb(colours)?.into(),
        };
        let mut pixels = drop_opaque_alpha(pixels);
        pixels.apply_orientation(orientation);
        Ok(match pixels {
            DynamicImage::ImageRgba8(rgba) => Self::Transparent(rgba),
            pixels => Self::Opaque(Planes::from_rgb(&pixels.into_rgb8())),
        })
    }

    pub fn size(&self) -> Size {
        match self {
            Self::Opaque(planes) => planes.size,
            Self::Transparent(rgba) => Size::new(rgba.width(), rgba.height()),
        }
    }

    pub fn resize(self, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        Ok(match self {
            Self::Opaque(planes) => Self::Opaque(planes.resize(size, resizer)?),
            Self::Transparent(rgba) => Self::Transparent(resizer.resize(rgba.into(), size)?.into_rgba8()),
        })
    }

    pub fn into_pixels(self) -> DynamicImage {
        match self {
            Self::Opaque(planes) => planes.to_rgb(Matrix::BT601).into(),
            Self::Transparent(rgba) => rgba.into(),
        }
    }
}
