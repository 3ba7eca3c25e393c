//! Decodes Opus. symphonia only demultiplexes it.

use ropus::OpusMSDecoder;

use super::channels::SURROUND_WEIGHT;
use crate::error::SoundError;

/// The decoder's output rate, independent of the input rate (RFC 7845, 5.1).
pub(crate) const RATE_HZ: u32 = 48_000;
/// The longest packet: 120 ms.
const MAX_PACKET_FRAMES: usize = 5760;

pub(crate) struct OpusDecoder {
    decoder: OpusMSDecoder,
    channels: usize,
    /// The encoder's delay, in samples per channel.
    pub pre_skip: u32,
    /// The output gain, as a factor.
    gain: f32,
    interleaved: Vec<i16>,
}

impl OpusDecoder {
    /// A decoder for a stream with this identification header (RFC 7845, 5.1). In an MP4, its numbers are big-endian.
    pub fn new(header: &[u8], is_big_endian: bool) -> Result<Self, SoundError> {
        let &[
            b'O',
            b'p',
            b'u',
            b's',
            b'H',
            b'e',
            b'a',
            b'd',
            version,
            channels,
            s0,
            s1,
            _,
            _,
            _,
            _,
            g0,
            g1,
            family,
            ref rest @ ..,
        ] = header
        else {
            return Err(SoundError::other_decoder("Opus without a header"));
        };
        if version >> 4 != 0 {
            return Err(SoundError::other_decoder("a newer version of Opus"));
        }
        let (streams, coupled, mapping) = match (family, channels, rest) {
            (0, 1 | 2, _) => (1, channels - 1, &[0, 1][..usize::from(channels)]),
            (1, 1..=8, [streams, coupled, mapping @ ..]) if mapping.len() >= usize::from(channels) => {
                (*streams, *coupled, &mapping[..usize::from(channels)])
            }
            _ => return Err(SoundError::other_decoder("Opus with another channel mapping family")),
        };
        let decoder = OpusMSDecoder::new(RATE_HZ as i32, channels.into(), streams.into(), coupled.into(), mapping)
            .map_err(|_| SoundError::other_decoder("Opus with an invalid channel mapping"))?;
        let short = |bytes| if is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        Ok(Self {
            decoder,
            channels: channels.into(),
            pre_skip: short([s0, s1]).into(),
            // The header has 1/256 dB.
            gain: 10_f32.powf(f32::from(short([g0, g1]) as i16) / 256.0 / 20.0),
            interleaved: vec![0; MAX_PACKET_FRAMES * usize::from(channels)],
        })
    }

    /// Decodes a packet into `planes`. Returns `false` if it is damaged.
    pub fn decode(&mut self, packet: &[u8], planes: &mut Vec<Vec<f32>>) -> bool {
        planes.resize_with(self.channels, Vec::new);
        planes.iter_mut().for_each(Vec::clear);
        let Ok(length) = i32::try_from(packet.len()) else { return false };
        // For an empty packet, the decoder would conceal a lost one.
        if length == 0 {
            return false;
        }
        let decoded = self.decoder.decode(Some(packet), length, &mut self.interleaved, MAX_PACKET_FRAMES as i32, false);
        let Some(frames) = decoded.ok().and_then(|frames| usize::try_from(frames).ok()) else { return false };
        for frame in self.interleaved[..frames * self.channels].chunks_exact(self.channels) {
            for (plane, &sample) in planes.iter_mut().zip(frame) {
                plane.push(f32::from(sample) / 32_768.0 * self.gain);
            }
        }
        true
    }

    /// The channels' weights in the loudness, in Vorbis order (RFC 7845, 5.1.1.2).
    pub fn weights(&self) -> Vec<f64> {
        const S: f64 = SURROUND_WEIGHT;
        let weights: &[f64] = match self.channels {
            4 => &[1.0, 1.0, S, S],
            5 => &[1.0, 1.0, 1.0, S, S],
            6 => &[1.0, 1.0, 1.0, S, S, 0.0],
            7 => &[1.0, 1.0, 1.0, S, S, S, 0.0],
            8 => &[1.0, 1.0, 1.0, S, S, S, S, 0.0],
            _ => &[1.0; 3][..self.channels.min(3)],
        };
        weights.to_vec()
    }
}
