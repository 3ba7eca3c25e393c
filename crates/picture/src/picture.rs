use crate::PictureError;
use crate::colour;
use crate::decode::{Decoded, Image};
use crate::planes::{Matrix, Planes};
use crate::raster::{Layout, Raster};
use crate::resize::{Resizer, Size};

/// A picture on its way to its variants: upright, in sRGB.
pub(crate) enum Picture {
    Opaque(Planes),
    /// Transparent somewhere.
    Clear(Raster),
}

impl Picture {
    /// Makes the picture small, converts it to sRGB and turns it upright. `size` is as shown.
    pub fn develop(decoded: Decoded, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        let orientation = decoded.orientation;
        let stored = orientation.shown(size);
        let raster = match (decoded.image, &decoded.icc_profile) {
            (Image::Planes(planes, Matrix::BT601), None) => {
                return Ok(Self::Opaque(planes.resize(stored, resizer)?.turn(orientation)));
            }
            (Image::Planes(planes, matrix), _) => planes.resize(stored, resizer)?.to_rgb(matrix),
            (Image::Raster(raster), _) => resizer.resize(raster, stored)?,
            (Image::Inks(inks), profile) => {
                let raster = inks.resize(stored, resizer)?.to_srgb(profile.as_deref());
                return Ok(Self::Opaque(Planes::from_rgb(&orientation.apply(raster))));
            }
        };
        let raster = match &decoded.icc_profile {
            Some(profile) => colour::to_srgb(raster, profile),
            None => raster,
        };
        let raster = orientation.apply(raster.without_idle_alpha());
        Ok(match raster.layout {
            Layout::Rgb => Self::Opaque(Planes::from_rgb(&raster)),
            Layout::Rgba => Self::Clear(raster),
        })
    }

    pub fn size(&self) -> Size {
        match self {
            Self::Opaque(planes) => planes.size,
            Self::Clear(raster) => raster.size,
        }
    }

    pub fn resize(self, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        Ok(match self {
            Self::Opaque(planes) => Self::Opaque(planes.resize(size, resizer)?),
            Self::Clear(raster) => Self::Clear(resizer.resize(raster, size)?),
        })
    }

    pub fn into_raster(self) -> Raster {
        match self {
            Self::Opaque(planes) => planes.to_rgb(Matrix::BT601),
            Self::Clear(raster) => raster,
        }
    }
}
