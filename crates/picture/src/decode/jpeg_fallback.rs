//! Decodes the JPEGs that `jpeg-planes` does not support, with the crate `jpeg-decoder`: CMYK, RGB,
//! unusual sampling, several scans of a sequential picture.

use std::io::{self, Read};

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage};
use jpeg_decoder::{ColorTransform, Decoder, Error, PixelFormat};

use super::jpeg_markers::{MarkerInfo, read_markers};
use crate::cmyk::Cmyk;
use crate::colour::ColourSpace;
use crate::decoded::{Decoded, Image};
use crate::limits::check_jpeg_side;
use crate::orientation::Orient;
use crate::pixels;
use crate::size::Size;
use crate::{BOUNDS, Limits, PictureError};

/// The largest number of scans of a progressive picture. Encoders write about 10, hand-made scripts
/// some dozens. A scan is a pass over all blocks, although it may be only a few bytes long.
const MAX_SCANS: usize = 100;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let markers = read_markers(bytes)?;
    let size = markers.frame.size;
    limits.check(size)?;
    check_support(&markers)?;

    let mut decoder = Decoder::new(SealedReader::new(bytes, &markers));
    decoder.set_max_decoding_buffer_size(limits.max_bytes());
    decoder.set_color_transform(colour_transform(&markers)?);
    // The decoder scales by 1/8, 1/4 or 1/2: the smallest at which the longest side is not below the
    // largest bound.
    let bound = BOUNDS[0] as u16;
    let (width, height) = decoder.scale(bound, bound).map_err(from_decoder)?;
    let samples = decoder.decode().map_err(from_decoder)?;
    let info = decoder.info().ok_or_else(|| PictureError::corrupt("no frame"))?;

    let small = Size::new(width.into(), height.into());
    let image = match info.pixel_format {
        PixelFormat::L8 => {
            let grey = GrayImage::from_raw(small.width, small.height, samples);
            let grey = grey.ok_or_else(|| PictureError::internal("too few samples"))?;
            Image::Pixels(DynamicImage::from(grey).into_rgb8().into())
        }
        PixelFormat::RGB24 => Image::Pixels(pixels::rgb(small, samples)?.into()),
        // The decoder inverts the samples, which are the light that the inks leave, to amounts of ink. This holds for all
        // files: Adobe's, and those of programs that omit Adobe's marker. Browsers and libraries do the same.
        PixelFormat::CMYK32 => Image::Cmyk(Cmyk { size: small, samples }),
        PixelFormat::L16 => return Err(PictureError::UnsupportedFormat),
    };
    Ok(Decoded {
        size,
        image,
        orientation: markers.exif.map_or(Orientation::NoTransforms, Orientation::from_tiff),
        colours: ColourSpace::by_icc(decoder.icc_profile()),
    })
}

fn check_support(markers: &MarkerInfo) -> Result<(), PictureError> {
    let frame = &markers.frame;
    let progressive = match frame.marker {
        0xc0 | 0xc1 => false,
        0xc2 => true,
        _ => return Err(PictureError::UnsupportedFormat),
    };
    if frame.precision != 8 || !matches!(frame.components.len(), 1 | 3 | 4) {
        return Err(PictureError::UnsupportedFormat);
    }
    check_jpeg_side(frame.size)?;
    // A sequential picture has at most one scan per component.
    let max_scans = if progressive { MAX_SCANS } else { frame.components.len() };
    if markers.scans.len() > max_scans {
        return Err(PictureError::corrupt("too many scans"));
    }
    // The decoder would render a component without any scan as flat grey.
    let is_complete = |&component: &u8| {
        let mut scans = markers.scans.iter();
        let has_scan = scans.any(|scan| scan.band.0 == 0 && scan.components.contains(&component));
        // A progressive picture may omit scans, but only an end marker shows that it does.
        has_scan && (!progressive || markers.has_end || markers.is_finished(component))
    };
    if !frame.components.iter().all(is_complete) {
        return Err(PictureError::Truncated);
    }
    Ok(())
}

/// The colour transform by libjpeg's rules (`default_decompress_parms` in jdapimin.c). The decoder's
/// own rules mistake an RGB file of Adobe with components 1, 2, 3 for YCbCr.
fn colour_transform(markers: &MarkerInfo) -> Result<ColorTransform, PictureError> {
    Ok(match markers.frame.components[..] {
        [_] => ColorTransform::Grayscale,
        [first, second, third] => match (markers.has_jfif, markers.adobe_transform) {
            (true, _) => ColorTransform::YCbCr,
            (false, Some(0)) => ColorTransform::RGB,
            (false, Some(_)) => ColorTransform::YCbCr,
            (false, None) if [first, second, third] == *b"RGB" => ColorTransform::RGB,
            (false, None) => ColorTransform::YCbCr,
        },
        [_, _, _, _] => match markers.adobe_transform {
            None | Some(0) => ColorTransform::CMYK,
            Some(_) => ColorTransform::YCCK,
        },
        _ => return Err(PictureError::UnsupportedFormat),
    })
}

fn from_decoder(error: Error) -> PictureError {
    match error {
        Error::Io(error) => PictureError::from_io(&error),
        Error::Unsupported(_) => PictureError::UnsupportedFormat,
        error => PictureError::corrupt(error),
    }
}

/// Reads a JPEG up to its last scan, inserts a seal after the data of each scan, and ends with an end marker.
///
/// At a marker that comes too early (in a truncated file to which some software has added an end
/// marker), the decoder continues with zero bits and the rest of the picture turns grey. The seal is
/// a run of one bits, which no Huffman code of JPEG consists of (T.81, annex C). A decoder that
/// still needs data fails on it. Otherwise it reads at most 8 bytes ahead, and skips the rest of the
/// seal in its search for the next marker.
struct SealedReader<'a> {
    /// The rest of the current piece.
    current: &'a [u8],
    /// The following pieces in reverse order.
    rest: Vec<&'a [u8]>,
}

/// 24 bytes of ones, each followed by the stuffed zero.
const SEAL: &[u8] = &{
    let mut seal = [0xff; 48];
    let mut at = 1;
    while at < seal.len() {
        seal[at] = 0x00;
        at += 2;
    }
    seal
};

/// The segment of Motion JPEG after which the decoder uses the typical Huffman codes where the file defines none.
const MOTION_JPEG: &[u8] = b"\xff\xe0\0\x07AVI1\0";

impl<'a> SealedReader<'a> {
    fn new(bytes: &'a [u8], markers: &MarkerInfo) -> Self {
        let end = markers.scans.last().map_or(bytes.len(), |scan| scan.end);
        let seals = markers.scans.iter().map(|scan| (scan.end..scan.end, SEAL));
        let without_short = markers.short_segments.iter().filter(|&&at| at < end).map(|&at| (at..at + 4, &[][..]));
        let mut changes: Vec<_> = seals.chain(without_short).collect();
        changes.sort_by_key(|(replaced, _)| replaced.start);

        let (start, mut from) = (&bytes[..2], 2);
        let mut pieces = vec![start, MOTION_JPEG];
        for (replaced, by) in changes {
            pieces.extend([&bytes[from..replaced.start], by]);
            from = replaced.end;
        }
        pieces.push(&[0xff, 0xd9]);
        pieces.reverse();
        Self { current: &[], rest: pieces }
    }
}

impl Read for SealedReader<'_> {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.rest.pop() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        self.current.read(into)
    }
}
