//! The caller's source as the decoders read it. It records the source's own errors.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::{Arc, Mutex, PoisonError},
};

use symphonia::core::io::MediaSource;

use crate::error::SoundError;

/// The first error of the source. Decoders convert I/O errors to their own, so that a failed network would
/// look like a truncated file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<SoundError>>>);

impl Failure {
    fn record<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            recorded.get_or_insert_with(|| SoundError::source(error));
        }
        result
    }

    pub fn take(&self) -> Option<SoundError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Reads until the buffer is full or the reader ends. Returns the number of bytes.
pub(crate) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, SoundError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SoundError::source(&error)),
        }
    }
    Ok(filled)
}

/// A source of known length.
#[derive(Debug)]
pub(crate) struct Source<S> {
    inner: S,
    length: u64,
    failure: Failure,
}

impl<S: Read + Seek> Source<S> {
    pub fn new(mut inner: S) -> Result<Self, SoundError> {
        let length = inner.seek(SeekFrom::End(0)).and_then(|length| inner.rewind().map(|()| length));
        let length = length.map_err(|error| SoundError::source(&error))?;
        Ok(Self { inner, length, failure: Failure::default() })
    }

    /// The length, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// Fills `buffer` from `position` and returns the number of bytes; fewer only at the end.
    pub fn read_at(&mut self, position: u64, buffer: &mut [u8]) -> Result<usize, SoundError> {
        if position > self.length {
            return Ok(0);
        }
        self.seek(SeekFrom::Start(position)).map_err(|error| SoundError::source(&error))?;
        fill(self, buffer)
    }

    /// Reads `N` bytes at `position`; `Truncated` if there are fewer.
    pub fn array_at<const N: usize>(&mut self, position: u64) -> Result<[u8; N], SoundError> {
        let mut buffer = [0; N];
        if self.read_at(position, &mut buffer)? < N {
            return Err(SoundError::Truncated);
        }
        Ok(buffer)
    }
}

impl<S: Read> Read for Source<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        self.failure.record(result)
    }
}

impl<S: Seek> Seek for Source<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // A damaged file may contain any offset. A seek out of range is not an error of the source.
        if let SeekFrom::Start(position) = to
            && position > self.length
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let result = self.inner.seek(to);
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::InvalidInput) {
            return result;
        }
        self.failure.record(result)
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for Source<S> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
