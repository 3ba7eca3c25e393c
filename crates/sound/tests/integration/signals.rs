//! Generated signals and files.

use std::{f64::consts::TAU, fs, io::Cursor};

use sound::{Analysis, Limits, Measured, Meter, SoundError, analyse};

pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A recording as phones and common programs write it.
pub fn case(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/cases/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The number of frames, or the code of the error.
pub fn outcome(bytes: impl AsRef<[u8]> + Send + Sync) -> Result<u64, &'static str> {
    analysed(bytes).map(|analysis| analysis.frames).map_err(|error| error.code())
}

pub fn analysed(bytes: impl AsRef<[u8]> + Send + Sync) -> Result<Analysis, SoundError> {
    analyse(Cursor::new(bytes), &Limits::default())
}

/// Measures whole planes in one call.
pub fn measured(rate_hz: u32, weights: &[f64], planes: &[&[f32]]) -> Measured {
    let mut meter = Meter::new(rate_hz, weights, 32_768);
    meter.push(planes);
    meter.finish()
}

/// A sine with a peak of `dbfs` dB relative to full scale. `phase` is in turns.
pub fn sine(rate_hz: u32, hz: f64, dbfs: f64, phase: f64, seconds: f64) -> Vec<f32> {
    let amplitude = 10_f64.powf(dbfs / 20.0);
    let frames = (seconds * f64::from(rate_hz)).round() as u64;
    let sample = |frame: u64| (amplitude * (TAU * (hz * frame as f64 / f64::from(rate_hz) + phase)).sin()) as f32;
    (0..frames).map(sample).collect()
}

/// White noise from −1 to 1, determined by the seed.
pub fn noise(seed: u32, frames: usize) -> Vec<f32> {
    let mut state = seed | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    std::iter::repeat_with(next).take(frames).collect()
}

/// The samples of a WAV file.
pub enum Samples<'s> {
    I16(&'s [i16]),
    F32(&'s [f32]),
}

/// A WAV file of interleaved samples.
pub fn wav(rate_hz: u32, channels: u16, samples: &Samples<'_>) -> Vec<u8> {
    let (tag, width, data): (u16, u16, Vec<u8>) = match samples {
        Samples::I16(samples) => (1, 2, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()),
        Samples::F32(samples) => (3, 4, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()),
    };
    let mut file = b"RIFF".to_vec();
    let put = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    put(&mut file, 36 + data.len() as u32);
    file.extend(b"WAVEfmt ");
    put(&mut file, 16);
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    put(&mut file, rate_hz);
    put(&mut file, rate_hz * u32::from(channels * width));
    file.extend((channels * width).to_le_bytes());
    file.extend((8 * width).to_le_bytes());
    file.extend(b"data");
    put(&mut file, data.len() as u32);
    file.extend(data);
    file
}

/// A FLAC file with the highest compression: each frame is 65,535 equal samples, in 8 bytes and 3 for each
/// channel ([RFC 9639](https://www.rfc-editor.org/rfc/rfc9639)).
pub fn flac_bomb(frames: u32, channels: u8, declared_frames: u64) -> Vec<u8> {
    const BLOCK: u16 = 65_535;
    const RATE_HZ: u64 = 48_000;
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend(BLOCK.to_be_bytes());
    file.extend(BLOCK.to_be_bytes());
    file.extend([0; 6]);
    let packed = RATE_HZ << 44 | u64::from(channels - 1) << 41 | 15 << 36 | declared_frames;
    file.extend(packed.to_be_bytes());
    file.extend([0; 16]);
    for number in 0..frames {
        let mut frame = vec![0xff, 0xf8, 0x7a, (channels - 1) << 4 | 0x08];
        let number = char::from_u32(number).unwrap();
        frame.extend(number.encode_utf8(&mut [0; 4]).bytes());
        frame.extend((BLOCK - 1).to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        for channel in 0..channels {
            // A constant subframe.
            frame.push(0);
            frame.extend((i16::from(channel) * 1000).to_be_bytes());
        }
        let check = crc(&frame, 16, 0x8005);
        frame.extend(check.to_be_bytes());
        file.extend(frame);
    }
    file
}

fn crc(bytes: &[u8], bits: u32, polynomial: u16) -> u16 {
    let top = 1_u32 << (bits - 1);
    let mut crc = 0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte) << (bits - 8);
        for _ in 0..8 {
            crc = if crc & top == 0 { crc << 1 } else { crc << 1 ^ u32::from(polynomial) };
        }
    }
    (crc & ((top << 1) - 1)) as u16
}
