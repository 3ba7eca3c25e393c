use std::collections::HashMap;

use aws_sdk_s3::{
    Client,
    error::SdkError,
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, Part},
};
use domain::upload::Declaration;
use function_kit::failure::Failure;

/// The bucket of originals: what this function does there itself.
pub struct Originals {
    pub s3: Client,
    pub bucket: String,
}

/// What became of completing an upload.
#[derive(Debug, PartialEq, Eq)]
pub enum Completion {
    /// The object is there.
    Completed,
    /// Something is there already, or S3 knows no such upload (any more).
    TooLate,
}

impl Originals {
    /// The metadata of the object at `key`, if there is one.
    pub async fn metadata(&self, key: &str) -> Result<Option<HashMap<String, String>>, Failure> {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => Ok(Some(object.metadata.unwrap_or_default())),
            // S3 says it only to those who may list the bucket.
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(Failure::aws("look at the original", error)),
        }
    }

    /// Begins an upload in parts; S3's name for it. S3 keeps type and metadata until it completes.
    pub async fn begin(&self, key: &str, declaration: &Declaration) -> Result<String, Failure> {
        let metadata = declaration.to_metadata().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let answer = self
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
            .map_err(|error| Failure::aws("begin an upload in parts", error))?;
        answer.upload_id.ok_or_else(|| Failure::bug("begin an upload in parts", "S3 gave it no name"))
    }

    /// The parts that S3 has, by number; nothing if it knows no such upload (any more).
    pub async fn parts(&self, key: &str, s3_upload: &str) -> Result<Option<Vec<Part>>, Failure> {
        // One page has 1,000 parts; an upload has at most 128.
        let answer = self.s3.list_parts().bucket(&self.bucket).key(key).upload_id(s3_upload).send().await;
        match answer {
            Ok(list) => Ok(Some(list.parts.unwrap_or_default())),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(Failure::aws("list an upload's parts", error)),
        }
    }

    /// Makes one object of `parts`, if there is none yet and they have `size` bytes together.
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
        let answer = self
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
        match answer {
            Ok(_) => Ok(Completion::Completed),
            Err(error) if matches!(status(&error), Some(404 | 412)) => Ok(Completion::TooLate),
            // 409, another upload to this key at the same moment, is worth another try.
            Err(error) => Err(Failure::aws("complete an upload", error)),
        }
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
