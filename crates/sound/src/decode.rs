//! Decodes a recording: recognises the format, checks it, demultiplexes, decodes and measures.

mod channels;
mod errors;
mod mp4;
mod ogg;
mod opus;
mod track;
mod trim;
mod wav;

use std::io::{Read, Seek, SeekFrom};

use symphonia::{
    core::{
        formats::{FormatOptions, FormatReader},
        io::MediaSourceStream,
    },
    default::formats::{AdtsReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader},
};

use crate::{
    analysis::Analysis,
    error::SoundError,
    format::{Container, FileFormat, SNIFFED_BYTES, sniff},
    limits::Limits,
    source::Source,
};
pub(crate) use channels::SURROUND_WEIGHT;
pub(crate) use trim::TrimmingMeter;

/// The most consecutive ID3 tags. Real files have one or two.
const MAX_TAGS: usize = 4;

pub(crate) fn analyse<S: Read + Seek + Send + Sync>(source: S, limits: &Limits) -> Result<Analysis, SoundError> {
    let mut source = Source::new(source)?;
    let (format, start) = skip_tags(&mut source)?;
    let container = match format {
        FileFormat::Supported(container) => container,
        FileFormat::Other(other) => return Err(SoundError::other_decoder(other)),
    };
    let sound_tracks = match container {
        Container::Mp4 => mp4::sound_tracks(&mut source)?,
        Container::Ogg => ogg::check_end(&mut source).map(|()| Vec::new())?,
        Container::Wav => wav::check_length(&mut source, start).map(|()| Vec::new())?,
        Container::Flac | Container::Mpeg | Container::Adts => Vec::new(),
    };
    if container == Container::Mp4 && sound_tracks.is_empty() {
        return Err(SoundError::NoAudioTrack);
    }
    let failure = source.failure();
    let result = open(container, source, start)
        .and_then(|reader| track::TrackDecoder::new(container, reader, &sound_tracks, limits)?.analyse());
    // If the source failed, the decoder's result is wrong, even if it looks like a normal end of file.
    match failure.take() {
        Some(failure) => Err(failure),
        None => result,
    }
}

pub(crate) fn recognise<S: Read + Seek>(source: S) -> Result<FileFormat, SoundError> {
    skip_tags(&mut Source::new(source)?).map(|(format, _)| format)
}

/// The file format and its offset, in bytes, after any ID3 tags.
fn skip_tags<S: Read + Seek>(source: &mut Source<S>) -> Result<(FileFormat, u64), SoundError> {
    if source.length() == 0 {
        return Err(SoundError::Empty);
    }
    let mut start = 0;
    for _ in 0..MAX_TAGS {
        let mut head = [0; SNIFFED_BYTES];
        let read = source.read_at(start, &mut head)?;
        match (&head[..read], sniff(&head[..read])) {
            (_, Some(format)) => return Ok((format, start)),
            // ID3v2 sizes have seven bits per byte. An optional footer is as long as the header.
            (&[b'I', b'D', b'3', _, _, flags, a, b, c, d, ..], _) if (a | b | c | d) < 0x80 => {
                let size = [a, b, c, d].into_iter().fold(0, |size, byte| size << 7 | u64::from(byte));
                start += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
                if start >= source.length() {
                    return Err(SoundError::Truncated);
                }
            }
            _ => break,
        }
    }
    // An MP3 need not start with a frame. After an ID3 tag, unknown content is an MP3.
    if start > 0 { Ok((FileFormat::Supported(Container::Mpeg), start)) } else { Err(SoundError::NotAudio) }
}

fn open<'s, S: Read + Seek + Send + Sync + 's>(
    container: Container,
    source: Source<S>,
    start: u64,
) -> Result<Box<dyn FormatReader + 's>, SoundError> {
    let mut stream = MediaSourceStream::new(Box::new(source), Default::default());
    stream.seek(SeekFrom::Start(start)).map_err(|error| errors::from_io(&error))?;
    let options = FormatOptions::default();
    let reader: Result<Box<dyn FormatReader + 's>, _> = match container {
        Container::Wav => WavReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Flac => FlacReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Ogg => OggReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Mp4 => IsoMp4Reader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Mpeg => MpaReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Adts => AdtsReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
    };
    reader.map_err(|error| errors::from_symphonia(&error))
}
