//! Cropping, rotation and mirroring: the properties `clap`, `irot` and `imir`.

use image::metadata::Orientation;

use super::container::Property;
use super::reader::BoxReader;
use crate::PictureError;
use crate::orientation::Orient;
use crate::size::Size;

/// The visible part of a picture and its orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transform {
    /// The position of the visible part.
    pub left: u32,
    pub top: u32,
    /// The size of the visible part before orientation: at least 1 × 1, and within the picture.
    pub size: Size,
    pub orientation: Orientation,
}

/// A part of a picture: position and size.
struct Aperture {
    left: u32,
    top: u32,
    size: Size,
}

impl Transform {
    fn oriented_size(&self) -> Size {
        self.orientation.oriented_size(self.size)
    }

    /// Limits the visible part to a part of the oriented picture.
    fn crop(self, Aperture { left, top, size }: Aperture) -> Self {
        let corners = [(left, top), (left + size.width - 1, top + size.height - 1)];
        let [first, last] = corners.map(|(x, y)| self.orientation.stored_position(self.size, (x.into(), y.into())));
        Self {
            left: self.left + first.0.min(last.0) as u32,
            top: self.top + first.1.min(last.1) as u32,
            size: self.orientation.oriented_size(size),
            orientation: self.orientation,
        }
    }
}

/// Reads the transformations of a picture of this size, in their order. The EXIF orientation does not
/// apply to HEIF (ISO/IEC 23008-12, annex A.2).
pub(super) fn read_transform(properties: &[Property<'_>], size: Size) -> Result<Transform, PictureError> {
    let mut transform = Transform { left: 0, top: 0, size, orientation: Orientation::NoTransforms };
    for (name, content) in properties {
        let mut content = BoxReader(content);
        let next = match name {
            // An aperture refers to the picture as the properties before it leave it.
            b"clap" => {
                transform = transform.crop(clean_aperture(content, transform.oriented_size())?);
                continue;
            }
            // Multiples of 90° counterclockwise.
            b"irot" => match content.u8()? & 3 {
                0 => Orientation::NoTransforms,
                1 => Orientation::Rotate270,
                2 => Orientation::Rotate180,
                _ => Orientation::Rotate90,
            },
            b"imir" if content.u8()? & 1 == 0 => Orientation::FlipVertical,
            b"imir" => Orientation::FlipHorizontal,
            _ => continue,
        };
        transform.orientation = transform.orientation.followed_by(next);
    }
    Ok(transform)
}

/// Reads the clean aperture (ISO/IEC 14496-12, section 12.1.4): its sides, and the offset of its centre
/// from the picture's centre. Each number is a fraction.
fn clean_aperture(mut content: BoxReader<'_>, size: Size) -> Result<Aperture, PictureError> {
    let mut fraction = || -> Result<f64, PictureError> {
        let (numerator, denominator) = (content.u32()? as i32, content.u32()?);
        if denominator == 0 {
            Err(PictureError::corrupt("a fraction with a denominator of zero"))
        } else {
            Ok(f64::from(numerator) / f64::from(denominator))
        }
    };
    let (width, height, right, down) = (fraction()?, fraction()?, fraction()?, fraction()?);
    let (width, height) = (width.round(), height.round());
    let left = (f64::from(size.width) - width) / 2.0 + right;
    let top = (f64::from(size.height) - height) / 2.0 + down;
    let (left, top) = (left.round().max(0.0), top.round().max(0.0));
    let fits = |from: f64, length: f64, side: u32| length >= 1.0 && from + length <= f64::from(side);
    if !fits(left, width, size.width) || !fits(top, height, size.height) {
        return Err(PictureError::corrupt("an aperture outside of the picture"));
    }
    Ok(Aperture { left: left as u32, top: top as u32, size: Size::new(width as u32, height as u32) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 40, height: 30 };

    fn clap(numbers: [i32; 8]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn rotations_and_mirrorings_apply_in_their_order() {
        let orientation = |properties: &[Property<'_>]| read_transform(properties, SIZE).unwrap().orientation;
        assert_eq!(orientation(&[]), Orientation::NoTransforms);
        assert_eq!(orientation(&[(*b"irot", &[1]), (*b"irot", &[3])]), Orientation::NoTransforms);
        assert_eq!(orientation(&[(*b"irot", &[3]), (*b"imir", &[1])]), Orientation::Rotate90FlipH);
        assert_eq!(orientation(&[(*b"imir", &[1]), (*b"irot", &[3])]), Orientation::Rotate270FlipH);
        assert_eq!(orientation(&[(*b"imir", &[0]), (*b"imir", &[1])]), Orientation::Rotate180);
    }

    #[test]
    fn aperture_outside_of_the_picture_is_an_error() {
        let aperture = |numbers| read_transform(&[(*b"clap", &clap(numbers))], SIZE);
        let inner = aperture([20, 1, 10, 1, -5, 1, 5, 2]).unwrap();
        assert_eq!((inner.left, inner.top, inner.size), (5, 13, Size::new(20, 10)));
        for outside in [[41, 1, 30, 1, 0, 1, 0, 1], [20, 1, 10, 1, 20, 1, 0, 1], [0, 1, 1, 1, 0, 1, 0, 1]] {
            assert!(matches!(aperture(outside), Err(PictureError::Corrupt(_))), "{outside:?}");
        }
        assert!(aperture([20, 0, 10, 1, 0, 1, 0, 1]).is_err());
        // After a rotation, the sides are exchanged.
        let high = clap([30, 1, 40, 1, 0, 1, 0, 1]);
        assert!(read_transform(&[(*b"irot", &[1]), (*b"clap", &high)], SIZE).is_ok());
        assert!(read_transform(&[(*b"clap", &high), (*b"irot", &[1])], SIZE).is_err());
    }

    #[test]
    fn aperture_refers_to_the_properties_before_it() {
        let read = |properties: &[Property<'_>]| {
            let Transform { left, top, size, orientation } = read_transform(properties, SIZE).unwrap();
            ((left, top), (size.width, size.height), orientation)
        };
        // The top left quarter of the stored picture.
        let stored = clap([20, 1, 15, 1, -10, 1, -15, 2]);
        assert_eq!(read(&[(*b"clap", &stored), (*b"irot", &[1])]), ((0, 0), (20, 15), Orientation::Rotate270));
        assert_eq!(read(&[(*b"imir", &[1]), (*b"clap", &stored)]), ((20, 0), (20, 15), Orientation::FlipHorizontal));
        // The top left quarter after a rotation by 90° counterclockwise is the top right one before it.
        let rotated = clap([15, 1, 20, 1, -15, 2, -10, 1]);
        assert_eq!(read(&[(*b"irot", &[1]), (*b"clap", &rotated)]), ((20, 0), (20, 15), Orientation::Rotate270));
        // And the bottom left one before a rotation by 90° clockwise.
        assert_eq!(read(&[(*b"irot", &[3]), (*b"clap", &rotated)]), ((0, 15), (20, 15), Orientation::Rotate90));
        // An aperture within an aperture.
        let inner = clap([10, 1, 5, 1, 5, 1, 5, 1]);
        assert_eq!(read(&[(*b"clap", &stored), (*b"clap", &inner)]), ((10, 10), (10, 5), Orientation::NoTransforms));
    }
}
