use crate::PictureError;
use crate::colour;
use crate::decoded::{Decoded, Image};
use crate::planes::{Matrix, Planes};
use crate::raster::{Layout, Raster};
use crate::resize::Resizer;
use crate::size::Size;

/// A picture from which variants are encoded: upright, in sRGB.
pub(crate) enum Picture {
    Opaque(Planes),
    Transparent(Raster),
}

impl Picture {
    /// Scales the picture down, converts it to sRGB and orients it. `size` is the size after orientation.
    ///
    /// Conversion and orientation come last: of the small picture they cost a tenth of what they
    /// would cost of the original.
    pub fn render(decoded: Decoded, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        let orientation = decoded.orientation;
        let stored = orientation.oriented_size(size);
        let raster = match (decoded.image, &decoded.icc_profile) {
            (Image::Planes(planes, Matrix::BT601), None) => {
                return Ok(Self::Opaque(planes.resize(stored, resizer)?.orient(orientation)));
            }
            (Image::Planes(planes, matrix), _) => planes.resize(stored, resizer)?.to_rgb(matrix),
            (Image::Raster(raster), _) => resizer.resize(raster, stored)?,
            (Image::Cmyk(cmyk), profile) => {
                let raster = cmyk.resize(stored, resizer)?.to_srgb(profile.as_deref());
                return Ok(Self::Opaque(Planes::from_rgb(&orientation.apply(raster))));
            }
        };
        let raster = match &decoded.icc_profile {
            Some(profile) => colour::to_srgb(raster, profile),
            None => raster,
        };
        let raster = orientation.apply(raster.drop_opaque_alpha());
        Ok(match raster.layout {
            Layout::Rgb => Self::Opaque(Planes::from_rgb(&raster)),
            Layout::Rgba => Self::Transparent(raster),
        })
    }

    pub fn size(&self) -> Size {
        match self {
            Self::Opaque(planes) => planes.size,
            Self::Transparent(raster) => raster.size,
        }
    }

    pub fn resize(self, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        Ok(match self {
            Self::Opaque(planes) => Self::Opaque(planes.resize(size, resizer)?),
            Self::Transparent(raster) => Self::Transparent(resizer.resize(raster, size)?),
        })
    }

    pub fn into_raster(self) -> Raster {
        match self {
            Self::Opaque(planes) => planes.to_rgb(Matrix::BT601),
            Self::Transparent(raster) => raster,
        }
    }
}
