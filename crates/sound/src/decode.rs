//! Bytes to samples: recognise, check, demultiplex, decode, hand over to the meter.

mod channels;
mod feed;
mod mp4;
mod ogg;
mod opus;
mod stream;
mod wav;

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use symphonia::{
    core::{
        errors::Error as SymphoniaError,
        formats::{FormatOptions, FormatReader},
        io::MediaSourceStream,
    },
    default::formats::{AdtsReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader},
};

use crate::{
    Analysis, Container, Limits, SoundError,
    format::{Recognised, SNIFFED_BYTES, sniff},
    source::Source,
};
pub(crate) use channels::SURROUND;
pub(crate) use feed::Feed;
use mp4::SoundTrack;

/// Nobody writes more ID3 tags in a row.
const MOST_TAGS: usize = 4;

pub(crate) fn analyse<S: Read + Seek + Send + Sync>(source: S, limits: &Limits) -> Result<Analysis, SoundError> {
    let mut source = Source::new(source)?;
    let (recognised, start) = find(&mut source)?;
    let container = match recognised {
        Recognised::Known(container) => container,
        Recognised::Foreign(foreign) => return Err(SoundError::other_decoder(foreign)),
    };
    let sounds = match container {
        Container::Mp4 => mp4::inspect(&mut source)?.sounds,
        Container::Ogg => ogg::check_end(&mut source).map(|()| Vec::new())?,
        Container::Wav => wav::check_length(&mut source, start).map(|()| Vec::new())?,
        Container::Flac | Container::Mpeg | Container::Adts => Vec::new(),
    };
    if container == Container::Mp4 && sounds.is_empty() {
        return Err(SoundError::NoAudioTrack);
    }
    let failure = source.failure();
    let analysed = open(container, source, start).and_then(|reader| {
        let stream = stream::Stream::new(container, reader, &sounds, limits)?;
        stream.analyse()
    });
    // A source that failed is the reason for whatever a decoder made of it, also for an end that
    // looks like any other.
    match failure.take() {
        Some(failure) => Err(failure),
        None => analysed,
    }
}

pub(crate) fn recognise<S: Read + Seek>(source: S) -> Result<Recognised, SoundError> {
    find(&mut Source::new(source)?).map(|(recognised, _)| recognised)
}

/// What it is, and where that begins: tags in front are passed over unread.
fn find<S: Read + Seek>(source: &mut Source<S>) -> Result<(Recognised, u64), SoundError> {
    if source.length() == 0 {
        return Err(SoundError::Empty);
    }
    let mut start = 0;
    for _ in 0..MOST_TAGS {
        let mut head = [0; SNIFFED_BYTES];
        let read = source.read_at(start, &mut head)?;
        match (&head[..read], sniff(&head[..read])) {
            (_, Some(recognised)) => return Ok((recognised, start)),
            // Sizes of ID3v2 have seven bits to a byte; a footer is as long as the header.
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
    // An MP3 need not begin with a tag or a frame; with a tag, what follows can be nothing else.
    if start > 0 { Ok((Recognised::Known(Container::Mpeg), start)) } else { Err(SoundError::NotAudio) }
}

fn open<'s, S: Read + Seek + Send + Sync + 's>(
    container: Container,
    source: Source<S>,
    start: u64,
) -> Result<Box<dyn FormatReader + 's>, SoundError> {
    let mut stream = MediaSourceStream::new(Box::new(source), Default::default());
    stream.seek(SeekFrom::Start(start)).map_err(|error| from_io(&error))?;
    let options = FormatOptions::default();
    let reader: Result<Box<dyn FormatReader + 's>, _> = match container {
        Container::Wav => WavReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Flac => FlacReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Ogg => OggReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Mp4 => IsoMp4Reader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Mpeg => MpaReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Adts => AdtsReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
    };
    reader.map_err(|error| from_symphonia(&error))
}

fn from_symphonia(error: &SymphoniaError) -> SoundError {
    match error {
        SymphoniaError::IoError(error) => from_io(error),
        SymphoniaError::Unsupported(what) => SoundError::other_decoder(what),
        SymphoniaError::ResetRequired => SoundError::other_decoder("a file of several recordings"),
        other => SoundError::corrupt(other),
    }
}

/// An I/O error that is not the source's own: an early end.
fn from_io(error: &std::io::Error) -> SoundError {
    match error.kind() {
        ErrorKind::UnexpectedEof => SoundError::Truncated,
        _ => SoundError::corrupt(error),
    }
}
