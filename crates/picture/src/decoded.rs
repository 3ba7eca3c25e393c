use image::DynamicImage;
use image::metadata::Orientation;

use crate::cmyk::Cmyk;
use crate::colour::ColourSpace;
use crate::planes::{Matrix, Planes};
use crate::size::Size;

/// A decoded picture as stored in the file: not oriented, not converted to sRGB.
pub(crate) struct Decoded {
    /// The full size. `image` is smaller if the decoder scaled it down.
    pub size: Size,
    pub image: Image,
    pub orientation: Orientation,
    pub colours: ColourSpace,
}

/// The pixels in the representation that is cheapest for their format.
pub(crate) enum Image {
    Pixels(DynamicImage),
    Planes(Planes, Matrix),
    Cmyk(Cmyk),
}
