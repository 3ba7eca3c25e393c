use exif::{In, Tag, Value};
use image::metadata::Orientation;

use crate::size::Size;

/// Width of the column strips in which a plane is oriented, in samples.
const STRIP: usize = 64;

/// What the orientation of the crate `image` lacks: tolerant reading, planes, compositions.
pub(crate) trait Orient: Sized {
    /// Reads the orientation from EXIF data that starts with its TIFF header: the first tag, with any
    /// integer type. Missing or invalid metadata means upright.
    fn from_tiff(tiff: &[u8]) -> Self;

    /// The size after orientation of a picture with this stored size, and vice versa.
    fn oriented_size(self, size: Size) -> Size;

    /// The pixel of a stored picture of this size that is at `x`, `y` after orientation.
    fn stored_position(self, stored: Size, position: (i64, i64)) -> (i64, i64);

    /// Orients a plane. For pictures with several samples per pixel, the crate `image` does; for planes
    /// of a photo it needs twice the time.
    fn orient_plane(self, stored: Size, samples: Vec<u8>) -> Vec<u8>;

    /// The orientation equal to this one followed by `next`.
    #[cfg(feature = "heic")]
    fn followed_by(self, next: Self) -> Self;
}

impl Orient for Orientation {
    fn from_tiff(tiff: &[u8]) -> Self {
        // Broken maker notes are common. The tag is in the first directory and remains readable.
        let read = exif::Reader::new()
            .continue_on_error(true)
            .read_raw(tiff.to_vec())
            .or_else(|error| error.distill_partial_result(|_| ()));
        let is_orientation = |field: &&exif::Field| (field.tag, field.ifd_num) == (Tag::Orientation, In::PRIMARY);
        let value = read.ok().and_then(|exif| match &exif.fields().find(is_orientation)?.value {
            Value::SByte(values) => u8::try_from(*values.first()?).ok(),
            Value::SShort(values) => u8::try_from(*values.first()?).ok(),
            Value::SLong(values) => u8::try_from(*values.first()?).ok(),
            value => u8::try_from(value.get_uint(0)?).ok(),
        });
        value.and_then(Self::from_exif).unwrap_or(Self::NoTransforms)
    }

    fn oriented_size(self, size: Size) -> Size {
        match self {
            Self::Rotate90 | Self::Rotate270 | Self::Rotate90FlipH | Self::Rotate270FlipH => {
                Size::new(size.height, size.width)
            }
            Self::NoTransforms | Self::Rotate180 | Self::FlipHorizontal | Self::FlipVertical => size,
        }
    }

    fn stored_position(self, stored: Size, (x, y): (i64, i64)) -> (i64, i64) {
        let (last_x, last_y) = (i64::from(stored.width) - 1, i64::from(stored.height) - 1);
        match self {
            Self::NoTransforms => (x, y),
            Self::FlipHorizontal => (last_x - x, y),
            Self::Rotate180 => (last_x - x, last_y - y),
            Self::FlipVertical => (x, last_y - y),
            Self::Rotate90FlipH => (y, x),
            Self::Rotate90 => (y, last_y - x),
            Self::Rotate270FlipH => (last_x - y, last_y - x),
            Self::Rotate270 => (last_x - y, x),
        }
    }

    fn orient_plane(self, stored: Size, samples: Vec<u8>) -> Vec<u8> {
        if self == Self::NoTransforms {
            return samples;
        }
        let width = self.oriented_size(stored).width as usize;
        let stored_index = |x: i64, y: i64| {
            let (x, y) = self.stored_position(stored, (x, y));
            y * i64::from(stored.width) + x
        };
        let mut oriented = vec![0; samples.len()];
        // Within a strip, consecutive rows read the same cache lines of the source.
        for begin in (0..width).step_by(STRIP) {
            let strip = begin..(begin + STRIP).min(width);
            for (y, row) in (0_i64..).zip(oriented.chunks_exact_mut(width)) {
                let first = stored_index(0, y);
                let step = stored_index(1, y) - first;
                let mut from = first + step * begin as i64;
                for sample in &mut row[strip.clone()] {
                    *sample = samples[from as usize];
                    from += step;
                }
            }
        }
        oriented
    }

    #[cfg(feature = "heic")]
    fn followed_by(self, next: Self) -> Self {
        // Six distinct samples are enough to distinguish all orientations.
        let stored = Size::new(3, 2);
        let samples: Vec<u8> = (0..6).collect();
        let between = self.oriented_size(stored);
        let (size, oriented) =
            (next.oriented_size(between), next.orient_plane(between, self.orient_plane(stored, samples.clone())));
        let same = |by: &Self| by.oriented_size(stored) == size && by.orient_plane(stored, samples.clone()) == oriented;
        (1..=8).filter_map(Self::from_exif).find(same).unwrap_or(Self::NoTransforms)
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage};

    use super::*;
    use crate::pixels::size_of;

    /// Little-endian TIFF with one directory entry: tag 0x0112, SHORT.
    fn tiff(orientation: u8) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        tiff
    }

    #[test]
    fn orientation_of_exif_is_its_value_or_upright_if_invalid() {
        for value in 1..=8 {
            assert_eq!(Orientation::from_tiff(&tiff(value)).to_exif(), value);
        }
        for junk in [&tiff(0)[..], &tiff(9), b"", b"II*\0", b"not exif at all"] {
            assert_eq!(Orientation::from_tiff(junk), Orientation::NoTransforms);
        }
    }

    #[test]
    fn orientation_of_any_integer_type_is_read() {
        // BYTE, SHORT, LONG, SBYTE, SSHORT, SLONG; ASCII and RATIONAL are no integers.
        for (kind, expected) in [(1, 6), (3, 6), (4, 6), (6, 6), (8, 6), (9, 6), (2, 1), (5, 1)] {
            let mut exif = tiff(6);
            exif[12] = kind;
            assert_eq!(Orientation::from_tiff(&exif).to_exif(), expected, "{kind}");
        }
        let mut two = tiff(6);
        two[14] = 2;
        assert_eq!(Orientation::from_tiff(&two), Orientation::Rotate90);
        let mut none = tiff(6);
        none[14] = 0;
        assert_eq!(Orientation::from_tiff(&none), Orientation::NoTransforms);
    }

    #[test]
    fn first_of_two_orientations_applies() {
        for (first, second) in [(6, 1), (1, 6), (3, 8)] {
            let mut exif = tiff(first);
            exif[8] = 2;
            exif.truncate(22);
            exif.extend(&tiff(second)[10..]);
            assert_eq!(Orientation::from_tiff(&exif).to_exif(), first);
        }
    }

    #[test]
    fn orientation_next_to_a_broken_directory_is_read() {
        let mut exif = tiff(6);
        exif[8] = 2; // two entries; the second one points to an EXIF directory beyond the data
        exif.truncate(22);
        exif.extend(b"\x69\x87\x04\0\x01\0\0\0\xff\xff\0\0\0\0\0\0");
        assert_eq!(Orientation::from_tiff(&exif), Orientation::Rotate90);
    }

    #[test]
    fn orientation_of_a_plane_equals_that_of_a_picture() {
        for stored in [Size::new(5, 3), Size::new(1, 4), Size::new(200, 1), Size::new(70, 130)] {
            let samples: Vec<u8> = (0..stored.width * stored.height).map(|i| (i % 251) as u8).collect();
            for orientation in (1..=8).filter_map(Orientation::from_exif) {
                let picture = GrayImage::from_raw(stored.width, stored.height, samples.clone()).unwrap();
                let mut picture = DynamicImage::from(picture);
                picture.apply_orientation(orientation);
                assert_eq!(size_of(&picture), orientation.oriented_size(stored));
                assert!(picture.as_bytes() == orientation.orient_plane(stored, samples.clone()), "{orientation:?}");
            }
        }
    }
}
