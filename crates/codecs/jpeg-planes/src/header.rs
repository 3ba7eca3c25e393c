//! The content of the headers.

/// The chroma subsampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// 4:0:0: no chroma.
    Grey,
    /// 4:4:4: as many chroma samples as luma samples.
    S444,
    /// 4:2:2: one chroma sample for two luma samples side by side.
    S422,
    /// 4:4:0: one chroma sample for two luma samples, one above the other.
    S440,
    /// 4:2:0: one chroma sample for 2 × 2 luma samples.
    S420,
}

impl Sampling {
    /// Luma samples per chroma sample: horizontally, vertically.
    pub fn factors(self) -> (usize, usize) {
        match self {
            Self::Grey | Self::S444 => (1, 1),
            Self::S422 => (2, 1),
            Self::S440 => (1, 2),
            Self::S420 => (2, 2),
        }
    }
}

/// An APPn or COM segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The second byte of its marker: 0xE0 to 0xEF, or 0xFE.
    pub marker: u8,
    /// The content without the length field.
    pub data: &'a [u8],
}

/// The headers of a JPEG.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    /// In pixels, never 0.
    pub width: u16,
    /// In pixels, never 0.
    pub height: u16,
    /// The chroma subsampling.
    pub sampling: Sampling,
    /// The identifiers of the one or three components. Some encoders use them to name the colours.
    pub components: Vec<u8>,
    /// Whether the picture is progressive: several scans, each of which refines it.
    pub progressive: bool,
    /// The metadata segments before the first scan, in order.
    pub segments: Vec<Segment<'a>>,
}

/// Quantisation factors in zigzag order.
pub(crate) type QuantTable = [u16; 64];

/// The frame header.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub width: u16,
    pub height: u16,
    pub progressive: bool,
    pub sampling: Sampling,
    pub components: Vec<Component>,
}

impl Frame {
    /// Number of MCUs horizontally and vertically.
    pub fn mcus(&self) -> (usize, usize) {
        let (across, down) = self.sampling.factors();
        (usize::from(self.width).div_ceil(8 * across), usize::from(self.height).div_ceil(8 * down))
    }

    /// Blocks of a component in an MCU, horizontally and vertically.
    pub fn blocks(&self, component: usize) -> (usize, usize) {
        if component == 0 { self.sampling.factors() } else { (1, 1) }
    }

    /// Samples of a component at this scale, horizontally and vertically.
    pub fn size(&self, component: usize, eighths: usize) -> (usize, usize) {
        let (across, down) = if component == 0 { (1, 1) } else { self.sampling.factors() };
        let side = |side: u16, factor: usize| (usize::from(side) * eighths).div_ceil(8 * factor);
        (side(self.width, across), side(self.height, down))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub id: u8,
    /// Index of its quantisation table.
    pub quant_table: usize,
}
