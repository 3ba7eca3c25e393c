//! The files of exports: links to them, and their erasure.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::{
    Client,
    config::{ProvideCredentials, SharedCredentialsProvider},
    error::ProvideErrorMetadata,
    presigning::PresigningConfig,
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::exports::{StoredExport, files_of, pieces_of};

use crate::ports::Link;

/// Objects that one call deletes. It takes some seconds.
const MAX_OBJECTS: i32 = 100;
/// A shorter lifetime would be of no use to a client.
const MIN_LIFETIME: Duration = Duration::from_secs(30);
/// The longest lifetime: that of a file.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The bucket of exports.
pub struct ExportFiles {
    pub s3: Client,
    pub bucket: String,
    pub credentials: SharedCredentialsProvider,
}

impl ExportFiles {
    /// A link to the file, which works until `until`, or until the credentials of this function expire.
    ///
    /// # Errors
    /// If the function has no credentials, or they expire too soon.
    pub async fn sign(&self, export: &StoredExport, now: Timestamp, until: Timestamp) -> Result<Link, Failure> {
        const DOING: &str = "sign a link";
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| Failure::transient(DOING, error))?;
        let start = SystemTime::from(now);
        let lifetime = lifetime(start, SystemTime::from(until), credentials.expiry());
        if lifetime < MIN_LIFETIME {
            return Err(Failure::transient(DOING, "the link would expire at once"));
        }
        let config = PresigningConfig::builder().start_time(start).expires_in(lifetime).build();
        let config = config.map_err(|error| Failure::bug(DOING, error))?;
        let get = self.s3.get_object().bucket(&self.bucket).key(export.file()).presigned(config).await;
        let url = get.map_err(|error| Failure::aws(DOING, error))?.uri().to_owned();
        let expires_at = Timestamp::try_from(start + lifetime).map_err(|error| Failure::bug(DOING, error))?;
        Ok(Link { url, expires_at })
    }

    /// Deletes some of the user's files, finished or not. Returns whether more may be left.
    pub async fn erase(&self, user: &str) -> Result<bool, Failure> {
        self.abort_uploads(&files_of(user)).await?;
        for prefix in [files_of(user), pieces_of(user)] {
            let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix).max_keys(MAX_OBJECTS);
            let list = list.send().await.map_err(|error| Failure::aws("list files of exports", error))?;
            let keys: Vec<_> = list.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect();
            if keys.is_empty() {
                continue;
            }
            for key in keys {
                let delete = self.s3.delete_object().bucket(&self.bucket).key(key).send().await;
                delete.map_err(|error| Failure::aws("delete a file of an export", error))?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    async fn abort_uploads(&self, prefix: &str) -> Result<(), Failure> {
        let list = self.s3.list_multipart_uploads().bucket(&self.bucket).prefix(prefix).send().await;
        let uploads = list.map_err(|error| Failure::aws("list unfinished exports", error))?.uploads.unwrap_or_default();
        for (key, id) in uploads.into_iter().filter_map(|upload| upload.key.zip(upload.upload_id)) {
            let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id).send().await;
            match abort {
                Err(error) if error.code() != Some("NoSuchUpload") => {
                    return Err(Failure::aws("abort an export", error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The lifetime of a link that is signed at `now`, in whole seconds.
fn lifetime(now: SystemTime, until: SystemTime, credentials_expire: Option<SystemTime>) -> Duration {
    let end = credentials_expire.map_or(until, |expire| expire.min(until));
    let left = end.duration_since(now).unwrap_or_default().min(MAX_LIFETIME);
    Duration::from_secs(left.as_secs())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_s3::{
        config::{BehaviorVersion, Credentials, Region},
        operation::{
            abort_multipart_upload::AbortMultipartUploadOutput, delete_object::DeleteObjectOutput,
            list_multipart_uploads::ListMultipartUploadsOutput, list_objects_v2::ListObjectsV2Output,
        },
        types::{MultipartUpload, Object},
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_305_600 + seconds).expect("a time")
    }

    fn credentials(expiry: Option<Timestamp>) -> SharedCredentialsProvider {
        let expiry = expiry.map(SystemTime::from);
        SharedCredentialsProvider::new(Credentials::new("key", "secret", None, expiry, "test"))
    }

    fn files(expiry: Option<Timestamp>) -> ExportFiles {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(credentials(expiry))
            .build();
        ExportFiles { s3: Client::from_conf(config), bucket: "exports".to_owned(), credentials: credentials(expiry) }
    }

    fn export() -> StoredExport {
        StoredExport::new("mina", "e1".to_owned(), "o1".to_owned(), at(0))
    }

    #[tokio::test]
    async fn link_works_until_the_file_or_the_credentials_expire() {
        for (expiry, until, expected) in
            [(None, 86_400, 86_400), (Some(3_600), 86_400, 3_600), (Some(7_200), 3_600, 3_600)]
        {
            let link = files(expiry.map(at)).sign(&export(), at(0), at(until)).await.expect("a link");
            assert_eq!(link.expires_at, at(expected));
            assert!(link.url.contains("/zip/mina/o1.zip?") && link.url.contains(&format!("X-Amz-Expires={expected}&")));
        }
        let failure = files(Some(at(10))).sign(&export(), at(0), at(86_400)).await.expect_err("a failure");
        assert_eq!(failure.kind, function_kit::failure::Kind::Transient);
    }

    #[tokio::test]
    async fn files_and_uploads_of_the_user_are_deleted_and_no_others() {
        let uploads = mock!(Client::list_multipart_uploads)
            .match_requests(|request| request.prefix() == Some("zip/mina/"))
            .then_output(|| {
                let upload = MultipartUpload::builder().key("zip/mina/o2.zip").upload_id("u").build();
                ListMultipartUploadsOutput::builder().uploads(upload).build()
            });
        let abort = mock!(Client::abort_multipart_upload)
            .match_requests(|request| request.key() == Some("zip/mina/o2.zip") && request.upload_id() == Some("u"))
            .then_output(|| AbortMultipartUploadOutput::builder().build());
        let left = Arc::new(Mutex::new(vec!["zip/mina/o1.zip", "work/mina/o1/rest-7", "zip/mina2/o1.zip"]));
        let listed = left.clone();
        let list = mock!(Client::list_objects_v2).then_compute_output(move |request| {
            let prefix = request.prefix().expect("a prefix");
            let left = listed.lock().expect("a lock");
            let objects =
                left.iter().filter(|key| key.starts_with(prefix)).map(|key| Object::builder().key(*key).build());
            ListObjectsV2Output::builder().set_contents(Some(objects.collect())).build()
        });
        let deleted = left.clone();
        let delete = mock!(Client::delete_object).then_compute_output(move |request| {
            deleted.lock().expect("a lock").retain(|key| Some(*key) != request.key());
            DeleteObjectOutput::builder().build()
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&uploads, &abort, &list, &delete]);
        let files = ExportFiles { s3, bucket: "exports".to_owned(), credentials: credentials(None) };
        let mut turns = 0;
        while files.erase("mina").await.expect("erased") {
            turns += 1;
        }
        assert_eq!((turns, left.lock().expect("a lock").as_slice()), (2, &["zip/mina2/o1.zip"][..]));
        assert!(abort.num_calls() > 0);
    }
}
