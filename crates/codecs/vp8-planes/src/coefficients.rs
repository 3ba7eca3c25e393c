//! What is added to a prediction (RFC 6386, sections 13 and 14).

use crate::bools::Bools;
use crate::header::{Header, Steps};
use crate::inverse::{Lanes, inverse};
use crate::modes::{Luma, Macroblock};
use crate::tables::{CoefficientProbabilities, Probability};

const ZIGZAG: [u8; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];
/// By coefficient.
const BANDS: [u8; 16] = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7];
/// Of the bits of large numbers.
const LARGE: [&[Probability]; 4] = [
    &[173, 148, 140],
    &[176, 155, 140, 135],
    &[180, 157, 141, 134, 130],
    &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
];

/// Kinds of blocks, as the tables have them.
const LUMA_WITHOUT_MEAN: usize = 0;
const MEANS: usize = 1;
const CHROMA: usize = 2;
const LUMA: usize = 3;

/// Which blocks beside a macroblock have coefficients.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edge {
    luma: [bool; 4],
    chroma: [[bool; 2]; 2],
    means: bool,
}

/// What is added to the prediction of a macroblock.
pub(crate) struct Residue {
    /// Multiplied out: those of luma's 16 blocks, and of four blocks each of blue and red, each in a lane.
    coefficients: [Coefficients; 2],
    samples: [[Lanes; 16]; 2],
    /// Which blocks of luma have any, by bit.
    pub luma: u16,
    /// Which blocks of blue have any, and of red.
    pub chroma: u8,
}

/// By place in the block, then by block.
type Coefficients = [Lanes; 16];

impl Residue {
    pub fn new() -> Self {
        Self { coefficients: [[[0; 16]; 16]; 2], samples: [[[0; 16]; 16]; 2], luma: 0, chroma: 0 }
    }

    /// Whether there is anything.
    pub fn is_some(&self) -> bool {
        self.luma != 0 || self.chroma != 0
    }

    /// The samples of luma, row by row. Of nothing, if there is none of luma.
    pub fn of_luma(&self) -> &[Lanes; 16] {
        &self.samples[0]
    }

    /// The samples of a plane of chroma, likewise: in each row one of the upper two blocks, and one of the lower.
    pub fn of_chroma(&self, plane: usize) -> &[Lanes] {
        &self.samples[1][plane * 4..][..4]
    }

    /// Reads what belongs to a macroblock.
    pub fn read(
        &mut self,
        bools: &mut Bools<'_>,
        header: &Header,
        macroblock: &Macroblock,
        above: &mut Edge,
        left: &mut Edge,
    ) {
        (self.luma, self.chroma) = (0, 0);
        let has_means = matches!(macroblock.luma, Luma::Whole(_));
        if macroblock.skipped {
            // Where there is no block of means, the one before is still the neighbour.
            let means = |edge: &Edge| edge.means && !has_means;
            *above = Edge { means: means(above), ..Edge::default() };
            *left = Edge { means: means(left), ..Edge::default() };
            return;
        }
        let Steps { luma, means, chroma } = header.steps[macroblock.segment & 3];
        let mut reader = Reader { bools: *bools, probabilities: &header.coefficients };
        let [of_luma, of_chroma] = &mut self.coefficients;

        let (kind, first) = if has_means {
            let mut block = [[0; 16]; 16];
            let context = usize::from(above.means) + usize::from(left.means);
            let is_some = reader.block(MEANS, 0, context, means, &mut block, 0);
            (above.means, left.means) = (is_some, is_some);
            if is_some {
                self.luma = u16::MAX;
                of_luma[0] = inverse_of_means(&block.map(|lanes| lanes[0]));
            }
            (LUMA_WITHOUT_MEAN, 1)
        } else {
            (LUMA, 0)
        };
        for (y, left) in left.luma.iter_mut().enumerate() {
            for (x, above) in above.luma.iter_mut().enumerate() {
                let context = usize::from(*above) + usize::from(*left);
                let at = y * 4 + x;
                let is_some = reader.block(kind, first, context, luma, of_luma, at);
                (*above, *left) = (is_some, is_some);
                self.luma |= u16::from(is_some) << at;
            }
        }
        for (plane, (above, left)) in above.chroma.iter_mut().zip(&mut left.chroma).enumerate() {
            for (y, left) in left.iter_mut().enumerate() {
                for (x, above) in above.iter_mut().enumerate() {
                    let context = usize::from(*above) + usize::from(*left);
                    let at = plane * 4 + y * 2 + x;
                    let is_some = reader.block(CHROMA, 0, context, chroma, of_chroma, at);
                    (*above, *left) = (is_some, is_some);
                    self.chroma |= u8::from(is_some) << at;
                }
            }
        }
        *bools = reader.bools;
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
    bools: Bools<'a>,
    probabilities: &'p CoefficientProbabilities,
}

impl Reader<'_, '_> {
    /// Reads a block from coefficient `first` on, into its lane; returns whether it has any.
    #[inline(always)]
    fn block(
        &mut self,
        kind: usize,
        first: usize,
        context: usize,
        steps: [i32; 2],
        out: &mut Coefficients,
        lane: usize,
    ) -> bool {
        let probabilities = &self.probabilities[kind];
        let p = &probabilities[usize::from(BANDS[first & 1])][context.min(2)];
        // Most blocks have none: found out without a call.
        let is_some = self.bools.read(p[0]);
        if is_some {
            some(&mut self.bools, probabilities, p, first, steps, out, lane);
        }
        is_some
    }
}

/// Reads a block that has coefficients. It works on a copy of the bits, which lives in registers.
#[inline(never)]
fn some<'p>(
    place: &mut Bools<'_>,
    probabilities: &'p [[[Probability; 11]; 3]; 8],
    mut p: &'p [Probability; 11],
    mut at: usize,
    steps: [i32; 2],
    out: &mut Coefficients,
    lane: usize,
) {
    let mut bools = *place;
    let at_place = |at: usize, context: usize| &probabilities[usize::from(BANDS[at & 15]) & 7][context];
    'block: loop {
        while !bools.read(p[1]) {
            at += 1;
            if at == 16 {
                break 'block;
            }
            p = at_place(at, 0);
        }
        let (number, next) = match bools.read(p[2]) {
            true => (large(&mut bools, p), 2),
            false => (1, 1),
        };
        // No encoder's exceed 16 bits.
        out[usize::from(ZIGZAG[at & 15]) & 15][lane & 15] = (bools.sign(number) * steps[usize::from(at > 0)]) as i16;
        at += 1;
        if at == 16 {
            break 'block;
        }
        p = at_place(at, next);
        if !bools.read(p[0]) {
            break 'block;
        }
    }
    *place = bools;
}

/// A number of two or more.
#[inline]
fn large(bools: &mut Bools<'_>, p: &[Probability; 11]) -> i32 {
    if !bools.read(p[3]) {
        return match bools.read(p[4]) {
            false => 2,
            true => 3 + i32::from(bools.read(p[5])),
        };
    }
    if !bools.read(p[6]) {
        return match bools.read(p[7]) {
            false => 5 + i32::from(bools.read(159)),
            true => 7 + 2 * i32::from(bools.read(165)) + i32::from(bools.read(145)),
        };
    }
    let high = usize::from(bools.read(p[8]));
    let low = usize::from(bools.read(p[9 + high]));
    let category = 2 * high + low;
    let bits = LARGE[category & 3].iter().fold(0, |bits, &p| bits << 1 | i32::from(bools.read(p)));
    3 + (8 << category) + bits
}

/// Section 14.3: luma's first coefficients.
fn inverse_of_means(block: &[i16; 16]) -> [i16; 16] {
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
    let mut means = [0; 16];
    for (out, row) in means.chunks_exact_mut(4).zip(columns.chunks_exact(4)) {
        // What rounds goes with the first, and so into all.
        out.copy_from_slice(&butterfly([row[0] + 3, row[1], row[2], row[3]]).map(|value| (value >> 3) as i16));
    }
    means
}
