//! What comes before the macroblocks (RFC 6386, section 9).

use crate::Error;
use crate::bools::Bools;
use crate::tables::{AC_STEPS, COEFFICIENT_UPDATES, COEFFICIENTS, CoefficientProbabilities, DC_STEPS, Probability};

/// Sizes, and where the compressed headers are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    pub width: u16,
    pub height: u16,
    /// Headers and modes.
    pub first: &'a [u8],
    /// The partitions of coefficients, with their sizes before them.
    pub rest: &'a [u8],
}

impl<'a> Start<'a> {
    pub fn read(data: &'a [u8]) -> Result<Self, Error> {
        let [a, b, c, rest @ ..] = data else { return Err(Error::Truncated) };
        let tag = u32::from_le_bytes([*a, *b, *c, 0]);
        if tag & 1 != 0 || tag >> 4 & 1 == 0 {
            return Err(Error::Corrupt("no key frame that is shown"));
        }
        if tag >> 1 & 7 > 3 {
            return Err(Error::Corrupt("a version that there is not"));
        }
        let [0x9d, 0x01, 0x2a, x0, x1, y0, y1, rest @ ..] = rest else {
            return Err(if rest.len() < 7 { Error::Truncated } else { Error::Corrupt("no start code") });
        };
        let side = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
        let (width, height) = (side(*x0, *x1), side(*y0, *y1));
        if width == 0 || height == 0 {
            return Err(Error::Corrupt("a dimension is zero"));
        }
        let (first, rest) = rest.split_at_checked((tag >> 5) as usize).ok_or(Error::Truncated)?;
        Ok(Self { width, height, first, rest })
    }
}

/// Steps of a segment: of first coefficients and of the others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Steps {
    pub luma: [i32; 2],
    /// Of the block that holds luma's first coefficients.
    pub means: [i32; 2],
    pub chroma: [i32; 2],
}

/// How strongly edges are smoothed (section 9.6).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter {
    pub simple: bool,
    /// By segment; the second of macroblocks that are predicted by subblocks.
    pub levels: [[u8; 2]; 4],
    pub sharpness: u8,
}

/// All that the headers say.
pub(crate) struct Header {
    /// Probabilities of the segments, if each macroblock names its own.
    pub segments: Option<[Probability; 3]>,
    pub filter: Filter,
    pub steps: [Steps; 4],
    pub coefficients: Box<CoefficientProbabilities>,
    /// That a macroblock has coefficients, if that is said.
    pub skips: Option<Probability>,
    /// How many partitions of coefficients there are.
    pub partitions: usize,
}

impl Header {
    pub fn read(bools: &mut Bools<'_>) -> Self {
        let _colour_space = bools.flag();
        let _needs_no_clamping = bools.flag();

        let (mut segments, mut absolute) = (None, false);
        let (mut quantisers, mut levels) = ([0; 4], [0; 4]);
        let segmented = bools.flag();
        if segmented {
            let (has_map, has_data) = (bools.flag(), bools.flag());
            if has_data {
                absolute = bools.flag();
                quantisers = [(); 4].map(|()| bools.optional(7).unwrap_or(0));
                levels = [(); 4].map(|()| bools.optional(6).unwrap_or(0));
            }
            if has_map {
                segments = Some([(); 3].map(|()| if bools.flag() { bools.number(8) as u8 } else { 255 }));
            }
        }

        let simple = bools.flag();
        let level = bools.number(6);
        let sharpness = bools.number(3) as u8;
        let (mut of_key_frames, mut of_subblocks) = (0, 0);
        let adjusted = bools.flag();
        if adjusted && bools.flag() {
            let references = [(); 4].map(|()| bools.optional(6).unwrap_or(0));
            let modes = [(); 4].map(|()| bools.optional(6).unwrap_or(0));
            (of_key_frames, of_subblocks) = (references[0], modes[0]);
        }
        let of_segment = |base: i32, own: i32| match (segmented, absolute) {
            (false, _) => base,
            (true, true) => own,
            (true, false) => base + own,
        };
        let filter = Filter {
            simple,
            levels: levels.map(|own| {
                let base = of_segment(level, own).clamp(0, 63);
                let adjust = |by: i32| if level == 0 { 0 } else { (base + by).clamp(0, 63) as u8 };
                [adjust(of_key_frames), adjust(of_key_frames + of_subblocks)]
            }),
            sharpness,
        };

        let partitions = 1 << bools.number(2);
        let base = bools.number(7);
        let [luma_dc, means_dc, means_ac, chroma_dc, chroma_ac] = [(); 5].map(|()| bools.optional(4).unwrap_or(0));
        let steps = quantisers.map(|own| {
            let index = of_segment(base, own).clamp(0, 127);
            let dc = |by: i32, most: i32| DC_STEPS[(index + by).clamp(0, most) as usize & 127];
            let ac = |by: i32| AC_STEPS[(index + by).clamp(0, 127) as usize & 127];
            Steps {
                luma: [dc(luma_dc, 127), ac(0)],
                means: [2 * dc(means_dc, 127), (ac(means_ac) * 155 / 100).max(8)],
                chroma: [dc(chroma_dc, 117), ac(chroma_ac)],
            }
        });

        let _keeps_probabilities = bools.flag();
        let mut coefficients = Box::new(COEFFICIENTS);
        let updates = COEFFICIENT_UPDATES.as_flattened().as_flattened().as_flattened();
        for (probability, &update) in
            coefficients.as_flattened_mut().as_flattened_mut().as_flattened_mut().iter_mut().zip(updates)
        {
            if bools.read(update) {
                *probability = bools.number(8) as u8;
            }
        }
        let skips = bools.flag().then(|| bools.number(8) as u8);
        Self { segments, filter, steps, coefficients, skips, partitions }
    }
}

/// The partitions of coefficients: the sizes of all but the last stand before them.
pub(crate) fn partitions(rest: &[u8], count: usize) -> Result<Vec<Bools<'_>>, Error> {
    let (sizes, mut rest) = rest.split_at_checked(3 * (count - 1)).ok_or(Error::Truncated)?;
    let mut partitions = Vec::with_capacity(count);
    for size in sizes.chunks_exact(3) {
        let size = u32::from_le_bytes([size[0], size[1], size[2], 0]) as usize;
        let partition;
        (partition, rest) = rest.split_at_checked(size).ok_or(Error::Truncated)?;
        partitions.push(Bools::new(partition));
    }
    partitions.push(Bools::new(rest));
    Ok(partitions)
}
