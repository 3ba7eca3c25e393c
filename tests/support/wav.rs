//! Synthetic recordings in WAV files.

use std::f64::consts::TAU;

/// A 16-bit WAV. All channels have the same samples: `sample` returns the amplitude (-1 to 1) at a time in seconds.
pub fn wav(rate_hz: u32, channels: u16, seconds: f64, sample: impl Fn(f64) -> f64) -> Vec<u8> {
    let frames = (seconds * f64::from(rate_hz)).round() as u32;
    let mut data = Vec::new();
    for frame in 0..frames {
        let value = (sample(f64::from(frame) / f64::from(rate_hz)) * 32_767.0).round() as i16;
        (0..channels).for_each(|_| data.extend(value.to_le_bytes()));
    }
    let mut file = b"RIFF".to_vec();
    let length = u32::try_from(data.len()).expect("small file");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// A mono WAV at 44.1 kHz that resembles a quiet voice: a buzz in syllables.
pub fn voice(seconds: f64) -> Vec<u8> {
    wav(44_100, 1, seconds, |t| {
        let syllables = (TAU * 1.3 * t).sin().abs().sqrt();
        0.03 * syllables * ((TAU * 140.0 * t).sin() + 0.6 * (TAU * 700.0 * t).sin() + 0.3 * (TAU * 2300.0 * t).sin())
    })
}

/// A stereo sine of two minutes at 48 kHz: long enough that encoding takes seconds.
pub fn two_minutes() -> Vec<u8> {
    wav(48_000, 2, 120.0, |t| 0.1 * (t * 3_000.0).sin())
}
