use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::media::{Kind, crockford};

/// Id of an upload, unique per uploader: 128 bits, written like a ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId(u128);

/// The text is not an upload id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an upload id: expected 26 characters of Crockford's base 32")]
pub struct InvalidUploadId;

impl UploadId {
    /// A new id from random bits.
    pub fn random(bits: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bits))
    }

    /// The id of an uploader's idempotency key. A retry derives the same id, so nothing is stored for it.
    pub fn of_idempotency_key(uploader: &str, key: &str) -> Self {
        let digest = Sha256::new()
            .chain_update("upload")
            // The length makes the pair unambiguous.
            .chain_update((uploader.len() as u64).to_be_bytes())
            .chain_update(uploader)
            .chain_update(key)
            .finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(first))
    }

    /// Key of the original: `<kind>/<owner>/<upload id>`.
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
    fn idempotency_key_of_an_uploader_has_one_id() {
        let of = UploadId::of_idempotency_key;
        assert_eq!(of("mina", "k1"), of("mina", "k1"));
        assert_ne!(of("mina", "k1"), of("mina", "k2"));
        assert_ne!(of("mina", "k1"), of("jun", "k1"));
        assert_ne!(of("mina", "k1"), of("minak", "1"));
    }

    #[test]
    fn key_of_an_upload_has_its_owner() {
        let key = UploadId::random([7; 16]).key(Kind::Audio, "mina");
        assert_eq!(OriginalKey::parse(&key), Ok(OriginalKey { kind: Kind::Audio, owner: "mina" }));
    }
}
