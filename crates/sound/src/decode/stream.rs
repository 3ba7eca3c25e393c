//! One track, packet by packet.

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

use super::{SoundTrack, channels, feed::Feed, from_symphonia, opus, opus::OpusDecoder};
use crate::{Analysis, Codec, Container, Limits, SoundError};

/// The most that an encoder puts in front (AAC: 2112 frames with HE, 1024 or 2048 without).
const MOST_PRIMING: u64 = 8192;
/// Of this many packets one may be damaged, and two in all where there are fewer.
const PACKETS_PER_DAMAGED: u64 = 50;

pub(crate) struct Stream<'s> {
    container: Container,
    codec: Codec,
    reader: Box<dyn FormatReader + 's>,
    track: u32,
    decoder: Decoder,
    limits: &'s Limits,
    /// Frames to leave out at the beginning, beyond what packets say.
    skip: u64,
    /// The frame at which the sound is said to end, where packets do not say so.
    end: Option<u64>,
    /// Whether the header says that there are samples.
    promised: bool,
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusDecoder>),
}

impl<'s> Stream<'s> {
    pub fn new(
        container: Container,
        reader: Box<dyn FormatReader + 's>,
        sounds: &[SoundTrack],
        limits: &'s Limits,
    ) -> Result<Self, SoundError> {
        let (track, parameters) = sound_track(reader.tracks(), sounds)?;
        let codec = codec(parameters, container)?;
        let id = track.id;
        let promised = track.num_frames.is_some_and(|frames| frames > 0);
        let (decoder, mut skip) = if codec == Codec::Opus {
            let decoder = OpusDecoder::new(parameters.extra_data.as_deref().unwrap_or_default())?;
            let skip = u64::from(decoder.pre_skip);
            (Decoder::Opus(Box::new(decoder)), skip)
        } else {
            // Its own idea of trimming believes whatever the header says.
            let options = AudioDecoderOptions::default().gapless(false);
            let decoder = symphonia::default::get_codecs().make_audio_decoder(parameters, &options);
            (Decoder::Symphonia(decoder.map_err(|error| from_symphonia(&error))?), 0)
        };
        let mut end = None;
        let sound = sounds.iter().find(|sound| sound.id == id);
        if let (Some(sound), Some(rate_hz)) = (sound, parameters.sample_rate) {
            let (from, to) = sound.edit(rate_hz);
            // What is longer is no priming but somebody's cut, and that is left to who plays it.
            if from <= MOST_PRIMING && codec != Codec::Opus {
                (skip, end) = (from, to);
            }
        }
        Ok(Self { container, codec, reader, track: id, decoder, limits, skip, end, promised })
    }

    pub fn analyse(mut self) -> Result<Analysis, SoundError> {
        let mut feed = None;
        let mut planes = Vec::new();
        let (mut packets, mut damaged) = (0_u64, 0_u64);
        let mut decoded_frames = 0;
        let mut last_length = 0;
        while let Some(packet) = self.next_packet()? {
            packets += 1;
            let Some(format) = self.decode(&packet, &mut planes)? else {
                damaged += 1;
                // Time goes on where something is missing.
                if let Some(feed) = feed.as_mut() {
                    decoded_frames += last_length as u64;
                    push(feed, &vec![vec![0.0; last_length]; Feed::channels(feed)], 0)?;
                }
                continue;
            };
            let feed = match &mut feed {
                None => {
                    let skip = self.skip + self.trim_start(&packet);
                    feed.insert(Feed::new(self.limits, format.rate_hz, &format.weights, skip)?)
                }
                Some(feed) if feed.rate_hz() != format.rate_hz => {
                    return Err(SoundError::other_decoder("a sampling rate that changes"));
                }
                Some(feed) => feed,
            };
            last_length = planes.first().map_or(0, Vec::len);
            decoded_frames += last_length as u64;
            let beyond = self.end.map_or(0, |end| decoded_frames.saturating_sub(end));
            push(feed, &planes, packet.trim_end.get().max(beyond))?;
        }
        if damaged > (packets / PACKETS_PER_DAMAGED).max(2) || (damaged > 0 && feed.is_none()) {
            return Err(SoundError::corrupt(format!("{damaged} of {packets} packets cannot be decoded")));
        }
        let Some(feed) = feed else {
            return Err(if self.promised { SoundError::Truncated } else { SoundError::NoSamples });
        };
        let (rate_hz, channels) = (feed.rate_hz(), feed.channels());
        let meter = feed.finish();
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
                    // A bare stream of frames has no end but that of the file, and neither has a WAV
                    // whose length is unknown; all others have been checked.
                    let bare = matches!(self.container, Container::Adts | Container::Mpeg | Container::Wav);
                    return if bare && error == SoundError::Truncated { Ok(None) } else { Err(error) };
                }
            }
        }
    }

    /// Decodes into `planes`; `None` if the packet is damaged.
    fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> Result<Option<Format>, SoundError> {
        match &mut self.decoder {
            Decoder::Opus(decoder) => Ok(decoder.decode(&packet.data, planes).then(|| Format::of_opus(decoder))),
            Decoder::Symphonia(decoder) => match decoder.decode(packet) {
                Ok(buffer) => {
                    copy(&buffer, planes);
                    Ok(Some(Format::of_buffer(&buffer)))
                }
                Err(SymphoniaError::DecodeError(_) | SymphoniaError::IoError(_)) => Ok(None),
                Err(error) => Err(from_symphonia(&error)),
            },
        }
    }

    /// What the demuxer found to be the encoder's at the beginning. Opus has it from its header.
    fn trim_start(&self, packet: &Packet) -> u64 {
        match self.decoder {
            Decoder::Opus(_) => 0,
            Decoder::Symphonia(_) => packet.trim_start.get().min(MOST_PRIMING),
        }
    }
}

/// What the decoder says that it has decoded.
struct Format {
    rate_hz: u32,
    weights: Vec<f64>,
}

impl Format {
    fn of_buffer(buffer: &GenericAudioBufferRef<'_>) -> Self {
        Self { rate_hz: buffer.spec().rate(), weights: channels::weights(buffer.spec().channels()) }
    }

    fn of_opus(decoder: &OpusDecoder) -> Self {
        Self { rate_hz: opus::RATE_HZ, weights: decoder.weights() }
    }
}

fn push(feed: &mut Feed<'_>, planes: &[Vec<f32>], padding: u64) -> Result<(), SoundError> {
    feed.push(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>(), padding)
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

/// The first track of sound in a known codec, and its parameters.
fn sound_track<'t>(
    tracks: &'t [Track],
    sounds: &[SoundTrack],
) -> Result<(&'t Track, &'t AudioCodecParameters), SoundError> {
    let known = tracks.iter().find_map(|track| match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) if parameters.codec != CODEC_ID_NULL_AUDIO => {
            Some((track, parameters))
        }
        _ => None,
    });
    known.ok_or_else(|| match sounds.first() {
        Some(sound) => SoundError::other_decoder(sound.entry.escape_ascii()),
        None => SoundError::NoAudioTrack,
    })
}

fn codec(parameters: &AudioCodecParameters, container: Container) -> Result<Codec, SoundError> {
    /// Every PCM codec is below this.
    const ADPCM: AudioCodecId = symphonia::core::codecs::audio::well_known::CODEC_ID_ADPCM_G722;
    match parameters.codec {
        CODEC_ID_AAC if may_be_he_aac(parameters) => Err(SoundError::other_decoder("what may be HE-AAC")),
        CODEC_ID_AAC => Ok(Codec::AacLc),
        CODEC_ID_MP3 => Ok(Codec::Mp3),
        CODEC_ID_FLAC => Ok(Codec::Flac),
        CODEC_ID_VORBIS => Ok(Codec::Vorbis),
        CODEC_ID_OPUS => Ok(Codec::Opus),
        id if id < ADPCM && container == Container::Wav => Ok(Codec::Pcm),
        id => Err(SoundError::other_decoder(format!("codec {id}"))),
    }
}

/// HE-AAC can be hidden in a stream that says it is AAC-LC, at half the rate: a decoder that does
/// not know it then misses the upper half of the spectrum without noticing. A low rate is trusted
/// only where the configuration says that there is nothing more (ISO/IEC 14496-3, 1.6.5.2:
/// a sync extension whose SBR flag is 0).
fn may_be_he_aac(parameters: &AudioCodecParameters) -> bool {
    const HIGHEST_HALVED_HZ: u32 = 24_000;
    let excluded = matches!(parameters.extra_data.as_deref(), Some([_, _, 0x56, 0xe5, flag, ..]) if flag & 0x80 == 0);
    parameters.sample_rate.is_none_or(|rate| rate <= HIGHEST_HALVED_HZ) && !excluded
}
