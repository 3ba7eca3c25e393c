//! Decodes JPEGs to planes at reduced scale. Files that `jpeg-planes` does not support (CMYK, RGB,
//! several scans of a sequential picture) are decoded by `jpeg_fallback`.

use image::metadata::Orientation;
use jpeg_planes::{Decoder, Error, Header, Scale};

use super::jpeg_fallback;
use super::jpeg_markers::exif_in_segment;
use crate::channel::Channel;
use crate::colour::ColourSpace;
use crate::decoded::{Decoded, Image};
use crate::limits::check_jpeg_side;
use crate::orientation::Orient;
use crate::planes::{Matrix, Planes};
use crate::size::Size;
use crate::{BOUNDS, Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let decoder = match Decoder::new(bytes) {
        Ok(decoder) if is_ycbcr(decoder.header()) => decoder,
        Ok(_) | Err(Error::Unsupported(_)) => return jpeg_fallback::decode(bytes, limits),
        Err(error) => return Err(from_decoder(error)),
    };
    let header = decoder.header();
    let size = Size::new(header.width.into(), header.height.into());
    if header.progressive {
        limits.check(size)?
    } else {
        limits.check_baseline_jpeg(size)?
    }
    check_jpeg_side(size)?;

    let (across, down) = header.sampling.factors();
    let longest = size.width.max(size.height) as usize;
    let luma_scale = sufficient_scale(longest, BOUNDS[0]);
    // Variants have half as many chroma samples in each direction.
    let chroma_scale = sufficient_scale(longest / across.max(down), BOUNDS[0].div_ceil(2));
    let decoded = decoder.decode(luma_scale, chroma_scale).map_err(from_decoder)?;

    let channel = |plane, scale: Scale, (across, down): (usize, usize)| {
        let covered = |side: u32, factor: usize| f64::from(side) * scale.eighths() as f64 / (8 * factor) as f64;
        Channel { plane, covered: (covered(size.width, across), covered(size.height, down)) }
    };
    let planes = match <[_; 3]>::try_from(decoded.planes) {
        Ok([luma, blue, red]) => {
            let chroma = [blue, red].map(|plane| channel(plane, chroma_scale, (across, down)));
            Planes { size, luma: channel(luma, luma_scale, (1, 1)), chroma }
        }
        Err(planes) => {
            let luma = planes.into_iter().next().ok_or(PictureError::internal("no luma"))?;
            Planes { size, luma: channel(luma, luma_scale, (1, 1)), chroma: [Channel::neutral(), Channel::neutral()] }
        }
    };
    Ok(Decoded {
        size,
        image: Image::Planes(planes, Matrix::BT601),
        orientation: exif(header).map_or(Orientation::NoTransforms, Orientation::from_tiff),
        colours: ColourSpace::by_icc(icc_profile(header)),
    })
}

/// The smallest scale with a quarter more samples than `bound`. More samples do not visibly improve
/// the variants (docs/benchmarks/pictures.md).
fn sufficient_scale(side: usize, bound: u32) -> Scale {
    Scale::at_least(side, bound as usize * 5 / 4)
}

/// Whether the colours are grey or YCbCr, by libjpeg's rules (`default_decompress_parms` in
/// jdapimin.c). `jpeg_fallback` applies the same rules.
fn is_ycbcr(header: &Header<'_>) -> bool {
    let has_jfif = header.segments.iter().any(|s| s.marker == 0xe0 && s.data.starts_with(b"JFIF\0"));
    let adobe = header.segments.iter().rev().find(|s| s.marker == 0xee && s.data.starts_with(b"Adobe"));
    let adobe_transform = adobe.and_then(|segment| segment.data.get(11));
    match header.components[..] {
        [_] => true,
        _ if has_jfif => true,
        _ if adobe_transform.is_some() => adobe_transform != Some(&0),
        _ => header.components != *b"RGB",
    }
}

fn exif<'a>(header: &Header<'a>) -> Option<&'a [u8]> {
    let mut segments = header.segments.iter().filter(|segment| segment.marker == 0xe1);
    segments.find_map(|segment| exif_in_segment(segment.data))
}

/// The profile, joined from its segments. `None` if one is missing.
fn icc_profile(header: &Header<'_>) -> Option<Vec<u8>> {
    let segments = header.segments.iter().filter(|segment| segment.marker == 0xe2);
    let mut parts: Vec<_> = segments
        .filter_map(|segment| segment.data.strip_prefix(b"ICC_PROFILE\0")?.split_first_chunk::<2>())
        .map(|(&[number, count], part)| (number, count, part))
        .collect();
    parts.sort_by_key(|&(number, ..)| number);
    let count = parts.len();
    let complete = parts.iter().zip(1..).all(|(part, number)| part.0 == number && usize::from(part.1) == count);
    (count > 0 && complete).then(|| parts.into_iter().flat_map(|(.., part)| part).copied().collect())
}

fn from_decoder(error: Error) -> PictureError {
    match error {
        Error::NotJpeg | Error::Unsupported(_) => PictureError::UnsupportedFormat,
        Error::Truncated => PictureError::Truncated,
        Error::Corrupt(reason) => PictureError::corrupt(reason),
    }
}
