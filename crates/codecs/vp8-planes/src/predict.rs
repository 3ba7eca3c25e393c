//! A macroblock from its edges (RFC 6386, section 12), and what is added to it.

use std::array;

use crate::coefficients::Residue;
use crate::inverse::Lanes;
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
        let left: [u8; SIDE] = array::from_fn(|y| self.0[at(0, y) - 1]);
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

    /// Predicts a subblock at these samples.
    #[inline(always)]
    fn sub(&self, mode: Sub, x: usize, y: usize) -> [[u8; 4]; 4] {
        // The edge from the lower left to the upper right, the corner in the middle.
        let mut e = [0; 13];
        for (i, e) in e[..4].iter_mut().enumerate() {
            *e = self.0[at(x, y + 3 - i) - 1];
        }
        e[4..].copy_from_slice(&self.0[at(x, y) - STRIDE - 1..][..9]);
        let e2 = |i: usize| ((u16::from(e[i]) + u16::from(e[i + 1]) + 1) >> 1) as u8;
        let e3 = |i: usize| ((u16::from(e[i]) + 2 * u16::from(e[i + 1]) + u16::from(e[i + 2]) + 2) >> 2) as u8;
        match mode {
            Sub::Mean => {
                let sum: u16 = e[..4].iter().chain(&e[5..9]).map(|&v| u16::from(v)).sum();
                [[((sum + 4) >> 3) as u8; 4]; 4]
            }
            Sub::Gradient => array::from_fn(|row| {
                let step = i16::from(e[3 - row]) - i16::from(e[4]);
                array::from_fn(|column| (i16::from(e[5 + column]) + step).clamp(0, 255) as u8)
            }),
            Sub::Vertical => [[e3(4), e3(5), e3(6), e3(7)]; 4],
            Sub::Horizontal => {
                let last = ((u16::from(e[1]) + 3 * u16::from(e[0]) + 2) >> 2) as u8;
                [[e3(2); 4], [e3(1); 4], [e3(0); 4], [last; 4]]
            }
            Sub::LeftDown => {
                let last = ((u16::from(e[11]) + 3 * u16::from(e[12]) + 2) >> 2) as u8;
                let line = [e3(5), e3(6), e3(7), e3(8), e3(9), e3(10), last];
                array::from_fn(|row| array::from_fn(|column| line[row + column]))
            }
            Sub::RightDown => array::from_fn(|row| array::from_fn(|column| e3(3 - row + column))),
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
        }
    }
}

impl Area<16> {
    pub fn luma(&mut self, luma: &Luma, residue: &Residue, has: (bool, bool)) {
        let added = residue.of_luma();
        match luma {
            Luma::Whole(mode) => {
                self.whole(*mode, has);
                if residue.luma != 0 {
                    add::<16>(&mut self.0, at(0, 0), added, 0);
                }
            }
            Luma::Subblocks(modes) => {
                // The last column has nothing behind it but what is above the macroblock.
                for y in [4, 8, 12] {
                    self.0.copy_within(LEFT + 16..LEFT + 20, at(16, y - 1));
                }
                for (i, mode) in modes.iter().enumerate() {
                    let (x, y) = (i % 4 * 4, i / 4 * 4);
                    let rows = self.sub(*mode, x, y);
                    for (row, samples) in rows.iter().enumerate() {
                        self.0[at(x, y + row)..][..4].copy_from_slice(samples);
                    }
                    if residue.luma & 1 << i != 0 {
                        add::<4>(&mut self.0, at(x, y), &added[y..y + 4], x);
                    }
                }
            }
        }
    }
}

impl Area<8> {
    /// Plane 0 is blue, 1 is red.
    pub fn chroma(&mut self, plane: usize, mode: Mode, residue: &Residue, has: (bool, bool)) {
        self.whole(mode, has);
        if residue.chroma != 0 {
            let added = residue.of_chroma(plane);
            add::<8>(&mut self.0, at(0, 0), added, 0);
            add::<8>(&mut self.0, at(0, 4), added, 8);
        }
    }
}

/// Adds to `N` samples of each row from a place on: every row has as many.
#[inline(always)]
fn add<const N: usize>(samples: &mut [u8; 17 * STRIDE], at: usize, rows: &[Lanes], from: usize) {
    for (samples, added) in samples[at..].chunks_mut(STRIDE).zip(rows) {
        if let (Some(samples), Some(added)) = (samples.first_chunk_mut::<N>(), added[from..].first_chunk::<N>()) {
            add_row(samples, added);
        }
    }
}

/// Not inlined: in a loop over rows, columns would be made vectors of.
#[inline(never)]
fn add_row<const N: usize>(samples: &mut [u8; N], added: &[i16; N]) {
    for (sample, added) in samples.iter_mut().zip(added) {
        *sample = i16::from(*sample).saturating_add(*added).clamp(0, 255) as u8;
    }
}
