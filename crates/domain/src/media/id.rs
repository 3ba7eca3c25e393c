use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};
use sha2::{Digest, Sha256};

use super::crockford;

/// Id of a media item: 128 bits, written like a ULID in 26 characters of Crockford's base 32.
///
/// It is a hash of the original's key, so every function derives the same id from an event of the
/// object, in any order and without a lookup. Keys are compared byte by byte, as in S3: the same Korean
/// name in NFC and in NFD makes two items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, DeserializeFromStr, SerializeDisplay)]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        description = "Id of a media item: 26 characters of Crockford's base 32, in upper case.",
        examples("1BXGRWP28YE5BMJM4Y6AMW46T0"),
        pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
    )
)]
pub struct MediaId(u128);

/// The text is not a media id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a media id: expected 26 characters of Crockford's base 32")]
pub struct InvalidMediaId;

impl MediaId {
    /// The id of the item whose original has this key (decoded, not URL-encoded): the first 128 bits of
    /// the key's SHA-256.
    pub fn of_key(key: &str) -> Self {
        let digest = Sha256::digest(key.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(first))
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crockford::encode(self.0))
    }
}

impl FromStr for MediaId {
    type Err = InvalidMediaId;

    /// Accepts the canonical, upper-case form only, so that an item has one URL and one cache entry.
    fn from_str(text: &str) -> Result<Self, InvalidMediaId> {
        crockford::decode(text).map(Self).ok_or(InvalidMediaId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_the_keys_hash_in_base_32() {
        // The first 16 bytes of `echo -n photo/mina/cat.jpg | sha256sum`: 2bec31cb091e715749509e32a9c21b40.
        let id = MediaId::of_key("photo/mina/cat.jpg");
        assert_eq!(id.to_string(), "1BXGRWP28YE5BMJM4Y6AMW46T0");
        assert_eq!("1BXGRWP28YE5BMJM4Y6AMW46T0".parse(), Ok(id));
        assert_eq!("1bxgrwp28ye5bmjm4y6amw46t0".parse::<MediaId>(), Err(InvalidMediaId));
    }

    #[test]
    fn keys_in_nfc_and_nfd_have_different_ids() {
        assert_ne!(MediaId::of_key("photo/mina/\u{ac00}.jpg"), MediaId::of_key("photo/mina/\u{1100}\u{1161}.jpg"));
    }
}
