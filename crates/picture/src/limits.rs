use crate::PictureError;
use crate::size::Size;

/// The longest side of a JPEG, in pixels: libjpeg's limit (`JPEG_MAX_DIMENSION`), so that no common
/// program writes more. From 65,529 pixels on, `jpeg-decoder`'s 16-bit arithmetic overflows.
const MAX_JPEG_SIDE: u32 = 65_500;

/// Limits to the size of a picture, and so to memory and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of pixels (width × height according to the header) that is decoded.
    ///
    /// The default is 64 megapixels, enough for phones in their usual modes and for full-frame
    /// cameras (61 megapixels). Most JPEGs are decoded at reduced scale and need little memory. The
    /// most expensive inputs, in bytes per pixel: a progressive CMYK JPEG or a HEIC without tiles
    /// (8), an interlaced PNG of 16 bits with transparency (12), an animated WebP (12). So the default bounds a
    /// picture to about 770 MB. Choose a lower limit where less memory is available.
    pub max_pixels: u64,
    /// The same limit for a baseline JPEG, which is scaled down while it is decoded, row by row.
    ///
    /// The default is 210 megapixels, enough for the sensors of 200 megapixels in phones (up to
    /// 16,384 × 12,288). Such a file needs about as much memory as one of 12 megapixels.
    pub max_baseline_jpeg_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: 64_000_000, max_baseline_jpeg_pixels: 210_000_000 }
    }
}

impl Limits {
    /// Checks the size in the header. Call it before anything of that size is allocated.
    pub(crate) fn check(&self, size: Size) -> Result<(), PictureError> {
        check(size, self.max_pixels)
    }

    /// Checks the size of a baseline JPEG that is scaled down while it is decoded.
    pub(crate) fn check_baseline_jpeg(&self, size: Size) -> Result<(), PictureError> {
        check(size, self.max_baseline_jpeg_pixels)
    }

    /// The limit in bytes for decoders that support one: 8 bytes per pixel (16-bit RGBA), and 16 MiB
    /// for tables, profiles and rows.
    pub(crate) fn max_bytes(&self) -> usize {
        let bytes = self.max_pixels.saturating_mul(8).saturating_add(16 << 20);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}

fn check(size: Size, max_pixels: u64) -> Result<(), PictureError> {
    let Size { width, height } = size;
    if width == 0 || height == 0 {
        return Err(PictureError::corrupt("a dimension is zero"));
    }
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(PictureError::TooManyPixels { width, height, max_pixels });
    }
    Ok(())
}

/// Checks the longest side of a JPEG.
pub(crate) fn check_jpeg_side(size: Size) -> Result<(), PictureError> {
    if size.width.max(size.height) > MAX_JPEG_SIDE {
        return Err(PictureError::corrupt("a side longer than 65,500 pixels"));
    }
    Ok(())
}
