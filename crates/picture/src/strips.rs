//! A picture that is made small while its rows still come: it is never held as a whole.

use crate::PictureError;
use crate::raster::{Layout, Raster};
use crate::resize::{Resizer, Size};

/// Rows that are made at once. More need more memory; with fewer, the rows that two strips share
/// (six of what is made) count for more.
const MADE_AT_ONCE: u32 = 96;
/// How far Lanczos3 looks, in rows of what is made.
const REACH: f64 = 3.0;

/// Takes rows from the top and gives a raster of another size, the same as [`Resizer::resize`].
pub(crate) struct Strips {
    from: Size,
    to: Size,
    layout: Layout,
    /// Source rows that are still needed. There is always room for the next one.
    rows: Vec<u8>,
    /// The number of the first of them.
    first: u32,
    /// How many there are.
    held: u32,
    resizer: Resizer,
    made: Vec<u8>,
    /// How many rows of it are there.
    made_rows: u32,
}

impl Strips {
    /// `to` is not larger than `from`, in either direction.
    pub fn new(from: Size, to: Size, layout: Layout) -> Self {
        let scale = f64::from(from.height) / f64::from(to.height);
        let most = (f64::from(MADE_AT_ONCE) + 2.0 * REACH) * scale + 4.0;
        let most = if from == to { 0 } else { (most as usize).min(from.height as usize) };
        Self {
            from,
            to,
            layout,
            rows: Vec::with_capacity(most * from.width as usize * layout.channels()),
            first: 0,
            held: 0,
            resizer: Resizer::new(),
            made: vec![0; to.width as usize * to.height as usize * layout.channels()],
            made_rows: 0,
        }
    }

    /// Has the next row written by `read`, which gets just the room for it.
    pub fn push<E: From<PictureError>>(&mut self, read: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<(), E> {
        let stride = self.from.width as usize * self.layout.channels();
        if self.from == self.to {
            let at = self.made_rows as usize * stride;
            let row = self.made.get_mut(at..at + stride).ok_or(PictureError::internal("a row too many"))?;
            self.made_rows += 1;
            return read(row);
        }
        let at = self.held as usize * stride;
        if self.rows.len() < at + stride {
            self.rows.resize(at + stride, 0);
        }
        read(&mut self.rows[at..at + stride])?;
        self.held += 1;
        let is_last = self.first + self.held == self.from.height;
        while self.made_rows < self.to.height && (is_last || self.reaches(self.made_rows + MADE_AT_ONCE)) {
            self.make()?;
        }
        Ok(())
    }

    /// The raster, after as many rows as were promised.
    pub fn finish(self) -> Result<Raster, PictureError> {
        if self.made_rows != self.to.height {
            return Err(PictureError::internal("a row is missing"));
        }
        Ok(Raster { size: self.to, layout: self.layout, pixels: self.made })
    }

    fn scale(&self) -> f64 {
        f64::from(self.from.height) / f64::from(self.to.height)
    }

    /// Whether there is all that the rows before `end` are made of.
    fn reaches(&self, end: u32) -> bool {
        (f64::from(end) + REACH) * self.scale() + 1.0 <= f64::from(self.first + self.held)
    }

    /// Makes the next rows, and lets go of what no other needs.
    fn make(&mut self) -> Result<(), PictureError> {
        let (channels, scale) = (self.layout.channels(), self.scale());
        let end = (self.made_rows + MADE_AT_ONCE).min(self.to.height);
        let (stride, made_stride) = (self.from.width as usize * channels, self.to.width as usize * channels);
        let held = Size::new(self.from.width, self.held);
        let top = f64::from(self.made_rows) * scale - f64::from(self.first);
        let height = (f64::from(end - self.made_rows) * scale).min(f64::from(self.held) - top);
        self.resizer.resize_strip(
            (held, &self.rows[..self.held as usize * stride]),
            (top, height),
            (Size::new(self.to.width, end - self.made_rows), &mut self.made[self.made_rows as usize * made_stride..]),
            self.layout,
        )?;
        self.made_rows = end;

        let needed = ((f64::from(end) - REACH) * scale - 1.0).max(0.0) as u32;
        let idle = needed.saturating_sub(self.first).min(self.held);
        self.rows.copy_within(idle as usize * stride..self.held as usize * stride, 0);
        (self.first, self.held) = (self.first + idle, self.held - idle);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves of every length, in all channels.
    fn waves(size: Size, layout: Layout) -> Raster {
        let sample = |i: usize| ((i * i / 97) % 251) as u8;
        let length = size.width as usize * size.height as usize * layout.channels();
        Raster { size, layout, pixels: (0..length).map(sample).collect() }
    }

    #[test]
    fn strips_make_what_the_whole_does() {
        let sizes = [((90, 1200), (31, 415)), ((700, 500), (300, 214)), ((50, 3000), (18, 1080)), ((9, 7), (9, 7))];
        let extremes =
            [((1, 20_000), (1, 1080)), ((2000, 3), (1080, 2)), ((1200, 1), (1080, 1)), ((5, 1081), (5, 1080))];
        for ((width, height), (to_width, to_height)) in sizes.into_iter().chain(extremes) {
            for layout in [Layout::Rgb, Layout::Rgba] {
                let whole = waves(Size::new(width, height), layout);
                let to = Size::new(to_width, to_height);
                let mut strips = Strips::new(whole.size, to, layout);
                let mut most = 0;
                for row in whole.pixels.chunks_exact(width as usize * layout.channels()) {
                    strips
                        .push::<PictureError>(|out| {
                            out.copy_from_slice(row);
                            Ok(())
                        })
                        .unwrap();
                    most = most.max(strips.rows.len());
                }
                let made = strips.finish().unwrap();
                let want = Resizer::new().resize(whole.clone(), to).unwrap();
                assert!(made == want, "{width} × {height}, {layout:?}");
                assert!(height < 1000 || most < whole.pixels.len() / 2, "{most}");
            }
        }
    }

    #[test]
    fn rows_too_few_are_noticed() {
        let mut strips = Strips::new(Size::new(3, 9), Size::new(1, 3), Layout::Rgb);
        strips
            .push::<PictureError>(|row| {
                row.fill(7);
                Ok(())
            })
            .unwrap();
        assert!(strips.finish().is_err());
    }
}
