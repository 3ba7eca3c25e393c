use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// A SHA-256 in base 64, as in S3's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        examples("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        pattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"
    )
)]
pub struct Checksum([u8; 32]);

/// The text is not 32 bytes in base 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`checksum` must be a SHA-256 in base 64: 44 characters")]
pub struct InvalidChecksum;

impl TryFrom<String> for Checksum {
    type Error = InvalidChecksum;

    /// Accepts padded, canonical base 64 only, because S3 compares the texts.
    fn try_from(text: String) -> Result<Self, InvalidChecksum> {
        let bytes = BASE64_STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidChecksum)
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        BASE64_STANDARD.encode(checksum.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sha_256_in_canonical_base_64_is_accepted() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(Checksum::try_from(empty.to_owned()).map(String::from), Ok(empty.to_owned()));
        for text in [
            "",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            // Non-zero bits after the end.
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "1B2M2Y8AsgTpgAmY7PhCfg==",
        ] {
            assert_eq!(Checksum::try_from(text.to_owned()), Err(InvalidChecksum), "{text}");
        }
    }
}
