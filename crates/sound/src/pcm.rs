//! Measures samples that another program decodes, read from a pipe.

use std::io::Read;

use crate::{
    analysis::PcmAnalysis,
    decode::{SURROUND_WEIGHT, TrimmingMeter},
    error::SoundError,
    limits::Limits,
    source::fill,
};

/// Frames passed to the meter at a time.
const BLOCK: usize = 2048;
/// The longest chunk before the samples, in bytes.
const MAX_CHUNK_BYTES: u32 = 4096;

/// Measures a WAV stream of 32-bit floating-point samples.
///
/// The samples end with the stream. The length in the header is ignored, because a program that writes to a
/// pipe does not know it.
///
/// # Errors
/// `Corrupt` for any other content, `NoSamples` if the stream ends before the first sample, `Source` if
/// reading fails, and the errors of exceeded `limits`.
pub fn analyse_pcm(mut stream: impl Read, limits: &Limits) -> Result<PcmAnalysis, SoundError> {
    let WavFormat { rate_hz, weights } = WavFormat::read(&mut stream)?;
    let channels = weights.len();
    let mut meter = TrimmingMeter::new(limits, rate_hz, &weights, 0)?;
    let mut bytes = vec![0; BLOCK * channels * 4];
    let mut planes = vec![Vec::with_capacity(BLOCK); channels];
    loop {
        let filled = fill(&mut stream, &mut bytes)?;
        let (samples, _) = bytes[..filled].as_chunks::<4>();
        planes.iter_mut().for_each(Vec::clear);
        // An incomplete last frame is ignored.
        for frame in samples.chunks_exact(channels) {
            for (plane, sample) in planes.iter_mut().zip(frame) {
                plane.push(f32::from_le_bytes(*sample));
            }
        }
        meter.push(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0)?;
        if filled < bytes.len() {
            break;
        }
    }
    let meter = meter.into_meter();
    if meter.frames() == 0 {
        return Err(SoundError::NoSamples);
    }
    Ok(PcmAnalysis { rate_hz, channels, measured: meter.finish() })
}

/// The format in the header (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0",
/// with `WAVEFORMATEXTENSIBLE`).
struct WavFormat {
    rate_hz: u32,
    weights: Vec<f64>,
}

impl WavFormat {
    fn read(stream: &mut impl Read) -> Result<Self, SoundError> {
        const FLOAT: u16 = 3;
        const EXTENSIBLE: u16 = 0xfffe;
        let invalid = || SoundError::corrupt("not a WAV of floating-point samples");
        let mut riff = [0; 12];
        match fill(stream, &mut riff)? {
            0 => return Err(SoundError::NoSamples),
            12 if riff.starts_with(b"RIFF") && riff.ends_with(b"WAVE") => {}
            _ => return Err(invalid()),
        }
        let mut format = None;
        loop {
            let mut chunk = [0; 8];
            if fill(stream, &mut chunk)? < chunk.len() {
                return Err(SoundError::NoSamples);
            }
            let [a, b, c, d, length @ ..] = chunk;
            let length = u32::from_le_bytes(length);
            match &[a, b, c, d] {
                b"data" => return format.ok_or_else(invalid),
                _ if length > MAX_CHUNK_BYTES => return Err(invalid()),
                id => {
                    // Chunks are padded to an even length.
                    let mut body = vec![0; length.next_multiple_of(2) as usize];
                    if fill(stream, &mut body)? < body.len() {
                        return Err(SoundError::NoSamples);
                    }
                    if id == b"fmt " {
                        let short = |at: usize| {
                            body.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes)
                        };
                        let long = |at: usize| {
                            body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
                        };
                        let tag = short(0).ok_or_else(invalid)?;
                        let (channels, rate_hz) = (short(2).ok_or_else(invalid)?, long(4).ok_or_else(invalid)?);
                        if !matches!(tag, FLOAT | EXTENSIBLE) || short(14) != Some(32) {
                            return Err(invalid());
                        }
                        let mask = if tag == EXTENSIBLE { long(20).unwrap_or(0) } else { 0 };
                        format = Some(Self { rate_hz, weights: weights(channels, mask) });
                    }
                }
            }
        }
    }
}

/// One weight per channel, in the order of the mask's bits. Channels beyond the mask count as front channels.
fn weights(channels: u16, mask: u32) -> Vec<f64> {
    const LOW_FREQUENCY: u32 = 0x8;
    /// Back left, right and centre; side left and right; top back left, centre and right.
    const SURROUND: u32 = 0x10 | 0x20 | 0x100 | 0x200 | 0x400 | 0x8000 | 0x1_0000 | 0x2_0000;
    let mut positions = (0..32).map(|bit| 1 << bit).filter(|bit| mask & bit != 0);
    (0..channels)
        .map(|_| match positions.next() {
            Some(LOW_FREQUENCY) => 0.0,
            Some(bit) if bit & SURROUND != 0 => SURROUND_WEIGHT,
            _ => 1.0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_weight_follows_the_mask() {
        assert_eq!(weights(2, 0), [1.0, 1.0]);
        assert_eq!(weights(6, 0x3f), [1.0, 1.0, 1.0, 0.0, SURROUND_WEIGHT, SURROUND_WEIGHT]);
        assert_eq!(weights(6, 0x60f), [1.0, 1.0, 1.0, 0.0, SURROUND_WEIGHT, SURROUND_WEIGHT]);
        assert_eq!(weights(3, 0x3), [1.0; 3]);
    }
}
