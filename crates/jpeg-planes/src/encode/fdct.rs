//! From samples to quantised coefficients: the cosine transform of Arai, Agui and Nakajima, in
//! floating point, on four columns at once: so many that all of them stay in registers.

use crate::Plane;
use crate::zigzag::ZIGZAG;

/// A part of a row.
type Half = [f32; 4];

/// The blocks of one row, transformed and quantised.
pub(super) struct Blocks<'a> {
    plane: &'a Plane,
    /// In zigzag order.
    pub coefficients: Vec<[i16; 64]>,
}

impl<'a> Blocks<'a> {
    pub fn new(plane: &'a Plane) -> Self {
        Self { plane, coefficients: Vec::new() }
    }

    /// Takes `count` blocks from the `row`th row of blocks on. Beyond its edges the plane goes on
    /// as it ends.
    pub fn transform(&mut self, row: usize, count: usize, dividers: &Dividers) {
        let Plane { width, height, samples } = self.plane;
        let line = |y: usize| &samples[(row * 8 + y).min(height - 1) * width..][..*width];
        let lines: [&[u8]; 8] = std::array::from_fn(line);
        self.coefficients.clear();
        self.coefficients.extend((0..count).map(|block| {
            let rows = lines.map(|line| match line.get(block * 8..).and_then(<[u8]>::first_chunk::<8>) {
                Some(samples) => *samples,
                None => std::array::from_fn(|x| line[(block * 8 + x).min(width - 1)]),
            });
            let [left, right] = transform(&rows);
            quantise([&left, &right], dividers)
        }));
    }
}

/// What to multiply the results of the transform by, which come transposed.
type Dividers = [[Half; 8]; 2];

pub(super) fn dividers(table: &[u8; 64]) -> Dividers {
    const SCALES: [f32; 8] = [1.0, 1.387_039_9, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];
    let mut dividers = [[[0.0; 4]; 8]; 2];
    for ((u, v), &divider) in ZIGZAG.into_iter().zip(table) {
        let (u, v) = (usize::from(u), usize::from(v));
        dividers[v / 4][u][v % 4] = 1.0 / (f32::from(divider) * SCALES[u] * SCALES[v] * 8.0);
    }
    dividers
}

/// The result is transposed: of each column of samples, then of each row. Its left half comes
/// first.
#[inline]
fn transform(rows: &[[u8; 8]; 8]) -> [[Half; 8]; 2] {
    let half = |from: usize| rows.map(|row| std::array::from_fn(|x| f32::from(row[from + x]) - 128.0));
    let columns = [down(half(0)), down(half(4))];
    [0, 4].map(|from| down(std::array::from_fn(|x| std::array::from_fn(|y| columns[x / 4][from + y][x % 4]))))
}

#[inline]
fn down(d: [Half; 8]) -> [Half; 8] {
    let add = |a: Half, b: Half| -> Half { std::array::from_fn(|x| a[x] + b[x]) };
    let sub = |a: Half, b: Half| -> Half { std::array::from_fn(|x| a[x] - b[x]) };
    let mul = |a: Half, k: f32| a.map(|a| a * k);
    let (s0, s7) = (add(d[0], d[7]), sub(d[0], d[7]));
    let (s1, s6) = (add(d[1], d[6]), sub(d[1], d[6]));
    let (s2, s5) = (add(d[2], d[5]), sub(d[2], d[5]));
    let (s3, s4) = (add(d[3], d[4]), sub(d[3], d[4]));

    let (e0, e3) = (add(s0, s3), sub(s0, s3));
    let (e1, e2) = (add(s1, s2), sub(s1, s2));
    let z1 = mul(add(e2, e3), std::f32::consts::FRAC_1_SQRT_2);

    let (o0, o1, o2) = (add(s4, s5), add(s5, s6), add(s6, s7));
    let z5 = mul(sub(o0, o2), 0.382_683_43);
    let z2 = add(mul(o0, 0.541_196_1), z5);
    let z4 = add(mul(o2, 1.306_563), z5);
    let z3 = mul(o1, std::f32::consts::FRAC_1_SQRT_2);
    let (z11, z13) = (add(s7, z3), sub(s7, z3));
    [add(e0, e1), add(z11, z4), add(e3, z1), sub(z13, z2), sub(e0, e1), add(z13, z2), sub(e3, z1), sub(z11, z4)]
}

#[inline]
fn quantise(halves: [&[Half; 8]; 2], dividers: &Dividers) -> [i16; 64] {
    /// Added to a number, it leaves the nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let mut rounded = [0_i16; 64];
    for ((out, half), dividers) in rounded.chunks_exact_mut(32).zip(halves).zip(dividers) {
        for ((out, row), dividers) in out.chunks_exact_mut(4).zip(half).zip(dividers) {
            for ((out, value), divider) in out.iter_mut().zip(row).zip(dividers) {
                *out = (value * divider + ROUND).to_bits() as i16;
            }
        }
    }
    PLACES.map(|place| rounded[usize::from(place & 63)])
}

/// Where each coefficient is among those of both halves, in zigzag order.
const PLACES: [u8; 64] = {
    let mut places = [0; 64];
    let mut at = 0;
    while at < 64 {
        let (u, v) = ZIGZAG[at];
        places[at] = v / 4 * 32 + u * 4 + v % 4;
        at += 1;
    }
    places
};
