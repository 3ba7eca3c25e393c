use crate::size::Size;

/// Pixels with 8 bits per channel, row by row from the top, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raster {
    pub size: Size,
    pub layout: Layout,
    /// Always `width × height × channels` bytes.
    pub pixels: Vec<u8>,
}

/// The channels of a pixel. Grey pictures are stored as RGB, so that all code handles only two layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Rgb,
    /// Alpha is not premultiplied.
    Rgba,
}

impl Layout {
    pub fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

impl Raster {
    /// Drops an alpha channel that is opaque everywhere, as in many PNGs and WebPs.
    pub fn drop_opaque_alpha(self) -> Self {
        let opaque = |pixel: &[u8]| pixel[3] == u8::MAX;
        if self.layout == Layout::Rgba && self.pixels.chunks_exact(4).all(opaque) {
            self.map_rgb(|[r, g, b, _]| [r, g, b])
        } else {
            self
        }
    }

    /// Blends the picture with white, because JPEG has no transparency.
    pub fn on_white(&self) -> Self {
        self.clone().map_rgb(|[r, g, b, alpha]| {
            [r, g, b].map(|channel| {
                let alpha = u16::from(alpha);
                let sum = u16::from(channel) * alpha + 255 * (255 - alpha);
                ((sum + 127) / 255) as u8
            })
        })
    }

    fn map_rgb(self, to_rgb: impl Fn([u8; 4]) -> [u8; 3]) -> Self {
        if self.layout == Layout::Rgb {
            return self;
        }
        let rgba = self.pixels.chunks_exact(4);
        Self {
            size: self.size,
            layout: Layout::Rgb,
            pixels: rgba.flat_map(|p| to_rgb([p[0], p[1], p[2], p[3]])).collect(),
        }
    }
}

/// Converts grey samples to RGB pixels.
pub(crate) fn grey_to_rgb(grey: &[u8]) -> Vec<u8> {
    grey.iter().flat_map(|&v| [v; 3]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgba(pixels: &[[u8; 4]]) -> Raster {
        Raster { size: Size::new(pixels.len() as u32, 1), layout: Layout::Rgba, pixels: pixels.concat() }
    }

    #[test]
    fn on_white_blends_by_alpha() {
        let raster = rgba(&[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 128]]);
        let white = raster.on_white();
        assert_eq!(white.layout, Layout::Rgb);
        assert_eq!(white.pixels, [10, 20, 30, 255, 255, 255, 127, 127, 127]);
    }

    #[test]
    fn drop_opaque_alpha_keeps_a_transparent_raster() {
        let opaque = rgba(&[[1, 2, 3, 255]]).drop_opaque_alpha();
        assert_eq!((opaque.layout, opaque.pixels), (Layout::Rgb, vec![1, 2, 3]));
        let transparent = rgba(&[[1, 2, 3, 255], [1, 2, 3, 254]]);
        assert_eq!(transparent.clone().drop_opaque_alpha(), transparent);
    }
}
