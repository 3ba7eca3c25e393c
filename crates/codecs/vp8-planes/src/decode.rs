use crate::Error;
use crate::bools::Bools;
use crate::coefficients::{Edge, Residue};
use crate::filter::{self, Limits, Place};
use crate::header::{Header, Start, partitions};
use crate::modes::{Luma, Neighbours};
use crate::predict::Area;

/// A frame whose size is known, and nothing else yet.
pub struct Decoder<'a> {
    start: Start<'a>,
}

/// Samples of 8 bits, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Samples in a row: a multiple of 8, so that there may be some on the right that are not of the picture.
    pub width: usize,
    /// Rows, of which the same is true.
    pub height: usize,
    /// Always `width` × `height`.
    pub samples: Vec<u8>,
}

/// Whether the edges of blocks are smoothed in the end, as the format demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Smoothing {
    /// What every decoder shows.
    Exact,
    /// Left out, for who scales down by two or more: there is little of an edge then. The picture
    /// is predicted from samples that have not been smoothed, so that no error grows.
    None,
}

impl<'a> Decoder<'a> {
    /// Reads the size. `data` is what a WebP's `VP8 ` chunk holds.
    ///
    /// # Errors
    /// If it is no key frame, or cut off.
    pub fn new(data: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { start: Start::read(data)? })
    }

    /// Width and height in pixels, neither 0. Chroma has half of them, rounded up.
    pub fn size(&self) -> (u16, u16) {
        (self.start.width, self.start.height)
    }

    /// Decodes to luma, blue and red, of the range that video has: luma from 16 to 235, chroma from
    /// 16 to 240 (ITU-R BT.601).
    ///
    /// # Errors
    /// `Truncated` where data is missing: never half a picture.
    pub fn decode(&self, smoothing: Smoothing) -> Result<[Plane; 3], Error> {
        let mut bools = Bools::new(self.start.first);
        let header = Header::read(&mut bools);
        if bools.is_past_end() {
            return Err(Error::Truncated);
        }
        let mut partitions = partitions(self.start.rest, header.partitions)?;
        let columns = usize::from(self.start.width).div_ceil(16);
        let rows = usize::from(self.start.height).div_ceil(16);
        let plane = |side: usize| {
            let (width, height) = (columns * side, rows * side);
            Plane { width, height, samples: vec![0; width * height] }
        };
        let mut planes = [plane(16), plane(8), plane(8)];

        let mut neighbours = Neighbours::new(columns);
        let mut above = vec![Edge::default(); columns];
        let mut residue = Residue::new();
        let mut luma = Area::<16>::new();
        let mut chroma = [Area::<8>::new(), Area::<8>::new()];
        // How each macroblock is to be smoothed.
        let mut smoothed: Vec<(Option<Limits>, bool)> = Vec::new();
        for row in 0..rows {
            neighbours.begin_row();
            let mut left = Edge::default();
            let count = partitions.len();
            let partition = &mut partitions[row % count];
            for (column, above) in above.iter_mut().enumerate() {
                let macroblock = neighbours.read(&mut bools, &header, column);
                residue.read(partition, &header, &macroblock, above, &mut left);
                let has = (column > 0, row > 0);
                luma.surround(&planes[0].samples, columns * 16, column, row);
                luma.luma(&macroblock.luma, &residue, has);
                luma.store(&mut planes[0].samples, columns * 16, column, row);
                for (at, area) in chroma.iter_mut().enumerate() {
                    let samples = &mut planes[1 + at].samples;
                    area.surround(samples, columns * 8, column, row);
                    area.chroma(at, macroblock.chroma, &residue, has);
                    area.store(samples, columns * 8, column, row);
                }
                if smoothing == Smoothing::Exact {
                    let by_subblocks = matches!(macroblock.luma, Luma::Subblocks(_));
                    let level = header.filter.levels[macroblock.segment & 3][usize::from(by_subblocks)];
                    let limits = Limits::new(level, header.filter.sharpness);
                    smoothed.push((limits, by_subblocks || residue.is_some()));
                }
            }
            if bools.is_past_end() || partition.is_past_end() {
                return Err(Error::Truncated);
            }
        }

        for (at, &(limits, inner)) in smoothed.iter().enumerate() {
            let Some(limits) = limits else { continue };
            let place = Place { column: at % columns, row: at / columns };
            let [luma, blue, red] = &mut planes;
            if header.filter.simple {
                filter::simple(&mut luma.samples, columns * 16, place, limits, inner);
            } else {
                filter::normal::<16>(&mut luma.samples, columns * 16, place, limits, inner);
                filter::normal::<8>(&mut blue.samples, columns * 8, place, limits, inner);
                filter::normal::<8>(&mut red.samples, columns * 8, place, limits, inner);
            }
        }
        Ok(planes)
    }
}
