use crate::PictureError;
use crate::raster::{Layout, Raster};
use crate::resize::Resizer;

/// The longest side of the picture that a ThumbHash is computed from, in pixels. Its shortest wave is
/// a seventh of the side, so that more pixels (the algorithm allows 100) only cost time.
const THUMB_HASH_SIDE: u32 = 50;

/// Computes the ThumbHash of a small picture.
pub(crate) fn thumb_hash(raster: Raster, resizer: &mut Resizer) -> Result<Vec<u8>, PictureError> {
    let size = raster.size.within(THUMB_HASH_SIDE);
    let small = resizer.resize(raster, size)?;
    let rgba = match small.layout {
        Layout::Rgba => small.pixels,
        Layout::Rgb => small.pixels.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], u8::MAX]).collect(),
    };
    Ok(thumbhash::rgba_to_thumb_hash(size.width as usize, size.height as usize, &rgba))
}

/// Computes the colour that covers most of a small picture: the mean of the pixels in the fullest of
/// 8 × 8 × 8 cells of the RGB cube. Pixels are weighted by alpha. A fully transparent picture is white.
pub(crate) fn dominant_colour(raster: &Raster) -> [u8; 3] {
    /// The sum of alpha and the sums of the colours weighted by it.
    #[derive(Clone, Copy, Default)]
    struct Cell {
        weight: u64,
        colour: [u64; 3],
    }
    let mut cells = [Cell::default(); 512];
    for pixel in raster.pixels.chunks_exact(raster.layout.channels()) {
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
    use crate::size::Size;

    fn raster(layout: Layout, width: u32, pixels: Vec<u8>) -> Raster {
        let height = pixels.len() as u32 / width / layout.channels() as u32;
        Raster { size: Size::new(width, height), layout, pixels }
    }

    #[test]
    fn dominant_colour_of_two_colours_is_the_more_frequent_one() {
        let pixels = [[250, 10, 10]; 6].into_iter().chain([[0, 0, 255]; 4]);
        let picture = raster(Layout::Rgb, 5, pixels.flatten().collect());
        assert_eq!(dominant_colour(&picture), [250, 10, 10]);
    }

    #[test]
    fn dominant_colour_ignores_transparent_pixels() {
        let pixels = [[250, 10, 10, 0]; 6].into_iter().chain([[0, 0, 250, 255]; 4]);
        let picture = raster(Layout::Rgba, 5, pixels.flatten().collect());
        assert_eq!(dominant_colour(&picture), [0, 0, 250]);
        let transparent = raster(Layout::Rgba, 2, vec![0; 16]);
        assert_eq!(dominant_colour(&transparent), [255; 3]);
    }

    #[test]
    fn thumb_hash_contains_colour_and_shape() {
        let wide = raster(Layout::Rgb, 128, [200, 100, 50].repeat(128 * 64));
        let hash = thumb_hash(wide, &mut Resizer::new()).unwrap();
        assert!((5..=25).contains(&hash.len()));
        let (r, g, b, a) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        for (got, want) in [(r, 200.0), (g, 100.0), (b, 50.0), (a, 255.0)] {
            assert!((got * 255.0 - want).abs() < 8.0, "{got} is not {want}");
        }
        let ratio = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert!((1.6..=2.4).contains(&ratio), "{ratio}");
    }

    #[test]
    fn thumb_hash_of_a_single_pixel_and_of_a_line_succeeds() {
        for width in [1, 100] {
            let pixels = vec![9; 3 * 100];
            thumb_hash(raster(Layout::Rgb, width, pixels), &mut Resizer::new()).unwrap();
        }
        thumb_hash(raster(Layout::Rgb, 1, vec![9; 3]), &mut Resizer::new()).unwrap();
    }
}
