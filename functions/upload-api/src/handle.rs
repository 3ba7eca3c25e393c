use api::Problem;
use domain::{media::Kind, upload::UploadId};
use function_kit::failure::Failure;
use rest_kit::page_token::TokenCipher;
use serde::{Deserialize, Serialize};

/// The purpose of the tokens.
const PURPOSE: &str = "upload";

/// The state of an upload in parts between its requests. The uploader keeps it as an encrypted token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The purpose of the file.
    pub kind: Kind,
    /// S3's id of the upload.
    pub s3_upload: String,
    /// Size of the whole file, in bytes.
    pub size: u64,
    /// Fingerprint of the declaration.
    pub fingerprint: String,
}

impl Handle {
    /// The token for `uploader` and this upload.
    ///
    /// # Errors
    /// A bug, if the system has no randomness.
    pub fn encrypt(&self, cipher: &TokenCipher, uploader: &str, id: UploadId) -> Result<String, Failure> {
        let payload = serde_json::to_vec(self).map_err(|error| Failure::bug("write the handle", error))?;
        cipher.encrypt(PURPOSE, &[uploader, &id.to_string()], &payload)
    }

    /// The handle in a token.
    ///
    /// # Errors
    /// 400 if the token is not one for this uploader and this upload.
    pub fn decrypt(cipher: &TokenCipher, uploader: &str, id: UploadId, text: &str) -> Result<Self, Problem> {
        let payload = cipher.decrypt(PURPOSE, &[uploader, &id.to_string()], text);
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
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let id = UploadId::random([1; 16]);
        assert_eq!(Handle::decrypt(&cipher, "mina", id, text), Ok(expected));
        assert_eq!(Handle::decrypt(&cipher, "jun", id, text).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn handle_is_valid_for_its_uploader_and_upload_only() {
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let handle = Handle { kind: Kind::Audio, s3_upload: "u".into(), size: 100 << 20, fingerprint: "f".into() };
        let (id, other) = (UploadId::random([1; 16]), UploadId::random([2; 16]));
        let token = handle.encrypt(&cipher, "mina", id).expect("a token");
        assert_eq!(Handle::decrypt(&cipher, "mina", id, &token), Ok(handle));
        for (uploader, id) in [("jun", id), ("mina", other)] {
            assert_eq!(Handle::decrypt(&cipher, uploader, id, &token).map_err(|problem| problem.status), Err(400));
        }
    }
}
