use crate::Scale;
use crate::decode::Rows;
use crate::header::Frame;

/// Samples of 8 bits, row by row from the top, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// In samples.
    pub width: usize,
    /// In samples.
    pub height: usize,
    /// Always `width` × `height`.
    pub samples: Vec<u8>,
}

impl Plane {
    pub(crate) fn with_capacity(width: usize, height: usize) -> Self {
        Self { width, height, samples: Vec::with_capacity(width * height) }
    }

    /// Appends rows, as many as there is room for.
    pub(crate) fn push(&mut self, rows: &Rows) {
        for row in rows.samples.chunks_exact(rows.stride) {
            if self.samples.len() < self.width * self.height {
                self.samples.extend_from_slice(&row[..self.width]);
            }
        }
    }
}

/// A picture as JPEG holds it: luma, and with colours two planes of chroma, which may be smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    /// One (grey) or three (Y, Cb, Cr; or whatever the file's metadata declares them to be).
    pub planes: Vec<Plane>,
}

impl Planes {
    /// Of the right width, and nothing in them yet.
    pub(crate) fn empty(frame: &Frame, scales: [Scale; 3]) -> Self {
        let plane = |(at, scale): (usize, Scale)| {
            let (width, height) = frame.size(at, scale.eighths());
            Plane::with_capacity(width, height)
        };
        Self { planes: scales.into_iter().take(frame.components.len()).enumerate().map(plane).collect() }
    }

    /// Appends a strip of rows.
    pub(crate) fn push(&mut self, strip: &[Rows]) {
        for (plane, rows) in self.planes.iter_mut().zip(strip) {
            plane.push(rows);
        }
    }
}
