//! The forward cosine transform of Arai, Agui and Nakajima in floating point, and quantisation.

use crate::Plane;
use crate::zigzag::ZIGZAG;

/// A row or a column of a block.
type Row = [f32; 8];

/// One row of blocks, transformed and quantised.
pub(super) struct Blocks<'a> {
    plane: &'a Plane,
    /// In zigzag order.
    pub coefficients: Vec<[i16; 64]>,
}

impl<'a> Blocks<'a> {
    pub fn new(plane: &'a Plane) -> Self {
        Self { plane, coefficients: Vec::new() }
    }

    /// Transforms `count` blocks of the row of blocks with the index `row`. Beyond the edges of the
    /// plane, its last samples are repeated.
    pub fn transform(&mut self, row: usize, count: usize, factors: &Factors) {
        let Plane { width, height, samples } = self.plane;
        let line = |y: usize| &samples[(row * 8 + y).min(height - 1) * width..][..*width];
        let lines: [&[u8]; 8] = std::array::from_fn(line);
        self.coefficients.clear();
        self.coefficients.extend((0..count).map(|block| {
            let rows = lines.map(|line| match line.get(block * 8..).and_then(<[u8]>::first_chunk::<8>) {
                Some(samples) => *samples,
                None => std::array::from_fn(|x| line[(block * 8 + x).min(width - 1)]),
            });
            quantise(&transform(&rows), factors)
        }));
    }
}

/// The factors that quantise the result of the transform, transposed like it.
type Factors = [Row; 8];

pub(super) fn factors(table: &[u8; 64]) -> Factors {
    const SCALES: [f32; 8] = [1.0, 1.387_039_9, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];
    let mut factors = [[0.0; 8]; 8];
    for ((u, v), &quantiser) in ZIGZAG.into_iter().zip(table) {
        let (u, v) = (usize::from(u), usize::from(v));
        factors[u][v] = 1.0 / (f32::from(quantiser) * SCALES[u] * SCALES[v] * 8.0);
    }
    factors
}

/// Transforms a block. The result is transposed.
#[inline]
fn transform(rows: &[[u8; 8]; 8]) -> [Row; 8] {
    let mut values = [[0.0; 8]; 8];
    for (value, &sample) in values.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *value = f32::from(sample) - 128.0;
    }
    transform_columns(&mut values);
    let mut transposed = [[0.0; 8]; 8];
    transpose(&values, &mut transposed);
    transform_columns(&mut transposed);
    transposed
}

fn transpose(from: &[Row; 8], to: &mut [Row; 8]) {
    for (x, row) in to.iter_mut().enumerate() {
        for (value, from) in row.iter_mut().zip(from) {
            *value = from[x];
        }
    }
}

/// Transforms all columns at once.
#[expect(clippy::needless_range_loop, reason = "a column indexes all rows")]
fn transform_columns(d: &mut [Row; 8]) {
    for x in 0..8 {
        let (s0, s7) = (d[0][x] + d[7][x], d[0][x] - d[7][x]);
        let (s1, s6) = (d[1][x] + d[6][x], d[1][x] - d[6][x]);
        let (s2, s5) = (d[2][x] + d[5][x], d[2][x] - d[5][x]);
        let (s3, s4) = (d[3][x] + d[4][x], d[3][x] - d[4][x]);

        let (e0, e3) = (s0 + s3, s0 - s3);
        let (e1, e2) = (s1 + s2, s1 - s2);
        let z1 = (e2 + e3) * std::f32::consts::FRAC_1_SQRT_2;
        (d[0][x], d[4][x]) = (e0 + e1, e0 - e1);
        (d[2][x], d[6][x]) = (e3 + z1, e3 - z1);

        let (o0, o1, o2) = (s4 + s5, s5 + s6, s6 + s7);
        let z5 = (o0 - o2) * 0.382_683_43;
        let z2 = o0 * 0.541_196_1 + z5;
        let z4 = o2 * 1.306_563 + z5;
        let z3 = o1 * std::f32::consts::FRAC_1_SQRT_2;
        let (z11, z13) = (s7 + z3, s7 - z3);
        (d[5][x], d[3][x]) = (z13 + z2, z13 - z2);
        (d[1][x], d[7][x]) = (z11 + z4, z11 - z4);
    }
}

#[inline]
fn quantise(rows: &[Row; 8], factors: &Factors) -> [i16; 64] {
    /// Added to a number, it moves the nearest integer into the lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    let mut rounded = [0_i16; 64];
    for ((out, value), factor) in rounded.iter_mut().zip(rows.as_flattened()).zip(factors.as_flattened()) {
        *out = (value * factor + ROUNDING).to_bits() as i16;
    }
    TRANSPOSED_ZIGZAG.map(|index| rounded[usize::from(index & 63)])
}

/// The index in the transposed block of each coefficient, in zigzag order.
const TRANSPOSED_ZIGZAG: [u8; 64] = {
    let mut indices = [0; 64];
    let mut at = 0;
    while at < 64 {
        let (u, v) = ZIGZAG[at];
        indices[at] = u * 8 + v;
        at += 1;
    }
    indices
};
