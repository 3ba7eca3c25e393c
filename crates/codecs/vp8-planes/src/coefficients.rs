//! Reads the coefficients of a macroblock and computes its residual (RFC 6386, sections 13 and 14).

use crate::bool_decoder::BoolDecoder;
use crate::header::{Header, QuantFactors};
use crate::inverse::{Lanes, inverse};
use crate::modes::{Luma, Macroblock};
use crate::tables::{CoefficientProbabilities, Probability};

const ZIGZAG: [u8; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];
/// The band of each coefficient, which selects its probabilities.
const BANDS: [u8; 16] = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7];
/// The probabilities of the extra bits of large coefficients, by category.
const EXTRA_BITS: [&[Probability]; 4] = [
    &[173, 148, 140],
    &[176, 155, 140, 135],
    &[180, 157, 141, 134, 130],
    &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
];

/// Kinds of blocks, as indices of the probabilities. The block Y2 holds the DC coefficients of luma.
const LUMA_AFTER_Y2: usize = 0;
const Y2: usize = 1;
const CHROMA: usize = 2;
const LUMA: usize = 3;

/// Whether the neighbouring blocks of a macroblock have coefficients, on one of its sides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edge {
    luma: [bool; 4],
    chroma: [[bool; 2]; 2],
    y2: bool,
}

/// The residual of a macroblock: the samples to add to its prediction.
pub(crate) struct Residual {
    /// Dequantised coefficients of luma's 16 blocks, and of four blocks each of blue and red. Each block is a lane.
    coefficients: [Coefficients; 2],
    samples: [[Lanes; 16]; 2],
    /// A bit per luma block that has coefficients.
    pub luma: u16,
    /// A bit per chroma block that has coefficients: four of blue, then four of red.
    pub chroma: u8,
}

/// By index in the block, then by block.
type Coefficients = [Lanes; 16];

impl Residual {
    pub fn new() -> Self {
        Self { coefficients: [[[0; 16]; 16]; 2], samples: [[[0; 16]; 16]; 2], luma: 0, chroma: 0 }
    }

    /// Whether any block has coefficients.
    pub fn is_some(&self) -> bool {
        self.luma != 0 || self.chroma != 0
    }

    /// The luma samples, row by row. Meaningless if `luma` is 0.
    pub fn luma_samples(&self) -> &[Lanes; 16] {
        &self.samples[0]
    }

    /// The samples of a chroma plane. A row holds 8 samples of the upper two blocks, then 8 of the
    /// lower two. Meaningless if `chroma` is 0.
    pub fn chroma_samples(&self, plane: usize) -> &[Lanes] {
        &self.samples[1][plane * 4..][..4]
    }

    /// Reads the coefficients of a macroblock and transforms them.
    pub fn read(
        &mut self,
        bits: &mut BoolDecoder<'_>,
        header: &Header,
        macroblock: &Macroblock,
        above: &mut Edge,
        left: &mut Edge,
    ) {
        (self.luma, self.chroma) = (0, 0);
        let has_y2 = matches!(macroblock.luma, Luma::Whole(_));
        if macroblock.skipped {
            // A macroblock without Y2 keeps the context of the Y2 before it.
            let y2 = |edge: &Edge| edge.y2 && !has_y2;
            *above = Edge { y2: y2(above), ..Edge::default() };
            *left = Edge { y2: y2(left), ..Edge::default() };
            return;
        }
        let QuantFactors { luma, y2, chroma } = header.quant_factors[macroblock.segment & 3];
        let mut reader = Reader { bits: *bits, probabilities: &header.coefficients };
        let [luma_coefficients, chroma_coefficients] = &mut self.coefficients;

        let (kind, first) = if has_y2 {
            let mut block = [[0; 16]; 16];
            let context = usize::from(above.y2) + usize::from(left.y2);
            let is_some = reader.block(Y2, 0, context, y2, &mut block, 0);
            (above.y2, left.y2) = (is_some, is_some);
            if is_some {
                self.luma = u16::MAX;
                luma_coefficients[0] = inverse_y2(&block.map(|lanes| lanes[0]));
            }
            (LUMA_AFTER_Y2, 1)
        } else {
            (LUMA, 0)
        };
        for (y, left) in left.luma.iter_mut().enumerate() {
            for (x, above) in above.luma.iter_mut().enumerate() {
                let context = usize::from(*above) + usize::from(*left);
                let at = y * 4 + x;
                let is_some = reader.block(kind, first, context, luma, luma_coefficients, at);
                (*above, *left) = (is_some, is_some);
                self.luma |= u16::from(is_some) << at;
            }
        }
        for (plane, (above, left)) in above.chroma.iter_mut().zip(&mut left.chroma).enumerate() {
            for (y, left) in left.iter_mut().enumerate() {
                for (x, above) in above.iter_mut().enumerate() {
                    let context = usize::from(*above) + usize::from(*left);
                    let at = plane * 4 + y * 2 + x;
                    let is_some = reader.block(CHROMA, 0, context, chroma, chroma_coefficients, at);
                    (*above, *left) = (is_some, is_some);
                    self.chroma |= u8::from(is_some) << at;
                }
            }
        }
        *bits = reader.bits;
        let some = [self.luma != 0, self.chroma != 0];
        for ((coefficients, samples), is_some) in self.coefficients.iter_mut().zip(&mut self.samples).zip(some) {
            if is_some {
                inverse(coefficients, samples);
                *coefficients = [[0; 16]; 16];
            }
        }
    }
}

struct Reader<'a, 'p> {
    bits: BoolDecoder<'a>,
    probabilities: &'p CoefficientProbabilities,
}

impl Reader<'_, '_> {
    /// Reads a block from the coefficient `first` on into its lane; returns whether it has any coefficients.
    #[inline(always)]
    fn block(
        &mut self,
        kind: usize,
        first: usize,
        context: usize,
        factors: [i32; 2],
        out: &mut Coefficients,
        lane: usize,
    ) -> bool {
        let probabilities = &self.probabilities[kind];
        let p = &probabilities[usize::from(BANDS[first & 1])][context.min(2)];
        // Most blocks have no coefficients. They need no call.
        let is_some = self.bits.read(p[0]);
        if is_some {
            read_coefficients(&mut self.bits, probabilities, p, first, factors, out, lane);
        }
        is_some
    }
}

/// Reads a block that has coefficients. Works on a copy of the decoder, which stays in registers.
#[inline(never)]
fn read_coefficients<'p>(
    decoder: &mut BoolDecoder<'_>,
    probabilities: &'p [[[Probability; 11]; 3]; 8],
    mut p: &'p [Probability; 11],
    mut at: usize,
    factors: [i32; 2],
    out: &mut Coefficients,
    lane: usize,
) {
    let mut bits = *decoder;
    let probabilities_of = |at: usize, context: usize| &probabilities[usize::from(BANDS[at & 15]) & 7][context];
    'block: loop {
        while !bits.read(p[1]) {
            at += 1;
            if at == 16 {
                break 'block;
            }
            p = probabilities_of(at, 0);
        }
        let (number, next_context) = match bits.read(p[2]) {
            true => (read_large(&mut bits, p), 2),
            false => (1, 1),
        };
        // The cast truncates only values that no encoder writes.
        out[usize::from(ZIGZAG[at & 15]) & 15][lane & 15] = (bits.sign(number) * factors[usize::from(at > 0)]) as i16;
        at += 1;
        if at == 16 {
            break 'block;
        }
        p = probabilities_of(at, next_context);
        if !bits.read(p[0]) {
            break 'block;
        }
    }
    *decoder = bits;
}

/// Reads the absolute value of a coefficient of 2 or more.
#[inline]
fn read_large(bits: &mut BoolDecoder<'_>, p: &[Probability; 11]) -> i32 {
    if !bits.read(p[3]) {
        return match bits.read(p[4]) {
            false => 2,
            true => 3 + i32::from(bits.read(p[5])),
        };
    }
    if !bits.read(p[6]) {
        return match bits.read(p[7]) {
            false => 5 + i32::from(bits.read(159)),
            true => 7 + 2 * i32::from(bits.read(165)) + i32::from(bits.read(145)),
        };
    }
    let high = usize::from(bits.read(p[8]));
    let low = usize::from(bits.read(p[9 + high]));
    let category = 2 * high + low;
    let extra = EXTRA_BITS[category & 3].iter().fold(0, |extra, &p| extra << 1 | i32::from(bits.read(p)));
    3 + (8 << category) + extra
}

/// The inverse transform of Y2 (section 14.3): the DC coefficients of luma's blocks.
fn inverse_y2(block: &[i16; 16]) -> [i16; 16] {
    let butterfly = |[a, b, c, d]: [i32; 4]| {
        let (outer, inner) = (a + d, b + c);
        let (outer_rest, inner_rest) = (a - d, b - c);
        [outer + inner, outer_rest + inner_rest, outer - inner, outer_rest - inner_rest]
    };
    let mut columns = [0; 16];
    for x in 0..4 {
        let column = butterfly([0, 4, 8, 12].map(|y| i32::from(block[y + x])));
        for (y, value) in column.into_iter().enumerate() {
            columns[y * 4 + x] = value;
        }
    }
    let mut dc = [0; 16];
    for (out, row) in dc.chunks_exact_mut(4).zip(columns.chunks_exact(4)) {
        // The rounding constant is added to the first value, which contributes to all results.
        out.copy_from_slice(&butterfly([row[0] + 3, row[1], row[2], row[3]]).map(|value| (value >> 3) as i16));
    }
    dc
}
