//! Decodes and measures one track, packet by packet.

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
    channels,
    errors::from_symphonia,
    mp4::SoundTrack,
    opus::{self, OpusDecoder},
    trim::TrimmingMeter,
};
use crate::{
    analysis::Analysis,
    error::SoundError,
    format::{Codec, Container},
    limits::Limits,
};

/// The longest encoder delay that is trimmed, in frames (AAC: 2112 with HE, 1024 or 2048 without).
const MAX_PRIMING: u64 = 8192;
/// One packet in this many may be damaged. In short recordings, two may be damaged.
const PACKETS_PER_DAMAGED: u64 = 50;

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
    /// The frame at which the edit list ends the sound.
    end: Option<u64>,
    /// Whether the header declares samples.
    declares_samples: bool,
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusDecoder>),
}

impl<'s> TrackDecoder<'s> {
    pub fn new(
        container: Container,
        reader: Box<dyn FormatReader + 's>,
        sound_tracks: &[SoundTrack],
        limits: &'s Limits,
    ) -> Result<Self, SoundError> {
        let (track, parameters) = audio_track(reader.tracks(), sound_tracks)?;
        let codec = codec(parameters, container)?;
        let id = track.id;
        let declares_samples = track.num_frames.is_some_and(|frames| frames > 0);
        let (decoder, mut skip) = if codec == Codec::Opus {
            let decoder = OpusDecoder::new(parameters.extra_data.as_deref().unwrap_or_default())?;
            let skip = u64::from(decoder.pre_skip);
            (Decoder::Opus(Box::new(decoder)), skip)
        } else {
            // symphonia's own trimming trusts the header without a check.
            let options = AudioDecoderOptions::default().gapless(false);
            let decoder = symphonia::default::get_codecs().make_audio_decoder(parameters, &options);
            (Decoder::Symphonia(decoder.map_err(|error| from_symphonia(&error))?), 0)
        };
        let mut end = None;
        let sound = sound_tracks.iter().find(|sound| sound.id == id);
        if let (Some(sound), Some(rate_hz)) = (sound, parameters.sample_rate) {
            let (from, to) = sound.edit(rate_hz);
            // A longer start is not an encoder delay but a cut by an editor, which only players apply.
            if from <= MAX_PRIMING && codec != Codec::Opus {
                (skip, end) = (from, to);
            }
        }
        Ok(Self { container, codec, reader, track: id, decoder, limits, skip, end, declares_samples })
    }

    pub fn analyse(mut self) -> Result<Analysis, SoundError> {
        let mut meter = None;
        let mut planes = Vec::new();
        let (mut packets, mut damaged) = (0_u64, 0_u64);
        let mut decoded_frames = 0;
        let mut last_length = 0;
        while let Some(packet) = self.next_packet()? {
            packets += 1;
            let Some(format) = self.decode(&packet, &mut planes)? else {
                damaged += 1;
                // Silence of the same length keeps the timing.
                if let Some(meter) = meter.as_mut() {
                    decoded_frames += last_length as u64;
                    push(meter, &vec![vec![0.0; last_length]; TrimmingMeter::channels(meter)], 0)?;
                }
                continue;
            };
            let meter = match &mut meter {
                None => {
                    let skip = self.skip + self.trim_start(&packet);
                    meter.insert(TrimmingMeter::new(self.limits, format.rate_hz, &format.weights, skip)?)
                }
                Some(meter) if meter.rate_hz() != format.rate_hz => {
                    return Err(SoundError::other_decoder("a sampling rate that changes"));
                }
                Some(meter) => meter,
            };
            last_length = planes.first().map_or(0, Vec::len);
            decoded_frames += last_length as u64;
            let beyond_end = self.end.map_or(0, |end| decoded_frames.saturating_sub(end));
            push(meter, &planes, packet.trim_end.get().max(beyond_end))?;
        }
        if damaged > (packets / PACKETS_PER_DAMAGED).max(2) || (damaged > 0 && meter.is_none()) {
            return Err(SoundError::corrupt(format!("{damaged} of {packets} packets cannot be decoded")));
        }
        let Some(meter) = meter else {
            return Err(if self.declares_samples { SoundError::Truncated } else { SoundError::NoSamples });
        };
        let (rate_hz, channels) = (meter.rate_hz(), meter.channels());
        let meter = meter.into_meter();
        if meter.frames() == 0 {
            return Err(SoundError::NoSamples);
        }
        Ok(Analysis::new(self.container, self.codec, rate_hz, channels, damaged, meter.finish()))
    }

    /// The next packet of the track; `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>, SoundError> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(error) => {
                    let error = from_symphonia(&error);
                    // A stream of frames without a container, and a WAV of unknown length, end with the
                    // file. The length of all others was checked before.
                    let has_no_length = matches!(self.container, Container::Adts | Container::Mpeg | Container::Wav);
                    return if has_no_length && error == SoundError::Truncated { Ok(None) } else { Err(error) };
                }
            }
        }
    }

    /// Decodes a packet into `planes`. Returns `None` if it is damaged.
    fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> Result<Option<SampleFormat>, SoundError> {
        match &mut self.decoder {
            Decoder::Opus(decoder) => Ok(decoder.decode(&packet.data, planes).then(|| SampleFormat::of_opus(decoder))),
            Decoder::Symphonia(decoder) => match decoder.decode(packet) {
                Ok(buffer) => {
                    copy(&buffer, planes);
                    Ok(Some(SampleFormat::of_buffer(&buffer)))
                }
                Err(SymphoniaError::DecodeError(_) | SymphoniaError::IoError(_)) => Ok(None),
                Err(error) => Err(from_symphonia(&error)),
            },
        }
    }

    /// The encoder delay that the demuxer found, in frames. For Opus, `skip` has the header's value.
    fn trim_start(&self, packet: &Packet) -> u64 {
        match self.decoder {
            Decoder::Opus(_) => 0,
            Decoder::Symphonia(_) => packet.trim_start.get().min(MAX_PRIMING),
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

fn push(meter: &mut TrimmingMeter<'_>, planes: &[Vec<f32>], padding: u64) -> Result<(), SoundError> {
    meter.push(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>(), padding)
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

/// The first audio track in a codec known to symphonia, with its parameters.
fn audio_track<'t>(
    tracks: &'t [Track],
    sound_tracks: &[SoundTrack],
) -> Result<(&'t Track, &'t AudioCodecParameters), SoundError> {
    let known = tracks.iter().find_map(|track| match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) if parameters.codec != CODEC_ID_NULL_AUDIO => {
            Some((track, parameters))
        }
        _ => None,
    });
    known.ok_or_else(|| match sound_tracks.first() {
        Some(sound) => SoundError::other_decoder(sound.entry.escape_ascii()),
        None => SoundError::NoAudioTrack,
    })
}

fn codec(parameters: &AudioCodecParameters, container: Container) -> Result<Codec, SoundError> {
    /// The ids of all PCM codecs are lower.
    const ADPCM: AudioCodecId = symphonia::core::codecs::audio::well_known::CODEC_ID_ADPCM_G722;
    match parameters.codec {
        CODEC_ID_AAC if may_be_he_aac(parameters) => Err(SoundError::other_decoder("possible HE-AAC")),
        CODEC_ID_AAC => Ok(Codec::AacLc),
        CODEC_ID_MP3 => Ok(Codec::Mp3),
        CODEC_ID_FLAC => Ok(Codec::Flac),
        CODEC_ID_VORBIS => Ok(Codec::Vorbis),
        CODEC_ID_OPUS => Ok(Codec::Opus),
        id if id < ADPCM && container == Container::Wav => Ok(Codec::Pcm),
        id => Err(SoundError::other_decoder(format!("codec {id}"))),
    }
}

/// Whether AAC-LC may contain HE-AAC. HE-AAC can be signalled implicitly, as AAC-LC at half the rate. An AAC-LC
/// decoder would then lose the upper half of the spectrum. A low rate is certain only if the configuration
/// excludes SBR (ISO/IEC 14496-3, 1.6.5.2: a sync extension with SBR flag 0).
fn may_be_he_aac(parameters: &AudioCodecParameters) -> bool {
    const MAX_HALVED_HZ: u32 = 24_000;
    let is_excluded =
        matches!(parameters.extra_data.as_deref(), Some([_, _, 0x56, 0xe5, flag, ..]) if flag & 0x80 == 0);
    parameters.sample_rate.is_none_or(|rate| rate <= MAX_HALVED_HZ) && !is_excluded
}
