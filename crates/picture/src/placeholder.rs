use image::DynamicImage;

use crate::PictureError;
use crate::pixels::size_of;
use crate::resize::Resizer;
use crate::size::Size;

/// The longest side of the picture that a ThumbHash is computed from, in pixels. Its shortest wave is
/// a seventh of the side, so that more pixels (the algorithm allows 100) only cost time.
const THUMB_HASH_SIDE: u32 = 50;

/// The shortest side, in pixels. Waves along a shorter side would not cancel out and change the mean colour.
const THUMB_HASH_MIN_SIDE: u32 = 5;

/// Computes the ThumbHash of a small picture.
pub(crate) fn thumb_hash(picture: DynamicImage, resizer: &mut Resizer) -> Result<Vec<u8>, PictureError> {
    let size = thumb_hash_size(size_of(&picture));
    let rgba = resizer.resize(picture, size)?.into_rgba8();
    Ok(thumbhash::rgba_to_thumb_hash(size.width as usize, size.height as usize, &rgba))
}

/// The size of the picture that a ThumbHash is computed from. A very long picture is stretched across: the hash stores the
/// ratio of the sides as at most 7.
fn thumb_hash_size(size: Size) -> Size {
    let Size { width, height } = size.within(THUMB_HASH_SIDE);
    let enlarge = |side: u32, shorter: u32| match shorter {
        THUMB_HASH_MIN_SIDE.. => side,
        _ => (side * THUMB_HASH_MIN_SIDE / shorter).min(THUMB_HASH_SIDE),
    };
    let shorter = width.min(height);
    let [width, height] = [width, height].map(|side| enlarge(side, shorter).max(THUMB_HASH_MIN_SIDE));
    Size::new(width, height)
}

/// Computes the colour that covers most of a small picture: the mean of the pixels in the fullest of
/// 8 × 8 × 8 cells of the RGB cube. Pixels are weighted by alpha. A fully transparent picture is white.
pub(crate) fn dominant_colour(picture: &DynamicImage) -> [u8; 3] {
    /// The sum of alpha and the sums of the colours weighted by it.
    #[derive(Clone, Copy, Default)]
    struct Cell {
        weight: u64,
        colour: [u64; 3],
    }
    let mut cells = [Cell::default(); 512];
    for pixel in picture.as_bytes().chunks_exact(picture.color().channel_count().into()) {
        let weight = u64::from(pixel.get(3).copied().unwrap_or(u8::MAX));
        let level = |channel: u8| usize::from(channel >> 5);
        let cell = &mut cells[level(pixel[0]) << 6 | level(pixel[1]) << 3 | level(pixel[2])];
        cell.weight += weight;
        for (sum, channel) in cell.colour.iter_mut().zip(pixel) {
            *sum += u64::from(*channel) * weight;
        }
    }
    let fullest = cells.iter().max_by_key(|cell| cell.weight);
    match fullest {
        Some(cell) if cell.weight > 0 => cell.colour.map(|sum| ((sum + cell.weight / 2) / cell.weight) as u8),
        _ => [u8::MAX; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::pixels;

    fn rgb(width: u32, samples: Vec<u8>) -> DynamicImage {
        pixels::rgb(Size::new(width, samples.len() as u32 / width / 3), samples).unwrap().into()
    }

    fn rgba(width: u32, samples: Vec<u8>) -> DynamicImage {
        pixels::rgba(Size::new(width, samples.len() as u32 / width / 4), samples).unwrap().into()
    }

    #[test]
    fn dominant_colour_of_two_colours_is_the_more_frequent_one() {
        let pixels = [[250, 10, 10]; 6].into_iter().chain([[0, 0, 255]; 4]);
        let picture = rgb(5, pixels.flatten().collect());
        assert_eq!(dominant_colour(&picture), [250, 10, 10]);
    }

    #[test]
    fn dominant_colour_ignores_transparent_pixels() {
        let pixels = [[250, 10, 10, 0]; 6].into_iter().chain([[0, 0, 250, 255]; 4]);
        let picture = rgba(5, pixels.flatten().collect());
        assert_eq!(dominant_colour(&picture), [0, 0, 250]);
        let transparent = rgba(2, vec![0; 16]);
        assert_eq!(dominant_colour(&transparent), [255; 3]);
    }

    #[test]
    fn thumb_hash_contains_colour_and_shape() {
        let wide = rgb(128, [200, 100, 50].repeat(128 * 64));
        let hash = thumb_hash(wide, &mut Resizer::new()).unwrap();
        assert!((5..=25).contains(&hash.len()));
        let (r, g, b, a) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        for (got, want) in [(r, 200.0), (g, 100.0), (b, 50.0), (a, 255.0)] {
            assert!((got * 255.0 - want).abs() < 8.0, "{got} is not {want}");
        }
        let ratio = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert!((1.6..=2.4).contains(&ratio), "{ratio}");
    }

    /// The mean of the decoded placeholder, which a client draws.
    fn drawn_mean(hash: &[u8]) -> [f64; 4] {
        let (_, _, rgba) = thumbhash::thumb_hash_to_rgba(hash).unwrap();
        let pixels = rgba.as_chunks::<4>().0;
        let mean = |channel: usize| pixels.iter().map(|p| f64::from(p[channel])).sum::<f64>() / pixels.len() as f64;
        std::array::from_fn(mean)
    }

    #[test]
    fn placeholder_of_a_very_long_picture_has_its_colour_and_the_longest_shape() {
        let sizes = [(1080, 1), (1080, 20), (1, 1080), (30, 1080), (128, 3), (50, 2), (4, 1), (1, 3)];
        for (width, height) in sizes {
            let pixels = (width * height) as usize;
            let opaque = (rgb(width, [220, 40, 40].repeat(pixels)), 255.0, 7.0);
            let transparent = (rgba(width, [220, 40, 40, 128].repeat(pixels)), 128.0, 5.0);
            // The hash stores a ratio of at most 7, and of 5 with transparency.
            for (flat, alpha, limit) in [opaque, transparent] {
                let hash = thumb_hash(flat, &mut Resizer::new()).unwrap();
                let want = [220.0, 40.0, 40.0, alpha];
                let mean = drawn_mean(&hash);
                for (got, want) in mean.iter().zip(want) {
                    assert!((got - want).abs() < 16.0, "{width} × {height}: {mean:?}");
                }
                let ratio = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
                let want = (width as f32 / height as f32).clamp(1.0 / limit, limit);
                assert!((ratio / want - 1.0).abs() < 0.35, "{width} × {height}: {ratio} is not {want}");
            }
        }
    }

    #[test]
    fn placeholder_of_a_single_pixel_has_its_colour() {
        let hash = thumb_hash(rgb(1, vec![220, 40, 40]), &mut Resizer::new()).unwrap();
        let mean = drawn_mean(&hash);
        for (got, want) in mean.iter().zip([220.0, 40.0, 40.0, 255.0]) {
            assert!((got - want).abs() < 16.0, "{mean:?}");
        }
    }
}
