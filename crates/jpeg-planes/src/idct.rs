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
/// Lanes that are computed at once: 16 bits each, 128 in all.
const HALF: usize = 8;
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

type Lanes = [i16; HALF];

#[inline(always)]
fn zip(a: Lanes, b: Lanes, f: impl Fn(i16, i16) -> i16) -> Lanes {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

#[inline(always)]
fn sum(a: Lanes, b: Lanes) -> Lanes {
    zip(a, b, i16::saturating_add)
}

#[inline(always)]
fn difference(a: Lanes, b: Lanes) -> Lanes {
    zip(a, b, i16::saturating_sub)
}

#[inline(always)]
fn two([a, b]: [Lanes; 2]) -> [Lanes; 2] {
    [sum(a, b), difference(a, b)]
}

#[inline(always)]
fn three([a, b, c]: [Lanes; 3]) -> [Lanes; 3] {
    let outer = sum(a, c);
    [sum(outer, b), difference(difference(a, c), c), difference(outer, b)]
}

#[inline(always)]
fn four([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
    /// tan(π/8), of 65,536.
    const TANGENT: i32 = 27_146;
    let tangent = |v: Lanes| v.map(|v| ((i32::from(v) * TANGENT) >> 16) as i16);
    let (even_outer, even_inner) = (sum(a, c), difference(a, c));
    let (odd_outer, odd_inner) = (sum(b, tangent(d)), difference(tangent(b), d));
    [
        sum(even_outer, odd_outer),
        sum(even_inner, odd_inner),
        difference(even_inner, odd_inner),
        difference(even_outer, odd_outer),
    ]
}

/// In 16-bit integers, with `POINT` bits behind the point.
#[inline(always)]
fn small<const N: usize, const SQUARE: usize>(
    (coefficients, multipliers): From<'_>,
    rows: &mut [u8],
    stride: usize,
    transform: impl Fn([Lanes; N]) -> [Lanes; N],
) {
    const ROUND: i16 = (128 << POINT) + (1 << (POINT - 1));
    let coefficients = &coefficients[..SQUARE * LANES];
    for half in [0, HALF] {
        let mut lanes: [Lanes; SQUARE] = std::array::from_fn(|at| {
            let (whole, fraction) = multipliers[at];
            let mut lanes = [0; HALF];
            lanes.copy_from_slice(&coefficients[at * LANES + half..][..HALF]);
            lanes.map(|v: i16| {
                let rest = (i32::from(v) * i32::from(fraction)) >> 16;
                v.wrapping_mul(whole).wrapping_add(rest as i16)
            })
        });
        for u in 0..N {
            let column = transform(std::array::from_fn(|v| lanes[v * N + u]));
            for v in 0..N {
                lanes[v * N + u] = column[v];
            }
        }
        for y in 0..N {
            let row = transform(std::array::from_fn(|u| lanes[y * N + u]));
            let samples = row.map(|lanes| lanes.map(|v| (v.saturating_add(ROUND) >> POINT).clamp(0, 255) as u8));
            let out = &mut rows[y * stride + half * N..][..HALF * N];
            if N == 3 {
                weave_apart(&samples, out);
            } else {
                weave(&samples, out);
            }
        }
    }
}

/// Writes a row of each block, one after the other.
#[inline(always)]
fn weave<const N: usize>(samples: &[[u8; HALF]; N], out: &mut [u8]) {
    for (lane, out) in out.chunks_exact_mut(N).enumerate() {
        for (x, out) in out.iter_mut().enumerate() {
            *out = samples[x][lane];
        }
    }
}

/// The same; of threes the compiler otherwise computes sample by sample, to spare itself their order.
#[inline(never)]
fn weave_apart<const N: usize>(samples: &[[u8; HALF]; N], out: &mut [u8]) {
    weave(samples, out);
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
