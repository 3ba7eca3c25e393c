//! Reads the prediction modes of macroblocks (RFC 6386, section 11).

use crate::bool_decoder::BoolDecoder;
use crate::header::Header;
use crate::tables::SUBBLOCK_MODE_PROBABILITIES;

/// The prediction mode of a whole block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The mean of the edges (`DC_PRED`).
    Dc,
    Vertical,
    Horizontal,
    /// A gradient (`TM_PRED`).
    TrueMotion,
}

/// The prediction mode of a subblock, in the order of the probability tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubblockMode {
    Dc,
    TrueMotion,
    Vertical,
    Horizontal,
    LeftDown,
    RightDown,
    VerticalRight,
    VerticalLeft,
    HorizontalDown,
    HorizontalUp,
}

/// The prediction of luma: one mode, or one per subblock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Luma {
    Whole(Mode),
    Subblocks([SubblockMode; 16]),
}

/// The header of a macroblock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Macroblock {
    pub segment: usize,
    /// Whether the macroblock has no coefficients.
    pub skipped: bool,
    pub luma: Luma,
    pub chroma: Mode,
}

/// The modes of the subblocks above, by column, and to the left. They select the probabilities of the next modes.
pub(crate) struct ModeContext {
    above: Vec<[SubblockMode; 4]>,
    left: [SubblockMode; 4],
}

impl ModeContext {
    pub fn new(columns: usize) -> Self {
        Self { above: vec![[SubblockMode::Dc; 4]; columns], left: [SubblockMode::Dc; 4] }
    }

    /// Call it before each row.
    pub fn start_row(&mut self) {
        self.left = [SubblockMode::Dc; 4];
    }

    pub fn read(&mut self, decoder: &mut BoolDecoder<'_>, header: &Header, column: usize) -> Macroblock {
        // A copy of the decoder stays in registers.
        let mut copy = *decoder;
        let bits = &mut copy;
        let segment = header.segments.map_or(0, |[which, low, high]| match bits.read(which) {
            false => usize::from(bits.read(low)),
            true => 2 + usize::from(bits.read(high)),
        });
        let skipped = header.skips.is_some_and(|probability| bits.read(probability));
        let above = &mut self.above[column];
        let luma = if bits.read(145) {
            let (mode, subblock_mode) = match bits.read(156) {
                false if bits.read(163) => (Mode::Vertical, SubblockMode::Vertical),
                false => (Mode::Dc, SubblockMode::Dc),
                true if bits.read(128) => (Mode::TrueMotion, SubblockMode::TrueMotion),
                true => (Mode::Horizontal, SubblockMode::Horizontal),
            };
            (*above, self.left) = ([subblock_mode; 4], [subblock_mode; 4]);
            Luma::Whole(mode)
        } else {
            let mut modes = [SubblockMode::Dc; 16];
            for (row, left) in modes.chunks_exact_mut(4).zip(&mut self.left) {
                for (mode, above) in row.iter_mut().zip(above.iter_mut()) {
                    *mode = subblock(bits, &SUBBLOCK_MODE_PROBABILITIES[*above as usize][*left as usize]);
                    (*above, *left) = (*mode, *mode);
                }
            }
            Luma::Subblocks(modes)
        };
        let chroma = match bits.read(142) {
            false => Mode::Dc,
            true if !bits.read(114) => Mode::Vertical,
            true if bits.read(183) => Mode::TrueMotion,
            true => Mode::Horizontal,
        };
        *decoder = copy;
        Macroblock { segment, skipped, luma, chroma }
    }
}

#[inline(always)]
fn subblock(bits: &mut BoolDecoder<'_>, probabilities: &[u8; 9]) -> SubblockMode {
    let mut is = |node: usize| bits.read(probabilities[node]);
    if !is(0) {
        SubblockMode::Dc
    } else if !is(1) {
        SubblockMode::TrueMotion
    } else if !is(2) {
        SubblockMode::Vertical
    } else if !is(3) {
        match is(4) {
            false => SubblockMode::Horizontal,
            true if is(5) => SubblockMode::VerticalRight,
            true => SubblockMode::RightDown,
        }
    } else if !is(6) {
        SubblockMode::LeftDown
    } else if !is(7) {
        SubblockMode::VerticalLeft
    } else if !is(8) {
        SubblockMode::HorizontalDown
    } else {
        SubblockMode::HorizontalUp
    }
}
