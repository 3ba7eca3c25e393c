//! Generates pictures and encodes them with libwebp.

use webpx::{EncoderConfig, Unstoppable};

/// A generated picture: a smooth pattern with steps and noise.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub noise: u8,
    pub seed: u32,
}

impl Picture {
    fn rgb(self) -> Vec<u8> {
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
                for channel in 0..3 {
                    let phase = x as f32 * 0.11 + y as f32 * 0.06 * (channel + 1) as f32;
                    // Steps produce edges, which directional prediction depends on.
                    let step = if (x / 13 + y / 9) % 3 == 0 { 50.0 } else { 0.0 };
                    let noise = random() % (u32::from(self.noise) + 1);
                    samples.push((100.0 + 60.0 * phase.sin() + step + noise as f32 / 2.0) as u8);
                }
            }
        }
        samples
    }
}

/// The frame without its container.
pub fn frame(picture: Picture, configure: impl FnOnce(EncoderConfig) -> EncoderConfig) -> Vec<u8> {
    let rgb = picture.rgb();
    let config = configure(EncoderConfig::new());
    let file = config.encode_rgb(&rgb, picture.width, picture.height, Unstoppable).unwrap();
    assert_eq!(&file[12..16], b"VP8 ");
    let length = u32::from_le_bytes([file[16], file[17], file[18], file[19]]) as usize;
    file[20..20 + length].to_vec()
}
