//! An opaque picture as luma and chroma, in full range; all but what a file of another kind holds has JFIF's matrix.

use jpeg_planes::Plane;

use crate::PictureError;
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster};
use crate::resize::{Resizer, Size};

/// Luma, and chroma at a size of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planes {
    /// Of the picture, whatever the planes' sizes are.
    pub size: Size,
    pub luma: Channel,
    /// Blue, red.
    pub chroma: [Channel; 2],
}

/// How luma and chroma become red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matrix {
    /// By 65,536: what red chroma adds to red, blue and red chroma to green, and blue chroma to blue.
    offsets: [i32; 4],
}

impl Matrix {
    /// JFIF's, and that of most that is not video.
    pub const BT601: Self = Self { offsets: [91_881, -22_554, -46_802, 116_130] };
    #[cfg(feature = "heic")]
    pub const BT709: Self = Self { offsets: [103_206, -12_276, -30_679, 121_609] };
    #[cfg(feature = "heic")]
    pub const BT2020: Self = Self { offsets: [96_639, -10_784, -37_444, 123_299] };
}

/// A plane, and how much of it the picture covers: sizes that are no multiples leave a rest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    pub plane: Plane,
    /// Across, down; in samples.
    pub covered: (f64, f64),
}

impl Channel {
    /// Chroma that is grey everywhere, of any size: a single sample.
    pub fn neutral() -> Self {
        Self { plane: Plane { width: 1, height: 1, samples: vec![128] }, covered: (1.0, 1.0) }
    }
}

/// The size of the chroma of 4:2:0.
fn half(size: Size) -> (usize, usize) {
    (size.width.div_ceil(2) as usize, size.height.div_ceil(2) as usize)
}

impl Planes {
    /// The picture at another size, its chroma halved.
    pub fn resize(self, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        let (width, height) = (size.width as usize, size.height as usize);
        let covered = (f64::from(size.width), f64::from(size.height));
        let luma = Channel { plane: resizer.resize_channel(self.luma, width, height)?, covered };
        let (width, height) = half(size);
        let mut chroma = |mut channel: Channel| {
            // An odd size ends in the middle of a sample, whose other half lies outside.
            channel.covered.0 *= width as f64 * 2.0 / covered.0;
            channel.covered.1 *= height as f64 * 2.0 / covered.1;
            let plane = resizer.resize_channel(channel, width, height)?;
            Ok(Channel { plane, covered: (covered.0 / 2.0, covered.1 / 2.0) })
        };
        let [blue, red] = self.chroma;
        Ok(Self { size, luma, chroma: [chroma(blue)?, chroma(red)?] })
    }

    /// Turns what is stored upright.
    pub fn turn(self, orientation: Orientation) -> Self {
        let turn = |Channel { plane, covered }: Channel| {
            let size = Size::new(plane.width as u32, plane.height as u32);
            let shown = orientation.shown(size);
            let samples = orientation.turn::<1>(size, plane.samples);
            let plane = Plane { width: shown.width as usize, height: shown.height as usize, samples };
            let covered = if shown == size { covered } else { (covered.1, covered.0) };
            Channel { plane, covered }
        };
        let covered = orientation.shown(self.size);
        let turned = Self { size: covered, luma: turn(self.luma), chroma: self.chroma.map(turn) };
        // A square keeps its size, which says nothing about what it covers.
        turned.covered_anew()
    }

    fn covered_anew(mut self) -> Self {
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        self.luma.covered = (width, height);
        for chroma in &mut self.chroma {
            chroma.covered = (width / 2.0, height / 2.0);
        }
        self
    }

    /// Of an opaque raster.
    pub fn from_rgb(raster: &Raster) -> Self {
        let (width, height) = (raster.size.width as usize, raster.size.height as usize);
        let luma = raster.pixels.chunks_exact(3).map(|p| {
            let sum = 19_595 * u32::from(p[0]) + 38_470 * u32::from(p[1]) + 7_471 * u32::from(p[2]);
            ((sum + 32_768) >> 16) as u8
        });
        let luma = Plane { width, height, samples: luma.collect() };
        let (columns, rows) = half(raster.size);
        let mut chroma = [(); 2].map(|()| Vec::with_capacity(columns * rows));
        for y in 0..rows {
            let line = |y: usize| &raster.pixels[y.min(height - 1) * width * 3..][..width * 3];
            let lines = [line(2 * y), line(2 * y + 1)];
            for x in 0..columns {
                let at = [2 * x * 3, (2 * x + 1).min(width - 1) * 3];
                let sum = |channel: usize| -> i32 {
                    lines.iter().map(|line| i32::from(line[at[0] + channel]) + i32::from(line[at[1] + channel])).sum()
                };
                let (red, green, blue) = (sum(0), sum(1), sum(2));
                // Four times 65,536 is a whole; a half is added to it, and what rounds.
                let scaled = |sum: i32| ((sum + (128 << 18) + (1 << 17)) >> 18).clamp(0, 255) as u8;
                chroma[0].push(scaled(-11_058 * red - 21_710 * green + 32_768 * blue));
                chroma[1].push(scaled(32_768 * red - 27_439 * green - 5_329 * blue));
            }
        }
        let chroma = chroma.map(|samples| Plane { width: columns, height: rows, samples });
        let channel = |plane| Channel { plane, covered: (0.0, 0.0) };
        Self { size: raster.size, luma: channel(luma), chroma: chroma.map(channel) }.covered_anew()
    }

    /// Of planes as [`Planes::resize`] and [`Planes::from_rgb`] make them. Each sample of chroma
    /// serves its four pixels, so that who halves it again gets it back.
    pub fn to_rgb(&self, matrix: Matrix) -> Raster {
        let [to_red, blue_to_green, red_to_green, to_blue] = matrix.offsets;
        let luma = &self.luma.plane;
        let mut pixels = vec![0; luma.width * luma.height * 3];
        let [blue, red] = self.chroma.each_ref().map(|channel| &channel.plane);
        let rows = pixels.chunks_exact_mut(luma.width * 3).zip(luma.samples.chunks_exact(luma.width));
        for (y, (out, luma)) in rows.enumerate() {
            let from = y / 2 * blue.width;
            let chroma = blue.samples[from..].iter().zip(&red.samples[from..]);
            for ((out, luma), (&blue, &red)) in out.chunks_mut(6).zip(luma.chunks(2)).zip(chroma) {
                let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
                let offsets = [to_red * red, blue_to_green * blue + red_to_green * red, to_blue * blue]
                    .map(|sum| (sum + 32_768) >> 16);
                for (out, &luma) in out.chunks_exact_mut(3).zip(luma) {
                    for (out, offset) in out.iter_mut().zip(offsets) {
                        *out = (i32::from(luma) + offset).clamp(0, 255) as u8;
                    }
                }
            }
        }
        Raster { size: self.size, layout: Layout::Rgb, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(width: u32, height: u32) -> Raster {
        let pixel = |x: u32, y: u32| [(x / 2 * 20) as u8, (y / 2 * 30) as u8, 90];
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        Raster { size: Size::new(width, height), layout: Layout::Rgb, pixels }
    }

    #[test]
    fn colours_come_back() {
        for (width, height) in [(12, 8), (7, 5), (1, 1), (1, 6)] {
            let raster = coloured(width, height);
            let back = Planes::from_rgb(&raster).to_rgb(Matrix::BT601);
            assert_eq!((back.size, back.layout), (raster.size, raster.layout));
            for (got, want) in back.pixels.iter().zip(&raster.pixels) {
                assert!(got.abs_diff(*want) <= 2, "{width} × {height}: {got} is not {want}");
            }
        }
    }

    #[test]
    fn all_orientations_turn_planes_as_they_turn_pixels() {
        let raster = coloured(12, 8);
        for value in [1, 2, 3, 4, 5, 6, 7, 8] {
            let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
            exif.extend([value, 0, 0, 0, 0, 0, 0, 0]);
            let orientation = Orientation::from_exif(&exif);
            let turned = Planes::from_rgb(&raster).turn(orientation);
            assert_eq!(turned, Planes::from_rgb(&orientation.apply(raster.clone())));
        }
    }

    #[test]
    fn planes_of_any_size_become_half_chroma() {
        let channel = |width, height, value| Channel {
            plane: Plane { width, height, samples: vec![value; width * height] },
            covered: (width as f64 - 0.4, height as f64),
        };
        let planes = Planes {
            size: Size::new(400, 301),
            luma: channel(200, 151, 90),
            chroma: [channel(50, 38, 100), Channel::neutral()],
        };
        let small = planes.resize(Size::new(101, 75), &mut Resizer::new()).unwrap();
        assert_eq!((small.luma.plane.width, small.luma.plane.height), (101, 75));
        for (chroma, value) in small.chroma.iter().zip([100, 128]) {
            assert_eq!((chroma.plane.width, chroma.plane.height), (51, 38));
            assert!(chroma.plane.samples.iter().all(|&sample| sample == value));
        }
    }
}
