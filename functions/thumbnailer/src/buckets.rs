use aws_sdk_s3::{
    Client,
    error::SdkError,
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use domain::media::{Declared, MediaId, Sweep, derived_prefix, farewell_key, swept};
use function_kit::failure::Failure;

use crate::edge::Edge;

/// The bucket of originals, read only.
pub struct Originals {
    pub s3: Client,
    pub bucket: String,
}

/// An original's content and what it was declared to be.
pub struct Content {
    pub bytes: Vec<u8>,
    pub declared: Declared,
}

impl Originals {
    /// The content that had the ETag `etag`, or `None` if the object has gone or changed since.
    pub async fn get(&self, key: &str, etag: &str) -> Result<Option<Content>, Failure> {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).if_match(quoted(etag)).send().await;
        match answer {
            Ok(object) => {
                let declared = Declared::of(object.content_type(), object.metadata());
                let bytes =
                    object.body.collect().await.map_err(|error| Failure::transient("read the original", error))?;
                Ok(Some(Content { bytes: bytes.into_bytes().into(), declared }))
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(Failure::aws("fetch the original", error)),
        }
    }

    /// What the object that had the ETag `etag` declares, or `None` if it has gone or changed since.
    pub async fn look(&self, key: &str, etag: &str) -> Result<Option<Declared>, Failure> {
        match self.s3.head_object().bucket(&self.bucket).key(key).if_match(quoted(etag)).send().await {
            Ok(object) => Ok(Some(Declared::of(object.content_type(), object.metadata()))),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(Failure::aws("look at the original", error)),
        }
    }
}

/// HTTP quotes ETags (RFC 9110, 8.8.3); S3's events do not.
fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// 404: no such key, which S3 says only to those who may list the bucket; 412: other content.
fn is_gone<E>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|response| matches!(response.status().as_u16(), 404 | 412))
}

/// The bucket of what was made from originals, and the caches in front of it.
pub struct DerivedFiles {
    pub s3: Client,
    pub bucket: String,
    pub edge: Edge,
}

impl DerivedFiles {
    /// Stores a file whose content never changes under its key.
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        self.s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .cache_control("public, max-age=31536000, immutable")
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| Failure::aws("store a variant", error))?;
        Ok(())
    }

    /// Deletes those files of an item that `sweep` is after, and then has the caches forget them.
    ///
    /// Should this break off, a farewell is left (see [`farewell_key`]): the next try, which finds
    /// nothing else any more, still knows that the caches are to be told.
    pub async fn sweep(&self, id: MediaId, sweep: Sweep<'_>) -> Result<(), Failure> {
        let keys = self.list(id).await?;
        let swept = swept(&keys, sweep);
        let newest = swept.iter().max();
        let Some(farewell) = newest.and_then(|key| farewell_key(key)) else { return Ok(()) };
        let (farewells, files): (Vec<_>, Vec<_>) =
            swept.into_iter().partition(|key| farewell_key(key).as_deref() == Some(key));
        if !farewells.contains(&farewell.as_str()) {
            self.put(&farewell, "application/octet-stream", Vec::new()).await?;
        }
        self.delete(&files).await?;
        // With a farewell from before, more has been deleted than these files.
        let files = farewells.is_empty().then_some(files);
        self.edge.forget(id, &farewell, files.as_deref()).await?;
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
                .map_err(|error| Failure::bug("name the variants to delete", error))?;
            let answer = self
                .s3
                .delete_objects()
                .bucket(&self.bucket)
                .delete(delete)
                .send()
                .await
                .map_err(|error| Failure::aws("delete variants", error))?;
            // The call succeeds even where single deletions did not.
            if let Some(error) = answer.errors().first() {
                return Err(Failure::transient("delete a variant", error.code().unwrap_or("unknown").to_owned()));
            }
        }
        Ok(())
    }

    async fn list(&self, id: MediaId) -> Result<Vec<String>, Failure> {
        let mut pages =
            self.s3.list_objects_v2().bucket(&self.bucket).prefix(derived_prefix(id)).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::aws("list variants", error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }
}
