//! Which parts of an upload have landed.

use api::{LandedPart, Problem, ProblemType, Upload};
use aws_sdk_s3::types::Part;
use domain::{
    media::MediaId,
    upload::{Checksum, FINGERPRINT_METADATA, Parts, UploadId},
};
use rest_kit::response::HandlerError;

use crate::{originals::Originals, response, upload_handle::UploadHandle};

/// The upload of `handle`, with the parts that S3 has. `done` if it is complete already.
pub async fn progress(
    originals: &Originals,
    uploader: &str,
    id: UploadId,
    handle: &UploadHandle,
    text: String,
) -> Result<Upload, HandlerError> {
    let key = id.key(handle.kind, uploader);
    let media_id = MediaId::of_key(&key);
    if let Some(received) = originals.parts(&key, &handle.s3_upload).await? {
        let upload = response::parts(id, media_id, text, handle.size);
        return Ok(Upload { landed: Some(landed(&received, handle.size)), ..upload });
    }
    match originals.metadata(&key).await? {
        Some(metadata) if metadata.get(FINGERPRINT_METADATA) == Some(&handle.fingerprint) => {
            Ok(response::done(id, media_id))
        }
        Some(_) => Err(Problem::from(ProblemType::IdempotencyKeyReused).into()),
        // The upload was aborted, or its object has been deleted.
        None => Err(Problem::from(ProblemType::UploadExpired).into()),
    }
}

/// The received parts of the right length, by number. Others must be sent again.
fn landed(received: &[Part], size: u64) -> Vec<LandedPart> {
    let expected = Parts::of(size);
    let landed = received.iter().filter_map(|part| {
        let number: u64 = part.part_number?.try_into().ok()?;
        let length: u64 = part.size?.try_into().ok()?;
        let checksum: Option<Checksum> = part.checksum_sha256.clone().and_then(|sum| sum.try_into().ok());
        (expected.length(number) == Some(length)).then_some(LandedPart { number, checksum })
    });
    landed.collect()
}

#[cfg(test)]
mod tests {
    use domain::upload::PART_BYTES;

    use super::*;

    fn part(number: i32, size: i64) -> Part {
        Part::builder().part_number(number).size(size).build()
    }

    #[test]
    fn only_parts_of_the_right_length_have_landed() {
        let last = 17;
        let size = 7 * PART_BYTES + last;
        let full = i64::try_from(PART_BYTES).expect("a size");
        let received = [part(1, full), part(3, 17), part(8, 17), part(9, 17), part(0, full), part(-1, full)];
        let numbers: Vec<_> = landed(&received, size).into_iter().map(|part| part.number).collect();
        assert_eq!(numbers, [1, 8]);
    }
}
