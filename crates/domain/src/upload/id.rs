use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::media::{Kind, crockford};

/// Names one upload among those of its uploader: 128 bits, written like a ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId(u128);

/// The text is not 26 characters of Crockford's base 32 that fit in 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an upload id: 26 characters of Crockford's base 32 are expected")]
pub struct InvalidUploadId;

impl UploadId {
    /// A new one from random bits.
    pub fn random(bits: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bits))
    }

    /// The one that `uploader` means by this idempotency key, whenever and however often they use
    /// it: nothing has to be stored for a retry to find the same upload.
    pub fn of_idempotency_key(uploader: &str, key: &str) -> Self {
        let digest = Sha256::new()
            .chain_update("upload")
            // So that no two pairs read the same.
            .chain_update((uploader.len() as u64).to_be_bytes())
            .chain_update(uploader)
            .chain_update(key)
            .finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(first))
    }

    /// Where the upload goes: `<kind>/<owner>/<upload id>`.
    pub fn key(self, kind: Kind, owner: &str) -> String {
        format!("{kind}/{owner}/{self}")
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crockford::encode(self.0))
    }
}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, InvalidUploadId> {
        crockford::decode(text).map(Self).ok_or(InvalidUploadId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::OriginalKey;

    #[test]
    fn a_retry_finds_its_upload_and_others_do_not() {
        let of = UploadId::of_idempotency_key;
        assert_eq!(of("mina", "k1"), of("mina", "k1"));
        assert_ne!(of("mina", "k1"), of("mina", "k2"));
        assert_ne!(of("mina", "k1"), of("jun", "k1"));
        assert_ne!(of("mina", "k1"), of("minak", "1"));
    }

    #[test]
    fn an_uploads_key_names_its_owner() {
        let key = UploadId::random([7; 16]).key(Kind::Audio, "mina");
        assert_eq!(OriginalKey::parse(&key), Ok(OriginalKey { kind: Kind::Audio, owner: "mina" }));
    }
}
