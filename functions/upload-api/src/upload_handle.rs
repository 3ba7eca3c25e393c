use api::Problem;
use domain::{media::Kind, upload::UploadId};
use function_kit::failure::Failure;
use rest_kit::page_token::TokenCipher;
use serde::{Deserialize, Serialize};

/// The purpose of the tokens.
const PURPOSE: &str = "upload";
/// Between the upload's id and the token. Neither contains it.
const SEPARATOR: char = '.';

/// The state of a multipart upload between requests. The client keeps it, since this function stores nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadHandle {
    /// The kind of media.
    pub kind: Kind,
    /// S3's upload id.
    pub s3_upload: String,
    /// The size of the whole file, in bytes.
    pub size: u64,
    /// The fingerprint of the declaration.
    pub fingerprint: String,
}

impl UploadHandle {
    /// Encrypts the handle for `uploader`.
    ///
    /// # Errors
    /// A bug, if the system has no randomness.
    pub fn encrypt(&self, cipher: &TokenCipher, uploader: &str, id: UploadId) -> Result<String, Failure> {
        let payload = serde_json::to_vec(self).map_err(|error| Failure::bug("serialise the handle", error))?;
        let id = id.to_string();
        Ok(format!("{id}{SEPARATOR}{}", cipher.encrypt(PURPOSE, &[uploader, &id], &payload)?))
    }

    /// The upload that a handle says it is of. Handles of the version before do not say it.
    pub fn upload_id(text: &str) -> Option<UploadId> {
        text.split_once(SEPARATOR)?.0.parse().ok()
    }

    /// Decrypts a handle of this uploader and upload.
    ///
    /// # Errors
    /// 400 if it was made for another uploader or upload, or is not a handle.
    pub fn decrypt(cipher: &TokenCipher, uploader: &str, id: UploadId, text: &str) -> Result<Self, Problem> {
        // The id in front only tells which upload the handle is of. The token is bound to the upload, too.
        let token = text.split_once(SEPARATOR).map_or(text, |(_, token)| token);
        let payload = cipher.decrypt(PURPOSE, &[uploader, &id.to_string()], token);
        payload
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or_else(|| Problem::invalid_request("`handle` must be the one returned when this upload was started"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handle_of_previous_version_is_read() {
        let text = include_str!("../tests/fixtures/previous_version/handle").trim_end();
        let expected = UploadHandle {
            kind: Kind::Audio,
            s3_upload: "VXBsb2FkIElE.aws-1".into(),
            size: 100 << 20,
            fingerprint: "sha256:ab12".into(),
        };
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let id = UploadId::random([1; 16]);
        assert_eq!(UploadHandle::decrypt(&cipher, "mina", id, text), Ok(expected));
        assert_eq!(UploadHandle::decrypt(&cipher, "jun", id, text).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn handle_is_valid_only_for_its_uploader_and_upload() {
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let handle =
            UploadHandle { kind: Kind::Audio, s3_upload: "u".into(), size: 100 << 20, fingerprint: "f".into() };
        let (id, other) = (UploadId::random([1; 16]), UploadId::random([2; 16]));
        let text = handle.encrypt(&cipher, "mina", id).expect("text");
        assert_eq!(UploadHandle::upload_id(&text), Some(id));
        let renamed = text.replace(&id.to_string(), &other.to_string());
        assert_eq!(UploadHandle::decrypt(&cipher, "mina", other, &renamed).map_err(|problem| problem.status), Err(400));
        assert_eq!(UploadHandle::decrypt(&cipher, "mina", id, &text), Ok(handle));
        for (uploader, id) in [("jun", id), ("mina", other)] {
            assert_eq!(UploadHandle::decrypt(&cipher, uploader, id, &text).map_err(|problem| problem.status), Err(400));
        }
    }
}
