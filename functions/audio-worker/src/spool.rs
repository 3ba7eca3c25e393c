use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use derived::Originals;
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
        let (broken, kind) = match runtime.block_on(originals.part(key, etag, range)) {
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
