use std::time::Duration;

use aws_sdk_s3::{
    config::{Builder, timeout::TimeoutConfig},
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use domain::{
    media::{Declared, MediaId, ObjectVersion, Report, is_public_key, item_prefix},
    message::escape_noncharacters,
};
use function_kit::failure::Failure;
use store::media::MediaTable;

use crate::{
    cdn_cache::CdnCache,
    file::{Content, File},
    originals::Originals,
    ports::Ports,
};

/// The time to store a file: 200 MB at 2 MB/s.
const PUT_TIMEOUT: Duration = Duration::from_secs(100);

/// The services of a worker on AWS.
#[derive(Debug, Clone)]
pub struct AwsPorts {
    /// The bucket to read.
    pub originals: Originals,
    /// The client of the bucket to write.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of derivatives.
    pub derived_bucket: String,
    /// The CDN in front of that bucket.
    pub cdn_cache: CdnCache,
    /// The table of media items, which says what was taken down.
    pub media: MediaTable,
    /// The client of the queue of reports.
    pub sqs: aws_sdk_sqs::Client,
    /// The URL of `metadata-queue`.
    pub metadata_queue_url: String,
}

/// Who may cache a file, and for how long. Its content never changes, but who may see it does: files that are not public stay
/// in the cache of everyone who has fetched them, not longer than their links.
fn cache_control(key: &str) -> &'static str {
    if is_public_key(key) { "public, max-age=31536000, immutable" } else { "private, max-age=600" }
}

impl Ports for AwsPorts {
    type Originals = Originals;

    fn originals(&self) -> &Originals {
        &self.originals
    }

    async fn head(&self, key: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        self.originals.head_if_current(key, version).await
    }

    async fn is_taken_down(&self, id: MediaId) -> Result<bool, Failure> {
        self.media.is_taken_down(id).await
    }

    async fn put(&self, file: File) -> Result<(), Failure> {
        let File { key, content_type, content } = file;
        let cache_control = cache_control(&key);
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
            .bucket(&self.derived_bucket)
            .key(key)
            .content_type(content_type)
            .cache_control(cache_control)
            .body(body)
            .customize()
            .config_override(Builder::new().timeout_config(timeouts.build()))
            .send()
            .await
            .map_err(|error| Failure::aws("store a derivative", error))?;
        Ok(())
    }

    async fn list(&self, id: MediaId) -> Result<Vec<String>, Failure> {
        let mut pages =
            self.s3.list_objects_v2().bucket(&self.derived_bucket).prefix(item_prefix(id)).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::aws("list files", error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Failure> {
        // One request accepts at most 1,000 keys.
        for keys in keys.chunks(1_000) {
            let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build());
            let delete = objects
                .collect::<Result<_, _>>()
                .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
                .map_err(|error| Failure::bug("build a deletion of files", error))?;
            let request = self.s3.delete_objects().bucket(&self.derived_bucket).delete(delete);
            let response = request.send().await.map_err(|error| Failure::aws("delete files", error))?;
            // The request succeeds even if single deletions fail.
            if let Some(error) = response.errors().first() {
                return Err(Failure::aws_entry("delete a file", error.code()));
            }
        }
        Ok(())
    }

    async fn invalidate(&self, id: MediaId, reference: &str, files: Option<&[&str]>) -> Result<(), Failure> {
        self.cdn_cache.invalidate(id, reference, files).await
    }

    async fn report(&self, report: &Report) -> Result<(), Failure> {
        let body = serde_json::to_string(report).map_err(|error| Failure::bug("serialise the report", error))?;
        let send = self.sqs.send_message().queue_url(&self.metadata_queue_url).message_body(escape_noncharacters(body));
        send.send().await.map(drop).map_err(|error| Failure::aws("send the report", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_files_may_be_cached_by_all() {
        assert_eq!(cache_control("1/0A/open/8x8-c0ffee.webp"), "public, max-age=31536000, immutable");
        for private in ["1/0A/8x8-c0ffee.webp", "1/0A/open", "open/0A/x"] {
            assert_eq!(cache_control(private), "private, max-age=600", "{private}");
        }
    }
}
