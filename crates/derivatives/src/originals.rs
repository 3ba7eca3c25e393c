use std::ops::Range;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{get_object::builders::GetObjectFluentBuilder, head_object::HeadObjectOutput},
    primitives::ByteStream,
};
use bytes::Bytes;
use domain::{
    media::{CurrentObject, Declared, ObjectVersion},
    upload::LANE_METADATA,
};
use function_kit::failure::Failure;

const READ_HEADERS: &str = "read the original's headers";

/// The bucket of originals, read only. Each read names the version of an event, so it returns that content or nothing.
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
    /// Reads the object if `version` is its current version; `None` if it has been deleted or replaced.
    pub async fn get(&self, key: &str, version: &ObjectVersion) -> Result<Option<Original>, Failure> {
        let Some(object) = unless_gone("fetch the original", self.request(key, version).send().await)? else {
            return Ok(None);
        };
        if !version.has_id(object.version_id()) {
            return Ok(None);
        }
        let declared = Declared::of(object.content_type(), object.metadata());
        Ok(Some(Original { bytes: collect(object.body).await?.into(), declared }))
    }

    /// Reads a part of the object if `version` is its current version; `None` if it has been deleted or replaced. `range`
    /// must not be empty and must lie within the object.
    ///
    /// # Errors
    /// If S3 fails, or the response ends early.
    pub async fn get_range(
        &self,
        key: &str,
        version: &ObjectVersion,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, Failure> {
        let length = range.end.saturating_sub(range.start);
        let range = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let request = self.request(key, version).range(range);
        let Some(object) = unless_gone("fetch the original", request.send().await)? else { return Ok(None) };
        if !version.has_id(object.version_id()) {
            return Ok(None);
        }
        let bytes = collect(object.body).await?;
        // A connection can end early.
        if bytes.len() as u64 != length {
            let error = format!("received {} of {length} bytes", bytes.len());
            return Err(Failure::transient("read the original", error));
        }
        Ok(Some(bytes))
    }

    /// Reads the declaration of the object if `version` is its current version; `None` if it has been deleted or replaced.
    pub async fn head_if_current(&self, key: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        let head = self.s3.head_object().bucket(&self.bucket).key(key).if_match(quoted(&version.etag));
        let Some(object) = unless_gone(READ_HEADERS, head.send().await)? else { return Ok(None) };
        size(&object)?;
        let is_current = version.has_id(object.version_id());
        Ok(is_current.then(|| Declared::of(object.content_type(), object.metadata())))
    }

    /// Size and declaration of the current object at `key`; `None` if it has been deleted.
    pub async fn head(&self, key: &str) -> Result<Option<CurrentObject>, Failure> {
        let head = self.s3.head_object().bucket(&self.bucket).key(key);
        let Some(object) = unless_gone(READ_HEADERS, head.send().await)? else { return Ok(None) };
        let size = size(&object)?;
        let lane = object.metadata().and_then(|metadata| metadata.get(LANE_METADATA)?.parse().ok()).unwrap_or_default();
        Ok(Some(CurrentObject { size, declared: Declared::of(object.content_type(), object.metadata()), lane }))
    }

    fn request(&self, key: &str, version: &ObjectVersion) -> GetObjectFluentBuilder {
        self.s3.get_object().bucket(&self.bucket).key(key).if_match(quoted(&version.etag))
    }
}

/// The size of an object. A response without its headers must look neither like another object nor like one without a
/// declaration.
fn size(object: &HeadObjectOutput) -> Result<u64, Failure> {
    let size = object.content_length().and_then(|length| u64::try_from(length).ok());
    size.ok_or_else(|| Failure::transient(READ_HEADERS, "the response has no size"))
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
/// content (412). A missing bucket is no deletion of its objects.
fn unless_gone<T, E>(doing: &'static str, result: Result<T, SdkError<E>>) -> Result<Option<T>, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_gone = |error: &SdkError<E>| {
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        matches!(status, Some(404 | 412)) && error.code() != Some("NoSuchBucket")
    };
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(Failure::aws(doing, error)),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::http::Response;
    use aws_smithy_types::body::SdkBody;
    use function_kit::failure::Kind;

    use super::*;

    fn originals(rules: &[&Rule]) -> Originals {
        Originals { s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules), bucket: "originals".to_owned() }
    }

    fn version(id: Option<&str>) -> ObjectVersion {
        ObjectVersion { etag: "e".to_owned(), id: id.map(str::to_owned) }
    }

    #[tokio::test]
    async fn object_with_the_same_bytes_and_another_version_is_gone() {
        let head = mock!(Client::head_object)
            .match_requests(|request| request.if_match() == Some("\"e\""))
            .then_output(|| HeadObjectOutput::builder().content_length(1).version_id("v3").build());
        let get = mock!(Client::get_object)
            .then_output(|| GetObjectOutput::builder().version_id("v3").body(ByteStream::from_static(b"x")).build());
        let originals = originals(&[&head, &get]);
        for (id, is_current) in [(Some("v3"), true), (None, true), (Some("v1"), false)] {
            let version = version(id);
            assert_eq!(originals.head_if_current("k", &version).await.expect("headers").is_some(), is_current);
            assert_eq!(originals.get("k", &version).await.expect("an object").is_some(), is_current);
            assert_eq!(originals.get_range("k", &version, 0..1).await.expect("a part").is_some(), is_current);
        }
    }

    #[tokio::test]
    async fn headers_without_a_size_are_a_transient_failure() {
        let head = mock!(Client::head_object).then_output(|| HeadObjectOutput::builder().build());
        assert_eq!(originals(&[&head]).head("k").await.expect_err("a failure").kind, Kind::Transient);
        let failure = originals(&[&head]).head_if_current("k", &version(None)).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Transient);
        let head = mock!(Client::head_object).then_output(|| HeadObjectOutput::builder().content_length(7).build());
        assert_eq!(originals(&[&head]).head("k").await.expect("headers").map(|object| object.size), Some(7));
    }

    #[tokio::test]
    async fn missing_bucket_is_a_transient_failure() {
        for (code, is_gone) in [("NoSuchKey", true), ("NoSuchBucket", false)] {
            let get = mock!(Client::get_object).then_http_response(move || {
                Response::new(
                    404.try_into().expect("a status"),
                    SdkBody::from(format!("<Error><Code>{code}</Code></Error>")),
                )
            });
            match originals(&[&get]).get("k", &version(None)).await {
                Ok(object) => assert!(is_gone && object.is_none(), "{code}"),
                Err(failure) => assert!(!is_gone && failure.kind == Kind::Transient, "{code}: {failure}"),
            }
        }
    }

    #[tokio::test]
    async fn code_of_s3_decides_the_kind() {
        for (status, code, kind) in [
            (400, "ExpiredToken", Kind::Transient),
            (400, "KMS.DisabledException", Kind::Transient),
            (403, "RequestTimeTooSkewed", Kind::Transient),
            (400, "InvalidArgument", Kind::Bug),
        ] {
            let get = mock!(Client::get_object).then_http_response(move || {
                let body = format!("<Error><Code>{code}</Code><Message>SlowDown</Message></Error>");
                Response::new(u16::try_into(status).expect("a status"), SdkBody::from(body))
            });
            let failure = originals(&[&get]).get("k", &version(None)).await.expect_err("a failure");
            assert_eq!(failure.kind, kind, "{code}");
        }
        // A response to HEAD has no body.
        let head = mock!(Client::head_object)
            .then_http_response(|| Response::new(400.try_into().expect("a status"), SdkBody::empty()));
        let failure = originals(&[&head]).head_if_current("k", &version(None)).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Transient);
    }
}
