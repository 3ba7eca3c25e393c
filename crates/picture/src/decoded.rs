use crate::cmyk::Cmyk;
use crate::orientation::Orientation;
use crate::planes::{Matrix, Planes};
use crate::raster::Raster;
use crate::size::Size;

/// A decoded picture as stored in the file: not oriented, not converted to sRGB.
pub(crate) struct Decoded {
    /// The full size. `image` is smaller if the decoder scaled it down.
    pub size: Size,
    pub image: Image,
    pub orientation: Orientation,
    /// The embedded colour profile.
    pub icc_profile: Option<Vec<u8>>,
}

/// The pixels in the representation that is cheapest for their format.
pub(crate) enum Image {
    Raster(Raster),
    Planes(Planes, Matrix),
    Cmyk(Cmyk),
}
