use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use domain::media::{CleanupScope, MediaId, derived_prefix, invalidation_marker_key, swept};
use function_kit::failure::Failure;
use sha2::{Digest, Sha256};

use crate::cdn_cache::CdnCache;

/// How long storing a file may take: one of 200 MB at 2 MB/s.
const STORING: Duration = Duration::from_secs(100);

/// The bucket of what was made from originals, and the caches in front of it.
#[derive(Debug, Clone)]
pub struct DerivedFiles {
    /// How to reach S3.
    pub s3: Client,
    /// The bucket's name.
    pub bucket: String,
    /// The caches.
    pub cdn_cache: CdnCache,
}

/// A file that was made. Its content never changes under its key.
#[derive(Debug)]
pub struct File {
    /// In the bucket of derived files.
    pub key: String,
    /// What clients are told that it is.
    pub content_type: String,
    /// Its bytes.
    pub content: Content,
}

/// The bytes of a file.
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// On disk, for as long as `folder` is held.
    Disk {
        /// Where.
        path: PathBuf,
        /// What keeps it there.
        folder: Arc<dyn Send + Sync>,
    },
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Disk { path, .. } => write!(f, "Disk({})", path.display()),
        }
    }
}

/// Names a content: 128 bits of its SHA-256 as hexadecimal digits, enough that no two files of an item
/// ever share a key.
///
/// # Errors
/// Those of `content`.
pub fn content_hash(mut content: impl io::Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl DerivedFiles {
    /// Stores a file.
    pub async fn put(&self, file: File) -> Result<(), Failure> {
        let File { key, content_type, content } = file;
        // What is on disk stays there until it is stored.
        let (body, _folder) = match content {
            Content::Bytes(bytes) => (ByteStream::from(bytes), None),
            Content::Disk { path, folder } => {
                let body = ByteStream::from_path(path).await;
                (body.map_err(|error| Failure::bug("read a file that was made", error))?, Some(folder))
            }
        };
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(STORING).operation_timeout(STORING * 2);
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .cache_control("public, max-age=31536000, immutable")
            .body(body)
            .customize()
            .config_override(Builder::new().timeout_config(timeouts.build()))
            .send()
            .await
            .map_err(|error| Failure::aws("store a file that was made", error))?;
        Ok(())
    }

    /// Deletes those files of an item that `sweep` is after, and then has the caches forget them.
    ///
    /// Should this break off, a farewell is left (see [`invalidation_marker_key`]): the next try, which finds
    /// nothing else any more, still knows that the caches are to be told.
    pub async fn sweep(&self, id: MediaId, sweep: CleanupScope<'_>) -> Result<(), Failure> {
        let keys = self.list(id).await?;
        let swept = swept(&keys, sweep);
        let newest = swept.iter().max();
        let Some(farewell) = newest.and_then(|key| invalidation_marker_key(key)) else { return Ok(()) };
        let (farewells, files): (Vec<_>, Vec<_>) =
            swept.into_iter().partition(|key| invalidation_marker_key(key).as_deref() == Some(key));
        if !farewells.contains(&farewell.as_str()) {
            let content_type = "application/octet-stream".to_owned();
            self.put(File { key: farewell.clone(), content_type, content: Content::Bytes(Vec::new()) }).await?;
        }
        self.delete(&files).await?;
        // With a farewell from before, more has been deleted than these files.
        let files = farewells.is_empty().then_some(files);
        self.cdn_cache.invalidate(id, &farewell, files.as_deref()).await?;
        let mut farewells = farewells;
        if !farewells.contains(&farewell.as_str()) {
            farewells.push(&farewell);
        }
        self.delete(&farewells).await
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Failure> {
        // One call takes at most 1,000 keys.
        for keys in keys.chunks(1_000) {
            let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build());
            let delete = objects
                .collect::<Result<_, _>>()
                .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
                .map_err(|error| Failure::bug("name the files to delete", error))?;
            let answer = self
                .s3
                .delete_objects()
                .bucket(&self.bucket)
                .delete(delete)
                .send()
                .await
                .map_err(|error| Failure::aws("delete files", error))?;
            // The call succeeds even where single deletions did not.
            if let Some(error) = answer.errors().first() {
                return Err(Failure::transient("delete a file", error.code().unwrap_or("unknown").to_owned()));
            }
        }
        Ok(())
    }

    async fn list(&self, id: MediaId) -> Result<Vec<String>, Failure> {
        let mut pages =
            self.s3.list_objects_v2().bucket(&self.bucket).prefix(derived_prefix(id)).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::aws("list files", error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_content() {
        assert_eq!(content_hash(&b""[..]).expect("a hash"), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(content_hash(&b"a"[..]).expect("a hash"), content_hash(&b"b"[..]).expect("a hash"));
    }
}
