//! A macroblock from its edges (RFC 6386, section 12), and what is added to it.

use crate::coefficients::Residue;
use crate::modes::{Luma, Mode, Sub};

/// Samples of one plane of a macroblock, with those around it that it is predicted from: a row
/// above, of which the first sample lies before it and four behind, and a column to the left.
pub(crate) struct Area<const SIDE: usize>([u8; 17 * STRIDE]);

const STRIDE: usize = 32;
/// Where a row's samples begin; the sample to the left is before it.
const LEFT: usize = 4;
/// What is above the picture, and to the left of it.
const ABOVE: u8 = 127;
const BEFORE: u8 = 129;

#[inline(always)]
fn at(x: usize, y: usize) -> usize {
    (y + 1) * STRIDE + LEFT + x
}

impl<const SIDE: usize> Area<SIDE> {
    pub fn new() -> Self {
        Self([0; 17 * STRIDE])
    }

    /// Sets what is around the macroblock in this column and row of the plane.
    pub fn surround(&mut self, plane: &[u8], stride: usize, column: usize, row: usize) {
        let first = row * SIDE * stride + column * SIDE;
        if column == 0 {
            (0..SIDE).for_each(|y| self.0[at(0, y) - 1] = BEFORE);
        } else {
            // What was the macroblock before.
            (0..SIDE).for_each(|y| self.0[at(0, y) - 1] = self.0[at(SIDE - 1, y)]);
        }
        let above = LEFT..LEFT + SIDE;
        if row == 0 {
            self.0[LEFT - 1..LEFT + SIDE + 4].fill(ABOVE);
        } else {
            let from = first - stride;
            self.0[LEFT - 1] = if column == 0 { BEFORE } else { plane[from - 1] };
            self.0[above].copy_from_slice(&plane[from..from + SIDE]);
            let is_last = (column + 1) * SIDE >= stride;
            let last = self.0[LEFT + SIDE - 1];
            let behind = if is_last { &[last; 4] } else { &plane[from + SIDE..from + SIDE + 4] };
            self.0[LEFT + SIDE..LEFT + SIDE + 4].copy_from_slice(behind);
        }
    }

    /// Writes the macroblock to its place.
    pub fn store(&self, plane: &mut [u8], stride: usize, column: usize, row: usize) {
        let first = row * SIDE * stride + column * SIDE;
        for (y, out) in plane[first..].chunks_mut(stride).take(SIDE).enumerate() {
            out[..SIDE].copy_from_slice(&self.0[at(0, y)..at(SIDE, y)]);
        }
    }

    /// Predicts all of it. `has` tells whether there is a macroblock to the left, and above.
    fn whole(&mut self, mode: Mode, (has_left, has_above): (bool, bool)) {
        let mut above = [0; SIDE];
        above.copy_from_slice(&self.0[LEFT..LEFT + SIDE]);
        let left: [u8; SIDE] = std::array::from_fn(|y| self.0[at(0, y) - 1]);
        let corner = i16::from(self.0[LEFT - 1]);
        let mean = {
            let sum = |edge: &[u8; SIDE]| edge.iter().map(|&v| usize::from(v)).sum::<usize>();
            match (has_left, has_above) {
                (true, true) => ((sum(&left) + sum(&above) + SIDE) / (2 * SIDE)) as u8,
                (true, false) => ((sum(&left) + SIDE / 2) / SIDE) as u8,
                (false, true) => ((sum(&above) + SIDE / 2) / SIDE) as u8,
                (false, false) => 128,
            }
        };
        for (y, left) in left.into_iter().enumerate() {
            let row = &mut self.0[at(0, y)..at(SIDE, y)];
            match mode {
                Mode::Mean => row.fill(mean),
                Mode::Vertical => row.copy_from_slice(&above),
                Mode::Horizontal => row.fill(left),
                Mode::Gradient => {
                    let step = i16::from(left) - corner;
                    for (out, above) in row.iter_mut().zip(above) {
                        *out = (i16::from(above) + step).clamp(0, 255) as u8;
                    }
                }
            }
        }
    }

    /// Adds the inverse transform (section 14.4) of a subblock at these samples.
    #[inline]
    fn add(&mut self, block: &[i32; 16], count: u8, x: usize, y: usize) {
        if count == 0 {
            return;
        }
        let residue = if count == 1 { [(block[0] + 4) >> 3; 16] } else { inverse(block) };
        for (row, residue) in residue.chunks_exact(4).enumerate() {
            let out = &mut self.0[at(x, y + row)..][..4];
            for (out, residue) in out.iter_mut().zip(residue) {
                *out = (i32::from(*out) + residue).clamp(0, 255) as u8;
            }
        }
    }

    /// Predicts a subblock at these samples.
    fn sub(&mut self, mode: Sub, x: usize, y: usize) {
        // The edge from the lower left to the upper right, the corner in the middle.
        let mut e = [0; 13];
        for (i, e) in e[..4].iter_mut().enumerate() {
            *e = self.0[at(x, y + 3 - i) - 1];
        }
        e[4..].copy_from_slice(&self.0[at(x, y) - STRIDE - 1..][..9]);
        let e2 = |i: usize| ((u16::from(e[i]) + u16::from(e[i + 1]) + 1) >> 1) as u8;
        let e3 = |i: usize| ((u16::from(e[i]) + 2 * u16::from(e[i + 1]) + u16::from(e[i + 2]) + 2) >> 2) as u8;
        let rows: [[u8; 4]; 4] = match mode {
            Sub::Mean => {
                let sum: u16 = e[..4].iter().chain(&e[5..9]).map(|&v| u16::from(v)).sum();
                [[((sum + 4) >> 3) as u8; 4]; 4]
            }
            Sub::Gradient => std::array::from_fn(|row| {
                let step = i16::from(e[3 - row]) - i16::from(e[4]);
                std::array::from_fn(|column| (i16::from(e[5 + column]) + step).clamp(0, 255) as u8)
            }),
            Sub::Vertical => [[e3(4), e3(5), e3(6), e3(7)]; 4],
            Sub::Horizontal => {
                let last = ((u16::from(e[1]) + 3 * u16::from(e[0]) + 2) >> 2) as u8;
                [[e3(2); 4], [e3(1); 4], [e3(0); 4], [last; 4]]
            }
            Sub::LeftDown => {
                let last = ((u16::from(e[11]) + 3 * u16::from(e[12]) + 2) >> 2) as u8;
                let line = [e3(5), e3(6), e3(7), e3(8), e3(9), e3(10), last];
                std::array::from_fn(|row| std::array::from_fn(|column| line[row + column]))
            }
            Sub::RightDown => std::array::from_fn(|row| std::array::from_fn(|column| e3(3 - row + column))),
            Sub::VerticalRight => [
                [e2(4), e2(5), e2(6), e2(7)],
                [e3(3), e3(4), e3(5), e3(6)],
                [e3(2), e2(4), e2(5), e2(6)],
                [e3(1), e3(3), e3(4), e3(5)],
            ],
            Sub::VerticalLeft => [
                [e2(5), e2(6), e2(7), e2(8)],
                [e3(5), e3(6), e3(7), e3(8)],
                [e2(6), e2(7), e2(8), e3(9)],
                [e3(6), e3(7), e3(8), e3(10)],
            ],
            Sub::HorizontalDown => [
                [e2(3), e3(3), e3(4), e3(5)],
                [e2(2), e3(2), e2(3), e3(3)],
                [e2(1), e3(1), e2(2), e3(2)],
                [e2(0), e3(0), e2(1), e3(1)],
            ],
            Sub::HorizontalUp => {
                let last = ((u16::from(e[1]) + 3 * u16::from(e[0]) + 2) >> 2) as u8;
                [[e2(2), e3(1), e2(1), e3(0)], [e2(1), e3(0), e2(0), last], [e2(0), last, e[0], e[0]], [e[0]; 4]]
            }
        };
        for (row, samples) in rows.into_iter().enumerate() {
            self.0[at(x, y + row)..][..4].copy_from_slice(&samples);
        }
    }
}

impl Area<16> {
    pub fn luma(&mut self, luma: &Luma, residue: &Residue, has: (bool, bool)) {
        let blocks = residue.blocks.iter().zip(&residue.counts).take(16).enumerate();
        match luma {
            Luma::Whole(mode) => {
                self.whole(*mode, has);
                for (i, (block, &count)) in blocks {
                    self.add(block, count, i % 4 * 4, i / 4 * 4);
                }
            }
            Luma::Subblocks(modes) => {
                // The last column has nothing behind it but what is above the macroblock.
                for y in [4, 8, 12] {
                    self.0.copy_within(LEFT + 16..LEFT + 20, at(16, y - 1));
                }
                for ((i, (block, &count)), mode) in blocks.zip(modes) {
                    self.sub(*mode, i % 4 * 4, i / 4 * 4);
                    self.add(block, count, i % 4 * 4, i / 4 * 4);
                }
            }
        }
    }
}

impl Area<8> {
    /// Plane 0 is blue, 1 is red.
    pub fn chroma(&mut self, plane: usize, mode: Mode, residue: &Residue, has: (bool, bool)) {
        self.whole(mode, has);
        for i in 0..4 {
            let block = 16 + plane * 4 + i;
            self.add(&residue.blocks[block], residue.counts[block], i % 2 * 4, i / 2 * 4);
        }
    }
}

/// Section 14.4, row by row.
fn inverse(block: &[i32; 16]) -> [i32; 16] {
    /// √2 · cos(π/8) less one, and √2 · sin(π/8); of 65,536.
    const COSINE: i32 = 20_091;
    const SINE: i32 = 35_468;
    let cosine = |v: i32| v.wrapping_add(v.wrapping_mul(COSINE) >> 16);
    let sine = |v: i32| v.wrapping_mul(SINE) >> 16;
    let butterfly = |[a, b, c, d]: [i32; 4]| {
        let (even_outer, even_inner) = (a + c, a - c);
        let (odd_inner, odd_outer) = (sine(b) - cosine(d), cosine(b) + sine(d));
        [even_outer + odd_outer, even_inner + odd_inner, even_inner - odd_inner, even_outer - odd_outer]
    };
    let mut columns = [0; 16];
    for x in 0..4 {
        let column = butterfly([block[x], block[4 + x], block[8 + x], block[12 + x]]);
        for (y, value) in column.into_iter().enumerate() {
            columns[y * 4 + x] = value;
        }
    }
    let mut out = [0; 16];
    for (out, row) in out.chunks_exact_mut(4).zip(columns.chunks_exact(4)) {
        out.copy_from_slice(&butterfly([row[0] + 4, row[1], row[2], row[3]]).map(|value| value >> 3));
    }
    out
}
