use image::RgbImage;
use image::metadata::Orientation;
use jpeg_planes::Plane;

use crate::PictureError;
use crate::channel::Channel;
use crate::orientation::Orient;
use crate::resize::Resizer;
use crate::size::Size;

/// An opaque picture as luma and chroma in full range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planes {
    /// The size of the picture. The planes may have other sizes.
    pub size: Size,
    pub luma: Channel,
    /// Blue and red.
    pub chroma: [Channel; 2],
}

/// The coefficients that convert luma and chroma to RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matrix {
    /// The factors of red chroma for red, of blue and red chroma for green, and of blue chroma for
    /// blue, in units of 1/65,536.
    offsets: [i32; 4],
}

impl Matrix {
    /// The matrix of JFIF and of most still pictures.
    pub const BT601: Self = Self { offsets: [91_881, -22_554, -46_802, 116_130] };
    #[cfg(feature = "heic")]
    pub const BT709: Self = Self { offsets: [103_206, -12_276, -30_679, 121_609] };
    #[cfg(feature = "heic")]
    pub const BT2020: Self = Self { offsets: [96_639, -10_784, -37_444, 123_299] };
}

/// The size of 4:2:0 chroma.
fn half_size(size: Size) -> (usize, usize) {
    (size.width.div_ceil(2) as usize, size.height.div_ceil(2) as usize)
}

impl Planes {
    /// Resizes the picture; the result has 4:2:0 chroma.
    pub fn resize(self, size: Size, resizer: &mut Resizer) -> Result<Self, PictureError> {
        let (width, height) = (size.width as usize, size.height as usize);
        let covered = (f64::from(size.width), f64::from(size.height));
        let luma = Channel { plane: resizer.resize_channel(self.luma, width, height)?, covered };
        let (width, height) = half_size(size);
        let mut chroma = |mut channel: Channel| {
            // With an odd size, half of the last chroma sample lies outside of the picture.
            channel.covered.0 *= width as f64 * 2.0 / covered.0;
            channel.covered.1 *= height as f64 * 2.0 / covered.1;
            let plane = resizer.resize_channel(channel, width, height)?;
            Ok(Channel { plane, covered: (covered.0 / 2.0, covered.1 / 2.0) })
        };
        let [blue, red] = self.chroma;
        Ok(Self { size, luma, chroma: [chroma(blue)?, chroma(red)?] })
    }

    /// Orients a stored picture whose planes are as [`Planes::resize`] returns them.
    pub fn orient(self, orientation: Orientation) -> Self {
        let orient = |Channel { plane, covered }: Channel| {
            let stored = Size::new(plane.width as u32, plane.height as u32);
            let size = orientation.oriented_size(stored);
            let samples = orientation.orient_plane(stored, plane.samples);
            Channel { plane: Plane { width: size.width as usize, height: size.height as usize, samples }, covered }
        };
        let size = orientation.oriented_size(self.size);
        Self { size, luma: orient(self.luma), chroma: self.chroma.map(orient) }.reset_covered()
    }

    /// Sets the covered parts of luma and 4:2:0 chroma according to the size of the picture.
    fn reset_covered(mut self) -> Self {
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        self.luma.covered = (width, height);
        for chroma in &mut self.chroma {
            chroma.covered = (width / 2.0, height / 2.0);
        }
        self
    }

    /// Converts RGB to 4:2:0.
    pub fn from_rgb(picture: &RgbImage) -> Self {
        let (size, samples) = (Size::new(picture.width(), picture.height()), picture.as_raw());
        let (width, height) = (size.width as usize, size.height as usize);
        let luma = samples.chunks_exact(3).map(|p| {
            let sum = 19_595 * u32::from(p[0]) + 38_470 * u32::from(p[1]) + 7_471 * u32::from(p[2]);
            ((sum + 32_768) >> 16) as u8
        });
        let luma = Plane { width, height, samples: luma.collect() };
        let (columns, rows) = half_size(size);
        let mut chroma = [(); 2].map(|()| Vec::with_capacity(columns * rows));
        for y in 0..rows {
            let line = |y: usize| &samples[y.min(height - 1) * width * 3..][..width * 3];
            let lines = [line(2 * y), line(2 * y + 1)];
            for x in 0..columns {
                let at = [2 * x * 3, (2 * x + 1).min(width - 1) * 3];
                let sum = |channel: usize| -> i32 {
                    lines.iter().map(|line| i32::from(line[at[0] + channel]) + i32::from(line[at[1] + channel])).sum()
                };
                let (red, green, blue) = (sum(0), sum(1), sum(2));
                // The sum of four pixels in units of 1/65,536. Adds 128, the neutral value, and rounds.
                let scaled = |sum: i32| ((sum + (128 << 18) + (1 << 17)) >> 18).clamp(0, 255) as u8;
                chroma[0].push(scaled(-11_058 * red - 21_710 * green + 32_768 * blue));
                chroma[1].push(scaled(32_768 * red - 27_439 * green - 5_329 * blue));
            }
        }
        let chroma = chroma.map(|samples| Plane { width: columns, height: rows, samples });
        let channel = |plane| Channel { plane, covered: (0.0, 0.0) };
        Self { size, luma: channel(luma), chroma: chroma.map(channel) }.reset_covered()
    }

    /// Converts 4:2:0 planes to RGB. Each chroma sample is used for its four pixels, so that
    /// [`Planes::from_rgb`] restores it.
    pub fn to_rgb(&self, matrix: Matrix) -> RgbImage {
        let [to_red, blue_to_green, red_to_green, to_blue] = matrix.offsets;
        let luma = &self.luma.plane;
        let mut pixels = RgbImage::new(luma.width as u32, luma.height as u32);
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
        pixels
    }
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

    use super::*;

    fn coloured(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| [(x / 2 * 20) as u8, (y / 2 * 30) as u8, 90].into())
    }

    #[test]
    fn planes_from_rgb_convert_back_to_the_same_colours() {
        for (width, height) in [(12, 8), (7, 5), (1, 1), (1, 6)] {
            let picture = coloured(width, height);
            let back = Planes::from_rgb(&picture).to_rgb(Matrix::BT601);
            assert_eq!(back.dimensions(), picture.dimensions());
            for (got, want) in back.iter().zip(picture.iter()) {
                assert!(got.abs_diff(*want) <= 2, "{width} × {height}: {got} is not {want}");
            }
        }
    }

    #[test]
    fn orientation_of_planes_equals_orientation_of_pixels() {
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value).unwrap();
            let mut oriented = DynamicImage::from(coloured(12, 8));
            oriented.apply_orientation(orientation);
            let planes = Planes::from_rgb(&coloured(12, 8)).orient(orientation);
            assert_eq!(planes, Planes::from_rgb(&oriented.into_rgb8()), "{value}");
        }
    }

    #[test]
    fn resize_of_planes_of_any_size_returns_half_size_chroma() {
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
