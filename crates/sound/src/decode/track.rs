//! Decodes and measures one track, packet by packet.

use std::ops::Range;

use symphonia::core::{
    audio::{Audio, GenericAudioBufferRef},
    codecs::{
        CodecParameters,
        audio::{
            AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, CODEC_ID_NULL_AUDIO,
            well_known::{CODEC_ID_AAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS},
        },
    },
    errors::Error as SymphoniaError,
    formats::{FormatReader, Track},
    packet::Packet,
};

use super::{
    aac::may_be_he_aac,
    channels,
    errors::from_symphonia,
    opus::{self, OpusDecoder},
    trim::TrimmingMeter,
};
use crate::{
    analysis::Analysis,
    error::SoundError,
    format::{Codec, Container},
    layout::{Links, Part, SoundTrack, Structure, overlap},
    limits::Limits,
};

/// The longest encoder delay that is trimmed, in frames.
const MAX_PRIMING: u64 = 8192;

/// The decoder of one track.
pub(crate) struct TrackDecoder<'s> {
    container: Container,
    codec: Codec,
    reader: Box<dyn FormatReader + 's>,
    track: u32,
    decoder: Decoder,
    limits: &'s Limits,
    /// Frames to skip at the start, in addition to the packets' own trimming.
    skip: u64,
    /// The parts to measure; `None` for what the packets' own trimming leaves.
    parts: Option<&'s [Part]>,
    /// Whether the packets' padding at the end counts.
    has_padding: bool,
    /// The number of frames that the header declares.
    declared_frames: Option<u64>,
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusDecoder>),
}

impl<'s> TrackDecoder<'s> {
    pub fn new(
        container: Container,
        reader: Box<dyn FormatReader + 's>,
        structure: &'s Structure,
        limits: &'s Limits,
    ) -> Result<Self, SoundError> {
        let sound_tracks = if let Structure::Mp4(tracks) = structure { &tracks[..] } else { &[] };
        let has_padding = !matches!(structure, Structure::Ogg(Links { has_end: false, .. }));
        let (track, parameters) = audio_track(reader.tracks(), sound_tracks)?;
        let codec = codec(parameters, container)?;
        let id = track.id;
        let declared_frames = track.num_frames;
        let is_mp4 = container == Container::Mp4;
        let (decoder, skip) = if codec == Codec::Opus {
            let decoder = OpusDecoder::new(parameters.extra_data.as_deref().unwrap_or_default(), is_mp4)?;
            // The parts of an MP4 leave out the delay.
            let skip = if is_mp4 { 0 } else { decoder.pre_skip.into() };
            (Decoder::Opus(Box::new(decoder)), skip)
        } else {
            // symphonia's own trimming trusts the header without a check.
            let options = AudioDecoderOptions::default().gapless(false);
            let decoder = symphonia::default::get_codecs().make_audio_decoder(parameters, &options);
            (Decoder::Symphonia(decoder.map_err(|error| from_symphonia(&error))?), 0)
        };
        let parts = match sound_tracks.first() {
            Some(sound) => Some(sound.parts.as_deref().ok_or_else(|| SoundError::other_decoder("reordered edits"))?),
            None => None,
        };
        Ok(Self { container, codec, reader, track: id, decoder, limits, skip, parts, has_padding, declared_frames })
    }

    pub fn analyse(mut self) -> Result<Analysis, SoundError> {
        let mut meter = None;
        let mut planes = Vec::new();
        // Frames decoded so far.
        let mut position = 0;
        while let Some(packet) = self.next_packet(position)? {
            let format = self.decode(&packet, &mut planes)?;
            let meter = match &mut meter {
                None => meter.insert(TrimmingMeter::new(self.limits, format.rate_hz, &format.weights, self.skip)?),
                Some(meter) if meter.rate_hz() != format.rate_hz => {
                    return Err(SoundError::other_decoder("a sampling rate that changes"));
                }
                Some(meter) => meter,
            };
            let length = planes.iter().map(Vec::len).min().unwrap_or(0);
            match self.parts {
                Some(parts) => push_parts(meter, &planes, parts, position, length)?,
                None => {
                    meter.skip_more(self.trim_start(&packet, position));
                    let padding = if self.has_padding { packet.trim_end.get() } else { 0 };
                    push(meter, &planes, 0..length, padding)?;
                }
            }
            position += length as u64;
            // What is cut away costs time, too.
            self.limits.check_length(position, format.rate_hz, planes.len())?;
            if self.parts.and_then(<[_]>::last).is_some_and(|last| last.frames(format.rate_hz).end <= position) {
                break;
            }
        }
        let Some(meter) = meter else { return Err(self.no_samples()) };
        let (rate_hz, channels) = (meter.rate_hz(), meter.channels());
        let meter = meter.into_meter();
        if meter.frames() == 0 {
            return Err(SoundError::NoSamples);
        }
        Ok(Analysis::new(self.container, self.codec, rate_hz, channels, meter.finish()))
    }

    /// The error of a track without packets.
    fn no_samples(&self) -> SoundError {
        match self.container {
            Container::Mp4 | Container::Mpeg | Container::Adts => SoundError::other_decoder("no packets found"),
            _ if self.declared_frames.is_some_and(|frames| frames > 0) => SoundError::Truncated,
            _ => SoundError::NoSamples,
        }
    }

    /// The next packet of the track; `None` at the end. `position` is the number of frames decoded so far.
    fn next_packet(&mut self, position: u64) -> Result<Option<Packet>, SoundError> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(error) => {
                    let error = from_symphonia(&error);
                    let is_end = match self.container {
                        // A stream of frames and a WAV end with the file. So does an Ogg without an end-of-stream
                        // flag, as Android's OggWriter leaves it: its last page has been checked.
                        Container::Adts | Container::Mpeg | Container::Wav | Container::Ogg => true,
                        // Bytes may follow the samples.
                        Container::Flac => self.declared_frames.is_some_and(|frames| frames > 0 && position >= frames),
                        Container::Mp4 => false,
                    };
                    return if is_end && error == SoundError::Truncated { Ok(None) } else { Err(error) };
                }
            }
        }
    }

    /// Decodes a packet into `planes`. Decoders replace a damaged packet in different ways, or not at all. So the one
    /// that makes the renditions also measures a recording with such a packet.
    fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> Result<SampleFormat, SoundError> {
        let damaged = || SoundError::other_decoder("a damaged packet");
        match &mut self.decoder {
            Decoder::Opus(decoder) => {
                decoder.decode(&packet.data, planes).then(|| SampleFormat::of_opus(decoder)).ok_or_else(damaged)
            }
            Decoder::Symphonia(decoder) => match decoder.decode(packet) {
                Ok(buffer) => {
                    copy(&buffer, planes);
                    Ok(SampleFormat::of_buffer(&buffer))
                }
                Err(SymphoniaError::DecodeError(_) | SymphoniaError::IoError(_)) => Err(damaged()),
                Err(error) => Err(from_symphonia(&error)),
            },
        }
    }

    /// The encoder delay that the demuxer found, in frames. It may span several packets. For Opus, `skip` has the
    /// header's value.
    fn trim_start(&self, packet: &Packet, position: u64) -> u64 {
        match self.decoder {
            Decoder::Symphonia(_) if position < MAX_PRIMING => packet.trim_start.get().min(MAX_PRIMING),
            _ => 0,
        }
    }
}

/// The format of decoded samples.
struct SampleFormat {
    rate_hz: u32,
    weights: Vec<f64>,
}

impl SampleFormat {
    fn of_buffer(buffer: &GenericAudioBufferRef<'_>) -> Self {
        Self { rate_hz: buffer.spec().rate(), weights: channels::weights(buffer.spec().channels()) }
    }

    fn of_opus(decoder: &OpusDecoder) -> Self {
        Self { rate_hz: opus::RATE_HZ, weights: decoder.weights() }
    }
}

/// Measures those of the decoded frames that lie within the parts.
fn push_parts(
    meter: &mut TrimmingMeter<'_>,
    planes: &[Vec<f32>],
    parts: &[Part],
    position: u64,
    length: usize,
) -> Result<(), SoundError> {
    for part in parts {
        let range = overlap(&part.frames(meter.rate_hz()), position, length);
        push(meter, planes, range, 0)?;
    }
    Ok(())
}

fn push(
    meter: &mut TrimmingMeter<'_>,
    planes: &[Vec<f32>],
    range: Range<usize>,
    padding: u64,
) -> Result<(), SoundError> {
    meter.push(&planes.iter().map(|plane| &plane[range.clone()]).collect::<Vec<_>>(), padding)
}

fn copy(buffer: &GenericAudioBufferRef<'_>, planes: &mut Vec<Vec<f32>>) {
    if let GenericAudioBufferRef::F32(buffer) = buffer {
        planes.resize_with(buffer.num_planes(), Vec::new);
        for (to, from) in planes.iter_mut().zip(buffer.iter_planes()) {
            to.clear();
            to.extend_from_slice(from);
        }
    } else {
        buffer.copy_to_vecs_planar::<f32>(planes);
    }
}

/// The first audio track, with its parameters. The other decoder plays the first one, too, so no other track will do.
fn audio_track<'t>(
    tracks: &'t [Track],
    sound_tracks: &[SoundTrack],
) -> Result<(&'t Track, &'t AudioCodecParameters), SoundError> {
    let first = sound_tracks.first();
    let known = tracks.iter().find_map(|track| match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) if first.is_none_or(|first| first.id == track.id) => {
            Some((track, parameters))
        }
        _ => None,
    });
    known.filter(|(_, parameters)| parameters.codec != CODEC_ID_NULL_AUDIO).ok_or_else(|| match first {
        Some(sound) => SoundError::other_decoder(sound.entry.escape_ascii()),
        None => SoundError::other_decoder("an unknown codec"),
    })
}

fn codec(parameters: &AudioCodecParameters, container: Container) -> Result<Codec, SoundError> {
    /// The ids of all PCM codecs are lower.
    const ADPCM: AudioCodecId = symphonia::core::codecs::audio::well_known::CODEC_ID_ADPCM_G722;
    match parameters.codec {
        CODEC_ID_AAC if may_be_he_aac(parameters.sample_rate, parameters.extra_data.as_deref()) => {
            Err(SoundError::other_decoder("possible HE-AAC"))
        }
        CODEC_ID_AAC => Ok(Codec::AacLc),
        CODEC_ID_MP3 => Ok(Codec::Mp3),
        // symphonia decodes up to 24 bits.
        CODEC_ID_FLAC if parameters.bits_per_sample.is_some_and(|bits| bits > 24) => {
            Err(SoundError::other_decoder("FLAC of 32 bits"))
        }
        CODEC_ID_FLAC => Ok(Codec::Flac),
        CODEC_ID_VORBIS => Ok(Codec::Vorbis),
        CODEC_ID_OPUS => Ok(Codec::Opus),
        id if id < ADPCM && container == Container::Wav => Ok(Codec::Pcm),
        id => Err(SoundError::other_decoder(format!("codec {id}"))),
    }
}
