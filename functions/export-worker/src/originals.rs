//! The bucket of originals, which is only read.

use aws_sdk_s3::Client;
use domain::media::Declared;
use function_kit::failure::Failure;
use jiff::Timestamp;

use crate::{
    bucket::{collect, status},
    ports::{Listed, Piece},
};

/// Originals of one list.
const PAGE: i32 = 1_000;

/// The bucket.
pub struct Originals {
    pub s3: Client,
    pub bucket: String,
}

impl Originals {
    pub async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, Failure> {
        let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix).max_keys(PAGE);
        let list = list.set_start_after(after.map(str::to_owned)).send().await;
        let objects = list.map_err(|error| Failure::aws("list originals", error))?.contents.unwrap_or_default();
        let listed = |object: aws_sdk_s3::types::Object| {
            Some(Listed { key: object.key?, size: u64::try_from(object.size.unwrap_or_default()).ok()? })
        };
        Ok(objects.into_iter().filter_map(listed).collect())
    }

    pub async fn piece(
        &self,
        key: &str,
        version: Option<&str>,
        start: u64,
        length: u64,
    ) -> Result<Option<Piece>, Failure> {
        const DOING: &str = "read an original";
        // S3 refuses a range of an empty object.
        let range = length.checked_sub(1).map(|last| format!("bytes={start}-{}", start + last));
        let get = self.s3.get_object().bucket(&self.bucket).key(key).set_range(range);
        let object = match get.set_if_match(version.map(str::to_owned)).send().await {
            Ok(object) => object,
            // It was deleted or replaced.
            Err(error) if matches!(status(&error), Some(404 | 412)) => return Ok(None),
            Err(error) => return Err(Failure::aws(DOING, error)),
        };
        let size = size(object.content_range.as_deref(), object.content_length)
            .ok_or_else(|| Failure::transient(DOING, "S3 returned no size"))?;
        let version = object.e_tag.ok_or_else(|| Failure::transient(DOING, "S3 returned no ETag"))?;
        let modified = object.last_modified.and_then(|time| Timestamp::from_second(time.secs()).ok());
        let declared = Declared::of(object.content_type.as_deref(), object.metadata.as_ref());
        let bytes = collect(DOING, object.body).await?;
        // A connection can end early.
        if bytes.len() as u64 != length.min(size.saturating_sub(start)) {
            return Err(Failure::transient(DOING, "the response ended early"));
        }
        Ok(Some(Piece {
            bytes,
            size,
            version,
            modified: modified.unwrap_or(Timestamp::UNIX_EPOCH),
            file_name: declared.intent.file_name.map(|name| name.as_str().to_owned()),
        }))
    }
}

/// The size of a whole object, of which a part was returned, or all.
fn size(range: Option<&str>, length: Option<i64>) -> Option<u64> {
    match range {
        Some(range) => range.rsplit_once('/')?.1.parse().ok(),
        None => u64::try_from(length?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{
        operation::get_object::GetObjectOutput,
        primitives::{ByteStream, DateTime},
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn output(bytes: &'static [u8]) -> GetObjectOutput {
        GetObjectOutput::builder()
            .content_range("bytes 2-4/9")
            .e_tag("v1")
            .last_modified(DateTime::from_secs(1_795_305_600))
            .metadata("file-name", "%EA%B3%A0.jpg")
            .body(ByteStream::from_static(bytes))
            .build()
    }

    #[tokio::test]
    async fn piece_has_the_size_of_the_whole_and_the_declared_name() {
        let get = mock!(Client::get_object)
            .match_requests(|request| request.range() == Some("bytes=2-4") && request.if_match() == Some("v1"))
            .sequence()
            .output(|| output(b"abc"))
            .output(|| output(b"ab"))
            .build();
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&get]);
        let originals = Originals { s3, bucket: "originals".to_owned() };
        let piece = originals.piece("k", Some("v1"), 2, 3).await.expect("a response").expect("a piece");
        assert_eq!((piece.bytes.as_slice(), piece.size, piece.file_name.as_deref()), (&b"abc"[..], 9, Some("고.jpg")));
        let early = originals.piece("k", Some("v1"), 2, 3).await.expect_err("a failure");
        assert_eq!(early.kind, function_kit::failure::Kind::Transient);
    }

    #[test]
    fn size_is_that_of_the_whole_object() {
        assert_eq!(size(Some("bytes 0-1/5"), Some(2)), Some(5));
        assert_eq!(size(None, Some(0)), Some(0));
        assert_eq!((size(Some("bytes 0-1/*"), Some(2)), size(None, None), size(None, Some(-1))), (None, None, None));
    }
}
