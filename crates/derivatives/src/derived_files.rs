use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use domain::media::{MediaId, item_prefix};
use function_kit::failure::Failure;
use sha2::{Digest, Sha256};

use crate::cdn_cache::CdnCache;

/// The time to store a file: 200 MB at 2 MB/s.
const PUT_TIMEOUT: Duration = Duration::from_secs(100);

/// The bucket of derivatives and the CDN in front of it.
#[derive(Debug, Clone)]
pub struct DerivedFiles {
    /// The S3 client.
    pub s3: Client,
    /// The bucket's name.
    pub bucket: String,
    /// The CDN's caches.
    pub cdn_cache: CdnCache,
}

/// A derivative to store. The content under a key never changes.
#[derive(Debug)]
pub struct File {
    /// In the bucket of derivatives.
    pub key: String,
    /// The media type for clients.
    pub content_type: String,
    /// The bytes.
    pub content: Content,
}

/// The bytes of a file.
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// On disk, as long as `folder` is held.
    Disk {
        /// The file.
        path: PathBuf,
        /// A guard that deletes the folder when it is dropped.
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

/// The first 128 bits of the content's SHA-256 in hexadecimal digits, for keys. Two files of an item never share a key.
///
/// # Errors
/// If `content` cannot be read.
pub fn content_hash(mut content: impl io::Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut content, &mut hash)?;
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

impl DerivedFiles {
    /// Stores a file.
    ///
    /// # Errors
    /// If S3 fails, or the file cannot be read from disk.
    pub async fn put(&self, file: File) -> Result<(), Failure> {
        let File { key, content_type, content } = file;
        // The guard keeps the file on disk until it is stored.
        let (body, _folder) = match content {
            Content::Bytes(bytes) => (ByteStream::from(bytes), None),
            Content::Disk { path, folder } => {
                let body = ByteStream::from_path(path).await;
                (body.map_err(|error| Failure::bug("read a derivative from disk", error))?, Some(folder))
            }
        };
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(PUT_TIMEOUT).operation_timeout(PUT_TIMEOUT * 2);
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
            .map_err(|error| Failure::aws("store a derivative", error))?;
        Ok(())
    }

    /// Deletes files. Missing ones are no error.
    ///
    /// # Errors
    /// If S3 fails, or deletes only some of them.
    pub async fn delete(&self, keys: &[&str]) -> Result<(), Failure> {
        // One request accepts at most 1,000 keys.
        for keys in keys.chunks(1_000) {
            let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build());
            let delete = objects
                .collect::<Result<_, _>>()
                .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
                .map_err(|error| Failure::bug("build a deletion of files", error))?;
            let request = self.s3.delete_objects().bucket(&self.bucket).delete(delete);
            let response = request.send().await.map_err(|error| Failure::aws("delete files", error))?;
            // The request succeeds even if single deletions fail.
            if let Some(error) = response.errors().first() {
                return Err(Failure::aws_entry("delete a file", error.code()));
            }
        }
        Ok(())
    }

    /// The keys of an item.
    ///
    /// # Errors
    /// If S3 fails.
    pub async fn list(&self, id: MediaId) -> Result<Vec<String>, Failure> {
        let mut pages = self.s3.list_objects_v2().bucket(&self.bucket).prefix(item_prefix(id)).into_paginator().send();
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
    fn content_hash_depends_on_content_only() {
        assert_eq!(content_hash(&b""[..]).expect("a hash"), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(content_hash(&b"a"[..]).expect("a hash"), content_hash(&b"b"[..]).expect("a hash"));
    }
}
