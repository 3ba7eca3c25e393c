use aws_sdk_s3::Client;
use domain::media::Declared;
use function_kit::failure::Failure;

/// The bucket of originals, of which only headers are read.
pub struct Originals {
    pub s3: Client,
    pub bucket: String,
}

impl Originals {
    /// What the object that had the ETag `etag` declares; nothing if it has gone or changed since.
    pub async fn declared(&self, key: &str, etag: &str) -> Result<Option<Declared>, Failure> {
        // HTTP quotes ETags (RFC 9110, 8.8.3); S3's events do not.
        let etag = format!("\"{etag}\"");
        match self.s3.head_object().bucket(&self.bucket).key(key).if_match(etag).send().await {
            Ok(object) => Ok(Some(Declared::of(object.content_type(), object.metadata()))),
            // 404: no such key, which S3 says only to those who may list the bucket; 412: other content.
            Err(error)
                if error.raw_response().is_some_and(|response| matches!(response.status().as_u16(), 404 | 412)) =>
            {
                Ok(None)
            }
            Err(error) => Err(Failure::aws("look at the original", error)),
        }
    }
}
