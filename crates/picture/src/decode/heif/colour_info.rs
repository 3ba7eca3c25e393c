//! The colour description of a picture (ITU-T H.273).

use heifer_hevc_dec::recon::Frame;

use super::hevc::CodedPicture;
use super::reader::BoxReader;
use crate::PictureError;
use crate::colour::ColourSpace;
use crate::planes::Matrix;

/// Matrix, range, primaries and transfer function of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ColourInfo {
    pub matrix: Matrix,
    pub full_range: bool,
    primaries: u16,
    transfer: u16,
}

impl ColourInfo {
    /// Reads the property `colr` of type `nclx`, or without it the stream. The default is video range
    /// (ITU-T H.265, section E.3.1) and, as in all decoders, the matrix of BT.601.
    pub fn new(nclx: Option<&[u8]>, coded: &CodedPicture) -> Result<Self, PictureError> {
        let (primaries, transfer, matrix, full_range) = match nclx {
            Some(nclx) => {
                let mut nclx = BoxReader(nclx);
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
            // RGB, and matrices for film and broadcast.
            _ if coded.frame.chroma_format != 0 => return Err(PictureError::UnsupportedFormat),
            _ => Matrix::BT601,
        };
        Ok(Self { matrix, full_range, primaries, transfer })
    }

    /// The colour space. BT.709, BT.601 and unspecified colours are taken for sRGB, as in most viewers: their transfer
    /// functions are similar.
    pub fn space(&self) -> ColourSpace {
        const BT2020: u8 = 9;
        const SRGB: u8 = 13;
        let space = match (u8::try_from(self.primaries), u8::try_from(self.transfer)) {
            (Ok(primaries), Ok(transfer @ (16 | 18))) => ColourSpace::by_code_points(primaries, transfer)
                .or_else(|| ColourSpace::by_code_points(BT2020, transfer)),
            (Ok(primaries @ (9 | 12)), _) => ColourSpace::by_code_points(primaries, SRGB),
            _ => None,
        };
        space.unwrap_or(ColourSpace::Srgb)
    }
}

/// Lookup tables that convert samples of any depth and range to 8 bits in full range.
pub(super) struct SampleTables {
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl SampleTables {
    pub fn new(frame: &Frame, full_range: bool) -> Self {
        let [luma, chroma] = frame.bit_depth.map(u32::from);
        // `zero` and `span` are the zero value and the range of video, in 8 bits; `offset` is the
        // result for the zero value.
        let table = |depth: u32, zero: f64, span: f64, offset: f64| -> Vec<u8> {
            let unit = f64::from(1 << (depth - 8));
            let max = f64::from((1_u32 << depth) - 1);
            let span = if full_range { max } else { span * unit };
            let level = |sample: u32| (f64::from(sample) - zero * unit) / span * 255.0 + offset;
            (0..1 << depth).map(|sample| level(sample).round().clamp(0.0, 255.0) as u8).collect()
        };
        let black = if full_range { 0.0 } else { 16.0 };
        Self { luma: table(luma, black, 219.0, 0.0), chroma: table(chroma, 128.0, 224.0, 128.0) }
    }

    /// The table for luma (plane 0) or chroma.
    pub fn of_plane(&self, plane: usize) -> &[u8] {
        if plane == 0 { &self.luma } else { &self.chroma }
    }
}
