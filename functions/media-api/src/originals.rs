use std::{collections::HashMap, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    error::SdkError,
    types::MetadataDirective,
};
use function_kit::failure::Failure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Time for a copy, which S3 answers when it is done: originals have up to 2 GiB. API Gateway waits for 30 s, and the
/// function ends after 29.
const COPY_TIMEOUT: Duration = Duration::from_secs(26);

/// The bucket of originals, which this function does not read: it deletes, and changes metadata.
pub struct Originals {
    /// The S3 client.
    pub s3: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// The headers of an original.
pub struct Head {
    pub(crate) etag: String,
    pub(crate) content_type: Option<String>,
    /// User metadata.
    pub metadata: HashMap<String, String>,
}

/// The result of a copy under a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// The object has the new metadata.
    Copied,
    /// The object has been deleted.
    Gone,
    /// The object has been replaced, or is being written.
    Changed,
}

impl Originals {
    /// Deletes the original at `key`. A missing original is not an error.
    pub async fn delete(&self, key: &str) -> Result<(), Failure> {
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete an original", error))
    }

    /// Reads the headers of the original at `key`; `None` if there is none.
    pub async fn head(&self, key: &str) -> Result<Option<Head>, Failure> {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => Ok(Some(Head {
                etag: object.e_tag.unwrap_or_default(),
                content_type: object.content_type,
                metadata: object.metadata.unwrap_or_default(),
            })),
            // S3 returns 404 only to callers that may list the bucket.
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(Failure::aws("read the original's headers", error)),
        }
    }

    /// Gives the original at `key` other metadata, if it still has the content of `head`.
    pub async fn copy_onto_itself(&self, key: &str, head: Head) -> Result<Copied, Failure> {
        let copy = self
            .s3
            .copy_object()
            .bucket(&self.bucket)
            .key(key)
            .copy_source(format!("{}/{}", self.bucket, utf8_percent_encode(key, NON_ALPHANUMERIC)))
            .copy_source_if_match(&head.etag)
            // A deletion in the meantime stays one.
            .if_match(head.etag)
            .metadata_directive(MetadataDirective::Replace)
            .set_content_type(head.content_type)
            .set_metadata(Some(head.metadata));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(COPY_TIMEOUT).operation_timeout(COPY_TIMEOUT);
        let copy = copy.customize().config_override(Builder::new().timeout_config(timeouts.build()));
        match copy.send().await {
            Ok(_) => Ok(Copied::Copied),
            Err(error) => match status(&error) {
                Some(404) => Ok(Copied::Gone),
                Some(409 | 412) => Ok(Copied::Changed),
                _ => Err(Failure::aws("change an original's metadata", error)),
            },
        }
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}
