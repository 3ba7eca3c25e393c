use crate::Scale;
use crate::idct::LANES;

/// The decoded samples of one row of MCUs, of one component. The rows may be wider than the plane.
pub(crate) struct Rows {
    pub samples: Vec<u8>,
    pub stride: usize,
}

impl Rows {
    /// Room for `mcus` MCUs of `across` × `down` blocks each.
    pub fn new(scale: Scale, (across, down): (usize, usize), mcus: usize) -> Self {
        let n = scale.eighths();
        let stride = mcus.next_multiple_of(LANES) * across * n;
        Self { samples: vec![0; stride * down * n], stride }
    }
}
