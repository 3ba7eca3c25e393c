//! Cropping, rotation and mirroring: the properties `clap`, `irot` and `imir`.

use super::container::Property;
use super::reader::BoxReader;
use crate::PictureError;
use crate::orientation::Orientation;
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

/// Reads the transformations of a picture of this size, in their order. The EXIF orientation does not
/// apply to HEIF (ISO/IEC 23008-12, annex A.2).
pub(super) fn read_transform(properties: &[Property<'_>], size: Size) -> Result<Transform, PictureError> {
    let mut transform = Transform { left: 0, top: 0, size, orientation: Orientation::Upright };
    for (name, content) in properties {
        let mut content = BoxReader(content);
        let next = match name {
            b"clap" if transform == (Transform { left: 0, top: 0, size, orientation: Orientation::Upright }) => {
                transform = clean_aperture(content, size)?;
                continue;
            }
            // A second crop, or a crop after a rotation. No known writer uses them.
            b"clap" => return Err(PictureError::UnsupportedFormat),
            // Multiples of 90° counterclockwise.
            b"irot" => match content.u8()? & 3 {
                0 => Orientation::Upright,
                1 => Orientation::Rotate270,
                2 => Orientation::Rotate180,
                _ => Orientation::Rotate90,
            },
            b"imir" if content.u8()? & 1 == 0 => Orientation::MirrorVertically,
            b"imir" => Orientation::MirrorHorizontally,
            _ => continue,
        };
        transform.orientation = transform.orientation.followed_by(next);
    }
    Ok(transform)
}

/// Reads the clean aperture (ISO/IEC 14496-12, section 12.1.4): its sides, and the offset of its centre
/// from the picture's centre. Each number is a fraction.
fn clean_aperture(mut content: BoxReader<'_>, size: Size) -> Result<Transform, PictureError> {
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
    Ok(Transform {
        left: left as u32,
        top: top as u32,
        size: Size::new(width as u32, height as u32),
        orientation: Orientation::Upright,
    })
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
        assert_eq!(orientation(&[]), Orientation::Upright);
        assert_eq!(orientation(&[(*b"irot", &[1]), (*b"irot", &[3])]), Orientation::Upright);
        assert_eq!(orientation(&[(*b"irot", &[3]), (*b"imir", &[1])]), Orientation::Transpose);
        assert_eq!(orientation(&[(*b"imir", &[1]), (*b"irot", &[3])]), Orientation::Transverse);
        assert_eq!(orientation(&[(*b"imir", &[0]), (*b"imir", &[1])]), Orientation::Rotate180);
    }

    #[test]
    fn aperture_outside_of_the_picture_or_after_a_rotation_is_an_error() {
        let aperture = |numbers| read_transform(&[(*b"clap", &clap(numbers))], SIZE);
        let inner = aperture([20, 1, 10, 1, -5, 1, 5, 2]).unwrap();
        assert_eq!((inner.left, inner.top, inner.size), (5, 13, Size::new(20, 10)));
        for outside in [[41, 1, 30, 1, 0, 1, 0, 1], [20, 1, 10, 1, 20, 1, 0, 1], [0, 1, 1, 1, 0, 1, 0, 1]] {
            assert!(matches!(aperture(outside), Err(PictureError::Corrupt(_))), "{outside:?}");
        }
        assert!(aperture([20, 0, 10, 1, 0, 1, 0, 1]).is_err());
        let valid = clap([20, 1, 10, 1, 0, 1, 0, 1]);
        let after_rotation = read_transform(&[(*b"irot", &[1]), (*b"clap", &valid)], SIZE);
        assert_eq!(after_rotation, Err(PictureError::UnsupportedFormat));
    }
}
