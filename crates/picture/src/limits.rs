use crate::PictureError;
use crate::resize::Size;

/// What a picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels (width × height, as the header claims them) that are decoded.
    ///
    /// The default is 64 megapixels: every phone of today in its usual modes and every full-frame
    /// camera (61 MP) passes. Most JPEGs are decoded at reduced scale and need little memory;
    /// the dearest inputs take more: a progressive CMYK JPEG keeps every coefficient (8 bytes per
    /// pixel), so does a HEIC that is a single picture, an interlaced PNG with transparency is held twice while it is scaled (8), an animated WebP
    /// three times while it is decoded (12). So the default bounds a picture to about 770 MB;
    /// where there is less, lower it.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: 64_000_000 }
    }
}

impl Limits {
    /// To be called with the header's dimensions before anything of that size is allocated.
    pub(crate) fn check(&self, size: Size) -> Result<(), PictureError> {
        let Size { width, height } = size;
        if width == 0 || height == 0 {
            return Err(PictureError::corrupt("a dimension is zero"));
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(PictureError::TooManyPixels { width, height, max_pixels: self.max_pixels });
        }
        Ok(())
    }

    /// The byte limit handed to decoders that have one: 8 bytes per pixel (16-bit RGBA), and
    /// 16 MiB for tables, profiles and rows.
    pub(crate) fn max_bytes(&self) -> usize {
        let bytes = self.max_pixels.saturating_mul(8).saturating_add(16 << 20);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}
