//! Pictures as pixels: RGB, or RGBA with alpha that is not premultiplied, 8 bits per channel.

use image::{DynamicImage, RgbImage, RgbaImage};

use crate::PictureError;
use crate::size::Size;

/// Converts grey pixels and those of 16 bits.
pub(crate) fn to_rgb_or_rgba(picture: DynamicImage) -> DynamicImage {
    if picture.color().has_alpha() { picture.into_rgba8().into() } else { picture.into_rgb8().into() }
}

pub(crate) fn size_of(picture: &DynamicImage) -> Size {
    Size::new(picture.width(), picture.height())
}

/// RGB pixels, row by row from the top.
pub(crate) fn rgb(size: Size, pixels: Vec<u8>) -> Result<RgbImage, PictureError> {
    RgbImage::from_raw(size.width, size.height, pixels).ok_or_else(|| PictureError::internal("too few pixels"))
}

/// RGBA pixels, row by row from the top.
pub(crate) fn rgba(size: Size, pixels: Vec<u8>) -> Result<RgbaImage, PictureError> {
    RgbaImage::from_raw(size.width, size.height, pixels).ok_or_else(|| PictureError::internal("too few pixels"))
}

/// The samples of an RGB or RGBA picture.
pub(crate) fn samples_mut(picture: &mut DynamicImage) -> &mut [u8] {
    match picture {
        DynamicImage::ImageRgb8(rgb) => rgb,
        DynamicImage::ImageRgba8(rgba) => rgba,
        _ => &mut [],
    }
}

/// Drops an alpha channel that is opaque everywhere, as in many PNGs and WebPs.
pub(crate) fn drop_opaque_alpha(picture: DynamicImage) -> DynamicImage {
    match &picture {
        DynamicImage::ImageRgba8(rgba) if rgba.pixels().all(|pixel| pixel[3] == u8::MAX) => picture.into_rgb8().into(),
        _ => picture,
    }
}

/// Blends a picture with white, because JPEG has no transparency.
pub(crate) fn on_white(picture: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let alpha = u16::from(alpha);
        [red, green, blue].map(|channel| ((u16::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixels: &[[u8; 4]]) -> RgbaImage {
        rgba(Size::new(pixels.len() as u32, 1), pixels.concat()).unwrap()
    }

    #[test]
    fn on_white_blends_by_alpha() {
        let white = on_white(&row(&[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 128]]));
        assert_eq!(white.as_raw(), &[10, 20, 30, 255, 255, 255, 127, 127, 127]);
    }

    #[test]
    fn drop_opaque_alpha_keeps_a_transparent_picture() {
        let opaque = drop_opaque_alpha(row(&[[1, 2, 3, 255]]).into());
        assert_eq!(opaque, DynamicImage::from(rgb(Size::new(1, 1), vec![1, 2, 3]).unwrap()));
        let transparent = DynamicImage::from(row(&[[1, 2, 3, 255], [1, 2, 3, 254]]));
        assert_eq!(drop_opaque_alpha(transparent.clone()), transparent);
    }
}
