use std::collections::HashMap;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, Part},
};
use domain::upload::Declaration;
use function_kit::failure::Failure;

/// The bucket of originals, in which this function manages multipart uploads. Clients send the data.
pub struct Originals {
    pub s3: Client,
    pub bucket: String,
}

/// The result of completing an upload.
#[derive(Debug, PartialEq, Eq)]
pub enum Completion {
    /// The object was created.
    Completed,
    /// The key has an object already, or the upload no longer exists.
    TooLate,
}

impl Originals {
    /// Reads the metadata of the object at `key`, if there is one.
    pub async fn metadata(&self, key: &str) -> Result<Option<HashMap<String, String>>, Failure> {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => Ok(Some(object.metadata.unwrap_or_default())),
            // S3 returns 404 only to callers that may list the bucket.
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Failure::aws("read the original's headers", error)),
        }
    }

    /// Starts a multipart upload and returns its id. S3 keeps type and metadata until the upload is complete.
    pub async fn start(&self, key: &str, declaration: &Declaration) -> Result<String, Failure> {
        let metadata = declaration.to_metadata().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let response = self
            .s3
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type(declaration.content_type)
            .set_metadata(Some(metadata))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .send()
            .await
            .map_err(|error| Failure::aws("start a multipart upload", error))?;
        response.upload_id.ok_or_else(|| Failure::bug("start a multipart upload", "the response has no upload id"))
    }

    /// Lists the parts that S3 has received, by number; `None` if the upload no longer exists.
    pub async fn parts(&self, key: &str, s3_upload: &str) -> Result<Option<Vec<Part>>, Failure> {
        // A page has up to 1,000 parts, an upload at most 128.
        let response = self.s3.list_parts().bucket(&self.bucket).key(key).upload_id(s3_upload).send().await;
        match response {
            Ok(list) => Ok(Some(list.parts.unwrap_or_default())),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Failure::aws("list an upload's parts", error)),
        }
    }

    /// Creates the object from `parts`, unless the key has one or the parts do not have `size` bytes in all.
    pub async fn complete(
        &self,
        key: &str,
        s3_upload: &str,
        parts: Vec<Part>,
        size: u64,
    ) -> Result<Completion, Failure> {
        let parts = parts.into_iter().map(|part| {
            CompletedPart::builder()
                .set_part_number(part.part_number)
                .set_e_tag(part.e_tag)
                .set_checksum_sha256(part.checksum_sha256)
                .build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let size = i64::try_from(size).map_err(|error| Failure::bug("complete an upload", error))?;
        let response = self
            .s3
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(s3_upload)
            .multipart_upload(parts)
            .checksum_type(ChecksumType::Composite)
            .mpu_object_size(size)
            .if_none_match("*")
            .send()
            .await;
        match response {
            Ok(_) => Ok(Completion::Completed),
            Err(error) if is_missing(&error) || status(&error) == Some(412) => Ok(Completion::TooLate),
            // 409, a concurrent upload to the same key, is transient.
            Err(error) => Err(Failure::aws("complete an upload", error)),
        }
    }
}

/// Whether the object or the upload does not exist. A missing bucket has the same status, but may come back.
fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    status(error) == Some(404) && error.code() != Some("NoSuchBucket")
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
