//! A user's originals, with all versions, and unfinished uploads.
//!
//! An object is deleted first, which is an event: the workers delete its derivatives and its item. Then its versions are
//! deleted for good, which is no event.

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use domain::media::Kind;
use function_kit::failure::Failure;

/// Versions that one call deletes. It takes some seconds.
const MAX_VERSIONS: i32 = 100;

/// The bucket of originals.
pub struct Originals {
    pub s3: Client,
    pub bucket: String,
}

/// A version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    key: String,
    id: String,
    /// Whether the object exists, and this is its version.
    is_current: bool,
}

impl Originals {
    /// Deletes some of the user's objects. Returns whether more may be left.
    pub async fn erase(&self, user: &str) -> Result<bool, Failure> {
        for kind in Kind::ALL {
            let prefix = format!("{kind}/{user}/");
            self.abort_uploads(&prefix).await?;
            let versions = self.versions(&prefix).await?;
            if versions.is_empty() {
                continue;
            }
            for version in versions.iter().filter(|version| version.is_current) {
                self.delete(&version.key, None).await?;
            }
            for version in &versions {
                self.delete(&version.key, Some(&version.id)).await?;
            }
            // Also the new delete markers.
            return Ok(true);
        }
        Ok(false)
    }

    /// Some versions and delete markers below `prefix`.
    async fn versions(&self, prefix: &str) -> Result<Vec<Version>, Failure> {
        let list = self.s3.list_object_versions().bucket(&self.bucket).prefix(prefix).max_keys(MAX_VERSIONS);
        let list = list.send().await.map_err(|error| Failure::aws("list versions of originals", error))?;
        let objects = list.versions.unwrap_or_default().into_iter().filter_map(|version| {
            Some(Version { key: version.key?, id: version.version_id?, is_current: version.is_latest == Some(true) })
        });
        let markers = list.delete_markers.unwrap_or_default().into_iter();
        let markers =
            markers.filter_map(|marker| Some(Version { key: marker.key?, id: marker.version_id?, is_current: false }));
        Ok(objects.chain(markers).collect())
    }

    async fn delete(&self, key: &str, version: Option<&str>) -> Result<(), Failure> {
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key).set_version_id(version.map(str::to_owned));
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete an original", error))
    }

    async fn abort_uploads(&self, prefix: &str) -> Result<(), Failure> {
        let list = self.s3.list_multipart_uploads().bucket(&self.bucket).prefix(prefix).send().await;
        let uploads = list.map_err(|error| Failure::aws("list unfinished uploads", error))?.uploads.unwrap_or_default();
        for (key, id) in uploads.into_iter().filter_map(|upload| upload.key.zip(upload.upload_id)) {
            let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id).send().await;
            match abort {
                Err(error) if !is_missing(&error) => return Err(Failure::aws("abort an upload", error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the upload does not exist any more.
fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("NoSuchUpload")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_s3::{
        operation::{
            abort_multipart_upload::AbortMultipartUploadOutput, delete_object::DeleteObjectOutput,
            list_multipart_uploads::ListMultipartUploadsOutput, list_object_versions::ListObjectVersionsOutput,
        },
        types::{DeleteMarkerEntry, MultipartUpload, ObjectVersion},
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn object_is_deleted_before_its_versions_and_only_below_the_user() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let uploads = mock!(Client::list_multipart_uploads).then_compute_output(|request| {
            let upload = MultipartUpload::builder().key("photo/mina/u").upload_id("u1").build();
            let is_photo = request.prefix() == Some("photo/mina/");
            ListMultipartUploadsOutput::builder().set_uploads(is_photo.then(|| vec![upload])).build()
        });
        let abort = mock!(Client::abort_multipart_upload).then_output(|| AbortMultipartUploadOutput::builder().build());
        let list = mock!(Client::list_object_versions).then_compute_output(|request| {
            if request.prefix() != Some("photo/mina/") {
                return ListObjectVersionsOutput::builder().build();
            }
            let version = |id: &str, latest| {
                ObjectVersion::builder().key("photo/mina/a").version_id(id).is_latest(latest).build()
            };
            let marker = DeleteMarkerEntry::builder().key("photo/mina/b").version_id("m").is_latest(true).build();
            ListObjectVersionsOutput::builder()
                .versions(version("v2", true))
                .versions(version("v1", false))
                .delete_markers(marker)
                .build()
        });
        let log = calls.clone();
        let delete = mock!(Client::delete_object).then_compute_output(move |request| {
            let call = (request.key().unwrap_or_default().to_owned(), request.version_id().map(str::to_owned));
            log.lock().expect("a lock").push(call);
            DeleteObjectOutput::builder().build()
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&uploads, &abort, &list, &delete]);
        let originals = Originals { s3, bucket: "originals".to_owned() };
        assert!(originals.erase("mina").await.expect("erased"), "the new delete marker is left");
        assert!(!originals.erase("jun").await.expect("erased"));
        let expected = [
            ("photo/mina/a", None),
            ("photo/mina/a", Some("v2")),
            ("photo/mina/a", Some("v1")),
            ("photo/mina/b", Some("m")),
        ];
        let expected = expected.map(|(key, id): (&str, Option<&str>)| (key.to_owned(), id.map(str::to_owned)));
        assert_eq!(*calls.lock().expect("a lock"), expected);
        assert_eq!(abort.num_calls(), 1);
    }
}
