use crate::raster::{Layout, Raster};
use crate::size::Size;

/// The rotation and reflection that make a stored picture upright.
///
/// The values are those of the EXIF tag 0x0112 (CIPA DC-008, section 4.6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Orientation {
    #[default]
    Upright = 1,
    MirrorHorizontally = 2,
    Rotate180 = 3,
    MirrorVertically = 4,
    Transpose = 5,
    /// Needs a rotation by 90° clockwise, like the photos of most phones held upright.
    Rotate90 = 6,
    Transverse = 7,
    Rotate270 = 8,
}

/// Width of the column strips in which a picture is oriented, in pixels.
const STRIP: usize = 64;

impl Orientation {
    /// Reads the orientation from EXIF data that starts with its TIFF header. Missing or invalid
    /// metadata means upright.
    pub fn from_exif(tiff: &[u8]) -> Self {
        // Broken maker notes are common. The tag is in the first directory and remains readable.
        let read = exif::Reader::new()
            .continue_on_error(true)
            .read_raw(tiff.to_vec())
            .or_else(|error| error.distill_partial_result(|_| ()));
        let value =
            read.ok().and_then(|exif| exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?.value.get_uint(0));
        match value {
            Some(2) => Self::MirrorHorizontally,
            Some(3) => Self::Rotate180,
            Some(4) => Self::MirrorVertically,
            Some(5) => Self::Transpose,
            Some(6) => Self::Rotate90,
            Some(7) => Self::Transverse,
            Some(8) => Self::Rotate270,
            _ => Self::Upright,
        }
    }

    /// The size after orientation of a picture with this stored size, and vice versa.
    pub fn oriented_size(self, size: Size) -> Size {
        match self {
            Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270 => Size::new(size.height, size.width),
            _ => size,
        }
    }

    /// The orientation equal to this one followed by `next`.
    #[cfg(feature = "heic")]
    pub fn followed_by(self, next: Self) -> Self {
        const ALL: [Orientation; 8] = [
            Orientation::Upright,
            Orientation::MirrorHorizontally,
            Orientation::Rotate180,
            Orientation::MirrorVertically,
            Orientation::Transpose,
            Orientation::Rotate90,
            Orientation::Transverse,
            Orientation::Rotate270,
        ];
        // Six distinct pixels are enough to distinguish all orientations.
        let stored = Size::new(3, 2);
        let orient = |by: Self, size, pixels| by.orient_pixels::<1>(size, pixels);
        let pixels: Vec<u8> = (0..6).collect();
        let oriented = orient(next, self.oriented_size(stored), orient(self, stored, pixels.clone()));
        let size = next.oriented_size(self.oriented_size(stored));
        let same = |by: &Self| by.oriented_size(stored) == size && orient(*by, stored, pixels.clone()) == oriented;
        ALL.into_iter().find(same).unwrap_or_default()
    }

    /// Orients a stored picture.
    pub fn apply(self, raster: Raster) -> Raster {
        let pixels = match raster.layout {
            Layout::Rgb => self.orient_pixels::<3>(raster.size, raster.pixels),
            Layout::Rgba => self.orient_pixels::<4>(raster.size, raster.pixels),
        };
        Raster { size: self.oriented_size(raster.size), pixels, ..raster }
    }

    /// Orients pixels of `BYTES` bytes each.
    pub fn orient_pixels<const BYTES: usize>(self, stored: Size, pixels: Vec<u8>) -> Vec<u8> {
        if self == Self::Upright {
            return pixels;
        }
        let size = self.oriented_size(stored);
        let (last_x, last_y) = (stored.width as usize - 1, stored.height as usize - 1);
        let at = |x: usize, y: usize| (y * (last_x + 1) + x) * BYTES;
        let mut oriented = vec![0; pixels.len()];
        let width = size.width as usize;
        // Within a strip, consecutive rows read the same cache lines of the source.
        for begin in (0..width).step_by(STRIP) {
            let strip = begin * BYTES..(begin + STRIP).min(width) * BYTES;
            for (y, row) in oriented.chunks_exact_mut(width * BYTES).enumerate() {
                // The source offsets of the first and the second pixel of the row.
                let (first, second) = match self {
                    Self::Upright => (at(0, y), at(1, y)),
                    Self::MirrorHorizontally => (at(last_x, y), at(last_x, y).wrapping_sub(BYTES)),
                    Self::Rotate180 => (at(last_x, last_y - y), at(last_x, last_y - y).wrapping_sub(BYTES)),
                    Self::MirrorVertically => (at(0, last_y - y), at(1, last_y - y)),
                    Self::Transpose => (at(y, 0), at(y, 1)),
                    Self::Rotate90 => (at(y, last_y), at(y, last_y).wrapping_sub(at(0, 1))),
                    Self::Transverse => (at(last_x - y, last_y), at(last_x - y, last_y).wrapping_sub(at(0, 1))),
                    Self::Rotate270 => (at(last_x - y, 0), at(last_x - y, 1)),
                };
                let step = second.wrapping_sub(first);
                let mut from = first.wrapping_add(step.wrapping_mul(begin));
                for pixel in row[strip.clone()].chunks_exact_mut(BYTES) {
                    pixel.copy_from_slice(&pixels[from..from + BYTES]);
                    from = from.wrapping_add(step);
                }
            }
        }
        oriented
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Little-endian TIFF with one directory entry: tag 0x0112, SHORT.
    fn tiff(orientation: u8) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        tiff
    }

    #[test]
    fn orientation_of_exif_is_its_value_or_upright_if_invalid() {
        for value in 1..=8 {
            assert_eq!(Orientation::from_exif(&tiff(value)) as u8, value);
        }
        for junk in [&tiff(0)[..], &tiff(9), b"", b"II*\0", b"not exif at all"] {
            assert_eq!(Orientation::from_exif(junk), Orientation::Upright);
        }
    }

    #[test]
    fn orientation_next_to_a_broken_directory_is_read() {
        let mut exif = tiff(6);
        exif[8] = 2; // two entries; the second one points to an EXIF directory beyond the data
        exif.truncate(22);
        exif.extend(b"\x69\x87\x04\0\x01\0\0\0\xff\xff\0\0\0\0\0\0");
        assert_eq!(Orientation::from_exif(&exif), Orientation::Rotate90);
    }

    #[test]
    fn rotation_by_90_degrees_moves_the_left_edge_to_the_top() {
        // Stored 1 2 3   oriented 4 1
        //        4 5 6            5 2
        //                         6 3
        let stored =
            Raster { size: Size::new(3, 2), layout: Layout::Rgb, pixels: (1..=6).flat_map(|v| [v; 3]).collect() };
        let oriented = Orientation::Rotate90.apply(stored);
        assert_eq!(oriented.size, Size::new(2, 3));
        let greys: Vec<u8> = oriented.pixels.iter().copied().step_by(3).collect();
        assert_eq!(greys, [4, 1, 5, 2, 6, 3]);
    }
}
