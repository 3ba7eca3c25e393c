//! Planes on which coded pictures are drawn.

use jpeg_planes::Plane;

use super::colour_info::{ColourInfo, SampleTables};
use super::hevc::CodedPicture;
use super::transform::Transform;
use crate::PictureError;
use crate::channel::Channel;
use crate::planes::Planes;
use crate::size::Size;

/// The role of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Colour,
    /// Only luma is used, in full range.
    Alpha,
}

/// The planes of a picture, with 8 bits per sample in full range.
pub(super) struct Canvas {
    /// Luma samples per chroma sample: horizontally, vertically.
    subsampling: (usize, usize),
    /// One plane without colour, otherwise three.
    planes: Vec<Plane>,
}

impl Canvas {
    /// A canvas for a picture of `size` that consists of pictures like `coded`.
    pub fn new(coded: &CodedPicture, size: Size, role: Role) -> Self {
        let format = if role == Role::Alpha { 0 } else { coded.frame.chroma_format };
        let subsampling = match format {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let plane = |(across, down): (usize, usize)| {
            let (width, height) = ((size.width as usize).div_ceil(across), (size.height as usize).div_ceil(down));
            Plane { width, height, samples: vec![0; width * height] }
        };
        let mut planes = vec![plane((1, 1))];
        if format != 0 {
            planes.extend([plane(subsampling), plane(subsampling)]);
        }
        Self { subsampling, planes }
    }

    /// Draws a coded picture at `left`, `top` and crops it to the canvas.
    pub fn draw(
        &mut self,
        coded: &CodedPicture,
        colour: &ColourInfo,
        (left, top): (usize, usize),
        role: Role,
    ) -> Result<(), PictureError> {
        let frame = &coded.frame;
        let (across, down) = self.subsampling;
        let coded_planes = if frame.chroma_format == 0 { 1 } else { 3 };
        let expected_format = match (across, down) {
            (2, 2) => 1,
            (2, 1) => 2,
            _ if self.planes.len() == 3 => 3,
            _ => frame.chroma_format,
        };
        if self.planes.len() > coded_planes || frame.chroma_format != expected_format {
            return Err(PictureError::corrupt("tiles of different chroma formats"));
        }
        if left % across != 0 || top % down != 0 {
            return Err(PictureError::corrupt("tiles that start within a chroma sample"));
        }
        let tables = SampleTables::new(frame, colour.full_range || role == Role::Alpha);
        for (number, plane) in self.planes.iter_mut().enumerate() {
            let (left, top) = if number == 0 { (left, top) } else { (left / across, top / down) };
            let table = tables.of_plane(number);
            let rows = frame.planes[number].chunks_exact(frame.widths[number].max(1) as usize);
            for (from, to) in rows.zip(plane.samples.chunks_exact_mut(plane.width).skip(top)) {
                let to = to.get_mut(left..).unwrap_or_default();
                for (to, &from) in to.iter_mut().zip(from) {
                    // The decoder never returns a sample beyond its bit depth.
                    *to = table.get(usize::from(from)).copied().unwrap_or(u8::MAX);
                }
            }
        }
        Ok(())
    }

    /// The visible part of the planes.
    pub fn crop(self, transform: Transform) -> Planes {
        let Self { subsampling, planes } = self;
        let size = transform.size;
        let channel = |plane: Plane, (across, down): (usize, usize)| {
            // The first and last samples may be covered in part.
            let (left, start_x, width, across) = part(transform.left, size.width, across);
            let (top, start_y, height, down) = part(transform.top, size.height, down);
            let (start, covered) = ((start_x, start_y), (across, down));
            if (left, top, width, height) == (0, 0, plane.width, plane.height) {
                return Channel { plane, start, covered };
            }
            let rows = plane.samples.chunks_exact(plane.width).skip(top).take(height);
            let samples = rows.flat_map(|row| &row[left..left + width]).copied().collect();
            Channel { plane: Plane { width, height, samples }, start, covered }
        };
        let mut planes = planes.into_iter();
        let mut next = |subsampling| planes.next().map_or_else(Channel::neutral, |plane| channel(plane, subsampling));
        Planes { size, luma: next((1, 1)), chroma: [next(subsampling), next(subsampling)] }
    }
}

/// The samples that contain the pixels of a part of a row or column: the first one, where the part starts in it, their
/// number, and the length that the part covers. `factor` is the number of pixels of a sample.
fn part(first: u32, length: u32, factor: usize) -> (usize, f64, usize, f64) {
    let (first, length) = (first as usize, length as usize);
    let within = first % factor;
    let scaled = |pixels: usize| pixels as f64 / factor as f64;
    (first / factor, scaled(within), (within + length).div_ceil(factor), scaled(length))
}

#[cfg(test)]
mod tests {
    use image::metadata::Orientation;

    use super::*;
    use crate::resize::Resizer;

    #[test]
    fn chroma_of_a_part_that_starts_within_a_sample_is_in_its_place() {
        // Chroma rises by 8 from sample to sample, across and down.
        let ramp = |width: usize, height: usize| Plane {
            width,
            height,
            samples: (0..width * height).map(|at| (8 * (at % width + at / width)) as u8).collect(),
        };
        for (left, top) in [(0, 0), (1, 0), (0, 1), (3, 5)] {
            let luma = Plane { width: 32, height: 24, samples: vec![0; 32 * 24] };
            let canvas = Canvas { subsampling: (2, 2), planes: vec![luma, ramp(16, 12), ramp(16, 12)] };
            let size = Size::new(20, 16);
            let transform = Transform { left, top, size, orientation: Orientation::NoTransforms };
            let part = canvas.crop(transform).resize(size, &mut Resizer::new()).unwrap();
            let chroma = &part.chroma[1].plane;
            assert_eq!((chroma.width, chroma.height), (10, 8));
            for (x, y) in [(4, 4), (5, 3)] {
                // The first pixel of a sample lies in the middle of the two pixels that it covers.
                let want = 8.0 * ((x + y) as f64 + f64::from(left + top) / 2.0);
                let got = f64::from(chroma.samples[y * chroma.width + x]);
                assert!((got - want).abs() <= 1.0, "{left}, {top}: {got} is not {want}");
            }
        }
    }
}
