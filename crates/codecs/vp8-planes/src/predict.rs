//! Predicts a macroblock from its neighbours and adds the residual (RFC 6386, section 12).

use std::array;

use crate::coefficients::Residual;
use crate::inverse::Lanes;
use crate::modes::{Luma, Mode, SubblockMode};

/// The samples of a macroblock in one plane, with the samples around it that predict it: a column
/// to the left and a row above, which starts one sample to the left and ends four to the right.
pub(crate) struct PredictionBuffer<const SIDE: usize>([u8; 17 * STRIDE]);

const STRIDE: usize = 32;
/// Offset of the macroblock in a row; the sample to its left precedes it.
const LEFT: usize = 4;
/// The values of samples above the picture and to the left of it.
const ABOVE_PICTURE: u8 = 127;
const LEFT_OF_PICTURE: u8 = 129;

#[inline(always)]
fn at(x: usize, y: usize) -> usize {
    (y + 1) * STRIDE + LEFT + x
}

impl<const SIDE: usize> PredictionBuffer<SIDE> {
    pub fn new() -> Self {
        Self([0; 17 * STRIDE])
    }

    /// Loads the samples around the macroblock at this column and row of the plane.
    pub fn load_edges(&mut self, plane: &[u8], stride: usize, column: usize, row: usize) {
        let first = row * SIDE * stride + column * SIDE;
        if column == 0 {
            (0..SIDE).for_each(|y| self.0[at(0, y) - 1] = LEFT_OF_PICTURE);
        } else {
            // The buffer still contains the previous macroblock.
            (0..SIDE).for_each(|y| self.0[at(0, y) - 1] = self.0[at(SIDE - 1, y)]);
        }
        let above = LEFT..LEFT + SIDE;
        if row == 0 {
            self.0[LEFT - 1..LEFT + SIDE + 4].fill(ABOVE_PICTURE);
        } else {
            let from = first - stride;
            self.0[LEFT - 1] = if column == 0 { LEFT_OF_PICTURE } else { plane[from - 1] };
            self.0[above].copy_from_slice(&plane[from..from + SIDE]);
            let is_last = (column + 1) * SIDE >= stride;
            let last = self.0[LEFT + SIDE - 1];
            let after = if is_last { &[last; 4] } else { &plane[from + SIDE..from + SIDE + 4] };
            self.0[LEFT + SIDE..LEFT + SIDE + 4].copy_from_slice(after);
        }
    }

    /// Writes the macroblock to the plane.
    pub fn store(&self, plane: &mut [u8], stride: usize, column: usize, row: usize) {
        let first = row * SIDE * stride + column * SIDE;
        for (y, out) in plane[first..].chunks_mut(stride).take(SIDE).enumerate() {
            out[..SIDE].copy_from_slice(&self.0[at(0, y)..at(SIDE, y)]);
        }
    }

    /// Predicts the whole block. The flags are whether there is a macroblock to the left, and above.
    fn predict(&mut self, mode: Mode, (left_available, above_available): (bool, bool)) {
        let mut above = [0; SIDE];
        above.copy_from_slice(&self.0[LEFT..LEFT + SIDE]);
        let left: [u8; SIDE] = array::from_fn(|y| self.0[at(0, y) - 1]);
        let corner = i16::from(self.0[LEFT - 1]);
        let mean = {
            let sum = |edge: &[u8; SIDE]| edge.iter().map(|&v| usize::from(v)).sum::<usize>();
            match (left_available, above_available) {
                (true, true) => ((sum(&left) + sum(&above) + SIDE) / (2 * SIDE)) as u8,
                (true, false) => ((sum(&left) + SIDE / 2) / SIDE) as u8,
                (false, true) => ((sum(&above) + SIDE / 2) / SIDE) as u8,
                (false, false) => 128,
            }
        };
        for (y, left) in left.into_iter().enumerate() {
            let row = &mut self.0[at(0, y)..at(SIDE, y)];
            match mode {
                Mode::Dc => row.fill(mean),
                Mode::Vertical => row.copy_from_slice(&above),
                Mode::Horizontal => row.fill(left),
                Mode::TrueMotion => {
                    let step = i16::from(left) - corner;
                    for (out, above) in row.iter_mut().zip(above) {
                        *out = (i16::from(above) + step).clamp(0, 255) as u8;
                    }
                }
            }
        }
    }

    /// Predicts the subblock at this position.
    #[inline(always)]
    fn predict_subblock(&self, mode: SubblockMode, x: usize, y: usize) -> [[u8; 4]; 4] {
        // The edge from the lower left to the upper right, the corner in the middle.
        let mut e = [0; 13];
        for (i, e) in e[..4].iter_mut().enumerate() {
            *e = self.0[at(x, y + 3 - i) - 1];
        }
        e[4..].copy_from_slice(&self.0[at(x, y) - STRIDE - 1..][..9]);
        let e2 = |i: usize| ((u16::from(e[i]) + u16::from(e[i + 1]) + 1) >> 1) as u8;
        let e3 = |i: usize| ((u16::from(e[i]) + 2 * u16::from(e[i + 1]) + u16::from(e[i + 2]) + 2) >> 2) as u8;
        match mode {
            SubblockMode::Dc => {
                let sum: u16 = e[..4].iter().chain(&e[5..9]).map(|&v| u16::from(v)).sum();
                [[((sum + 4) >> 3) as u8; 4]; 4]
            }
            SubblockMode::TrueMotion => array::from_fn(|row| {
                let step = i16::from(e[3 - row]) - i16::from(e[4]);
                array::from_fn(|column| (i16::from(e[5 + column]) + step).clamp(0, 255) as u8)
            }),
            SubblockMode::Vertical => [[e3(4), e3(5), e3(6), e3(7)]; 4],
            SubblockMode::Horizontal => {
                let last = ((u16::from(e[1]) + 3 * u16::from(e[0]) + 2) >> 2) as u8;
                [[e3(2); 4], [e3(1); 4], [e3(0); 4], [last; 4]]
            }
            SubblockMode::LeftDown => {
                let last = ((u16::from(e[11]) + 3 * u16::from(e[12]) + 2) >> 2) as u8;
                let line = [e3(5), e3(6), e3(7), e3(8), e3(9), e3(10), last];
                array::from_fn(|row| array::from_fn(|column| line[row + column]))
            }
            SubblockMode::RightDown => array::from_fn(|row| array::from_fn(|column| e3(3 - row + column))),
            SubblockMode::VerticalRight => [
                [e2(4), e2(5), e2(6), e2(7)],
                [e3(3), e3(4), e3(5), e3(6)],
                [e3(2), e2(4), e2(5), e2(6)],
                [e3(1), e3(3), e3(4), e3(5)],
            ],
            SubblockMode::VerticalLeft => [
                [e2(5), e2(6), e2(7), e2(8)],
                [e3(5), e3(6), e3(7), e3(8)],
                [e2(6), e2(7), e2(8), e3(9)],
                [e3(6), e3(7), e3(8), e3(10)],
            ],
            SubblockMode::HorizontalDown => [
                [e2(3), e3(3), e3(4), e3(5)],
                [e2(2), e3(2), e2(3), e3(3)],
                [e2(1), e3(1), e2(2), e3(2)],
                [e2(0), e3(0), e2(1), e3(1)],
            ],
            SubblockMode::HorizontalUp => {
                let last = ((u16::from(e[1]) + 3 * u16::from(e[0]) + 2) >> 2) as u8;
                [[e2(2), e3(1), e2(1), e3(0)], [e2(1), e3(0), e2(0), last], [e2(0), last, e[0], e[0]], [e[0]; 4]]
            }
        }
    }
}

impl PredictionBuffer<16> {
    pub fn predict_luma(&mut self, luma: &Luma, residual: &Residual, available: (bool, bool)) {
        let added = residual.luma_samples();
        match luma {
            Luma::Whole(mode) => {
                self.predict(*mode, available);
                if residual.luma != 0 {
                    add::<16>(&mut self.0, at(0, 0), added, 0);
                }
            }
            Luma::Subblocks(modes) => {
                // The last column uses the samples above the macroblock, because those to its right are not decoded yet.
                for y in [4, 8, 12] {
                    self.0.copy_within(LEFT + 16..LEFT + 20, at(16, y - 1));
                }
                for (i, mode) in modes.iter().enumerate() {
                    let (x, y) = (i % 4 * 4, i / 4 * 4);
                    let rows = self.predict_subblock(*mode, x, y);
                    for (row, samples) in rows.iter().enumerate() {
                        self.0[at(x, y + row)..][..4].copy_from_slice(samples);
                    }
                    if residual.luma & 1 << i != 0 {
                        add::<4>(&mut self.0, at(x, y), &added[y..y + 4], x);
                    }
                }
            }
        }
    }
}

impl PredictionBuffer<8> {
    /// Predicts a chroma plane: 0 is blue, 1 is red.
    pub fn predict_chroma(&mut self, plane: usize, mode: Mode, residual: &Residual, available: (bool, bool)) {
        self.predict(mode, available);
        if residual.chroma != 0 {
            let added = residual.chroma_samples(plane);
            add::<8>(&mut self.0, at(0, 0), added, 0);
            add::<8>(&mut self.0, at(0, 4), added, 8);
        }
    }
}

/// Adds to `N` samples of each row, from the index `at` on.
#[inline(always)]
fn add<const N: usize>(samples: &mut [u8; 17 * STRIDE], at: usize, rows: &[Lanes], from: usize) {
    for (samples, added) in samples[at..].chunks_mut(STRIDE).zip(rows) {
        if let (Some(samples), Some(added)) = (samples.first_chunk_mut::<N>(), added[from..].first_chunk::<N>()) {
            add_row(samples, added);
        }
    }
}

/// Not inlined: in the loop over rows, the compiler would vectorise across rows instead of columns.
#[inline(never)]
fn add_row<const N: usize>(samples: &mut [u8; N], added: &[i16; N]) {
    for (sample, added) in samples.iter_mut().zip(added) {
        *sample = i16::from(*sample).saturating_add(*added).clamp(0, 255) as u8;
    }
}
