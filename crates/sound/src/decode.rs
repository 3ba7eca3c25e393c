//! Decodes a recording: demultiplexes, decodes and measures what its layout says.

mod aac;
mod channels;
mod errors;
mod opus;
mod track;
mod trim;

use std::io::{Cursor, Read, Seek, SeekFrom};

use symphonia::{
    core::{
        formats::{FormatOptions, FormatReader},
        io::{MediaSource, MediaSourceStream, ReadOnlySource},
    },
    default::formats::{AdtsReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader},
};

use crate::{
    analysis::Analysis,
    error::SoundError,
    format::{Container, FileFormat},
    layout::{Layout, Links, Structure, WavData},
    limits::Limits,
    source::Source,
};
pub(crate) use channels::SURROUND_WEIGHT;
pub(crate) use trim::TrimmingMeter;

pub(crate) fn analyse<S: Read + Seek + Send + Sync>(
    source: Source<S>,
    layout: &Layout,
    limits: &Limits,
) -> Result<Analysis, SoundError> {
    let container = match layout.format {
        FileFormat::Supported(container) => container,
        FileFormat::Other(other) => return Err(SoundError::other_decoder(other)),
    };
    match &layout.structure {
        Structure::Ogg(Links { is_decodable: false, .. }) => {
            return Err(SoundError::other_decoder("several streams, or another codec, in Ogg"));
        }
        Structure::Plain if matches!(container, Container::Mp4 | Container::Wav) => {
            return Err(SoundError::other_decoder("damaged headers"));
        }
        _ => {}
    }
    let failure = source.failure();
    let result = open(container, source, layout)
        .and_then(|reader| track::TrackDecoder::new(container, reader, &layout.structure, limits)?.analyse());
    // If the source failed, the decoder's result is wrong, even if it looks like a normal end of file.
    match failure.take() {
        Some(failure) => Err(failure),
        None => result,
    }
}

fn open<'s, S: Read + Seek + Send + Sync + 's>(
    container: Container,
    mut source: Source<S>,
    layout: &Layout,
) -> Result<Box<dyn FormatReader + 's>, SoundError> {
    let start = if let Structure::Wav(WavData { data, .. }) = &layout.structure { data.start } else { layout.start };
    source.seek(SeekFrom::Start(start)).map_err(|error| errors::from_io(&error))?;
    let source: Box<dyn MediaSource + 's> = match &layout.structure {
        Structure::Wav(WavData { header, data, .. }) => {
            let samples = source.take(data.end - data.start);
            Box::new(ReadOnlySource::new(Cursor::new(header.clone()).chain(samples)))
        }
        _ => Box::new(source),
    };
    let stream = MediaSourceStream::new(source, Default::default());
    let options = FormatOptions::default();
    let reader: Result<Box<dyn FormatReader + 's>, _> = match container {
        Container::Wav => WavReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Flac => FlacReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Ogg => OggReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Mp4 => IsoMp4Reader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Mpeg => MpaReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        Container::Adts => AdtsReader::try_new(stream, options).map(|reader| Box::new(reader) as _),
    };
    reader.map_err(|error| match errors::from_symphonia(&error) {
        // The layout has shown that index and samples are complete.
        SoundError::Truncated if container == Container::Mp4 => SoundError::other_decoder(error),
        error => error,
    })
}
