use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use derivatives::Originals;
use domain::media::ObjectVersion;
use function_kit::failure::Failure;
use tokio::runtime::Handle;

/// The size of a download request, in bytes. At most one block is in memory.
const BLOCK: u64 = 4 * 1024 * 1024;

/// An original in S3 as a local file that is downloaded in blocks when they are first read.
///
/// A file rejected by its first bytes costs one block, and ffmpeg reuses the blocks that the analysis has read.
/// Reading waits for the runtime's thread, so it must run on another one.
#[derive(Debug, Clone)]
pub struct LazyDownload(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    source: Source,
    size: u64,
    file: File,
    path: PathBuf,
    /// Whether each block is on disk.
    is_downloaded: Vec<bool>,
    error: Option<FetchError>,
}

/// The object to download.
#[derive(Debug)]
pub struct Source {
    pub originals: Originals,
    /// Runs the requests.
    pub runtime: Handle,
    pub key: String,
    /// The version to download.
    pub version: ObjectVersion,
}

/// An original that could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The original was deleted or replaced.
    #[error("the original was deleted or replaced")]
    Gone,
    /// The download failed. A retry may help.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl LazyDownload {
    /// An original of `size` bytes, to be stored at `path`. Nothing is downloaded yet.
    pub fn new(source: Source, size: u64, path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        // A sparse file: blocks that are not downloaded take no space.
        file.set_len(size)?;
        let blocks = usize::try_from(size.div_ceil(BLOCK)).map_err(io::Error::other)?;
        let inner = Inner { source, size, file, path, is_downloaded: vec![false; blocks], error: None };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// A reader from the start.
    pub fn reader(&self) -> Reader {
        Reader { download: self.clone(), position: 0 }
    }

    /// Downloads all remaining blocks and returns the file.
    pub fn download_all(&self) -> io::Result<PathBuf> {
        let mut inner = self.lock();
        for block in 0..inner.is_downloaded.len() {
            inner.fetch(block)?;
        }
        Ok(inner.path.clone())
    }

    /// Returns the cause of a failed read, if the download caused it.
    pub fn take_error(&self) -> Option<FetchError> {
        self.lock().error.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn fetch(&mut self, block: usize) -> io::Result<()> {
        if self.is_downloaded.get(block).is_none_or(|is_downloaded| *is_downloaded) {
            return Ok(());
        }
        let start = block as u64 * BLOCK;
        let range = start..self.size.min(start + BLOCK);
        let Source { originals, runtime, key, version } = &self.source;
        let (error, kind) = match runtime.block_on(originals.get_range(key, version, range)) {
            Ok(Some(bytes)) => {
                self.file.write_all_at(&bytes, start)?;
                self.is_downloaded[block] = true;
                return Ok(());
            }
            Ok(None) => (FetchError::Gone, io::ErrorKind::NotFound),
            Err(failure) => (failure.into(), io::ErrorKind::Other),
        };
        self.error = Some(error);
        Err(io::Error::new(kind, "the original cannot be downloaded"))
    }

    fn read_at(&mut self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        if position >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let block = position / BLOCK;
        self.fetch(usize::try_from(block).map_err(io::Error::other)?)?;
        // Only within the downloaded block.
        let left = self.size.min((block + 1) * BLOCK) - position;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        self.file.read_at(&mut buffer[..count], position)
    }
}

/// Reads an original from any position.
#[derive(Debug)]
pub struct Reader {
    download: LazyDownload,
    position: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.download.lock().read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.download.lock().size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        // As for files: a position after the end is valid, one before the start is not.
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{
        operation::get_object::{GetObjectError, GetObjectOutput},
        primitives::{ByteStream, SdkBody},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::http::Response;
    use function_kit::failure::Kind;
    use tokio::task::spawn_blocking;

    use super::*;
    use crate::temp_dir;

    /// Longer than two blocks.
    const SIZE: u64 = 2 * BLOCK + 1_000;

    fn byte(position: u64) -> u8 {
        (position % 251) as u8
    }

    /// S3 with an object whose bytes depend on their position.
    fn stored_object() -> Rule {
        mock!(aws_sdk_s3::Client::get_object)
            .match_requests(|request| request.if_match() == Some("\"e\""))
            .then_compute_output(|request| {
                let range = request.range().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
                let (first, last) = range.expect("a range");
                let (first, last): (u64, u64) = (first.parse().expect("a number"), last.parse().expect("a number"));
                assert!(first <= last && last < SIZE, "{first} to {last}");
                GetObjectOutput::builder().body(ByteStream::from((first..=last).map(byte).collect::<Vec<_>>())).build()
            })
    }

    /// Runs `test` on a download of the object behind `rule`.
    async fn with_download<T: Send + 'static>(
        rule: &Rule,
        test: impl FnOnce(&LazyDownload) -> T + Send + 'static,
    ) -> T {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [rule]);
        let originals = Originals { s3, bucket: "originals".into() };
        let version = ObjectVersion::of_etag("e");
        let source = Source { originals, runtime: Handle::current(), key: "audio/mina/a".into(), version };
        let run = move || {
            let folder = temp_dir::create().expect("a folder");
            test(&LazyDownload::new(source, SIZE, folder.path().join("original")).expect("a file"))
        };
        spawn_blocking(run).await.expect("no panic")
    }

    #[tokio::test]
    async fn only_blocks_that_are_read_are_downloaded_once() {
        let rule = stored_object();
        let read_end = |download: &LazyDownload| {
            let mut reader = download.reader();
            assert_eq!(reader.seek(SeekFrom::End(0)).expect("a position"), SIZE);
            assert_eq!(reader.read(&mut [0; 8]).expect("the end"), 0);
            reader.seek(SeekFrom::End(-4)).expect("a position");
            let mut last = [0; 4];
            reader.read_exact(&mut last).expect("4 bytes");
            assert_eq!(last, std::array::from_fn(|index| byte(SIZE - 4 + index as u64)));
            assert!(reader.seek(SeekFrom::End(-1 - SIZE as i64)).is_err(), "before the start");
        };
        with_download(&rule, read_end).await;
        assert_eq!(rule.num_calls(), 1);

        let rule = stored_object();
        let read_all = |download: &LazyDownload| {
            // Across the boundary of two blocks.
            let (mut reader, mut chunk) = (download.reader(), [0; 100]);
            reader.seek(SeekFrom::Start(BLOCK - 50)).expect("a position");
            reader.read_exact(&mut chunk).expect("100 bytes");
            assert_eq!(chunk, std::array::from_fn(|index| byte(BLOCK - 50 + index as u64)));
            let whole = std::fs::read(download.download_all().expect("the whole file")).expect("a file");
            assert_eq!(whole.len() as u64, SIZE);
            assert!(whole.iter().zip(0..).all(|(read, position)| *read == byte(position)));
        };
        with_download(&rule, read_all).await;
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test]
    async fn missing_original_is_gone_and_other_errors_are_transient() {
        let fetch_error = |download: &LazyDownload| {
            assert!(download.reader().read(&mut [0; 8]).is_err());
            download.take_error()
        };
        for status in [404, 412] {
            let gone = mock!(aws_sdk_s3::Client::get_object)
                .then_http_response(move || Response::new(status.try_into().expect("a status"), SdkBody::empty()));
            assert!(matches!(with_download(&gone, fetch_error).await, Some(FetchError::Gone)), "{status}");
        }
        let failing = mock!(aws_sdk_s3::Client::get_object).then_error(|| GetObjectError::unhandled("no response"));
        let short = mock!(aws_sdk_s3::Client::get_object)
            .then_output(|| GetObjectOutput::builder().body(ByteStream::from_static(b"short")).build());
        for rule in [failing, short] {
            let Some(FetchError::Failed(failure)) = with_download(&rule, fetch_error).await else {
                panic!("no failure")
            };
            assert_eq!(failure.kind, Kind::Transient);
        }
    }

    #[tokio::test]
    async fn failing_download_is_a_source_error() {
        let failing = mock!(aws_sdk_s3::Client::get_object).then_error(|| GetObjectError::unhandled("no response"));
        let analyse = |download: &LazyDownload| sound::analyse(download.reader(), &sound::Limits::default());
        let result = with_download(&failing, analyse).await;
        assert!(matches!(result, Err(sound::SoundError::Source { .. })), "{result:?}");
    }
}
