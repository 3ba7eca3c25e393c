//! The inverse cosine transform at a reduced size, for [`LANES`] blocks at once.
//!
//! The first n × n of a block's 8 × 8 coefficients describe the same picture at n/8 of its size.
//! A group interleaves the coefficients of neighbouring blocks, so that the compiler vectorises
//! plain loops.

use crate::Scale;
use crate::zigzag::ZIGZAG;

/// Blocks in a group.
pub(crate) const LANES: usize = 16;
/// Offset for coefficients that the scale does not need.
pub(crate) const DISCARDED: u16 = 64 * LANES as u16;
/// Capacity of a group. A power of two, because offsets are masked.
const GROUP_VALUES: usize = 2048;
/// Fractional bits of the 16-bit arithmetic.
const FRACTION_BITS: u32 = 5;

/// The offsets in a group at which the coefficients of a block are stored.
#[derive(Debug, Clone)]
pub(crate) struct CoefficientOffsets {
    /// By index in zigzag order. The indices from 64 are for runs that extend beyond the block.
    pub by_coefficient: [u16; 128],
    /// The last coefficient that the scale needs.
    pub last: usize,
}

impl CoefficientOffsets {
    pub fn new(scale: Scale) -> Self {
        let n = scale.eighths();
        let mut offsets = Self { by_coefficient: [DISCARDED; 128], last: 0 };
        for (at, (u, v)) in ZIGZAG.into_iter().enumerate() {
            let (u, v) = (usize::from(u), usize::from(v));
            if u < n && v < n {
                offsets.by_coefficient[at] = ((v * n + u) * LANES) as u16;
                offsets.last = at;
            }
        }
        offsets
    }
}

/// The factors that dequantise coefficients: an integer and a fraction in units of 1/65,536.
#[derive(Debug, Clone)]
pub(crate) struct Multipliers([(i16, i16); 64]);

impl Multipliers {
    /// `quant_table` is in zigzag order.
    pub fn new(scale: Scale, quant_table: &[u16; 64]) -> Self {
        let n = scale.eighths();
        let mut multipliers = [(0, 0); 64];
        for ((u, v), &quantiser) in ZIGZAG.into_iter().zip(quant_table) {
            let (u, v) = (usize::from(u), usize::from(v));
            if u < n && v < n {
                let value = f64::from(quantiser) * prescale(scale, u, v);
                let whole = value.round();
                // Negative fractions are rounded up, because products are rounded down. The casts
                // saturate for values that no baseline file contains.
                multipliers[v * n + u] = (whole as i16, ((value - whole) * 65_536.0) as i16);
            }
        }
        Self(multipliers)
    }
}

/// Quantised coefficients of [`LANES`] blocks. Those of the same frequency are adjacent.
pub(crate) struct Coefficients([i16; GROUP_VALUES]);

impl Coefficients {
    #[inline(always)]
    pub fn set(&mut self, offset: u16, lane: usize, value: i16) {
        self.0[(usize::from(offset) + lane) & (GROUP_VALUES - 1)] = value;
    }
}

/// A group of [`LANES`] neighbouring blocks.
pub(crate) struct BlockGroup {
    coefficients: Box<Coefficients>,
}

impl BlockGroup {
    pub fn new() -> Self {
        Self { coefficients: Box::new(Coefficients([0; GROUP_VALUES])) }
    }

    /// Zeroes the coefficients that the scale needs.
    #[inline]
    pub fn clear(&mut self, scale: Scale) {
        self.coefficients.0[..scale.eighths() * scale.eighths() * LANES].fill(0);
    }

    #[inline(always)]
    pub fn coefficients(&mut self) -> &mut Coefficients {
        &mut self.coefficients
    }

    /// Writes the samples. `rows` starts with the first row of the first block.
    pub fn transform(&self, scale: Scale, multipliers: &Multipliers, rows: &mut [u8], stride: usize) {
        transform(&self.coefficients.0, scale, multipliers, rows, stride);
    }
}

/// Writes the samples of [`LANES`] blocks, whose coefficients are interleaved as in a group. `rows`
/// starts with the first row of the first block.
#[inline(never)]
pub(crate) fn transform(coefficients: &[i16], scale: Scale, multipliers: &Multipliers, rows: &mut [u8], stride: usize) {
    let from = (coefficients, &multipliers.0);
    match scale.eighths() {
        1 => transform_i16::<1, 1>(from, rows, stride, |[dc]| [dc]),
        2 => transform_i16::<2, 4>(from, rows, stride, idct_2),
        3 => transform_i16::<3, 9>(from, rows, stride, idct_3),
        4 => transform_i16::<4, 16>(from, rows, stride, idct_4),
        5 => transform_f32::<5, 25>(from, rows, stride),
        6 => transform_f32::<6, 36>(from, rows, stride),
        7 => transform_f32::<7, 49>(from, rows, stride),
        _ => transform_f32::<8, 64>(from, rows, stride),
    }
}

type Source<'a> = (&'a [i16], &'a [(i16, i16); 64]);

/// A factor for the coefficient in column `u` and row `v`. Applied during dequantisation, it saves
/// multiplications in the transform.
fn prescale(scale: Scale, u: usize, v: usize) -> f64 {
    let n = scale.eighths();
    if n > 4 {
        return 1.0;
    }
    // Going from an orthonormal 8 × 8 transform to an n × n one scales each sample by n/8.
    let scale = f64::from(1 << FRACTION_BITS) / 8.0;
    scale * axis_prescale(n, u) * axis_prescale(n, v)
}

fn axis_prescale(n: usize, frequency: usize) -> f64 {
    use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};
    match (n, frequency) {
        (_, 0) => 1.0,
        (2, 1) => SQRT_2 * FRAC_1_SQRT_2,
        (3, 1) => SQRT_2 * (PI / 6.0).cos(),
        (3, 2) => SQRT_2 * 0.5,
        (4, 2) => SQRT_2 * FRAC_1_SQRT_2,
        (4, 1 | 3) => SQRT_2 * (PI / 8.0).cos(),
        _ => 0.0,
    }
}

#[inline(always)]
fn idct_2([a, b]: [i16; 2]) -> [i16; 2] {
    [a.saturating_add(b), a.saturating_sub(b)]
}

#[inline(always)]
fn idct_3([a, b, c]: [i16; 3]) -> [i16; 3] {
    let outer = a.saturating_add(c);
    [outer.saturating_add(b), a.saturating_sub(c).saturating_sub(c), outer.saturating_sub(b)]
}

#[inline(always)]
fn idct_4([a, b, c, d]: [i16; 4]) -> [i16; 4] {
    /// tan(π/8) in units of 1/65,536.
    const TANGENT: i32 = 27_146;
    let tangent = |v: i16| ((i32::from(v) * TANGENT) >> 16) as i16;
    let (even_outer, even_inner) = (a.saturating_add(c), a.saturating_sub(c));
    let (odd_outer, odd_inner) = (b.saturating_add(tangent(d)), tangent(b).saturating_sub(d));
    [
        even_outer.saturating_add(odd_outer),
        even_inner.saturating_add(odd_inner),
        even_inner.saturating_sub(odd_inner),
        even_outer.saturating_sub(odd_outer),
    ]
}

type Lanes = [i16; LANES];

/// The transform in 16-bit fixed-point arithmetic, for 1/8 to 4/8.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "a lane indexes several arrays")]
fn transform_i16<const N: usize, const SQUARE: usize>(
    (coefficients, multipliers): Source<'_>,
    rows: &mut [u8],
    stride: usize,
    transform: impl Fn([i16; N]) -> [i16; N],
) {
    const ROUNDING: i16 = (128 << FRACTION_BITS) + (1 << (FRACTION_BITS - 1));
    let mut values = [[0; LANES]; SQUARE];
    for ((values, coefficients), &(whole, fraction)) in
        values.iter_mut().zip(coefficients.as_chunks().0).zip(multipliers)
    {
        *values = dequantise(coefficients, whole, fraction);
    }
    for u in 0..N {
        for lane in 0..LANES {
            let column = transform(std::array::from_fn(|v| values[v * N + u][lane]));
            for (v, value) in column.into_iter().enumerate() {
                values[v * N + u][lane] = value;
            }
        }
    }
    for (y, row) in values.chunks_exact(N).enumerate() {
        let mut samples = [[0; LANES]; N];
        for lane in 0..LANES {
            let row = transform(std::array::from_fn(|u| row[u][lane]));
            for (samples, value) in samples.iter_mut().zip(row) {
                samples[lane] = (value.saturating_add(ROUNDING) >> FRACTION_BITS).clamp(0, 255) as u8;
            }
        }
        interleave(&samples, &mut rows[y * stride..][..LANES * N]);
    }
}

/// Multiplies coefficients by an integer and a fraction. Not inlined: in the loop over frequencies,
/// the compiler would vectorise across frequencies instead of lanes.
#[inline(never)]
fn dequantise(coefficients: &Lanes, whole: i16, fraction: i16) -> Lanes {
    coefficients.map(|coefficient| {
        let rest = (i32::from(coefficient) * i32::from(fraction)) >> 16;
        coefficient.wrapping_mul(whole).wrapping_add(rest as i16)
    })
}

/// Writes one row of each block, block after block.
fn interleave<const N: usize>(samples: &[[u8; LANES]; N], out: &mut [u8]) {
    for (lane, out) in out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        for (x, out) in out.iter_mut().enumerate() {
            *out = samples[x][lane];
        }
    }
}

/// The transform by its definition in floating point, for 5/8 to 8/8. Only small pictures are
/// decoded at these scales.
fn transform_f32<const N: usize, const SQUARE: usize>(
    (coefficients, multipliers): Source<'_>,
    rows: &mut [u8],
    stride: usize,
) {
    const HALF: usize = 4;
    let coefficients = &coefficients[..SQUARE * LANES];
    let n = N as f32;
    // By sample, then by frequency.
    let weights: [[f32; N]; N] = std::array::from_fn(|x| {
        std::array::from_fn(|u| {
            let norm = if u == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
            norm * ((2 * x + 1) as f32 * u as f32 * std::f32::consts::PI / (2.0 * n)).cos()
        })
    });
    let scale = n / 8.0;
    for half in (0..LANES).step_by(HALF) {
        let mut lanes = [[0.0_f32; HALF]; SQUARE];
        for u in 0..N {
            let column: [[f32; HALF]; N] = std::array::from_fn(|v| {
                let (whole, _) = multipliers[v * N + u];
                std::array::from_fn(|lane| {
                    f32::from(coefficients[(v * N + u) * LANES + half + lane]) * f32::from(whole)
                })
            });
            for y in 0..N {
                lanes[y * N + u] = weighted_sum(&column, &weights[y]);
            }
        }
        for y in 0..N {
            let row: [[f32; HALF]; N] = std::array::from_fn(|u| lanes[y * N + u]);
            for x in 0..N {
                let samples = weighted_sum(&row, &weights[x]);
                for (lane, sample) in samples.into_iter().enumerate() {
                    rows[y * stride + (half + lane) * N + x] = (sample * scale + 128.5) as u8;
                }
            }
        }
    }
}

#[inline(always)]
fn weighted_sum<const N: usize, const L: usize>(values: &[[f32; L]; N], weights: &[f32; N]) -> [f32; L] {
    let mut sum = [0.0; L];
    for (value, weight) in values.iter().zip(weights) {
        for (sum, value) in sum.iter_mut().zip(value) {
            *sum += value * weight;
        }
    }
    sum
}
