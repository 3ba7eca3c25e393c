use std::ops::Range;

use aws_sdk_s3::{
    Client, error::SdkError, operation::get_object::builders::GetObjectFluentBuilder, primitives::ByteStream,
};
use bytes::Bytes;
use domain::media::Declared;
use function_kit::failure::Failure;

/// The bucket of originals, read only. Each read names the `ETag` of an event, so it returns that content or nothing.
#[derive(Debug, Clone)]
pub struct Originals {
    /// The S3 client.
    pub s3: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// An original's content and declaration.
#[derive(Debug)]
pub struct Original {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// From the object's headers.
    pub declared: Declared,
}

impl Originals {
    /// Reads the object that has the ETag `etag`; `None` if it has been deleted or replaced.
    pub async fn get(&self, key: &str, etag: &str) -> Result<Option<Original>, Failure> {
        let Some(object) = unless_gone("fetch the original", self.request(key, etag).send().await)? else {
            return Ok(None);
        };
        let declared = Declared::of(object.content_type(), object.metadata());
        Ok(Some(Original { bytes: collect(object.body).await?.into(), declared }))
    }

    /// Reads a part of the object that has the ETag `etag`; `None` if it has been deleted or replaced. `range` must not be
    /// empty and must lie within the object.
    ///
    /// # Errors
    /// If S3 fails, or the response ends early.
    pub async fn get_range(&self, key: &str, etag: &str, range: Range<u64>) -> Result<Option<Bytes>, Failure> {
        let length = range.end.saturating_sub(range.start);
        let request = self.request(key, etag).range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let Some(object) = unless_gone("fetch the original", request.send().await)? else { return Ok(None) };
        let bytes = collect(object.body).await?;
        // A connection can end early.
        if bytes.len() as u64 != length {
            let error = format!("received {} of {length} bytes", bytes.len());
            return Err(Failure::transient("read the original", error));
        }
        Ok(Some(bytes))
    }

    /// Reads the declaration of the object that has the ETag `etag`; `None` if it has been deleted or replaced.
    pub async fn head_if_match(&self, key: &str, etag: &str) -> Result<Option<Declared>, Failure> {
        let head = self.s3.head_object().bucket(&self.bucket).key(key).if_match(quoted(etag));
        let object = unless_gone("read the original's headers", head.send().await)?;
        Ok(object.map(|object| Declared::of(object.content_type(), object.metadata())))
    }

    fn request(&self, key: &str, etag: &str) -> GetObjectFluentBuilder {
        self.s3.get_object().bucket(&self.bucket).key(key).if_match(quoted(etag))
    }
}

/// HTTP quotes ETags (RFC 9110, section 8.8.3); S3's events do not.
fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

async fn collect(body: ByteStream) -> Result<Bytes, Failure> {
    let bytes = body.collect().await.map_err(|error| Failure::transient("read the original", error))?;
    Ok(bytes.into_bytes())
}

/// `None` if the object no longer exists (404, which S3 returns only to callers that may list the bucket) or has other
/// content (412).
fn unless_gone<T, E>(doing: &'static str, result: Result<T, SdkError<E>>) -> Result<Option<T>, Failure>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let is_gone =
        |error: &SdkError<E>| error.raw_response().is_some_and(|raw| matches!(raw.status().as_u16(), 404 | 412));
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(Failure::aws(doing, error)),
    }
}
