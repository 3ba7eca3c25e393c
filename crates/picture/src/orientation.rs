use crate::raster::{Layout, Raster};
use crate::resize::Size;

/// How a stored picture must be turned or mirrored to be upright.
///
/// The values are those of the EXIF tag 0x0112 (CIPA DC-008, section 4.6.5): where row 0 and
/// column 0 of the stored picture lie when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Orientation {
    #[default]
    Upright = 1,
    Mirrored = 2,
    UpsideDown = 3,
    MirroredUpsideDown = 4,
    Transposed = 5,
    /// Shown right after a quarter turn clockwise: a phone held upright.
    QuarterTurn = 6,
    Transversed = 7,
    ThreeQuarterTurn = 8,
}

/// Pixels of a row that are turned together.
const STRETCH: usize = 64;

impl Orientation {
    /// Reads the orientation from EXIF data that starts at its TIFF header.
    ///
    /// Whatever is absent, broken or out of range means upright: a picture is not refused for its
    /// metadata.
    pub fn from_exif(tiff: &[u8]) -> Self {
        // Broken maker notes are common; the tag is in the first directory and survives them.
        let read = exif::Reader::new()
            .continue_on_error(true)
            .read_raw(tiff.to_vec())
            .or_else(|error| error.distill_partial_result(|_| ()));
        let value =
            read.ok().and_then(|exif| exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?.value.get_uint(0));
        match value {
            Some(2) => Self::Mirrored,
            Some(3) => Self::UpsideDown,
            Some(4) => Self::MirroredUpsideDown,
            Some(5) => Self::Transposed,
            Some(6) => Self::QuarterTurn,
            Some(7) => Self::Transversed,
            Some(8) => Self::ThreeQuarterTurn,
            _ => Self::Upright,
        }
    }

    /// The size as shown of a picture of the size as stored. Its own inverse.
    pub fn shown(self, size: Size) -> Size {
        match self {
            Self::Transposed | Self::QuarterTurn | Self::Transversed | Self::ThreeQuarterTurn => {
                Size::new(size.height, size.width)
            }
            _ => size,
        }
    }

    /// Of a picture that is turned by this, and then by `next`.
    #[cfg(feature = "heic")]
    pub fn then(self, next: Self) -> Self {
        const ALL: [Orientation; 8] = [
            Orientation::Upright,
            Orientation::Mirrored,
            Orientation::UpsideDown,
            Orientation::MirroredUpsideDown,
            Orientation::Transposed,
            Orientation::QuarterTurn,
            Orientation::Transversed,
            Orientation::ThreeQuarterTurn,
        ];
        // Where six pixels end up tells all of them apart.
        let stored = Size::new(3, 2);
        let turn = |by: Self, size, pixels| by.turn::<1>(size, pixels);
        let pixels: Vec<u8> = (0..6).collect();
        let shown = turn(next, self.shown(stored), turn(self, stored, pixels.clone()));
        let size = next.shown(self.shown(stored));
        let same = |by: &Self| by.shown(stored) == size && turn(*by, stored, pixels.clone()) == shown;
        ALL.into_iter().find(same).unwrap_or_default()
    }

    /// Turns the stored picture upright.
    pub fn apply(self, raster: Raster) -> Raster {
        let pixels = match raster.layout {
            Layout::Rgb => self.turn::<3>(raster.size, raster.pixels),
            Layout::Rgba => self.turn::<4>(raster.size, raster.pixels),
        };
        Raster { size: self.shown(raster.size), pixels, ..raster }
    }

    /// Turns pixels of so many bytes each.
    pub fn turn<const BYTES: usize>(self, stored: Size, pixels: Vec<u8>) -> Vec<u8> {
        if self == Self::Upright {
            return pixels;
        }
        let shown = self.shown(stored);
        let (last_x, last_y) = (stored.width as usize - 1, stored.height as usize - 1);
        let at = |x: usize, y: usize| (y * (last_x + 1) + x) * BYTES;
        let mut turned = vec![0; pixels.len()];
        let width = shown.width as usize;
        // Stretch by stretch: what a stretch of a row comes from is then still at hand for the same stretch of the next.
        for begin in (0..width).step_by(STRETCH) {
            let stretch = begin * BYTES..(begin + STRETCH).min(width) * BYTES;
            for (y, row) in turned.chunks_exact_mut(width * BYTES).enumerate() {
                // Where the row's first pixel comes from, and its second.
                let (first, second) = match self {
                    Self::Upright => (at(0, y), at(1, y)),
                    Self::Mirrored => (at(last_x, y), at(last_x, y).wrapping_sub(BYTES)),
                    Self::UpsideDown => (at(last_x, last_y - y), at(last_x, last_y - y).wrapping_sub(BYTES)),
                    Self::MirroredUpsideDown => (at(0, last_y - y), at(1, last_y - y)),
                    Self::Transposed => (at(y, 0), at(y, 1)),
                    Self::QuarterTurn => (at(y, last_y), at(y, last_y).wrapping_sub(at(0, 1))),
                    Self::Transversed => (at(last_x - y, last_y), at(last_x - y, last_y).wrapping_sub(at(0, 1))),
                    Self::ThreeQuarterTurn => (at(last_x - y, 0), at(last_x - y, 1)),
                };
                let step = second.wrapping_sub(first);
                let mut from = first.wrapping_add(step.wrapping_mul(begin));
                for pixel in row[stretch.clone()].chunks_exact_mut(BYTES) {
                    pixel.copy_from_slice(&pixels[from..from + BYTES]);
                    from = from.wrapping_add(step);
                }
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Little-endian TIFF with one directory of one entry: tag 0x0112, SHORT.
    fn tiff(orientation: u8) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        tiff
    }

    #[test]
    fn reads_every_value_and_forgives_the_rest() {
        for value in 1..=8 {
            assert_eq!(Orientation::from_exif(&tiff(value)) as u8, value);
        }
        for junk in [&tiff(0)[..], &tiff(9), b"", b"II*\0", b"not exif at all"] {
            assert_eq!(Orientation::from_exif(junk), Orientation::Upright);
        }
    }

    #[test]
    fn a_broken_directory_elsewhere_does_no_harm() {
        let mut exif = tiff(6);
        exif[8] = 2; // two entries: the second points to an EXIF directory far outside
        exif.truncate(22);
        exif.extend(b"\x69\x87\x04\0\x01\0\0\0\xff\xff\0\0\0\0\0\0");
        assert_eq!(Orientation::from_exif(&exif), Orientation::QuarterTurn);
    }

    #[test]
    fn a_quarter_turn_takes_the_left_edge_to_the_top() {
        // Stored 1 2 3   shown 4 1
        //        4 5 6         5 2
        //                      6 3
        let stored =
            Raster { size: Size::new(3, 2), layout: Layout::Rgb, pixels: (1..=6).flat_map(|v| [v; 3]).collect() };
        let shown = Orientation::QuarterTurn.apply(stored);
        assert_eq!(shown.size, Size::new(2, 3));
        let greys: Vec<u8> = shown.pixels.iter().copied().step_by(3).collect();
        assert_eq!(greys, [4, 1, 5, 2, 6, 3]);
    }
}
