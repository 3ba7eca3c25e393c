//! What samples mean: range, matrix, primaries and transfer (ITU-T H.273).

use heifer_hevc_dec::recon::Frame;
use moxcms::ColorProfile;

use super::hevc::Coded;
use super::reader::Reader;
use crate::PictureError;
use crate::planes::Matrix;

/// What the samples of an opaque picture mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    pub matrix: Matrix,
    pub full_range: bool,
    primaries: u16,
    transfer: u16,
}

impl Meaning {
    /// As a property `colr` of type `nclx` has it, or else the stream. A stream that says nothing
    /// has the range of video (ITU-T H.265, section E.3.1) and, by all decoders' consent, BT.601's
    /// matrix.
    pub fn of(nclx: Option<&[u8]>, coded: &Coded) -> Result<Self, PictureError> {
        let (primaries, transfer, matrix, full_range) = match nclx {
            Some(nclx) => {
                let mut nclx = Reader(nclx);
                (nclx.u16()?, nclx.u16()?, nclx.u16()?, nclx.u8()? & 0x80 != 0)
            }
            None => {
                let (primaries, transfer) = coded.primaries.unwrap_or((2, 2));
                (primaries, transfer, coded.frame.matrix_coeffs.into(), coded.frame.full_range)
            }
        };
        let matrix = match matrix {
            1 => Matrix::BT709,
            2 | 5 | 6 => Matrix::BT601,
            9 => Matrix::BT2020,
            // Red, green and blue as they are, and what is made for films and broadcast.
            _ if coded.frame.chroma_format != 0 => return Err(PictureError::UnsupportedFormat),
            _ => Matrix::BT601,
        };
        Ok(Self { matrix, full_range, primaries, transfer })
    }

    /// The colour profile that stands for primaries and transfer; none if that is sRGB's, or close.
    ///
    /// # Errors
    /// Unsupported, where brightness is that of HDR (PQ, HLG): shown as it is, it would look
    /// washed out.
    pub fn profile(&self) -> Result<Option<Vec<u8>>, PictureError> {
        if matches!(self.transfer, 16 | 18) {
            return Err(PictureError::UnsupportedFormat);
        }
        let profile = match self.primaries {
            9 => ColorProfile::new_bt2020(),
            12 => ColorProfile::new_display_p3(),
            _ => return Ok(None),
        };
        profile.encode().map(Some).map_err(PictureError::internal)
    }
}

/// From samples of any depth and range to 8 bits of the range of JPEG: tables for luma and chroma.
pub(super) struct Levels {
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Levels {
    pub fn new(frame: &Frame, full_range: bool) -> Self {
        let [luma, chroma] = frame.bit_depth.map(u32::from);
        // Of 8 bits, what is black, and what is white or full colour beyond it.
        let table = |depth: u32, zero: f64, span: f64, to: f64| -> Vec<u8> {
            let unit = f64::from(1 << (depth - 8));
            let most = f64::from((1_u32 << depth) - 1);
            let span = if full_range { most } else { span * unit };
            let level = |sample: u32| (f64::from(sample) - zero * unit) / span * 255.0 + to;
            (0..1 << depth).map(|sample| level(sample).round().clamp(0.0, 255.0) as u8).collect()
        };
        let black = if full_range { 0.0 } else { 16.0 };
        Self { luma: table(luma, black, 219.0, 0.0), chroma: table(chroma, 128.0, 224.0, 128.0) }
    }

    /// A sample of luma (plane 0) or chroma.
    pub fn table(&self, plane: usize) -> &[u8] {
        if plane == 0 { &self.luma } else { &self.chroma }
    }
}
