use crate::Scale;
use crate::header::Frame;
use crate::idct::{self, CoefficientOffsets, DISCARDED, LANES, Multipliers};
use crate::rows::Rows;

/// The coefficients of one component that the scans have set so far.
pub(super) struct Component {
    pub scale: Scale,
    /// Blocks of the component in an MCU.
    pub across: usize,
    pub down: usize,
    /// Blocks that contain pixels, horizontally and vertically. A scan of a single component contains only these.
    pub columns: usize,
    pub rows: usize,
    /// Blocks in a row, including those that only complete the last MCU.
    stride: usize,
    /// Coefficients in groups of neighbouring blocks, row by row, as the transform needs them. The
    /// last value receives the coefficients that the scale does not need.
    values: Vec<i16>,
    /// By block: a bit per coefficient that is not zero, the first one at the lowest bit.
    pub nonzero: Vec<u64>,
    offsets: CoefficientOffsets,
    /// A bit per coefficient that the scale needs.
    pub needed: u64,
    /// `None` before the first scan.
    pub multipliers: Option<Multipliers>,
    pub has_dc: bool,
    /// A bit per coefficient of which a scan has contained the lowest bit.
    pub finished: u64,
}

impl Component {
    pub fn new(frame: &Frame, at: usize, scale: Scale) -> Self {
        let (mcus, mcu_rows) = frame.mcus();
        let (across, down) = frame.blocks(at);
        let (width, height) = frame.size(at, 8);
        let n = scale.eighths();
        let offsets = CoefficientOffsets::new(scale);
        let is_needed = |at: &usize| offsets.by_coefficient[*at] != DISCARDED;
        let (stride, rows) = (mcus * across, mcu_rows * down);
        Self {
            scale,
            across,
            down,
            columns: width.div_ceil(8),
            rows: height.div_ceil(8),
            stride,
            values: vec![0; Self::groups(mcus, across) * rows * n * n * LANES + 1],
            nonzero: vec![0; stride * rows],
            needed: (0..64).filter(is_needed).fold(0, |needed, at| needed | 1 << at),
            offsets,
            multipliers: None,
            has_dc: false,
            finished: 0,
        }
    }

    /// Number of groups in a row.
    fn groups(mcus: usize, across: usize) -> usize {
        mcus.next_multiple_of(LANES) * across / LANES
    }

    /// Number of values in a group.
    fn group_length(&self) -> usize {
        self.scale.eighths() * self.scale.eighths() * LANES
    }

    pub fn block(&self, column: usize, row: usize) -> Block {
        let mcus = self.stride / self.across;
        let group = row * Self::groups(mcus, self.across) + column / LANES;
        Block { values: group * self.group_length() + column % LANES, nonzero: row * self.stride + column }
    }

    /// A coefficient of a block.
    #[inline(always)]
    pub fn value(&mut self, block: Block, at: u32) -> &mut i16 {
        let offset = self.offsets.by_coefficient[at as usize & 127];
        let discarded = self.values.len() - 1;
        let index = if offset == DISCARDED { discarded } else { block.values + usize::from(offset) };
        &mut self.values[index]
    }

    pub fn transform(&self, mcu_row: usize, out: &mut Rows) {
        let Some(multipliers) = &self.multipliers else { return };
        let n = self.scale.eighths();
        for down in 0..self.down {
            let row = &mut out.samples[down * n * out.stride..];
            for first in (0..self.stride).step_by(LANES) {
                let group = self.block(first, mcu_row * self.down + down).values;
                let values = &self.values[group..group + self.group_length()];
                idct::transform(values, self.scale, multipliers, &mut row[first * n..], out.stride);
            }
        }
    }
}

/// Indices of a block's first value and of its `nonzero` bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub values: usize,
    pub nonzero: usize,
}
