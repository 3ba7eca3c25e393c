use jpeg_planes::Plane;

/// A plane of which the picture may cover only a part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    pub plane: Plane,
    /// Where the picture starts in the plane, from the left and top: less than 1 sample.
    pub start: (f64, f64),
    /// The part that the picture covers from there: width and height in samples, not always integers.
    pub covered: (f64, f64),
}

impl Channel {
    /// A plane that the picture covers from the top left.
    pub fn new(plane: Plane, covered: (f64, f64)) -> Self {
        Self { plane, start: (0.0, 0.0), covered }
    }

    /// A chroma channel without colour, as a single sample that stands for any size.
    pub fn neutral() -> Self {
        Self::new(Plane { width: 1, height: 1, samples: vec![128] }, (1.0, 1.0))
    }
}
