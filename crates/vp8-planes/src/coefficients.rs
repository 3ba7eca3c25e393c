//! What is added to a prediction (RFC 6386, sections 13 and 14).

use crate::bools::Bools;
use crate::header::{Header, Steps};
use crate::modes::{Luma, Macroblock};
use crate::tables::{CoefficientProbabilities, Probability};

const ZIGZAG: [u8; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];
/// By coefficient, and beyond the last one.
const BANDS: [u8; 17] = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0];
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

/// The coefficients of a macroblock, multiplied out: 16 blocks of luma, 4 each of chroma.
pub(crate) struct Residue {
    pub blocks: [[i32; 16]; 24],
    /// By block: how many may differ from zero.
    pub counts: [u8; 24],
    /// Whether there are any.
    pub is_some: bool,
}

impl Residue {
    pub fn new() -> Self {
        Self { blocks: [[0; 16]; 24], counts: [0; 24], is_some: false }
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
        for (block, count) in self.blocks.iter_mut().zip(&mut self.counts) {
            if *count > 0 {
                *block = [0; 16];
                *count = 0;
            }
        }
        self.is_some = false;
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

        let (kind, first) = if has_means {
            let mut block = [0; 16];
            let context = usize::from(above.means) + usize::from(left.means);
            let count = reader.block(MEANS, 0, context, means, &mut block);
            (above.means, left.means) = (count > 0, count > 0);
            if count > 0 {
                self.is_some = true;
                for (at, mean) in inverse_of_means(&block).into_iter().enumerate() {
                    self.blocks[at][0] = mean;
                    self.counts[at] = u8::from(mean != 0);
                }
            }
            (LUMA_WITHOUT_MEAN, 1)
        } else {
            (LUMA, 0)
        };
        for (y, left) in left.luma.iter_mut().enumerate() {
            for (x, above) in above.luma.iter_mut().enumerate() {
                let context = usize::from(*above) + usize::from(*left);
                let at = y * 4 + x;
                let count = reader.block(kind, first, context, luma, &mut self.blocks[at]);
                let some = count > first;
                (*above, *left) = (some, some);
                self.is_some |= some;
                if some {
                    self.counts[at] = count as u8;
                }
            }
        }
        for (plane, (above, left)) in above.chroma.iter_mut().zip(&mut left.chroma).enumerate() {
            for (y, left) in left.iter_mut().enumerate() {
                for (x, above) in above.iter_mut().enumerate() {
                    let context = usize::from(*above) + usize::from(*left);
                    let at = 16 + plane * 4 + y * 2 + x;
                    let count = reader.block(CHROMA, 0, context, chroma, &mut self.blocks[at]);
                    (*above, *left) = (count > 0, count > 0);
                    self.is_some |= count > 0;
                    self.counts[at] = count as u8;
                }
            }
        }
        *bools = reader.bools;
    }
}

struct Reader<'a, 'p> {
    /// A copy, so that it lives in registers.
    bools: Bools<'a>,
    probabilities: &'p CoefficientProbabilities,
}

impl Reader<'_, '_> {
    /// Reads a block from coefficient `first` on; returns the place behind the last one.
    #[inline]
    fn block(&mut self, kind: usize, first: usize, context: usize, steps: [i32; 2], out: &mut [i32; 16]) -> usize {
        let mut bools = self.bools;
        let probabilities = &self.probabilities[kind];
        let at_place = |at: usize, context: usize| &probabilities[usize::from(BANDS[at]) & 7][context];
        let mut at = first;
        let mut p = at_place(at, context.min(2));
        'block: while at < 16 {
            if !bools.read(p[0]) {
                break;
            }
            while !bools.read(p[1]) {
                at += 1;
                if at == 16 {
                    break 'block;
                }
                p = at_place(at, 0);
            }
            let number;
            let next = if bools.read(p[2]) {
                number = large(&mut bools, p);
                2
            } else {
                number = 1;
                1
            };
            out[usize::from(ZIGZAG[at]) & 15] = bools.sign(number) * steps[usize::from(at > 0)];
            at += 1;
            p = at_place(at, next);
        }
        self.bools = bools;
        at
    }
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
fn inverse_of_means(block: &[i32; 16]) -> [i32; 16] {
    let butterfly = |a: i32, b: i32, c: i32, d: i32| {
        let (outer, inner) = (a + d, b + c);
        let (outer_rest, inner_rest) = (a - d, b - c);
        [outer + inner, outer_rest + inner_rest, outer - inner, outer_rest - inner_rest]
    };
    let mut columns = [0; 16];
    for x in 0..4 {
        let column = butterfly(block[x], block[4 + x], block[8 + x], block[12 + x]);
        for (y, value) in column.into_iter().enumerate() {
            columns[y * 4 + x] = value;
        }
    }
    let mut means = [0; 16];
    for (out, row) in means.chunks_exact_mut(4).zip(columns.chunks_exact(4)) {
        // What rounds goes with the first, and so into all.
        out.copy_from_slice(&butterfly(row[0] + 3, row[1], row[2], row[3]).map(|value| value >> 3));
    }
    means
}
