use jpeg_planes::Plane;

/// A plane of which the picture may cover only a part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    pub plane: Plane,
    /// The part that the picture covers from the top left: width and height in samples, not always integers.
    pub covered: (f64, f64),
}

impl Channel {
    /// A chroma channel without colour, as a single sample that stands for any size.
    pub fn neutral() -> Self {
        Self { plane: Plane { width: 1, height: 1, samples: vec![128] }, covered: (1.0, 1.0) }
    }
}
