//! What is left to a larger library: CMYK, RGB, unusual sampling, several scans of a sequential picture.

use std::io::{self, Read};

use jpeg_decoder::{ColorTransform, Decoder, Error, PixelFormat};

use super::jpeg::MAX_SIDE;
use super::jpeg_markers::{Survey, survey};
use super::{Decoded, Image, grey_to_rgb};
use crate::inks::Inks;
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster};
use crate::resize::Size;
use crate::{BOUNDS, Limits, PictureError};

/// The most scans of a progressive picture. Encoders write about 10, hand-made scripts some
/// dozens; each scan is a pass over all blocks, and costs its sender a few bytes.
const MAX_SCANS: usize = 100;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let survey = survey(bytes)?;
    let size = survey.frame.size;
    limits.check(size)?;
    check_support(&survey)?;

    let mut decoder = Decoder::new(SealedReader::new(bytes, &survey));
    decoder.set_max_decoding_buffer_size(limits.max_bytes());
    decoder.set_color_transform(colour_transform(&survey)?);
    // The decoder scales by 1/8, 1/4 or 1/2 while it decodes: by the most that leaves the longest
    // side at the largest bound or above.
    let bound = BOUNDS[0] as u16;
    let (width, height) = decoder.scale(bound, bound).map_err(from_decoder)?;
    let samples = decoder.decode().map_err(from_decoder)?;
    let info = decoder.info().ok_or_else(|| PictureError::corrupt("no frame"))?;

    let small = Size::new(width.into(), height.into());
    let raster = |pixels| Image::Raster(Raster { size: small, layout: Layout::Rgb, pixels });
    let image = match info.pixel_format {
        PixelFormat::L8 => raster(grey_to_rgb(&samples)),
        PixelFormat::RGB24 => raster(samples),
        PixelFormat::CMYK32 => {
            Image::Inks(Inks { size: small, samples: inks(samples, survey.adobe_transform.is_some()) })
        }
        PixelFormat::L16 => return Err(PictureError::UnsupportedFormat),
    };
    Ok(Decoded {
        size,
        image,
        orientation: survey.exif.map(Orientation::from_exif).unwrap_or_default(),
        icc_profile: decoder.icc_profile(),
    })
}

fn check_support(survey: &Survey) -> Result<(), PictureError> {
    let frame = &survey.frame;
    let progressive = match frame.marker {
        0xc0 | 0xc1 => false,
        0xc2 => true,
        _ => return Err(PictureError::UnsupportedFormat),
    };
    if frame.precision != 8 || !matches!(frame.components.len(), 1 | 3 | 4) {
        return Err(PictureError::UnsupportedFormat);
    }
    if frame.size.width.max(frame.size.height) > MAX_SIDE {
        return Err(PictureError::corrupt("a side longer than 65,500 pixels"));
    }
    // A sequential picture has one scan per component at most.
    let max_scans = if progressive { MAX_SCANS } else { frame.components.len() };
    if survey.scans.len() > max_scans {
        return Err(PictureError::corrupt("too many scans"));
    }
    // The decoder would render a component that never came as flat grey.
    let came = |component| {
        let mut scans = survey.scans.iter();
        scans.any(|scan| scan.has_dc && scan.components.contains(component))
    };
    if !frame.components.iter().all(came) {
        return Err(PictureError::Truncated);
    }
    Ok(())
}

/// What the components mean, by libjpeg's rules (`default_decompress_parms` in jdapimin.c). The
/// decoder's own rules take an Adobe RGB file whose components are numbered 1, 2, 3 for YCbCr.
fn colour_transform(survey: &Survey) -> Result<ColorTransform, PictureError> {
    Ok(match survey.frame.components[..] {
        [_] => ColorTransform::Grayscale,
        [first, second, third] => match (survey.has_jfif, survey.adobe_transform) {
            (true, _) => ColorTransform::YCbCr,
            (false, Some(0)) => ColorTransform::RGB,
            (false, Some(_)) => ColorTransform::YCbCr,
            (false, None) if [first, second, third] == *b"RGB" => ColorTransform::RGB,
            (false, None) => ColorTransform::YCbCr,
        },
        [_, _, _, _] => match survey.adobe_transform {
            None | Some(0) => ColorTransform::CMYK,
            Some(_) => ColorTransform::YCCK,
        },
        _ => return Err(PictureError::UnsupportedFormat),
    })
}

/// Amounts of ink.
///
/// The decoder inverts the samples. Adobe stores them inverted, so that with its marker they now
/// are as they should be; without it they were, and must be inverted back.
fn inks(mut samples: Vec<u8>, adobe: bool) -> Vec<u8> {
    if !adobe {
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    samples
}

fn from_decoder(error: Error) -> PictureError {
    match error {
        Error::Io(error) => PictureError::from_io(&error),
        Error::Unsupported(_) => PictureError::UnsupportedFormat,
        error => PictureError::corrupt(error),
    }
}

/// Reads a JPEG, with a seal after the data of each scan.
///
/// The decoder takes a marker that comes too early (a cut file to which somebody's software has
/// added an end marker) for the end of the scan and goes on with zero bits: the rest of the
/// picture turns grey. The seal is a run of one bits, which Huffman codes of JPEG never consist
/// of (T.81, annex C): a decoder that still wants data fails on it. One that is done reads at
/// most 8 bytes ahead and skips the rest in its search for the next marker.
struct SealedReader<'a> {
    /// What is being read.
    current: &'a [u8],
    /// Pieces still to come, the next one last.
    rest: Vec<&'a [u8]>,
}

/// 24 bytes of ones, each followed by the zero that tells it from a marker.
const SEAL: &[u8] = &{
    let mut seal = [0xff; 48];
    let mut at = 1;
    while at < seal.len() {
        seal[at] = 0x00;
        at += 2;
    }
    seal
};

impl<'a> SealedReader<'a> {
    fn new(bytes: &'a [u8], survey: &Survey) -> Self {
        let mut pieces = Vec::with_capacity(2 * survey.scans.len() + 1);
        let mut from = 0;
        for scan in &survey.scans {
            pieces.extend([&bytes[from..scan.end], SEAL]);
            from = scan.end;
        }
        pieces.push(&bytes[from..survey.end]);
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
