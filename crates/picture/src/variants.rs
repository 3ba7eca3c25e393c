use crate::size::Size;

/// The longest sides of the variants, in pixels, in descending order.
pub const BOUNDS: [u32; 3] = [1080, 512, 128];

/// The format of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Baseline JPEG, 4:2:0, quality 80. Transparent pixels are blended with white.
    Jpeg,
    /// Lossy WebP, quality 80. Transparency is kept.
    WebP,
}

impl Encoding {
    /// The media type for a `Content-Type` header.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    /// The usual file extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }
}

/// A picture at one size in one encoding, ready to publish: no EXIF, XMP, ICC profile or comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The value of [`BOUNDS`] that the variant belongs to, in pixels. The longest side is equal to
    /// it, or shorter if the original is smaller.
    pub bound: u32,
    /// The format of `bytes`.
    pub encoding: Encoding,
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// The complete file.
    pub bytes: Vec<u8>,
}

/// Whether variants are so much smaller than a picture of this size that the loop filter of its codec is barely visible
/// (docs/benchmarks/pictures.md).
pub(crate) fn hides_loop_filter(size: Size) -> bool {
    size.width.max(size.height) >= 2 * BOUNDS[0]
}

/// The bounds that apply to a picture of this size, each with the size of its variants. Largest
/// first, never empty.
///
/// `bounds` are in descending order. Of the bounds that the picture fits into, only the smallest applies.
pub(crate) fn variant_sizes(size: Size, bounds: &[u32]) -> Vec<(u32, Size)> {
    let longest = size.width.max(size.height);
    let smallest_fit = bounds.iter().copied().filter(|&b| b >= longest).min();
    bounds
        .iter()
        .filter(|&&bound| bound < longest || Some(bound) == smallest_fit)
        .map(|&bound| (bound, size.within(bound)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(width: u32, height: u32) -> Vec<(u32, u32, u32)> {
        variant_sizes(Size::new(width, height), &BOUNDS)
            .into_iter()
            .map(|(bound, size)| (bound, size.width, size.height))
            .collect()
    }

    #[test]
    fn variant_sizes_of_any_picture_are_distinct_and_not_enlarged() {
        assert_eq!(sizes(4000, 3000), [(1080, 1080, 810), (512, 512, 384), (128, 128, 96)]);
        assert_eq!(sizes(1080, 1), [(1080, 1080, 1), (512, 512, 1), (128, 128, 1)]);
        assert_eq!(sizes(300, 451), [(512, 300, 451), (128, 85, 128)]);
        assert_eq!(sizes(512, 512), [(512, 512, 512), (128, 128, 128)]);
        assert_eq!(sizes(128, 3), [(128, 128, 3)]);
        assert_eq!(sizes(1, 1), [(128, 1, 1)]);
    }

    #[test]
    fn variant_of_a_picture_one_pixel_wide_is_one_pixel_wide() {
        assert_eq!(sizes(1, 20_000), [(1080, 1, 1080), (512, 1, 512), (128, 1, 128)]);
    }
}
