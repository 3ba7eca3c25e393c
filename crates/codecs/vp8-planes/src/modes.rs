//! How macroblocks are predicted (RFC 6386, section 11).

use crate::bools::Bools;
use crate::header::Header;
use crate::tables::SUBBLOCK_MODES;

/// How a whole block is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The mean of the edges.
    Mean,
    Vertical,
    Horizontal,
    /// The gradient ("true motion").
    Gradient,
}

/// How a subblock is predicted; the order is that of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sub {
    Mean,
    Gradient,
    Vertical,
    Horizontal,
    LeftDown,
    RightDown,
    VerticalRight,
    VerticalLeft,
    HorizontalDown,
    HorizontalUp,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Luma {
    Whole(Mode),
    Subblocks([Sub; 16]),
}

/// What is said of a macroblock before its coefficients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Macroblock {
    pub segment: usize,
    /// No coefficients follow.
    pub skipped: bool,
    pub luma: Luma,
    pub chroma: Mode,
}

/// Modes of the subblocks above, by column, and to the left.
pub(crate) struct Neighbours {
    above: Vec<[Sub; 4]>,
    left: [Sub; 4],
}

impl Neighbours {
    pub fn new(columns: usize) -> Self {
        Self { above: vec![[Sub::Mean; 4]; columns], left: [Sub::Mean; 4] }
    }

    /// To be called before each row.
    pub fn begin_row(&mut self) {
        self.left = [Sub::Mean; 4];
    }

    pub fn read(&mut self, place: &mut Bools<'_>, header: &Header, column: usize) -> Macroblock {
        // A copy, so that it lives in registers.
        let mut copy = *place;
        let bools = &mut copy;
        let segment = header.segments.map_or(0, |[which, low, high]| match bools.read(which) {
            false => usize::from(bools.read(low)),
            true => 2 + usize::from(bools.read(high)),
        });
        let skipped = header.skips.is_some_and(|probability| bools.read(probability));
        let above = &mut self.above[column];
        let luma = if bools.read(145) {
            let (mode, of_subblocks) = match bools.read(156) {
                false if bools.read(163) => (Mode::Vertical, Sub::Vertical),
                false => (Mode::Mean, Sub::Mean),
                true if bools.read(128) => (Mode::Gradient, Sub::Gradient),
                true => (Mode::Horizontal, Sub::Horizontal),
            };
            (*above, self.left) = ([of_subblocks; 4], [of_subblocks; 4]);
            Luma::Whole(mode)
        } else {
            let mut modes = [Sub::Mean; 16];
            for (row, left) in modes.chunks_exact_mut(4).zip(&mut self.left) {
                for (mode, above) in row.iter_mut().zip(above.iter_mut()) {
                    *mode = subblock(bools, &SUBBLOCK_MODES[*above as usize][*left as usize]);
                    (*above, *left) = (*mode, *mode);
                }
            }
            Luma::Subblocks(modes)
        };
        let chroma = match bools.read(142) {
            false => Mode::Mean,
            true if !bools.read(114) => Mode::Vertical,
            true if bools.read(183) => Mode::Gradient,
            true => Mode::Horizontal,
        };
        *place = copy;
        Macroblock { segment, skipped, luma, chroma }
    }
}

#[inline(always)]
fn subblock(bools: &mut Bools<'_>, probabilities: &[u8; 9]) -> Sub {
    let mut is = |node: usize| bools.read(probabilities[node]);
    if !is(0) {
        Sub::Mean
    } else if !is(1) {
        Sub::Gradient
    } else if !is(2) {
        Sub::Vertical
    } else if !is(3) {
        match is(4) {
            false => Sub::Horizontal,
            true if is(5) => Sub::VerticalRight,
            true => Sub::RightDown,
        }
    } else if !is(6) {
        Sub::LeftDown
    } else if !is(7) {
        Sub::VerticalLeft
    } else if !is(8) {
        Sub::HorizontalDown
    } else {
        Sub::HorizontalUp
    }
}
