//! The bucket of exports: files in parts, and what the next turn needs.

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use aws_smithy_types::timeout::TimeoutConfig;
use function_kit::failure::Failure;

use crate::ports::NoUpload;

/// S3 may take minutes to put thousands of parts together. If it takes longer, the next attempt finds the file.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(80);
/// For every browser and app that keeps what it downloads.
const CACHE_CONTROL: &str = "private, no-store";

/// The bucket.
pub struct Exports {
    pub s3: Client,
    pub bucket: String,
}

impl Exports {
    pub async fn begin_upload(&self, object: &str) -> Result<String, Failure> {
        const DOING: &str = "begin a file";
        let create = self
            .s3
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(object)
            .content_type("application/zip")
            .content_disposition("attachment; filename=\"iyagi.zip\"")
            .cache_control(CACHE_CONTROL);
        let created = create.send().await.map_err(|error| Failure::aws(DOING, error))?;
        created.upload_id.ok_or_else(|| Failure::transient(DOING, "S3 returned no id"))
    }

    pub async fn upload_part(
        &self,
        object: &str,
        upload: &str,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<Result<String, NoUpload>, Failure> {
        const DOING: &str = "upload a part";
        let number = i32::try_from(number).map_err(|error| Failure::bug(DOING, error))?;
        let part = self.s3.upload_part().bucket(&self.bucket).key(object).upload_id(upload).part_number(number);
        match part.body(ByteStream::from(bytes)).send().await {
            Ok(part) => Ok(Ok(part.e_tag.ok_or_else(|| Failure::transient(DOING, "S3 returned no ETag"))?)),
            Err(error) => unless_missing(DOING, error),
        }
    }

    pub async fn parts(&self, object: &str, upload: &str) -> Result<Result<Vec<(u32, String)>, NoUpload>, Failure> {
        const DOING: &str = "list parts";
        let list = self.s3.list_parts().bucket(&self.bucket).key(object).upload_id(upload);
        let mut pages = list.into_paginator().send();
        let mut parts = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => return unless_missing(DOING, error),
            };
            for part in page.parts.unwrap_or_default() {
                let number = part.part_number.and_then(|number| u32::try_from(number).ok());
                parts.extend(number.zip(part.e_tag));
            }
        }
        Ok(Ok(parts))
    }

    pub async fn complete(
        &self,
        object: &str,
        upload: &str,
        parts: Vec<(u32, String)>,
    ) -> Result<Result<(), NoUpload>, Failure> {
        const DOING: &str = "complete a file";
        let part = |(number, etag): (u32, String)| {
            CompletedPart::builder().set_part_number(i32::try_from(number).ok()).e_tag(etag).build()
        };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.into_iter().map(part).collect())).build();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(COMPLETION_TIMEOUT)
            .operation_timeout(COMPLETION_TIMEOUT)
            .build();
        let complete = self.s3.complete_multipart_upload().bucket(&self.bucket).key(object).upload_id(upload);
        let complete = complete.multipart_upload(parts).customize();
        match complete.config_override(aws_sdk_s3::Config::builder().timeout_config(timeouts)).send().await {
            Ok(_) => Ok(Ok(())),
            Err(error) => unless_missing(DOING, error),
        }
    }

    pub async fn abort(&self, object: &str, upload: &str) -> Result<(), Failure> {
        const DOING: &str = "abort a file";
        let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(object).upload_id(upload);
        match abort.send().await {
            Ok(_) => Ok(()),
            // It does not exist any more.
            Err(error) => unless_missing::<(), _>(DOING, error).map(|_| ()),
        }
    }

    pub async fn size(&self, object: &str) -> Result<Option<u64>, Failure> {
        match self.s3.head_object().bucket(&self.bucket).key(object).send().await {
            Ok(head) => Ok(head.content_length.and_then(|length| u64::try_from(length).ok())),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(Failure::aws("read the headers of a file", error)),
        }
    }

    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let put = self.s3.put_object().bucket(&self.bucket).key(name).body(ByteStream::from(bytes));
        put.send().await.map(drop).map_err(|error| Failure::aws("store the state of an export", error))
    }

    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        const DOING: &str = "read the state of an export";
        let object = match self.s3.get_object().bucket(&self.bucket).key(name).send().await {
            Ok(object) => object,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(Failure::aws(DOING, error)),
        };
        collect(DOING, object.body).await.map(Some)
    }

    pub async fn delete(&self, name: &str) -> Result<(), Failure> {
        let delete = self.s3.delete_object().bucket(&self.bucket).key(name);
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete a part of an export", error))
    }
}

/// All bytes of a body.
pub async fn collect(doing: &'static str, body: ByteStream) -> Result<Vec<u8>, Failure> {
    /// The SDK's timeouts end with the headers.
    const TIMEOUT: Duration = Duration::from_secs(20);
    let bytes = tokio::time::timeout(TIMEOUT, body.collect()).await;
    let bytes = bytes.map_err(|error| Failure::transient(doing, error))?;
    bytes.map(aws_sdk_s3::primitives::AggregatedBytes::to_vec).map_err(|error| Failure::transient(doing, error))
}

fn unless_missing<T, E>(
    doing: &'static str,
    error: SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> Result<Result<T, NoUpload>, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    // A part was uploaded again by a turn that was thought to be dead.
    let is_missing = matches!(error.code(), Some("NoSuchUpload" | "InvalidPart"));
    if is_missing { Ok(Err(NoUpload)) } else { Err(Failure::aws(doing, error)) }
}

/// The HTTP status of a failed call, if there was a response.
pub fn status<E>(error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}
