use crate::Error;
use crate::bool_decoder::BoolDecoder;
use crate::coefficients::{Edge, Residual};
use crate::filter::{self, FilterLimits, MacroblockPosition};
use crate::header::{FrameTag, Header, partitions};
use crate::modes::{Luma, ModeContext};
use crate::predict::PredictionBuffer;

/// A frame of which only the uncompressed header is read.
pub struct Decoder<'a> {
    tag: FrameTag<'a>,
}

/// Samples of 8 bits, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Samples in a row: a multiple of 8. Samples on the right may be outside of the picture.
    pub width: usize,
    /// Number of rows: a multiple of 8. Rows at the bottom may be outside of the picture.
    pub height: usize,
    /// Always `width` × `height` samples.
    pub samples: Vec<u8>,
}

/// Whether the loop filter smooths the edges of blocks, as the format requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Smoothing {
    /// Bit-exact decoding.
    Exact,
    /// No loop filter, for a caller that scales down by two or more and so hides the edges. In a key
    /// frame, prediction uses samples from before the filter, so no error accumulates.
    None,
}

impl<'a> Decoder<'a> {
    /// Reads the size. `data` is the content of a WebP's `VP8 ` chunk.
    ///
    /// # Errors
    /// If the data is not a key frame, or is truncated.
    pub fn new(data: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { tag: FrameTag::read(data)? })
    }

    /// Width and height in pixels, never 0. Chroma has half of each, rounded up.
    pub fn size(&self) -> (u16, u16) {
        (self.tag.width, self.tag.height)
    }

    /// Decodes to luma, blue and red chroma in video range: luma from 16 to 235, chroma from 16 to
    /// 240 (ITU-R BT.601).
    ///
    /// # Errors
    /// `Truncated` if data is missing. An incomplete picture is never returned.
    pub fn decode(&self, smoothing: Smoothing) -> Result<[Plane; 3], Error> {
        let mut bits = BoolDecoder::new(self.tag.first_partition);
        let header = Header::read(&mut bits);
        if bits.is_past_end() {
            return Err(Error::Truncated);
        }
        let mut partitions = partitions(self.tag.coefficients, header.partitions)?;
        let columns = usize::from(self.tag.width).div_ceil(16);
        let rows = usize::from(self.tag.height).div_ceil(16);
        let plane = |side: usize| {
            let (width, height) = (columns * side, rows * side);
            Plane { width, height, samples: vec![0; width * height] }
        };
        let mut planes = [plane(16), plane(8), plane(8)];

        let mut modes = ModeContext::new(columns);
        let mut above = vec![Edge::default(); columns];
        let mut residual = Residual::new();
        let mut luma = PredictionBuffer::<16>::new();
        let mut chroma = [PredictionBuffer::<8>::new(), PredictionBuffer::<8>::new()];
        // For each macroblock: the thresholds of the filter, and whether it smooths inner edges.
        let mut filters: Vec<(Option<FilterLimits>, bool)> = Vec::new();
        for row in 0..rows {
            modes.start_row();
            let mut left = Edge::default();
            let count = partitions.len();
            let partition = &mut partitions[row % count];
            for (column, above) in above.iter_mut().enumerate() {
                let macroblock = modes.read(&mut bits, &header, column);
                residual.read(partition, &header, &macroblock, above, &mut left);
                let available = (column > 0, row > 0);
                luma.load_edges(&planes[0].samples, columns * 16, column, row);
                luma.predict_luma(&macroblock.luma, &residual, available);
                luma.store(&mut planes[0].samples, columns * 16, column, row);
                for (at, buffer) in chroma.iter_mut().enumerate() {
                    let samples = &mut planes[1 + at].samples;
                    buffer.load_edges(samples, columns * 8, column, row);
                    buffer.predict_chroma(at, macroblock.chroma, &residual, available);
                    buffer.store(samples, columns * 8, column, row);
                }
                if smoothing == Smoothing::Exact {
                    let by_subblocks = matches!(macroblock.luma, Luma::Subblocks(_));
                    let level = header.filter.levels[macroblock.segment & 3][usize::from(by_subblocks)];
                    let limits = FilterLimits::new(level, header.filter.sharpness);
                    filters.push((limits, by_subblocks || residual.is_some()));
                }
            }
            if bits.is_past_end() || partition.is_past_end() {
                return Err(Error::Truncated);
            }
        }

        for (at, &(limits, inner)) in filters.iter().enumerate() {
            let Some(limits) = limits else { continue };
            let position = MacroblockPosition { column: at % columns, row: at / columns };
            let [luma, blue, red] = &mut planes;
            if header.filter.simple {
                filter::simple(&mut luma.samples, columns * 16, position, limits, inner);
            } else {
                filter::normal::<16>(&mut luma.samples, columns * 16, position, limits, inner);
                filter::normal::<8>(&mut blue.samples, columns * 8, position, limits, inner);
                filter::normal::<8>(&mut red.samples, columns * 8, position, limits, inner);
            }
        }
        Ok(planes)
    }
}
