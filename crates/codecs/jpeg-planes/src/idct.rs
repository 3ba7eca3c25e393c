//! From coefficients to samples, at a reduced size, for [`LANES`] blocks at once.
//!
//! The first n × n of a block's 8 × 8 coefficients are those of the same picture at n/8 of its
//! size. A group holds the coefficients of neighbouring blocks side by side, so that the compiler
//! makes vector instructions of plain loops.

use crate::Scale;
use crate::zigzag::ZIGZAG;

/// Blocks in a group.
pub(crate) const LANES: usize = 16;
/// Where coefficients go that nobody wants.
pub(crate) const NOWHERE: u16 = 64 * LANES as u16;
/// A power of two, for places in it are masked.
const PLACES: usize = 2048;
/// Bits behind the point.
const POINT: u32 = 5;

/// What a scale makes of a block's coefficients.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// By coefficient, and beyond the last one for runs that go too far: where it goes in a group.
    pub of: [u16; 128],
    /// The last coefficient that the scale needs.
    pub last: usize,
}

impl Places {
    pub fn new(scale: Scale) -> Self {
        let n = scale.eighths();
        let mut places = Self { of: [NOWHERE; 128], last: 0 };
        for (at, (u, v)) in ZIGZAG.into_iter().enumerate() {
            let (u, v) = (usize::from(u), usize::from(v));
            if u < n && v < n {
                places.of[at] = ((v * n + u) * LANES) as u16;
                places.last = at;
            }
        }
        places
    }
}

/// What coefficients are to be multiplied by: a whole number and a fraction, of 65,536.
#[derive(Debug, Clone)]
pub(crate) struct Multipliers([(i16, i16); 64]);

impl Multipliers {
    /// For these divisors, which are in zigzag order.
    pub fn new(scale: Scale, divisors: &[u16; 64]) -> Self {
        let n = scale.eighths();
        let mut multipliers = [(0, 0); 64];
        for ((u, v), &divisor) in ZIGZAG.into_iter().zip(divisors) {
            let (u, v) = (usize::from(u), usize::from(v));
            if u < n && v < n {
                let value = f64::from(divisor) * factor(scale, u, v);
                let whole = value.round();
                // The fraction is rounded up on the whole, for products are rounded down. Numbers
                // that no baseline file needs are cut off.
                multipliers[v * n + u] = (whole as i16, ((value - whole) * 65_536.0) as i16);
            }
        }
        Self(multipliers)
    }
}

/// Quantised coefficients of neighbouring blocks.
pub(crate) struct Coefficients([i16; PLACES]);

impl Coefficients {
    #[inline(always)]
    pub fn set(&mut self, place: u16, lane: usize, value: i16) {
        self.0[(usize::from(place) + lane) & (PLACES - 1)] = value;
    }
}

/// The coefficients of neighbouring blocks: those of the same frequency lie together.
pub(crate) struct Group {
    coefficients: Box<Coefficients>,
}

impl Group {
    pub fn new() -> Self {
        Self { coefficients: Box::new(Coefficients([0; PLACES])) }
    }

    /// All zero, as far as the scale looks.
    #[inline]
    pub fn clear(&mut self, scale: Scale) {
        self.coefficients.0[..scale.eighths() * scale.eighths() * LANES].fill(0);
    }

    #[inline(always)]
    pub fn coefficients(&mut self) -> &mut Coefficients {
        &mut self.coefficients
    }

    /// Writes the samples: `rows` begins with the first block's first row.
    pub fn transform(&self, scale: Scale, multipliers: &Multipliers, rows: &mut [u8], stride: usize) {
        transform(&self.coefficients.0, scale, multipliers, rows, stride);
    }
}

/// Writes the samples of [`LANES`] blocks, whose coefficients lie as in a group: `rows` begins with
/// the first block's first row.
#[inline(never)]
pub(crate) fn transform(coefficients: &[i16], scale: Scale, multipliers: &Multipliers, rows: &mut [u8], stride: usize) {
    let from = (coefficients, &multipliers.0);
    match scale.eighths() {
        1 => small::<1, 1>(from, rows, stride, |[mean]| [mean]),
        2 => small::<2, 4>(from, rows, stride, two),
        3 => small::<3, 9>(from, rows, stride, three),
        4 => small::<4, 16>(from, rows, stride, four),
        5 => large::<5, 25>(from, rows, stride),
        6 => large::<6, 36>(from, rows, stride),
        7 => large::<7, 49>(from, rows, stride),
        _ => large::<8, 64>(from, rows, stride),
    }
}

type From<'a> = (&'a [i16], &'a [(i16, i16); 64]);

/// What a coefficient (by column and row) is multiplied by, besides its divisor, so that the rest
/// of the transform has less to do.
fn factor(scale: Scale, u: usize, v: usize) -> f64 {
    let n = scale.eighths();
    if n > 4 {
        return 1.0;
    }
    // An orthonormal transform of 8 × 8 becomes one of n × n: each sample is n/8 of it.
    let mean_of = f64::from(1 << POINT) / 8.0;
    mean_of * along(n, u) * along(n, v)
}

fn along(n: usize, frequency: usize) -> f64 {
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
fn two([a, b]: [i16; 2]) -> [i16; 2] {
    [a.saturating_add(b), a.saturating_sub(b)]
}

#[inline(always)]
fn three([a, b, c]: [i16; 3]) -> [i16; 3] {
    let outer = a.saturating_add(c);
    [outer.saturating_add(b), a.saturating_sub(c).saturating_sub(c), outer.saturating_sub(b)]
}

#[inline(always)]
fn four([a, b, c, d]: [i16; 4]) -> [i16; 4] {
    /// tan(π/8), of 65,536.
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

/// In 16-bit integers, with `POINT` bits behind the point.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "a lane goes through all values")]
fn small<const N: usize, const SQUARE: usize>(
    (coefficients, multipliers): From<'_>,
    rows: &mut [u8],
    stride: usize,
    transform: impl Fn([i16; N]) -> [i16; N],
) {
    const ROUND: i16 = (128 << POINT) + (1 << (POINT - 1));
    let mut values = [[0; LANES]; SQUARE];
    for ((values, coefficients), &(whole, fraction)) in
        values.iter_mut().zip(coefficients.as_chunks().0).zip(multipliers)
    {
        *values = multiplied(coefficients, whole, fraction);
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
                samples[lane] = (value.saturating_add(ROUND) >> POINT).clamp(0, 255) as u8;
            }
        }
        weave(&samples, &mut rows[y * stride..][..LANES * N]);
    }
}

/// Coefficients times a whole number and a fraction. Not inlined: in a loop over frequencies, those would be made vectors
/// of.
#[inline(never)]
fn multiplied(coefficients: &Lanes, whole: i16, fraction: i16) -> Lanes {
    coefficients.map(|coefficient| {
        let rest = (i32::from(coefficient) * i32::from(fraction)) >> 16;
        coefficient.wrapping_mul(whole).wrapping_add(rest as i16)
    })
}

/// Writes a row of each block, one after the other.
fn weave<const N: usize>(samples: &[[u8; LANES]; N], out: &mut [u8]) {
    for (lane, out) in out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        for (x, out) in out.iter_mut().enumerate() {
            *out = samples[x][lane];
        }
    }
}

/// In floating point, by the definition: for pictures that are hardly scaled, which are small.
fn large<const N: usize, const SQUARE: usize>((coefficients, multipliers): From<'_>, rows: &mut [u8], stride: usize) {
    const HALF: usize = 4;
    let coefficients = &coefficients[..SQUARE * LANES];
    let n = N as f32;
    // Row: sample; column: frequency.
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
                lanes[y * N + u] = combine(&column, &weights[y]);
            }
        }
        for y in 0..N {
            let row: [[f32; HALF]; N] = std::array::from_fn(|u| lanes[y * N + u]);
            for x in 0..N {
                let samples = combine(&row, &weights[x]);
                for (lane, sample) in samples.into_iter().enumerate() {
                    rows[y * stride + (half + lane) * N + x] = (sample * scale + 128.5) as u8;
                }
            }
        }
    }
}

#[inline(always)]
fn combine<const N: usize, const L: usize>(values: &[[f32; L]; N], weights: &[f32; N]) -> [f32; L] {
    let mut sum = [0.0; L];
    for (value, weight) in values.iter().zip(weights) {
        for (sum, value) in sum.iter_mut().zip(value) {
            *sum += value * weight;
        }
    }
    sum
}
