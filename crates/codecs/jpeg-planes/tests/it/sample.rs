//! Generates pictures and encodes them.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// A generated picture: a smooth pattern with noise. The samples stay clear of black and white.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    pub width: u16,
    pub height: u16,
    pub noise: u8,
    pub seed: u32,
}

impl Picture {
    /// The samples, interleaved.
    pub fn samples(self, channels: usize) -> Vec<u8> {
        let mut state = self.seed | 1;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let mut samples = Vec::new();
        for y in 0..self.height {
            for x in 0..self.width {
                for channel in 0..channels {
                    let phase = f32::from(x) * 0.07 + f32::from(y) * 0.05 * (channel + 1) as f32;
                    let noise = random() % (u32::from(self.noise) + 1);
                    samples.push((128.0 + 60.0 * phase.sin() - f32::from(self.noise) / 2.0 + noise as f32) as u8);
                }
            }
        }
        samples
    }
}

pub fn jpeg(
    picture: Picture,
    quality: u8,
    colour: ColorType,
    configure: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let channels = if colour == ColorType::Luma { 1 } else { 3 };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    configure(&mut encoder);
    encoder.encode(&picture.samples(channels), picture.width, picture.height, colour).unwrap();
    bytes
}

/// Each sampling with its horizontal and vertical factor.
pub const SAMPLINGS: [(SamplingFactor, (usize, usize)); 4] = [
    (SamplingFactor::R_4_4_4, (1, 1)),
    (SamplingFactor::R_4_2_2, (2, 1)),
    (SamplingFactor::R_4_4_0, (1, 2)),
    (SamplingFactor::R_4_2_0, (2, 2)),
];
