use std::ops::Range;

use aws_sdk_s3::{Client, error::SdkError};
use bytes::Bytes;
use domain::media::Declared;
use function_kit::failure::Failure;

/// The bucket of originals, read only. All that is read is of one content: that which an event told
/// of, by its `ETag`.
#[derive(Debug, Clone)]
pub struct Originals {
    /// How to reach S3.
    pub s3: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// An original's content and what it was declared to be.
#[derive(Debug)]
pub struct Original {
    /// All of it.
    pub bytes: Vec<u8>,
    /// From its headers.
    pub declared: Declared,
}

impl Originals {
    /// The content that had the ETag `etag`, or `None` if the object has gone or changed since.
    pub async fn get(&self, key: &str, etag: &str) -> Result<Option<Original>, Failure> {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).if_match(quoted(etag)).send().await;
        match answer {
            Ok(object) => {
                let declared = Declared::of(object.content_type(), object.metadata());
                let bytes =
                    object.body.collect().await.map_err(|error| Failure::transient("read the original", error))?;
                Ok(Some(Original { bytes: bytes.into_bytes().into(), declared }))
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(Failure::aws("fetch the original", error)),
        }
    }

    /// A part of the content that had the ETag `etag`, or `None` if the object has gone or changed
    /// since. `range` must not be empty and must lie within the object.
    pub async fn part(&self, key: &str, etag: &str, range: Range<u64>) -> Result<Option<Bytes>, Failure> {
        let length = range.end.saturating_sub(range.start);
        let request = self.s3.get_object().bucket(&self.bucket).key(key).if_match(quoted(etag));
        let answer = request.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1))).send().await;
        match answer {
            Ok(object) => {
                let bytes =
                    object.body.collect().await.map_err(|error| Failure::transient("read the original", error))?;
                let bytes = bytes.into_bytes();
                // S3 says how long a part is, but a connection may end early.
                if bytes.len() as u64 == length {
                    Ok(Some(bytes))
                } else {
                    Err(Failure::transient(
                        "read the original",
                        format!("{} bytes came instead of {length}", bytes.len()),
                    ))
                }
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(Failure::aws("fetch the original", error)),
        }
    }

    /// What the object that had the ETag `etag` declares, or `None` if it has gone or changed since.
    pub async fn head_if_match(&self, key: &str, etag: &str) -> Result<Option<Declared>, Failure> {
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
