use crate::Scale;
use crate::header::Frame;
use crate::rows::Rows;

/// Samples of 8 bits, row by row from the top, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// In samples.
    pub width: usize,
    /// In samples.
    pub height: usize,
    /// Always `width` × `height` samples.
    pub samples: Vec<u8>,
}

impl Plane {
    pub(crate) fn with_capacity(width: usize, height: usize) -> Self {
        Self { width, height, samples: Vec::with_capacity(width * height) }
    }

    /// Appends rows until the plane is full.
    pub(crate) fn push(&mut self, rows: &Rows) {
        for row in rows.samples.chunks_exact(rows.stride) {
            if self.samples.len() < self.width * self.height {
                self.samples.extend_from_slice(&row[..self.width]);
            }
        }
    }
}

/// The planes of a decoded JPEG. Chroma planes may be smaller than the luma plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    /// One plane (grey) or three (Y, Cb, Cr, unless the file's metadata declares other colours).
    pub planes: Vec<Plane>,
}

impl Planes {
    /// Planes of the right size that contain no samples yet.
    pub(crate) fn empty(frame: &Frame, scales: [Scale; 3]) -> Self {
        let plane = |(at, scale): (usize, Scale)| {
            let (width, height) = frame.size(at, scale.eighths());
            Plane::with_capacity(width, height)
        };
        Self { planes: scales.into_iter().take(frame.components.len()).enumerate().map(plane).collect() }
    }

    /// Appends the rows of one row of MCUs, one `Rows` per plane.
    pub(crate) fn push(&mut self, strip: &[Rows]) {
        for (plane, rows) in self.planes.iter_mut().zip(strip) {
            plane.push(rows);
        }
    }
}
