//! Samples that another program has decoded, as they come out of a pipe.

use std::io::{self, Read};

use crate::{
    Limits, Measured, SoundError,
    decode::{Feed, SURROUND},
};

/// Frames that are handed to the meter at a time.
const BLOCK: usize = 2048;
/// A header with more than this before its samples is none.
const MOST_HEADER: u32 = 4096;

/// What was measured of decoded samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Samples per second and channel, in Hz.
    pub rate_hz: u32,
    /// 1 is mono.
    pub channels: usize,
    /// All else.
    pub measured: Measured,
}

/// Measures a WAV of 32-bit floating-point samples that comes as a stream: its length is not known,
/// and what its header says of it is not read. It ends where the stream ends.
///
/// # Errors
/// `Corrupt` if it is no such WAV, `NoSamples` if it ends before the first sample, `Source` if the
/// stream fails, and what `limits` forbid.
pub fn analyse_pcm(mut stream: impl Read, limits: &Limits) -> Result<Decoded, SoundError> {
    let Format { rate_hz, weights } = Format::read(&mut stream)?;
    let channels = weights.len();
    let mut feed = Feed::new(limits, rate_hz, &weights, 0)?;
    let mut bytes = vec![0; BLOCK * channels * 4];
    let mut planes = vec![Vec::with_capacity(BLOCK); channels];
    loop {
        let filled = fill(&mut stream, &mut bytes)?;
        let (samples, _) = bytes[..filled].as_chunks::<4>();
        planes.iter_mut().for_each(Vec::clear);
        // A last frame that is not whole is none.
        for frame in samples.chunks_exact(channels) {
            for (plane, sample) in planes.iter_mut().zip(frame) {
                plane.push(f32::from_le_bytes(*sample));
            }
        }
        feed.push(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0)?;
        if filled < bytes.len() {
            break;
        }
    }
    let meter = feed.finish();
    if meter.frames() == 0 {
        return Err(SoundError::NoSamples);
    }
    Ok(Decoded { rate_hz, channels, measured: meter.finish() })
}

/// What the header says (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0",
/// with `WAVEFORMATEXTENSIBLE`).
struct Format {
    rate_hz: u32,
    weights: Vec<f64>,
}

impl Format {
    fn read(stream: &mut impl Read) -> Result<Self, SoundError> {
        const FLOAT: u16 = 3;
        const EXTENSIBLE: u16 = 0xfffe;
        let unknown = || SoundError::corrupt("not a WAV of floating-point samples");
        let mut riff = [0; 12];
        match fill(stream, &mut riff)? {
            0 => return Err(SoundError::NoSamples),
            12 if riff.starts_with(b"RIFF") && riff.ends_with(b"WAVE") => {}
            _ => return Err(unknown()),
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
                b"data" => return format.ok_or_else(unknown),
                _ if length > MOST_HEADER => return Err(unknown()),
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
                        let tag = short(0).ok_or_else(unknown)?;
                        let (channels, rate_hz) = (short(2).ok_or_else(unknown)?, long(4).ok_or_else(unknown)?);
                        if !matches!(tag, FLOAT | EXTENSIBLE) || short(14) != Some(32) {
                            return Err(unknown());
                        }
                        let mask = if tag == EXTENSIBLE { long(20).unwrap_or(0) } else { 0 };
                        format = Some(Self { rate_hz, weights: weights(channels, mask) });
                    }
                }
            }
        }
    }
}

/// One weight for each channel; samples come in the order of the mask's bits. Channels that it does
/// not name count as in front.
fn weights(channels: u16, mask: u32) -> Vec<f64> {
    const LOW_FREQUENCY: u32 = 0x8;
    /// Back left, right and centre; side left and right; top back left, centre and right.
    const AROUND: u32 = 0x10 | 0x20 | 0x100 | 0x200 | 0x400 | 0x8000 | 0x1_0000 | 0x2_0000;
    let mut named = (0..32).map(|bit| 1 << bit).filter(|bit| mask & bit != 0);
    (0..channels)
        .map(|_| match named.next() {
            Some(LOW_FREQUENCY) => 0.0,
            Some(bit) if bit & AROUND != 0 => SURROUND,
            _ => 1.0,
        })
        .collect()
}

/// Reads until the buffer is full or the stream has ended.
fn fill(stream: &mut impl Read, buffer: &mut [u8]) -> Result<usize, SoundError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SoundError::source(&error)),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_the_weight_of_their_place() {
        assert_eq!(weights(2, 0), [1.0, 1.0]);
        assert_eq!(weights(6, 0x3f), [1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND]);
        assert_eq!(weights(6, 0x60f), [1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND]);
        assert_eq!(weights(3, 0x3), [1.0; 3]);
    }
}
