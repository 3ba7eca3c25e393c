use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use derivatives::Originals;
use function_kit::failure::Failure;
use tokio::runtime::Handle;

/// How much of an original is fetched at a time, in bytes, and the most of it that is in memory.
const BLOCK: u64 = 4 * 1024 * 1024;

/// An original in S3, read as a file on disk. What is read is fetched when it is first needed, in
/// blocks, and once: a file that is refused by its beginning costs one block, and ffmpeg finds on disk
/// what the analysis has read.
///
/// To be used outside of the runtime's own thread, which it waits for.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    fetch: Fetch,
    size: u64,
    file: File,
    path: PathBuf,
    /// Which blocks are on disk.
    fetched: Vec<bool>,
    broken: Option<Broken>,
}

/// What is fetched, and by whom.
#[derive(Debug)]
pub struct Fetch {
    pub originals: Originals,
    pub runtime: Handle,
    pub key: String,
    pub etag: String,
}

/// Why an original could not be read.
#[derive(Debug)]
pub enum Broken {
    /// It has gone or changed since.
    Gone,
    /// It may work the next time.
    Failed(Failure),
}

impl Spool {
    /// An original of `size` bytes, of which nothing has been fetched yet, kept at `path`.
    pub fn new(fetch: Fetch, size: u64, path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        // Sparse: what is not fetched takes no room.
        file.set_len(size)?;
        let blocks = usize::try_from(size.div_ceil(BLOCK)).map_err(io::Error::other)?;
        let inner = Inner { fetch, size, file, path, fetched: vec![false; blocks], broken: None };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// A reader from the beginning.
    pub fn reader(&self) -> Reader {
        Reader { spool: self.clone(), position: 0 }
    }

    /// The file, all of it.
    pub fn complete(&self) -> io::Result<PathBuf> {
        let mut inner = self.lock();
        for block in 0..inner.fetched.len() {
            inner.fetch(block)?;
        }
        Ok(inner.path.clone())
    }

    /// Why reading failed, if it did.
    pub fn take_broken(&self) -> Option<Broken> {
        self.lock().broken.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn fetch(&mut self, block: usize) -> io::Result<()> {
        if self.fetched.get(block).is_none_or(|fetched| *fetched) {
            return Ok(());
        }
        let start = block as u64 * BLOCK;
        let range = start..self.size.min(start + BLOCK);
        let Fetch { originals, runtime, key, etag } = &self.fetch;
        let (broken, kind) = match runtime.block_on(originals.get_range(key, etag, range)) {
            Ok(Some(bytes)) => {
                self.file.write_all_at(&bytes, start)?;
                self.fetched[block] = true;
                return Ok(());
            }
            Ok(None) => (Broken::Gone, io::ErrorKind::NotFound),
            Err(failure) => (Broken::Failed(failure), io::ErrorKind::Other),
        };
        self.broken = Some(broken);
        Err(io::Error::new(kind, "the original cannot be read"))
    }

    fn read_at(&mut self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        if position >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let block = position / BLOCK;
        self.fetch(usize::try_from(block).map_err(io::Error::other)?)?;
        // Not beyond what is there.
        let left = self.size.min((block + 1) * BLOCK) - position;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        self.file.read_at(&mut buffer[..count], position)
    }
}

/// Reads an original from any place.
#[derive(Debug)]
pub struct Reader {
    spool: Spool,
    position: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.spool.lock().read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.spool.lock().size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        // As files do it: beyond the end is a place, before the beginning is none.
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

    /// S3, with an object whose bytes follow from their place.
    fn stored() -> Rule {
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

    /// What `work` finds in the object that `rule` answers for.
    async fn spooled<T: Send + 'static>(rule: &Rule, work: impl FnOnce(&Spool) -> T + Send + 'static) -> T {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [rule]);
        let originals = Originals { s3, bucket: "originals".into() };
        let fetch = Fetch { originals, runtime: Handle::current(), key: "audio/mina/a".into(), etag: "e".into() };
        let work = move || {
            let folder = temp_dir::create().expect("a folder");
            work(&Spool::new(fetch, SIZE, folder.path().join("original")).expect("a spool"))
        };
        spawn_blocking(work).await.expect("done")
    }

    #[tokio::test]
    async fn only_what_is_read_is_fetched_and_once() {
        let rule = stored();
        let read = |spool: &Spool| {
            let mut reader = spool.reader();
            assert_eq!(reader.seek(SeekFrom::End(0)).expect("a place"), SIZE);
            assert_eq!(reader.read(&mut [0; 8]).expect("the end"), 0);
            reader.seek(SeekFrom::End(-4)).expect("a place");
            let mut last = [0; 4];
            reader.read_exact(&mut last).expect("read");
            assert_eq!(last, std::array::from_fn(|index| byte(SIZE - 4 + index as u64)));
            assert!(reader.seek(SeekFrom::End(-1 - SIZE as i64)).is_err(), "before the beginning");
        };
        spooled(&rule, read).await;
        assert_eq!(rule.num_calls(), 1);

        let rule = stored();
        let all = |spool: &Spool| {
            // Across the border of two blocks.
            let (mut reader, mut piece) = (spool.reader(), [0; 100]);
            reader.seek(SeekFrom::Start(BLOCK - 50)).expect("a place");
            reader.read_exact(&mut piece).expect("read");
            assert_eq!(piece, std::array::from_fn(|index| byte(BLOCK - 50 + index as u64)));
            let whole = std::fs::read(spool.complete().expect("all of it")).expect("a file");
            assert_eq!(whole.len() as u64, SIZE);
            assert!(whole.iter().zip(0..).all(|(read, position)| *read == byte(position)));
        };
        spooled(&rule, all).await;
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test]
    async fn what_has_gone_is_told_from_what_failed() {
        let broken = |spool: &Spool| {
            assert!(spool.reader().read(&mut [0; 8]).is_err());
            spool.take_broken()
        };
        for status in [404, 412] {
            let gone = mock!(aws_sdk_s3::Client::get_object)
                .then_http_response(move || Response::new(status.try_into().expect("a status"), SdkBody::empty()));
            assert!(matches!(spooled(&gone, broken).await, Some(Broken::Gone)), "{status}");
        }
        let silent = mock!(aws_sdk_s3::Client::get_object).then_error(|| GetObjectError::unhandled("no answer"));
        let short = mock!(aws_sdk_s3::Client::get_object)
            .then_output(|| GetObjectOutput::builder().body(ByteStream::from_static(b"short")).build());
        for rule in [silent, short] {
            let Some(Broken::Failed(failure)) = spooled(&rule, broken).await else { panic!("no failure") };
            assert_eq!(failure.kind, Kind::Transient);
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_is_no_damaged_recording() {
        let silent = mock!(aws_sdk_s3::Client::get_object).then_error(|| GetObjectError::unhandled("no answer"));
        let error = spooled(&silent, |spool| sound::analyse(spool.reader(), &sound::Limits::default())).await;
        assert!(matches!(error, Err(sound::SoundError::Source { .. })), "{error:?}");
    }
}
