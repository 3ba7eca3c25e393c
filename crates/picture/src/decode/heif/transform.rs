//! What is cut off, turned and mirrored: the properties `clap`, `irot` and `imir`, in their order.

use super::container::Property;
use super::reader::Reader;
use crate::PictureError;
use crate::orientation::Orientation;
use crate::resize::Size;

/// What is shown of a picture, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transform {
    /// Where the first pixel is that is shown.
    pub left: u32,
    pub top: u32,
    /// Of what is shown, before it is turned; at least 1 × 1, and within the picture.
    pub size: Size,
    pub orientation: Orientation,
}

/// Reads the transformations of a picture of this size. EXIF has no say in it (ISO/IEC 23008-12,
/// annex A.2).
pub(super) fn transform(properties: &[Property<'_>], size: Size) -> Result<Transform, PictureError> {
    let mut transform = Transform { left: 0, top: 0, size, orientation: Orientation::Upright };
    for (name, content) in properties {
        let mut content = Reader(content);
        let next = match name {
            b"clap" if transform == (Transform { left: 0, top: 0, size, orientation: Orientation::Upright }) => {
                transform = clip(content, size)?;
                continue;
            }
            // Cut once more, or after it was turned, which nobody writes.
            b"clap" => return Err(PictureError::UnsupportedFormat),
            // Quarters of a turn to the left.
            b"irot" => match content.u8()? & 3 {
                0 => Orientation::Upright,
                1 => Orientation::ThreeQuarterTurn,
                2 => Orientation::UpsideDown,
                _ => Orientation::QuarterTurn,
            },
            b"imir" if content.u8()? & 1 == 0 => Orientation::MirroredUpsideDown,
            b"imir" => Orientation::Mirrored,
            _ => continue,
        };
        transform.orientation = transform.orientation.then(next);
    }
    Ok(transform)
}

/// The clean aperture (ISO/IEC 14496-12, section 12.1.4): sides, and how far its middle is from the
/// picture's; each a fraction.
fn clip(mut content: Reader<'_>, size: Size) -> Result<Transform, PictureError> {
    let mut fraction = || -> Result<f64, PictureError> {
        let (above, below) = (content.u32()? as i32, content.u32()?);
        if below == 0 {
            Err(PictureError::corrupt("a fraction of nothing"))
        } else {
            Ok(f64::from(above) / f64::from(below))
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
    fn turns_and_mirrors_in_their_order() {
        let of = |properties: &[Property<'_>]| transform(properties, SIZE).unwrap().orientation;
        assert_eq!(of(&[]), Orientation::Upright);
        assert_eq!(of(&[(*b"irot", &[1]), (*b"irot", &[3])]), Orientation::Upright);
        assert_eq!(of(&[(*b"irot", &[3]), (*b"imir", &[1])]), Orientation::Transposed);
        assert_eq!(of(&[(*b"imir", &[1]), (*b"irot", &[3])]), Orientation::Transversed);
        assert_eq!(of(&[(*b"imir", &[0]), (*b"imir", &[1])]), Orientation::UpsideDown);
    }

    #[test]
    fn an_aperture_is_within_the_picture() {
        let of = |numbers| transform(&[(*b"clap", &clap(numbers))], SIZE);
        let inner = of([20, 1, 10, 1, -5, 1, 5, 2]).unwrap();
        assert_eq!((inner.left, inner.top, inner.size), (5, 13, Size::new(20, 10)));
        for outside in [[41, 1, 30, 1, 0, 1, 0, 1], [20, 1, 10, 1, 20, 1, 0, 1], [0, 1, 1, 1, 0, 1, 0, 1]] {
            assert!(matches!(of(outside), Err(PictureError::Corrupt(_))), "{outside:?}");
        }
        assert!(of([20, 0, 10, 1, 0, 1, 0, 1]).is_err());
        let turned = clap([20, 1, 10, 1, 0, 1, 0, 1]);
        let late = transform(&[(*b"irot", &[1]), (*b"clap", &turned)], SIZE);
        assert_eq!(late, Err(PictureError::UnsupportedFormat));
    }
}
