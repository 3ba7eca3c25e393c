use api::Problem;
use domain::{media::Kind, upload::UploadId};
use function_kit::{failure::Failure, seal::Sealer};
use serde::{Deserialize, Serialize};

/// What has to be known of an upload in parts from one step to the next: its uploader carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// What it is for.
    pub kind: Kind,
    /// S3's own name for the upload.
    pub s3_upload: String,
    /// Of the whole, in bytes.
    pub size: u64,
    /// Of the declaration.
    pub fingerprint: String,
}

impl Handle {
    /// The handle as `uploader` carries it.
    pub fn seal(&self, sealer: &Sealer, uploader: &str, id: UploadId) -> Result<String, Failure> {
        let payload = serde_json::to_vec(self).map_err(|error| Failure::bug("write the handle", error))?;
        Ok(sealer.seal("upload", &[uploader, &id.to_string()], &payload))
    }

    /// The handle that was sealed for this uploader and this upload.
    pub fn open(sealer: &Sealer, uploader: &str, id: UploadId, text: &str) -> Result<Self, Problem> {
        let payload = sealer.open("upload", &[uploader, &id.to_string()], text);
        payload
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or_else(|| Problem::invalid_request("`handle` must be the one that this upload started with"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handle_of_previous_version_is_read() {
        let text = include_str!("../tests/fixtures/previous_version/handle").trim_end();
        let expected = Handle {
            kind: Kind::Audio,
            s3_upload: "VXBsb2FkIElE.aws-1".into(),
            size: 100 << 20,
            fingerprint: "sha256:ab12".into(),
        };
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let id = UploadId::random([1; 16]);
        assert_eq!(Handle::open(&sealer, "mina", id, text), Ok(expected));
        assert_eq!(Handle::open(&sealer, "jun", id, text).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn a_handle_is_its_uploaders_for_this_upload() {
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let handle = Handle { kind: Kind::Audio, s3_upload: "u".into(), size: 100 << 20, fingerprint: "f".into() };
        let (id, other) = (UploadId::random([1; 16]), UploadId::random([2; 16]));
        let sealed = handle.seal(&sealer, "mina", id).expect("sealed");
        assert_eq!(Handle::open(&sealer, "mina", id, &sealed), Ok(handle));
        for (uploader, id) in [("jun", id), ("mina", other)] {
            assert_eq!(Handle::open(&sealer, uploader, id, &sealed).map_err(|problem| problem.status), Err(400));
        }
    }
}
