//! Resizes a picture while its rows are decoded, so that it is never in memory as a whole.

use image::{ColorType, DynamicImage};

use crate::PictureError;
use crate::pixels;
use crate::resize::Resizer;
use crate::size::Size;

/// Rows of the output that are computed at once. More need more memory. With fewer, the overlap of
/// the source strips (six output rows) costs more.
const ROWS_PER_STRIP: u32 = 96;
/// The support of Lanczos3 in output rows.
const SUPPORT: f64 = 3.0;

/// A resizer that receives the rows from the top. The result is the same as that of [`Resizer::resize`].
pub(crate) struct StreamingResize {
    from: Size,
    to: Size,
    /// `Rgb8` or `Rgba8`.
    colour: ColorType,
    /// The source rows that are still needed, and possibly space after them.
    rows: Vec<u8>,
    /// The index in the source of the first one.
    first_row: u32,
    /// Their number.
    held_rows: u32,
    resizer: Resizer,
    output: Vec<u8>,
    /// Rows of the output that are complete.
    complete_rows: u32,
}

impl StreamingResize {
    /// `to` must not be larger than `from`, in either direction.
    pub fn new(from: Size, to: Size, colour: ColorType) -> Self {
        let scale = f64::from(from.height) / f64::from(to.height);
        let capacity = (f64::from(ROWS_PER_STRIP) + 2.0 * SUPPORT) * scale + 4.0;
        let capacity = if from == to { 0 } else { (capacity as usize).min(from.height as usize) };
        Self {
            from,
            to,
            colour,
            rows: Vec::with_capacity(capacity * from.width as usize * usize::from(colour.channel_count())),
            first_row: 0,
            held_rows: 0,
            resizer: Resizer::new(),
            output: vec![0; to.width as usize * to.height as usize * usize::from(colour.channel_count())],
            complete_rows: 0,
        }
    }

    /// Calls `read` to write the next row.
    pub fn push<E: From<PictureError>>(&mut self, read: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<(), E> {
        let stride = self.from.width as usize * usize::from(self.colour.channel_count());
        if self.from == self.to {
            let at = self.complete_rows as usize * stride;
            let row = self.output.get_mut(at..at + stride).ok_or(PictureError::internal("too many rows"))?;
            self.complete_rows += 1;
            return read(row);
        }
        let at = self.held_rows as usize * stride;
        if self.rows.len() < at + stride {
            self.rows.resize(at + stride, 0);
        }
        read(&mut self.rows[at..at + stride])?;
        self.held_rows += 1;
        let is_last = self.first_row + self.held_rows == self.from.height;
        while self.complete_rows < self.to.height && (is_last || self.has_rows_for(self.complete_rows + ROWS_PER_STRIP))
        {
            self.resize_strip()?;
        }
        Ok(())
    }

    /// Returns the picture after the last row.
    pub fn finish(self) -> Result<DynamicImage, PictureError> {
        if self.complete_rows != self.to.height {
            return Err(PictureError::internal("too few rows"));
        }
        Ok(match self.colour {
            ColorType::Rgba8 => pixels::rgba(self.to, self.output)?.into(),
            _ => pixels::rgb(self.to, self.output)?.into(),
        })
    }

    fn scale(&self) -> f64 {
        f64::from(self.from.height) / f64::from(self.to.height)
    }

    /// Whether all source rows of the output rows before `end` are there.
    fn has_rows_for(&self, end: u32) -> bool {
        (f64::from(end) + SUPPORT) * self.scale() + 1.0 <= f64::from(self.first_row + self.held_rows)
    }

    /// Computes the next output rows and discards the source rows that are no longer needed.
    fn resize_strip(&mut self) -> Result<(), PictureError> {
        let (channels, scale) = (usize::from(self.colour.channel_count()), self.scale());
        let end = (self.complete_rows + ROWS_PER_STRIP).min(self.to.height);
        let (stride, output_stride) = (self.from.width as usize * channels, self.to.width as usize * channels);
        let source = Size::new(self.from.width, self.held_rows);
        let top = f64::from(self.complete_rows) * scale - f64::from(self.first_row);
        let height = (f64::from(end - self.complete_rows) * scale).min(f64::from(self.held_rows) - top);
        self.resizer.resize_strip(
            (source, &self.rows[..self.held_rows as usize * stride]),
            (top, height),
            (
                Size::new(self.to.width, end - self.complete_rows),
                &mut self.output[self.complete_rows as usize * output_stride..],
            ),
            self.colour,
        )?;
        self.complete_rows = end;

        let first_needed = ((f64::from(end) - SUPPORT) * scale - 1.0).max(0.0) as u32;
        let unneeded = first_needed.saturating_sub(self.first_row).min(self.held_rows);
        self.rows.copy_within(unneeded as usize * stride..self.held_rows as usize * stride, 0);
        (self.first_row, self.held_rows) = (self.first_row + unneeded, self.held_rows - unneeded);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with waves of all lengths, in all channels.
    fn waves(size: Size, colour: ColorType) -> DynamicImage {
        let mut picture = DynamicImage::new(size.width, size.height, colour);
        for (i, sample) in pixels::samples_mut(&mut picture).iter_mut().enumerate() {
            *sample = ((i * i / 97) % 251) as u8;
        }
        picture
    }

    #[test]
    fn streaming_resize_equals_resize_of_the_whole_picture() {
        let sizes = [((90, 1200), (31, 415)), ((700, 500), (300, 214)), ((50, 3000), (18, 1080)), ((9, 7), (9, 7))];
        let extremes =
            [((1, 20_000), (1, 1080)), ((2000, 3), (1080, 2)), ((1200, 1), (1080, 1)), ((5, 1081), (5, 1080))];
        for ((width, height), (to_width, to_height)) in sizes.into_iter().chain(extremes) {
            for colour in [ColorType::Rgb8, ColorType::Rgba8] {
                let size = Size::new(width, height);
                let whole = waves(size, colour);
                let to = Size::new(to_width, to_height);
                let mut resize = StreamingResize::new(size, to, colour);
                let mut peak = 0;
                let stride = width as usize * usize::from(colour.channel_count());
                for row in whole.as_bytes().chunks_exact(stride) {
                    resize
                        .push::<PictureError>(|out| {
                            out.copy_from_slice(row);
                            Ok(())
                        })
                        .unwrap();
                    peak = peak.max(resize.rows.len());
                }
                let got = resize.finish().unwrap();
                let want = Resizer::new().resize(whole.clone(), to).unwrap();
                assert!(got == want, "{width} × {height}, {colour:?}");
                assert!(height < 1000 || peak < whole.as_bytes().len() / 2, "{peak}");
            }
        }
    }

    #[test]
    fn streaming_resize_of_too_few_rows_is_an_error() {
        let mut resize = StreamingResize::new(Size::new(3, 9), Size::new(1, 3), ColorType::Rgb8);
        resize
            .push::<PictureError>(|row| {
                row.fill(7);
                Ok(())
            })
            .unwrap();
        assert!(resize.finish().is_err());
    }
}
