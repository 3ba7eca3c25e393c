//! Reads the headers of a frame (RFC 6386, section 9).

use crate::Error;
use crate::bool_decoder::BoolDecoder;
use crate::tables::{
    AC_FACTORS, COEFFICIENT_UPDATE_PROBABILITIES, CoefficientProbabilities, DC_FACTORS,
    DEFAULT_COEFFICIENT_PROBABILITIES, Probability,
};

/// The uncompressed header: the size of the picture and the partitions (section 9.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameTag<'a> {
    pub width: u16,
    pub height: u16,
    /// The partition with the compressed header and the prediction modes.
    pub first_partition: &'a [u8],
    /// The sizes of the coefficient partitions, then the partitions.
    pub coefficients: &'a [u8],
}

impl<'a> FrameTag<'a> {
    pub fn read(data: &'a [u8]) -> Result<Self, Error> {
        let [a, b, c, rest @ ..] = data else { return Err(Error::Truncated) };
        let tag = u32::from_le_bytes([*a, *b, *c, 0]);
        if tag & 1 != 0 || tag >> 4 & 1 == 0 {
            return Err(Error::Corrupt("not a shown key frame"));
        }
        if tag >> 1 & 7 > 3 {
            return Err(Error::Corrupt("an unknown version"));
        }
        let [0x9d, 0x01, 0x2a, x0, x1, y0, y1, rest @ ..] = rest else {
            return Err(if rest.len() < 7 { Error::Truncated } else { Error::Corrupt("no start code") });
        };
        let side = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
        let (width, height) = (side(*x0, *x1), side(*y0, *y1));
        if width == 0 || height == 0 {
            return Err(Error::Corrupt("a dimension is zero"));
        }
        let (first_partition, coefficients) = rest.split_at_checked((tag >> 5) as usize).ok_or(Error::Truncated)?;
        Ok(Self { width, height, first_partition, coefficients })
    }
}

/// The dequantisation factors of a segment: for the DC coefficient and for AC coefficients.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QuantFactors {
    pub luma: [i32; 2],
    /// For the block Y2, which holds the DC coefficients of luma.
    pub y2: [i32; 2],
    pub chroma: [i32; 2],
}

/// The parameters of the loop filter (section 9.6).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FilterHeader {
    pub simple: bool,
    /// By segment. The second level is for macroblocks whose subblocks have modes of their own.
    pub levels: [[u8; 2]; 4],
    pub sharpness: u8,
}

/// The compressed header.
pub(crate) struct Header {
    /// The probabilities of the segment numbers, if macroblocks have them.
    pub segments: Option<[Probability; 3]>,
    pub filter: FilterHeader,
    pub quant_factors: [QuantFactors; 4],
    pub coefficients: Box<CoefficientProbabilities>,
    /// The probability that a macroblock has coefficients, if macroblocks have that flag.
    pub skips: Option<Probability>,
    /// The number of coefficient partitions.
    pub partitions: usize,
}

impl Header {
    pub fn read(bits: &mut BoolDecoder<'_>) -> Self {
        let _colour_space = bits.flag();
        let _needs_no_clamping = bits.flag();

        let (mut segments, mut absolute) = (None, false);
        let (mut quantisers, mut levels) = ([0; 4], [0; 4]);
        let segmented = bits.flag();
        if segmented {
            let (has_map, has_data) = (bits.flag(), bits.flag());
            if has_data {
                absolute = bits.flag();
                quantisers = [(); 4].map(|()| bits.optional(7).unwrap_or(0));
                levels = [(); 4].map(|()| bits.optional(6).unwrap_or(0));
            }
            if has_map {
                segments = Some([(); 3].map(|()| if bits.flag() { bits.number(8) as u8 } else { 255 }));
            }
        }

        let simple = bits.flag();
        let level = bits.number(6);
        let sharpness = bits.number(3) as u8;
        let (mut key_frame_delta, mut subblock_delta) = (0, 0);
        let adjusted = bits.flag();
        if adjusted && bits.flag() {
            let references = [(); 4].map(|()| bits.optional(6).unwrap_or(0));
            let modes = [(); 4].map(|()| bits.optional(6).unwrap_or(0));
            (key_frame_delta, subblock_delta) = (references[0], modes[0]);
        }
        let segment_value = |base: i32, own: i32| match (segmented, absolute) {
            (false, _) => base,
            (true, true) => own,
            (true, false) => base + own,
        };
        let filter = FilterHeader {
            simple,
            levels: levels.map(|own| {
                let base = segment_value(level, own).clamp(0, 63);
                let adjust = |by: i32| if level == 0 { 0 } else { (base + by).clamp(0, 63) as u8 };
                [adjust(key_frame_delta), adjust(key_frame_delta + subblock_delta)]
            }),
            sharpness,
        };

        let partitions = 1 << bits.number(2);
        let base = bits.number(7);
        let [luma_dc, y2_dc, y2_ac, chroma_dc, chroma_ac] = [(); 5].map(|()| bits.optional(4).unwrap_or(0));
        let quant_factors = quantisers.map(|own| {
            let index = segment_value(base, own).clamp(0, 127);
            let dc = |by: i32, max: i32| DC_FACTORS[(index + by).clamp(0, max) as usize & 127];
            let ac = |by: i32| AC_FACTORS[(index + by).clamp(0, 127) as usize & 127];
            QuantFactors {
                luma: [dc(luma_dc, 127), ac(0)],
                y2: [2 * dc(y2_dc, 127), (ac(y2_ac) * 155 / 100).max(8)],
                chroma: [dc(chroma_dc, 117), ac(chroma_ac)],
            }
        });

        let _keeps_probabilities = bits.flag();
        let mut coefficients = Box::new(DEFAULT_COEFFICIENT_PROBABILITIES);
        let updates = COEFFICIENT_UPDATE_PROBABILITIES.as_flattened().as_flattened().as_flattened();
        for (probability, &update) in
            coefficients.as_flattened_mut().as_flattened_mut().as_flattened_mut().iter_mut().zip(updates)
        {
            if bits.read(update) {
                *probability = bits.number(8) as u8;
            }
        }
        let skips = bits.flag().then(|| bits.number(8) as u8);
        Self { segments, filter, quant_factors, coefficients, skips, partitions }
    }
}

/// Splits the coefficient partitions. The sizes of all but the last one precede them.
pub(crate) fn partitions(coefficients: &[u8], count: usize) -> Result<Vec<BoolDecoder<'_>>, Error> {
    let (sizes, mut rest) = coefficients.split_at_checked(3 * (count - 1)).ok_or(Error::Truncated)?;
    let mut partitions = Vec::with_capacity(count);
    for size in sizes.chunks_exact(3) {
        let size = u32::from_le_bytes([size[0], size[1], size[2], 0]) as usize;
        let partition;
        (partition, rest) = rest.split_at_checked(size).ok_or(Error::Truncated)?;
        partitions.push(BoolDecoder::new(partition));
    }
    partitions.push(BoolDecoder::new(rest));
    Ok(partitions)
}
